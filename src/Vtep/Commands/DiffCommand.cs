// vtep diff: what the controllers' stores say now against what the data plane does. Like diff(1): exit code 0 when they agree, 1 when they
// don't.

using System.CommandLine;
using System.Text;
using System.Text.Json;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Daemon.Tables;
using VtepDataPlane.Discovery;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The diff command.</summary>
internal static class DiffCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        Option<string> socket = ControlCommands.SocketOption();
        var command = new Command("diff", "Compare what the controllers' stores say with what the data plane does: exit code 1 when they differ.")
        {
            json, socket,
        };
        command.SetAction(parsed => ControlCommands.AskForCodeAsync(parsed, socket, async (client, output) =>
        {
            byte[] answer = await client.SendAsync(HttpMethod.Get, "/v1/directory/diff");
            IReadOnlyList<DirectoryDifference> differences = JsonSerializer.Deserialize(answer, ControlJson.Default.IReadOnlyListDirectoryDifference)!;
            if (parsed.GetValue(json))
                output.WriteLine(Encoding.UTF8.GetString(answer));
            else
                DirectoryTables.Write(differences, output, Terminal.OfStandardOutput());
            return differences.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
        }));
        return command;
    }
}
