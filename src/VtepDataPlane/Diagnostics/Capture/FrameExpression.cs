// A filter on inner frames, written as for tcpdump (pcap-filter(7)), a part of its language:
//
//   expression  := term { ("or" | "||") term }          term := factor { ("and" | "&&") factor }
//   factor      := ("not" | "!") factor | "(" expression ")" | primitive
//   primitive   := "arp" | "ip" | "ip6" | "tcp" | "udp" | "icmp" | "icmp6" | "broadcast" | "multicast" | "vlan" [number]
//                | "ether" ["src" | "dst"] ["host"] MAC | "ether" "proto" number | "proto" number
//                | ["src" | "dst"] "host" address | ["src" | "dst"] "net" prefix
//                | ["src" | "dst"] "port" number | ["src" | "dst"] "portrange" number "-" number
//                | "less" number | "greater" number
//
// Unlike there, what stands behind a VLAN tag is looked at like anything else, and "host" means the addresses in ARP messages as well.
//
// A frame's headers have been read already (FrameHeaders), so a test is a comparison of a few fields. The tree is made once, is
// immutable, allocates nothing when asked, and is bounded in size, so that what a stranger writes can't hold up a lane.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics.Capture;

/// <summary>A compiled filter expression. Immutable; any thread.</summary>
public sealed class FrameExpression
{
    private readonly FrameTest _test;
    private readonly string _text;

    private FrameExpression(FrameTest test, string text)
    {
        _test = test;
        _text = text;
    }

    /// <summary>Reads an expression, in a part of the language of pcap-filter(7).</summary>
    /// <param name="text">The expression, at most 1,000 characters and 64 terms.</param>
    /// <param name="expression">The compiled expression, or null.</param>
    /// <param name="problem">A sentence that says where and what is wrong, or null.</param>
    public static bool TryParse(string text, out FrameExpression? expression, out string? problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        expression = FrameExpressionReader.TryRead(text, out FrameTest? test, out problem) ? new FrameExpression(test!, text) : null;
        return expression is not null;
    }

    /// <summary>Whether the frame passes. A frame that is cut short passes no test of what it lacks.</summary>
    /// <param name="frame">From the destination MAC on.</param>
    /// <param name="headers">What was read in it.</param>
    public bool Matches(ReadOnlySpan<byte> frame, in FrameHeaders headers) => _test.Matches(frame, headers);

    /// <summary>As it was written.</summary>
    public override string ToString() => _text;
}
