// vtep fdb add | del: static entries at run time.

using System.CommandLine;
using System.Net.Http.Json;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The fdb commands.</summary>
internal static class FdbCommand
{
    public static Command Create() => new("fdb", "Change the forwarding database.") { Add(), Delete() };

    private static Option<string> Vni() => new("--vni") { Description = "The domain.", HelpName = "N", Required = true };

    private static Option<string> Mac() =>
        new("--mac") { Description = "The station; 00:00:00:00:00:00 means the flood list.", HelpName = "M", Required = true };

    private static Command Add()
    {
        Option<string> vni = Vni();
        Option<string> mac = Mac();
        Option<string> socket = ControlCommands.SocketOption();
        var vtep = new Option<string>("--vtep") { Description = "The VTEP it is behind: an address, or one with a port.", HelpName = "A" };
        var port = new Option<string>("--port") { Description = "The local port it is behind.", HelpName = "P" };
        var replace = new Option<bool>("--replace") { Description = "Overwrite an entry that is there." };
        var command = new Command("add", "Add an entry that is never learned over and never ages.")
        {
            vni, mac, vtep, port, replace, socket,
        };
        command.SetAction(async parsed =>
        {
            if (!TryKey(parsed, vni, mac, out Wire.Vni domain, out MacAddress station))
                return ExitCode.Usage;
            var request = new FdbRequest(domain, station, parsed.GetValue(vtep), parsed.GetValue(port), parsed.GetValue(replace));
            using var body = JsonContent.Create(request, ControlJson.Default.FdbRequest);
            return await ControlCommands.AskAsync(parsed, socket, (client, _) => client.SendAsync(HttpMethod.Post, "/v1/fdb", body));
        });
        return command;
    }

    private static Command Delete()
    {
        Option<string> vni = Vni();
        Option<string> mac = Mac();
        Option<string> socket = ControlCommands.SocketOption();
        var vtep = new Option<string>("--vtep") { Description = "With MAC zero: the VTEP to take off the flood list.", HelpName = "A" };
        var command = new Command("del", "Delete an entry, static or learned.") { vni, mac, vtep, socket };
        command.SetAction(async parsed =>
        {
            if (!TryKey(parsed, vni, mac, out Wire.Vni domain, out MacAddress station))
                return ExitCode.Usage;
            string behind = parsed.GetValue(vtep) is { } remote ? $"&vtep={Uri.EscapeDataString(remote)}" : "";
            return await ControlCommands.AskAsync(parsed, socket,
                (client, _) => client.SendAsync(HttpMethod.Delete, $"/v1/fdb?vni={domain}&mac={station}{behind}"));
        });
        return command;
    }

    private static bool TryKey(ParseResult parsed, Option<string> vni, Option<string> mac, out Wire.Vni domain, out MacAddress station)
    {
        TextWriter errors = parsed.InvocationConfiguration.Error;
        string number = parsed.GetRequiredValue(vni);
        string address = parsed.GetRequiredValue(mac);
        station = default;
        if (!Wire.Vni.TryParse(number, out domain))
            errors.WriteLine($"--vni: {VtepConfigRules.Quote(number)} is no VNI; write a number from 0 to {Wire.Vni.MaxValue}.");
        else if (!MacAddress.TryParse(address, out station))
            errors.WriteLine($"--mac: {VtepConfigRules.Quote(address)} is no MAC address; write six hex pairs, like 02:00:5e:10:00:01.");
        else
            return true;
        return false;
    }
}
