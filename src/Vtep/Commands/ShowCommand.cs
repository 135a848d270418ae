// vtep show ...: what the daemon knows, as tables for people or, with --json, as the control API gives it.

using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Daemon.Tables;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The show commands.</summary>
internal sealed class ShowCommand
{
    private readonly Option<bool> _json = new("--json") { Description = "Print JSON.", Recursive = true };
    private readonly Option<string> _socket = ControlCommands.SocketOption();

    public static Command Create() => new ShowCommand().Build();

    private Command Build()
    {
        _socket.Recursive = true;
        return new Command("show", "Show what the daemon knows.")
        {
            _json,
            _socket,
            Table("status", "The VTEP as a whole.", ControlJson.Default.VtepSnapshot, SnapshotTables.Write),
            Table("domains", "Bridge domains: ports, flood list, MTU.", ControlJson.Default.IReadOnlyListDomainSnapshot,
                SnapshotTables.Write),
            Table("ports", "Access ports.", ControlJson.Default.IReadOnlyListPortSnapshot, SnapshotTables.Write),
            Table("peers", "Other VTEPs, configured and learned.", ControlJson.Default.IReadOnlyListPeerSnapshot, SnapshotTables.Write),
            Fdb(),
            Table("neighbors", "IP addresses of stations, as controllers tell them.", ControlJson.Default.IReadOnlyListNeighborSnapshot,
                DirectoryTables.Write),
            Table("directory", "What controllers said, who won, and why.", ControlJson.Default.DirectoryContentSnapshot, DirectoryTables.Write),
            Table("counters", "Every frame that came in, and what became of it.", ControlJson.Default.CounterSnapshot,
                SnapshotTables.Write),
            Config(),
        };
    }

    private Command Table<T>(string name, string description, JsonTypeInfo<T> type, Action<T, TextWriter, Terminal> write)
    {
        var command = new Command(name, description);
        command.SetAction(parsed => ShowAsync(parsed, $"/v1/{name}", type, write));
        return command;
    }

    private Command Fdb()
    {
        var vni = new Option<string>("--vni") { Description = "Of one domain only.", HelpName = "N" };
        var command = new Command("fdb", "The forwarding database: which MAC is where.") { vni };
        command.SetAction(async parsed =>
        {
            string query = parsed.GetValue(vni) is { } number ? $"?vni={Uri.EscapeDataString(number)}" : "";
            return await ShowAsync(parsed, $"/v1/fdb{query}", ControlJson.Default.IReadOnlyListFdbSnapshot, SnapshotTables.Write);
        });
        return command;
    }

    // It is a configuration file already: with --json or without, the text is the same.
    private Command Config()
    {
        var command = new Command("config", "The configuration in force, defaults included: a file one can start from, always JSON.");
        command.SetAction(parsed => ControlCommands.AskAsync(parsed, _socket, async (client, output) =>
            output.Write(Encoding.UTF8.GetString(await client.SendAsync(HttpMethod.Get, "/v1/config")))));
        return command;
    }

    private Task<int> ShowAsync<T>(ParseResult parsed, string path, JsonTypeInfo<T> type, Action<T, TextWriter, Terminal> write) =>
        ControlCommands.AskAsync(parsed, _socket, async (client, output) =>
        {
            byte[] answer = await client.SendAsync(HttpMethod.Get, path);
            if (parsed.GetValue(_json))
                output.WriteLine(Encoding.UTF8.GetString(answer));
            else
                write(JsonSerializer.Deserialize(answer, type)!, output, Terminal.OfStandardOutput());
        });
}
