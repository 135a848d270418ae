// vtep explain: what would happen to a frame, given as hex or as fields. The daemon answers; nothing happens to anything.

using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The explain command.</summary>
internal sealed class ExplainCommand
{
    private readonly Option<string> _vni = new("--vni") { Description = "The domain.", HelpName = "N", Required = true };
    private readonly Option<string> _frame = new("--frame") { Description = "The frame in hexadecimal, from the destination MAC on.", HelpName = "HEX" };
    private readonly Option<string> _source = new("--src") { Description = "Instead of --frame: the source MAC.", HelpName = "M" };
    private readonly Option<string> _destination = new("--dst") { Description = "The destination MAC.", HelpName = "M" };
    private readonly Option<string> _vlan = new("--vlan") { Description = "A VLAN tag with this identifier.", HelpName = "N" };
    private readonly Option<string> _etherType = new("--ethertype") { Description = "The EtherType of what is neither ARP nor IP, in hexadecimal.", HelpName = "HEX" };
    private readonly Option<string> _arp = new("--arp") { Description = "An ARP request for this address.", HelpName = "A" };
    private readonly Option<string> _ipSource = new("--ip-src") { Description = "The source IP address.", HelpName = "A" };
    private readonly Option<string> _ipDestination = new("--ip-dst") { Description = "The destination IP address.", HelpName = "A" };
    private readonly Option<string> _protocol = new("--proto") { Description = "tcp, udp, icmp, icmp6 or a number; udp by default.", HelpName = "P" };
    private readonly Option<string> _sourcePort = new("--sport") { Description = "The source port.", HelpName = "N" };
    private readonly Option<string> _destinationPort = new("--dport") { Description = "The destination port.", HelpName = "N" };
    private readonly Option<string> _ttl = new("--ttl") { Description = "The TTL or hop limit; 64 by default.", HelpName = "N" };
    private readonly Option<string> _tos = new("--tos") { Description = "The TOS or traffic class.", HelpName = "N" };
    private readonly Option<bool> _dontFragment = new("--df") { Description = "Set DF (IPv4)." };
    private readonly Option<string> _length = new("--length") { Description = "Bytes of the whole frame.", HelpName = "N" };
    private readonly Option<string> _port = new("--port") { Description = "The port it would come from; the domain's first by default.", HelpName = "P" };
    private readonly Option<string> _from = new("--from") { Description = "The VTEP it would come from, instead of a port.", HelpName = "A" };
    private readonly Option<string> _outerTos = new("--outer-tos") { Description = "With --from: the outer TOS or traffic class.", HelpName = "N" };
    private readonly Option<bool> _json = new("--json") { Description = "Print JSON." };
    private readonly Option<string> _socket = ControlCommands.SocketOption();

    public static Command Create() => new ExplainCommand().Build();

