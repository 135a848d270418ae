// Golden frames for tests: complete Ethernet frames with right lengths and checksums, written field by field in the order of the
// wire and summed by a loop of its own, so that nothing here leans on the code under test.

using System.Globalization;
using System.Net;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests;

internal static class TestFrames
{
    public const string IPv4A = "198.18.1.1";
    public const string IPv4B = "198.18.1.2";
    public const string IPv6A = "fd00::1";
    public const string IPv6B = "fd00::2";

    private const byte HopByHop = 0;
    private const byte Icmp = 1;
    private const byte TcpProtocol = 6;
    private const byte UdpProtocol = 17;
    private const byte FragmentHeader = 44;
    private const byte Icmp6 = 58;

    public static MacAddress MacA { get; } = MacAddress.Parse("02:00:00:00:00:0a");

    public static MacAddress MacB { get; } = MacAddress.Parse("02:00:00:00:00:0b");

    /// <summary>Bytes of hex text; blanks and line ends don't matter.</summary>
    public static byte[] Hex(string text) =>
        Convert.FromHexString(string.Concat(text.Where(static c => !char.IsWhiteSpace(c))));

    /// <summary>Payload whose bytes differ: 0, 1, 2, ...</summary>
    public static byte[] Pattern(int length) => [.. Enumerable.Range(0, length).Select(static i => (byte)i)];

    /// <summary>UDP over IPv4 or IPv6, as the addresses say.</summary>
    public static byte[] Udp(
        MacAddress? source = null, MacAddress? destination = null, string sourceIp = IPv4A, string destinationIp = IPv4B,
        int sourcePort = 10000, int destinationPort = 20000, byte[]? payload = null, byte tos = 0, byte ttl = 64, bool df = true,
        int[]? vlans = null, TestChecksum checksum = TestChecksum.Right)
    {
        payload ??= Pattern(32);
        byte[] transport = [.. Word(sourcePort), .. Word(destinationPort), .. Word(8 + payload.Length), 0, 0, .. payload];
        SetChecksum(transport, 6, sourceIp, destinationIp, UdpProtocol, checksum);
        return Ip(UdpProtocol, transport, source, destination, sourceIp, destinationIp, tos, ttl, df, vlans);
    }

    /// <summary>TCP over IPv4 or IPv6, as the addresses say. Flags default to ACK and PSH.</summary>
    public static byte[] Tcp(
        MacAddress? source = null, MacAddress? destination = null, string sourceIp = IPv4A, string destinationIp = IPv4B,
        int sourcePort = 10000, int destinationPort = 20000, byte[]? payload = null, byte tos = 0, byte ttl = 64, bool df = true,
        int[]? vlans = null, TestChecksum checksum = TestChecksum.Right, uint sequence = 1000, uint acknowledgment = 2000,
        TcpFlags flags = TcpFlags.Ack | TcpFlags.Psh, int window = 502, byte[]? options = null, int identification = 0)
    {
        payload ??= Pattern(32);
        options ??= [];
        byte[] transport =
        [
            .. Word(sourcePort), .. Word(destinationPort), .. DoubleWord(sequence), .. DoubleWord(acknowledgment),
            (byte)((20 + options.Length) / 4 << 4), (byte)flags, .. Word(window), 0, 0, 0, 0, .. options, .. payload,
        ];
        SetChecksum(transport, 16, sourceIp, destinationIp, TcpProtocol, checksum);
        return Ip(TcpProtocol, transport, source, destination, sourceIp, destinationIp, tos, ttl, df, vlans, identification);
    }

    /// <summary>An echo request, ICMPv4 or ICMPv6 as the addresses say; or another message with the same layout.</summary>
    public static byte[] IcmpEcho(
        MacAddress? source = null, MacAddress? destination = null, string sourceIp = IPv4A, string destinationIp = IPv4B,
        int identifier = 1, int sequence = 1, byte[]? payload = null, byte tos = 0, byte ttl = 64, bool df = true,
        int[]? vlans = null, byte? type = null, bool reply = false)
    {
        bool v6 = sourceIp.Contains(':', StringComparison.Ordinal);
        type ??= (byte)(v6 ? (reply ? 129 : 128) : (reply ? 0 : 8));
        byte[] transport = [type.Value, 0, 0, 0, .. Word(identifier), .. Word(sequence), .. payload ?? Pattern(32)];
        byte protocol = v6 ? Icmp6 : Icmp;
        SetChecksum(transport, 2, sourceIp, destinationIp, protocol, TestChecksum.Right);
        return Ip(protocol, transport, source, destination, sourceIp, destinationIp, tos, ttl, df, vlans);
    }

    /// <summary>ARP for IPv4 over Ethernet; a broadcast request by default, a unicast reply when a target MAC is given.</summary>
    public static byte[] Arp(
        MacAddress? source = null, string sourceIp = IPv4A, string targetIp = IPv4B, MacAddress? targetMac = null,
        MacAddress? destination = null, int[]? vlans = null)
    {
        byte[] sender = Bytes(source ?? MacA);
        byte[] message =
        [
            0, 1, 8, 0, 6, 4, 0, (byte)(targetMac is null ? 1 : 2),
            .. sender, .. Bytes(sourceIp), .. Bytes(targetMac ?? MacAddress.Zero), .. Bytes(targetIp),
        ];
        return Ethernet(EtherType.Arp, message, source, destination ?? targetMac ?? MacAddress.Broadcast, vlans);
    }

