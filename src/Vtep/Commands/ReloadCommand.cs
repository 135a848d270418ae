// vtep reload: the daemon reads its configuration file again, and says what changed. Exit code 1, with every error, when it kept the old one.

using System.CommandLine;
using System.Text.Json;
using VtepDataPlane.Daemon.Control;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The reload command.</summary>
internal static class ReloadCommand
{
    public static Command Create()
    {
        Option<string> socket = ControlCommands.SocketOption();
        var command = new Command("reload", "Let the daemon read its configuration file again; vtep plan says beforehand what that changes.") { socket };
        command.SetAction(parsed => ControlCommands.AskAsync(parsed, socket, async (client, output) =>
        {
            byte[] answer = await client.SendAsync(HttpMethod.Post, "/v1/reload");
            ReloadAnswer done = JsonSerializer.Deserialize(answer, ConfigJson.Default.ReloadAnswer)!;
            foreach (string warning in done.Warnings)
                output.WriteLine(VtepConfigRules.Escape(warning));
            output.WriteLine(VtepConfigRules.Escape($"Reloaded {done.Path}: {done.Summary}."));
        }));
        return command;
    }
}
