// A finished capture as tshark reads it. Checksums are verified at all levels, which tshark leaves off by default.
//
// AssertNoExpertWarnings takes every expert information of severity "warning" or "error" as a fault of the sender, except:
//  - TCP sequence analysis (retransmissions, lost segments, window events) is off: it judges the TCP of the two hosts and what the
//    capture point saw of it, not the datagrams.
//  - "No response seen" to an ICMP request or the like: captures here hold the datagrams of one sender only.
//  - "Connection reset" and "D-SACK Sequence": a TCP of a host closing with data unread, or saying that it got a segment twice, is
//    the host's business.
//
// The payload of the transfers is random; it is declared to be plain data, else tshark would now and then take it for a
// protocol it isn't.

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
        CommandResult result = Command.Run(s_limit, "tshark", ["-n", "-r", file, .. s_options, "-Y", displayFilter, "-T", "json", .. wanted]).OrFail();
        using JsonDocument document = JsonDocument.Parse(result.Output);
        IEnumerable<JsonElement> packets = document.RootElement.EnumerateArray();
        return [.. packets.Select(packet => Packet.From(packet.GetProperty("_source").GetProperty("layers")))];
    }

    /// <summary>Fails the test when tshark finds fault with a packet; see the head of this file. Also when there is no packet.</summary>
    public void AssertNoExpertWarnings()
    {
        Assert.That(Packets, Is.Positive, $"nothing to judge: no packet captured on {where}");
        var faults = new List<string>();
        string filter = $"_ws.expert.severity >= {SeverityWarning} || _ws.malformed";
        foreach (Packet packet in Read(filter, "frame.number", "_ws.expert.severity", "_ws.expert.message", "_ws.col.Info"))
        {
            IReadOnlyList<string> severities = packet["_ws.expert.severity"], messages = packet["_ws.expert.message"];
            for (int i = 0; i < severities.Count; i++)
            {
                if (int.Parse(severities[i], null) >= SeverityWarning && !NotOurs().IsMatch(messages[i]))
                    faults.Add($"packet {packet["frame.number"][0]} ({string.Join(' ', packet["_ws.col.Info"])}): {messages[i]}");
            }
        }

        Assert.That(faults, Is.Empty, $"tshark finds fault with what was sent on {where}");
    }

    /// <summary>Fails the test when an outer IP packet is a fragment: RFC 7348 section 4.3 forbids a VTEP to make any.</summary>
    public void AssertNoOuterFragments()
    {
        CommandResult fragments = Command.Run(s_limit, "tcpdump", "-n", "-r", file, "ip[6:2] & 0x3fff != 0 or ip6[6] == 44").OrFail();
        Assert.That(fragments.Output, Is.Empty, $"outer fragments sent on {where}");
    }

    [GeneratedRegex("^(No response seen|Connection reset|D-SACK Sequence)")]
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