    /// <summary>Any transport bytes over IPv4 or IPv6, as they are; a fragment when told so (offset in bytes, a multiple of 8).</summary>
    public static byte[] Ip(
        byte protocol, byte[] transport, MacAddress? source = null, MacAddress? destination = null,
        string sourceIp = IPv4A, string destinationIp = IPv4B, byte tos = 0, byte ttl = 64, bool df = true, int[]? vlans = null,
        int identification = 0, int fragmentOffset = 0, bool moreFragments = false)
    {
        bool isFragment = fragmentOffset != 0 || moreFragments;
        byte[] from = Bytes(sourceIp);
        byte[] to = Bytes(destinationIp);
        if (from.Length == 4)
        {
            byte[] header =
            [
                0x45, tos, .. Word(20 + transport.Length), .. Word(identification),
                .. Word((df && !isFragment ? 0x4000 : 0) | (moreFragments ? 0x2000 : 0) | fragmentOffset / 8), ttl, protocol, 0, 0,
                .. from, .. to,
            ];
            Word(0xFFFF ^ SumOf(header)).CopyTo(header, 10);
            return Ethernet(EtherType.IPv4, [.. header, .. transport], source, destination, vlans);
        }

        if (isFragment)
        {
            transport = [protocol, 0, .. Word(fragmentOffset | (moreFragments ? 1 : 0)), .. DoubleWord((uint)identification), .. transport];
            protocol = FragmentHeader;
        }

        return Ethernet(
            EtherType.IPv6,
            [.. DoubleWord(0x6000_0000 | ((uint)tos << 20)), .. Word(transport.Length), protocol, ttl, .. from, .. to, .. transport],
            source, destination, vlans);
    }

    /// <summary>An IPv6 extension header of the plain shape (next header, length, padding option) in front of others.</summary>
    public static byte[] Extension(byte nextHeader, byte[] rest, int size = 8) =>
        [nextHeader, (byte)(size / 8 - 1), 1, (byte)(size - 4), .. new byte[size - 4], .. rest];

    /// <summary>UDP over IPv6 behind a number of extension headers (hop-by-hop, then destination options).</summary>
    public static byte[] UdpBehindExtensions(int count, string sourceIp = IPv6A, string destinationIp = IPv6B)
    {
        byte[] bytes = [.. Word(10000), .. Word(20000), .. Word(16), 0, 0, .. Pattern(8)];
        SetChecksum(bytes, 6, sourceIp, destinationIp, UdpProtocol, TestChecksum.Right);
        byte next = UdpProtocol;
        for (int i = count; i > 0; i--)
        {
            bytes = Extension(next, bytes);
            next = i == 1 ? HopByHop : (byte)60;
        }

        return Ip(next, bytes, sourceIp: sourceIp, destinationIp: destinationIp);
    }

    /// <summary>An Ethernet frame. VLANs outermost first; of two the outer one is a service tag.</summary>
    public static byte[] Ethernet(
        int etherType, byte[] payload, MacAddress? source = null, MacAddress? destination = null, int[]? vlans = null)
    {
        List<byte> frame = [.. Bytes(destination ?? MacB), .. Bytes(source ?? MacA)];
        for (int i = 0; vlans is not null && i < vlans.Length; i++)
        {
            frame.AddRange(Word(i < vlans.Length - 1 ? 0x88A8 : 0x8100));
            frame.AddRange(Word(vlans[i]));
        }

        frame.AddRange(Word(etherType));
        frame.AddRange(payload);
        return [.. frame];
    }

    /// <summary>The folded sum of 16-bit words, by the book.</summary>
    public static int SumOf(params ReadOnlySpan<byte> data)
    {
        int sum = 0;
        for (int i = 0; i < data.Length; i += 2)
        {
            sum += (data[i] << 8) | (i + 1 < data.Length ? data[i + 1] : 0);
            sum = (sum & 0xFFFF) + (sum >> 16);
        }

        return sum;
    }

    private static void SetChecksum(byte[] transport, int offset, string sourceIp, string destinationIp, byte protocol, TestChecksum kind)
    {
        byte[] pseudo = protocol == Icmp
            ? []
            : [.. Bytes(sourceIp), .. Bytes(destinationIp), 0, protocol, .. DoubleWord((uint)transport.Length)];
        int value = kind switch
        {
            TestChecksum.Right => 0xFFFF ^ SumOf([.. pseudo, .. transport]),
            TestChecksum.Partial => SumOf(pseudo),
            TestChecksum.Wrong => 0xFFFF ^ SumOf([.. pseudo, .. transport, 0x00, 0x01]),
            _ => 0,
        };
        if (value == 0 && kind != TestChecksum.Zero && protocol == UdpProtocol)
            value = 0xFFFF;
        Word(value).CopyTo(transport, offset);
    }

    private static byte[] Bytes(MacAddress mac) => Convert.FromHexString(mac.Value.ToString("x12", CultureInfo.InvariantCulture));

    private static byte[] Bytes(string ip) => IPAddress.Parse(ip).GetAddressBytes();

    private static byte[] Word(int value) => [(byte)(value >> 8), (byte)value];

    private static byte[] DoubleWord(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
}

/// <summary>What stands in a transport checksum field.</summary>
public enum TestChecksum
{
    /// <summary>The right checksum.</summary>
    Right,

    /// <summary>The folded pseudo-header sum only, as a sender with checksum offload leaves it.</summary>
    Partial,

    /// <summary>A wrong checksum, off by one.</summary>
    Wrong,

    /// <summary>Zero: none.</summary>
    Zero,
}
