// vtep reload: the daemon reads its configuration file again. Exit code 1, with every error, when it kept the old one.

using System.CommandLine;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The reload command.</summary>
internal static class ReloadCommand
{
    public static Command Create()
    {
        Option<string> socket = ControlCommands.SocketOption();
        var command = new Command("reload", "Let the daemon read its configuration file again.") { socket };
        command.SetAction(parsed =>
            ControlCommands.AskAsync(parsed, socket, (client, _) => client.SendAsync(HttpMethod.Post, "/v1/reload")));
        return command;
    }
}
