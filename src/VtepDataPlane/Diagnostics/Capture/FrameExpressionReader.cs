// Reads filter expressions: one pass over the words, by recursive descent, as the grammar in FrameExpression.cs stands. Bounded in length, terms and
// depth. The first thing that is wrong is told, with the word it is about and its place.

using System.Buffers;
using System.Globalization;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics.Capture;

/// <summary>Reads expressions. Set-up only.</summary>
internal ref struct FrameExpressionReader
{
    private static readonly SearchValues<char> s_wordEnds = SearchValues.Create(" \t\r\n()!&|");

    private const int LongestText = 1000;
    private const int MostTerms = 64;
    private const int DeepestNesting = 16;

    private readonly List<(string Text, int At)> _words;
    private int _next;
    private int _terms;
    private string? _problem;

    private FrameExpressionReader(List<(string Text, int At)> words) => _words = words;

    public static bool TryRead(string text, out FrameTest? test, out string? problem)
    {
        test = null;
        if (text.Length > LongestText)
        {
            problem = $"The filter has {text.Length} characters; at most {LongestText} are taken.";
            return false;
        }

        var reader = new FrameExpressionReader(Split(text));
        test = reader.ReadAnyOf(depth: 0);
        if (test is not null && reader._next < reader._words.Count)
            test = reader.Fail("'and' or 'or' is missing before");
        problem = test is null ? $"The filter can't be read: {reader._problem}" : null;
        return test is not null;
    }

    private static List<(string Text, int At)> Split(string text)
    {
        var words = new List<(string, int)>();
        for (int i = 0; i < text.Length;)
        {
            if (char.IsWhiteSpace(text[i]))
            {
                i++;
                continue;
            }

            int length = LengthOfWord(text.AsSpan(i));
            words.Add((text.Substring(i, length), i + 1));
            i += length;
        }

        return words;
    }

    private static int LengthOfWord(ReadOnlySpan<char> text)
    {
        if (text[0] is '(' or ')' or '!')
            return 1;
        if (text.StartsWith("&&") || text.StartsWith("||"))
            return 2;
        int end = text.IndexOfAny(s_wordEnds);
        return end < 0 ? text.Length : Math.Max(end, 1);
    }

    private FrameTest? ReadAnyOf(int depth)
    {
        FrameTest? test = ReadAllOf(depth);
        while (test is not null && (Take("or") || Take("||")))
            test = ReadAllOf(depth) is { } next ? new AnyOf(test, next) : null;
        return test;
    }

    private FrameTest? ReadAllOf(int depth)
    {
        FrameTest? test = ReadFactor(depth);
        while (test is not null && (Take("and") || Take("&&")))
            test = ReadFactor(depth) is { } next ? new AllOf(test, next) : null;
        return test;
    }

    private FrameTest? ReadFactor(int depth)
    {
        if (depth == DeepestNesting || _terms == MostTerms)
            return Fail($"it has more than {MostTerms} terms, or is nested deeper than {DeepestNesting}, at");
        if (Take("not") || Take("!"))
            return ReadFactor(depth + 1) is { } test ? new NoneOf(test) : null;
        if (!Take("("))
            return ReadPrimitive();
        FrameTest? inner = ReadAnyOf(depth + 1);
        return inner is null || Take(")") ? inner : Fail("')' is missing before");
    }

    private FrameTest? ReadPrimitive()
    {
        _terms++;
        string word = Peek().ToLowerInvariant();
        _next++;
        switch (word)
        {
            case "arp": return new EtherTypeIs(EtherType.Arp);
            case "ip": return new EtherTypeIs(EtherType.IPv4);
            case "ip6": return new EtherTypeIs(EtherType.IPv6);
            case "tcp": return new ProtocolIs(IpProtocol.Tcp);
            case "udp": return new ProtocolIs(IpProtocol.Udp);
            case "icmp": return new ProtocolIs(IpProtocol.IcmpV4, ipVersion: 4);
            case "icmp6": return new ProtocolIs(IpProtocol.IcmpV6, ipVersion: 6);
            case "broadcast": return new DestinationIsGroup(onlyBroadcast: true);
            case "multicast": return new DestinationIsGroup(onlyBroadcast: false);
            case "vlan": return TryTakeNumber(4095, out int identifier) ? new VlanIs(identifier) : new VlanIs(null);
            case "less": return ReadNumber(65_535) is { } most ? new LengthIsIn(0, most) : null;
            case "greater": return ReadNumber(65_535) is { } least ? new LengthIsIn(least, int.MaxValue) : null;
            case "proto": return ReadNumber(255) is { } protocol ? new ProtocolIs((byte)protocol) : null;
            case "ether": return ReadEther();
            case "src": return ReadSided(FrameSide.Source);
            case "dst": return ReadSided(FrameSide.Destination);
            default:
                _next--;
                return ReadSided(FrameSide.Either);
        }
    }

    private FrameTest? ReadEther()
    {
        if (Take("proto"))
            return ReadNumber(65_535) is { } etherType ? new EtherTypeIs((ushort)etherType) : null;
        if (Take("broadcast"))
            return new DestinationIsGroup(onlyBroadcast: true);
        if (Take("multicast"))
            return new DestinationIsGroup(onlyBroadcast: false);
        FrameSide side = Take("src") ? FrameSide.Source : Take("dst") ? FrameSide.Destination : FrameSide.Either;
        Take("host");
        if (!MacAddress.TryParse(Peek(), out MacAddress mac))
            return Fail("a MAC address such as 02:00:00:00:00:01 should stand at");
        _next++;
        return new MacIs(side, mac);
    }

    private FrameTest? ReadSided(FrameSide side)
    {
        if (Take("host"))
            return ReadHost(side);
        if (Take("net"))
            return ReadNet(side);
        if (Take("port"))
            return ReadNumber(65_535) is { } port ? new PortIsIn(side, (ushort)port, (ushort)port) : null;
        if (Take("portrange"))
            return ReadPortRange(side);
        return Fail("no such test is known (arp ip ip6 tcp udp icmp icmp6 broadcast multicast vlan ether proto src dst host net port portrange less greater), at");
    }

    private FrameTest? ReadHost(FrameSide side)
    {
        if (!InetAddress.TryParse(Peek(), out InetAddress address))
            return Fail("an IP address should stand at");
        _next++;
        return new AddressIsIn(side, InetPrefix.Of(address, (byte)(address.Size * 8)));
    }

    private FrameTest? ReadNet(FrameSide side)
    {
        if (!InetPrefix.TryParse(Peek(), out InetPrefix prefix))
            return Fail("a network such as 198.19.0.0/24, host bits zero, should stand at");
        _next++;
        return new AddressIsIn(side, prefix);
    }

    private FrameTest? ReadPortRange(FrameSide side)
    {
        string[] ends = Peek().Split('-');
        if (ends.Length != 2 || !TryRead(ends[0], 65_535, out int first) || !TryRead(ends[1], 65_535, out int last) || first > last)
            return Fail("a range of ports such as 8000-8080 should stand at");
        _next++;
        return new PortIsIn(side, (ushort)first, (ushort)last);
    }

    private int? ReadNumber(int most)
    {
        if (TryTakeNumber(most, out int value))
            return value;
        Fail($"a number from 0 to {most} should stand at");
        return null;
    }

    private bool TryTakeNumber(int most, out int value)
    {
        bool isNumber = TryRead(Peek(), most, out value);
        if (isNumber)
            _next++;
        return isNumber;
    }

    private static bool TryRead(string text, int most, out int value)
    {
        bool isHexadecimal = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        ReadOnlySpan<char> digits = isHexadecimal ? text.AsSpan(2) : text;
        NumberStyles style = isHexadecimal ? NumberStyles.AllowHexSpecifier : NumberStyles.None;
        return int.TryParse(digits, style, CultureInfo.InvariantCulture, out value) && value >= 0 && value <= most;
    }

    private readonly string Peek() => _next < _words.Count ? _words[_next].Text : "";

    private bool Take(string word)
    {
        if (!string.Equals(Peek(), word, StringComparison.OrdinalIgnoreCase))
            return false;
        _next++;
        return true;
    }

    private FrameTest? Fail(string what)
    {
        _problem ??= _next < _words.Count
            ? $"{what} {VtepConfigRules.Quote(_words[_next].Text)}, character {_words[_next].At}."
            : $"{what} its end.";
        return null;
    }
}
