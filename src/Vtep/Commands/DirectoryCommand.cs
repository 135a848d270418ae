// vtep directory add | del | accept: records of nodes that can't publish their own (a kernel's vxlan device, say), and letting a store
// have its way that has lost many VTEPs at once.

using System.CommandLine;
using System.Net.Http.Json;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The directory commands.</summary>
internal sealed class DirectoryCommand
{
    private readonly Option<string> _controller = ControlCommands.ControllerOption();
    private readonly Option<string> _node = new("--node") { Description = "The node's id.", HelpName = "ID", Required = true };
    private readonly Option<string> _vni = new("--vni") { Description = "The domain; alone: the node gets a copy of what is flooded there.", HelpName = "N" };
    private readonly Option<string> _mac = new("--mac") { Description = "A station of the node.", HelpName = "M" };
    private readonly Option<string> _ip = new("--ip") { Description = "The station's address.", HelpName = "A" };
    private readonly Option<string> _socket = ControlCommands.SocketOption();

    public static Command Create() => new("directory", "Write records of nodes that can't publish into a controller's store.")
    {
        new DirectoryCommand().Add(),
        new DirectoryCommand().Delete(),
        new DirectoryCommand().Accept(),
    };

    private Command Add()
    {
        var vtep = new Option<string>("--vtep") { Description = "Where the node's VTEP is: an address, or one with a port.", HelpName = "A" };
        var sticky = new Option<bool>("--sticky") { Description = "The station never moves." };
        var command = new Command("add", "Write records of a node; they stay until they are deleted.") { _controller, _node, vtep, _vni, _mac, _ip, sticky, _socket };
        command.SetAction(async parsed =>
        {
            if (!TryStation(parsed, out Vni? vni, out MacAddress? mac))
                return ExitCode.Usage;
            var request = new DirectoryRequest(parsed.GetRequiredValue(_node), parsed.GetValue(_controller), parsed.GetValue(vtep), vni, mac,
                parsed.GetValue(_ip), parsed.GetValue(sticky));
            using var body = JsonContent.Create(request, ControlJson.Default.DirectoryRequest);
            return await ControlCommands.AskAsync(parsed, _socket, (client, _) => client.SendAsync(HttpMethod.Post, "/v1/directory", body));
        });
        return command;
    }

    private Command Delete()
    {
        var vtep = new Option<string>("--vtep") { Description = "The record that says where the node's VTEP is.", HelpName = "A", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("del", "Delete records of a node.") { _controller, _node, vtep, _vni, _mac, _ip, _socket };
        command.SetAction(async parsed =>
        {
            if (!TryStation(parsed, out Vni? vni, out MacAddress? mac))
                return ExitCode.Usage;
            string? anyVtep = parsed.GetResult(vtep) is null ? null : "any";
            string query = Query(("node", parsed.GetRequiredValue(_node)), ("controller", parsed.GetValue(_controller)), ("vtep", anyVtep),
                ("vni", vni?.ToString()), ("mac", mac?.ToString()), ("ip", parsed.GetValue(_ip)));
            return await ControlCommands.AskAsync(parsed, _socket, (client, _) => client.SendAsync(HttpMethod.Delete, $"/v1/directory?{query}"));
        });
        return command;
    }

    private Command Accept()
    {
        var command = new Command("accept", "Believe a store that has lost many VTEPs at once, without waiting.") { _controller, _socket };
        command.SetAction(async parsed =>
        {
            using var body = JsonContent.Create(new ControllerRequest(parsed.GetValue(_controller)), ControlJson.Default.ControllerRequest);
            return await ControlCommands.AskAsync(parsed, _socket, (client, _) => client.SendAsync(HttpMethod.Post, "/v1/directory/accept", body));
        });
        return command;
    }

    private static string Query(params (string Key, string? Value)[] parts) =>
        string.Join('&', parts.Where(part => part.Value is not null).Select(part => $"{part.Key}={Uri.EscapeDataString(part.Value!)}"));

    private bool TryStation(ParseResult parsed, out Vni? vni, out MacAddress? mac)
    {
        TextWriter errors = parsed.InvocationConfiguration.Error;
        (vni, mac) = (null, null);
        if (parsed.GetValue(_vni) is { } number)
        {
            if (!Vni.TryParse(number, out Vni domain))
            {
                errors.WriteLine($"--vni: {Answers.NoVni(number)}");
                return false;
            }

            vni = domain;
        }

        if (parsed.GetValue(_mac) is { } address)
        {
            if (!MacAddress.TryParse(address, out MacAddress station))
            {
                errors.WriteLine($"--mac: {Answers.NoMac(address)}");
                return false;
            }

            mac = station;
        }

        return true;
    }
}