    private Command Build()
    {
        var command = new Command("explain", "Say step by step what would happen to a frame, and the bytes that would be sent.")
        {
            _vni, _frame, _source, _destination, _vlan, _etherType, _arp, _ipSource, _ipDestination, _protocol, _sourcePort, _destinationPort, _ttl, _tos,
            _dontFragment, _length, _port, _from, _outerTos, _json, _socket,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        string? problem = null;
        string? path = Path(parsed, ref problem);
        if (path is null)
        {
            parsed.InvocationConfiguration.Error.WriteLine(problem);
            return ExitCode.Usage;
        }

        return await ControlCommands.AskAsync(parsed, _socket, async (client, output) =>
        {
            byte[] answer = await client.SendAsync(HttpMethod.Get, path);
            if (parsed.GetValue(_json))
                output.WriteLine(Encoding.UTF8.GetString(answer));
            else
                Write(JsonSerializer.Deserialize(answer, ControlJson.Default.Explained)!, output);
        });
    }

    private string? Path(ParseResult parsed, ref string? problem)
    {
        string vni = parsed.GetRequiredValue(_vni);
        if (!Vni.TryParse(vni, out Vni number))
            problem = $"--vni: {VtepConfigRules.Quote(vni)} is no VNI; write a number from 0 to {Vni.MaxValue}.";
        string? frame = problem is null ? Frame(parsed, ref problem) : null;
        if (problem is not null)
            return null;
        var path = new StringBuilder($"/v1/explain?vni={number}&frame={frame}");
        foreach ((string name, Option<string> option) in new[] { ("port", _port), ("from", _from), ("tos", _outerTos) })
        {
            if (parsed.GetValue(option) is { } value)
                path.Append(CultureInfo.InvariantCulture, $"&{name}={Uri.EscapeDataString(value)}");
        }

        return path.ToString();
    }

    private string? Frame(ParseResult parsed, ref string? problem)
    {
        if (parsed.GetValue(_frame) is not { } hex)
            return Fields(parsed, ref problem) is { } fields ? Bytes(fields, ref problem) : null;
        hex = string.Concat(hex.Where(c => !char.IsWhiteSpace(c) && c != ':'));
        if (parsed.GetValue(_source) is not null || parsed.GetValue(_destination) is not null)
            problem = "--frame is the whole frame; leave out --src and --dst, or give the frame as fields.";
        else if (hex.Length % 2 != 0 || !hex.All(char.IsAsciiHexDigit))
            problem = $"--frame: {VtepConfigRules.Quote(hex.Length > 40 ? hex[..40] + "..." : hex)} isn't hexadecimal; write two digits a byte.";
        else if (hex.Length > 2 * CaptureApi.LongestFrame)
            problem = $"--frame: it has {hex.Length / 2} bytes; at most {CaptureApi.LongestFrame} can be asked about.";
        return hex;
    }

    private FrameFields? Fields(ParseResult parsed, ref string? problem)
    {
        if (parsed.GetValue(_source) is null || parsed.GetValue(_destination) is null)
        {
            problem = "A frame is missing: give its bytes with --frame HEX, or its addresses with --src MAC --dst MAC.";
            return null;
        }

        var fields = new FrameFields
        {
            Source = Mac(parsed, _source, ref problem),
            Destination = Mac(parsed, _destination, ref problem),
            Vlan = Number(parsed, _vlan, 4094, ref problem),
            EtherType = EtherTypeOf(parsed, ref problem),
            ArpFor = Address(parsed, _arp, ref problem),
            IpSource = Address(parsed, _ipSource, ref problem),
            IpDestination = Address(parsed, _ipDestination, ref problem),
            SourcePort = (ushort)(Number(parsed, _sourcePort, 65_535, ref problem) ?? 0),
            DestinationPort = (ushort)(Number(parsed, _destinationPort, 65_535, ref problem) ?? 0),
            Ttl = (byte)(Number(parsed, _ttl, 255, ref problem) ?? 64),
            TrafficClass = (byte)(Number(parsed, _tos, 255, ref problem) ?? 0),
            DontFragment = parsed.GetValue(_dontFragment),
            Length = Number(parsed, _length, CaptureApi.LongestFrame, ref problem),
        };
        return fields with { Protocol = ProtocolOf(parsed, fields, ref problem) };
    }

    private static string? Bytes(FrameFields fields, ref string? problem)
    {
        if (fields.ArpFor is { IsIPv4: false })
            problem ??= "--arp: ARP asks for IPv4 addresses only.";
        else if (fields.ArpFor is null && (fields.IpSource is null) != (fields.IpDestination is null))
            problem ??= "An IP packet has two addresses: give --ip-src and --ip-dst, or neither.";
        else if (fields.ArpFor is null && fields.IpSource is { } source && source.Version != fields.IpDestination!.Value.Version)
            problem ??= "--ip-src and --ip-dst are of two families; give two IPv4 or two IPv6 addresses.";
        else if (fields.Length < fields.ShortestLength)
            problem ??= $"--length: a frame with these fields has at least {fields.ShortestLength} bytes.";
        return problem is null ? Convert.ToHexStringLower(fields.ToBytes()) : null;
    }

    private static MacAddress Mac(ParseResult parsed, Option<string> option, ref string? problem)
    {
        string text = parsed.GetValue(option)!;
        if (!MacAddress.TryParse(text, out MacAddress mac))
            problem ??= $"{option.Name}: {VtepConfigRules.Quote(text)} is no MAC address; write six hex pairs, like 02:00:5e:10:00:01.";
        return mac;
    }

    private static InetAddress? Address(ParseResult parsed, Option<string> option, ref string? problem)
    {
        if (parsed.GetValue(option) is not { } text)
            return null;
        if (!InetAddress.TryParse(text, out InetAddress address))
            problem ??= $"{option.Name}: {VtepConfigRules.Quote(text)} is no IP address.";
        return address;
    }

    private static int? Number(ParseResult parsed, Option<string> option, int most, ref string? problem)
    {
        if (parsed.GetValue(option) is not { } text)
            return null;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) || value > most)
            problem ??= $"{option.Name}: {VtepConfigRules.Quote(text)} is out of range; write a number from 0 to {most}.";
        return value;
    }

    private ushort EtherTypeOf(ParseResult parsed, ref string? problem)
    {
        const ushort Experimental = 0x88B5; // IEEE 802 local experimental
        if (parsed.GetValue(_etherType) is not { } text)
            return Experimental;
        ReadOnlySpan<char> digits = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text.AsSpan(2) : text;
        if (!ushort.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort value))
            problem ??= $"{_etherType.Name}: {VtepConfigRules.Quote(text)} is no EtherType; write up to four hexadecimal digits, like 0x88cc.";
        return value;
    }

    private byte ProtocolOf(ParseResult parsed, FrameFields fields, ref string? problem)
    {
        string text = parsed.GetValue(_protocol) ?? "udp";
        switch (text.ToLowerInvariant())
        {
            case "udp": return IpProtocol.Udp;
            case "tcp": return IpProtocol.Tcp;
            case "icmp": return fields.IpSource is { IsIPv6: true } ? IpProtocol.IcmpV6 : IpProtocol.IcmpV4;
            case "icmp6": return IpProtocol.IcmpV6;
            default:
                if (!byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out byte number))
                    problem ??= $"{_protocol.Name}: {VtepConfigRules.Quote(text)} is no protocol; write tcp, udp, icmp, icmp6 or a number from 0 to 255.";
                return number;
        }
    }

    private static void Write(Explained explained, TextWriter output)
    {
        for (int i = 0; i < explained.Steps.Count; i++)
            output.WriteLine($"{i + 1,3}. {explained.Steps[i].Step,-11} {VtepConfigRules.Escape(explained.Steps[i].Text)}");
        output.WriteLine();
        if (explained.Outcomes.Count == 0)
            output.WriteLine("Nothing is sent or dropped yet.");
        foreach (ExplainedOutcome outcome in explained.Outcomes)
            Write(outcome, output);
    }

    private static void Write(ExplainedOutcome outcome, TextWriter output)
    {
        string to = outcome.Port ?? outcome.Remote?.ToString() ?? "";
        bool isDropped = outcome.Reason is not null;
        string where = to.Length > 0 ? $"{(isDropped ? " on the way" : "")} to {VtepConfigRules.Escape(to)}" : "";
        string why = outcome.Reason is { } reason ? $": {Frames.DropReasonText.Name(reason)}" : "";
        output.WriteLine($"{char.ToUpperInvariant(outcome.Verdict[0])}{outcome.Verdict[1..]}{where}{why}");
        if (!isDropped)
            WriteBytes(outcome.Outer ?? outcome.Frame, output);
    }

    private static void WriteBytes(string hex, TextWriter output)
    {
        const int BytesOfALine = 16;
        for (int at = 0; at < hex.Length; at += 2 * BytesOfALine)
        {
            string line = hex.Substring(at, Math.Min(2 * BytesOfALine, hex.Length - at));
            output.WriteLine($"  {at / 2:x4}  {string.Join(' ', line.Chunk(4).Select(pair => new string(pair)))}");
        }
    }
}
