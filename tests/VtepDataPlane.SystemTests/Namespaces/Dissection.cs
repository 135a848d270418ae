// A finished capture as tshark reads it. Checksums are verified at all levels, which tshark leaves off by default.
//
// AssertNoExpertWarnings takes every expert information of severity "warning" or "error" as a fault of the sender, except:
//  - TCP sequence analysis (retransmissions, lost segments, window events) is off: it judges the TCP of the two hosts and what the
//    capture point saw of it, not the datagrams.
//  - "No response seen" to an ICMP request or the like: captures here hold the datagrams of one sender, or of some of them.
//  - "DNS query retransmission": two stations may ask the same.
//  - "Connection reset" and "D-SACK Sequence": a TCP of a host closing with data unread, or saying that it got a segment twice, is
//    the host's business.
//
// The payload of the transfers is random; it is declared to be plain data, else tshark would now and then take it for a
// protocol it isn't.
//
// Starting tshark costs most of a second of a processor, more than reading what most tests have sent: so several captures are judged as one file.

using System.Text.Json;
using System.Text.RegularExpressions;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>A capture file and what tshark says about it. Valid until its <see cref="Capture"/> is disposed of.</summary>
internal sealed partial class Dissection(string file, string where, int packets)
{
    private const int SeverityWarning = 0x00600000; // PI_WARN in epan/proto.h; PI_ERROR is above it
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private static readonly string[] s_options =
    [
        "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE",
        "-o", "tcp.analyze_sequence_numbers:FALSE", "-d", "udp.port==4789,vxlan", "-d", "tcp.port==1-65535,data",
        "-d", $"udp.port=={UdpTransfer.Port},data",
    ];

    private readonly string _file = file;
    private readonly string _where = where;

    /// <summary>How many packets were captured.</summary>
    public int Packets { get; } = packets;

    /// <summary>How many packets match a display filter.</summary>
    public int Count(string displayFilter) => Read(displayFilter, "frame.number").Count;

    /// <summary>
    /// The values of <paramref name="fields"/> in the packets that match; a field that occurs more than once (outer and inner) gives all
    /// its values.
    /// </summary>
    public IReadOnlyList<Packet> Read(string displayFilter, params IEnumerable<string> fields)
    {
        string[] names = [.. fields];
        IEnumerable<string> wanted = names.SelectMany(name => new[] { "-e", name });
        CommandResult result = Command.Run(s_limit, "tshark", ["-n", "-r", _file, .. s_options, "-Y", displayFilter, "-T", "json", .. wanted]).OrFail();
        using JsonDocument document = JsonDocument.Parse(result.Output);
        IEnumerable<JsonElement> packets = document.RootElement.EnumerateArray();
        return [.. packets.Select(packet => Packet.From(packet.GetProperty("_source").GetProperty("layers")))];
    }

    /// <summary>Fails the test when tshark finds fault with a packet of these captures; see the head of this file. Also when one has no packet.</summary>
    public static void AssertNoExpertWarnings(IReadOnlyList<Dissection> captures)
    {
        Assert.That(captures.Where(capture => capture.Packets == 0).Select(capture => capture._where), Is.Empty, "nothing to judge: no packet captured there");
        if (captures.Count == 0)
            return;
        string merged = captures[0]._file + ".merged";
        try
        {
            Command.Run(s_limit, "mergecap", ["-F", "pcapng", "-I", "none", "-w", merged, .. captures.Select(capture => capture._file)]).OrFail();
            string where = string.Join(", ", captures.Select((capture, i) => $"{i}: {capture._where}"));
            new Dissection(merged, where, captures.Sum(capture => capture.Packets)).AssertNoFaults();
        }
        finally
        {
            File.Delete(merged);
        }
    }

    /// <summary>Fails the test when an outer IP packet is a fragment: RFC 7348 section 4.3 forbids a VTEP to make any.</summary>
    public void AssertNoOuterFragments()
    {
        CommandResult fragments = Command.Run(s_limit, "tcpdump", "-n", "-r", _file, "ip[6:2] & 0x3fff != 0 or ip6[6] == 44").OrFail();
        Assert.That(fragments.Output, Is.Empty, $"outer fragments sent on {_where}");
    }

    private void AssertNoFaults()
    {
        var faults = new List<string>();
        string filter = $"_ws.expert.severity >= {SeverityWarning} || _ws.malformed";
        foreach (Packet packet in Read(filter, "frame.number", "frame.interface_id", "_ws.expert.severity", "_ws.expert.message", "_ws.col.Info"))
        {
            IReadOnlyList<string> severities = packet["_ws.expert.severity"], messages = packet["_ws.expert.message"];
            for (int i = 0; i < severities.Count; i++)
            {
                if (int.Parse(severities[i], null) >= SeverityWarning && !NotOurs().IsMatch(messages[i]))
                    faults.Add($"packet {packet["frame.number"][0]}, captured by {packet["frame.interface_id"][0]} ({string.Join(' ', packet["_ws.col.Info"])}): {messages[i]}");
            }
        }

        Assert.That(faults, Is.Empty, $"tshark finds fault with what was sent on {_where}");
    }

    [GeneratedRegex("^(No response seen|DNS query retransmission|Connection reset|D-SACK Sequence)")]
    private static partial Regex NotOurs();
}

/// <summary>Values of one packet, by field name.</summary>
internal sealed class Packet
{
    private readonly Dictionary<string, string[]> _values = [];

    /// <summary>All values of a field in the order of the packet; empty when it hasn't the field.</summary>
    public IReadOnlyList<string> this[string field] => _values.GetValueOrDefault(field) ?? [];

    /// <summary>Reads the object tshark writes for a packet.</summary>
    public static Packet From(JsonElement layers)
    {
        var packet = new Packet();
        foreach (JsonProperty property in layers.EnumerateObject())
            packet._values[property.Name] = [.. property.Value.EnumerateArray().Select(value => value.GetString()!)];
        return packet;
    }
}
