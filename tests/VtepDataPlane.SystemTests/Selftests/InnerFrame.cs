// Frames for inside the tunnel, byte by byte: UDP over IPv4 and IPv6, and ARP, with the traffic class, hop limit and VLAN tag a test
// asks for. Each carries a text, by which it is known again behind the tunnel, whatever happened to its header.

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Selftests;

/// <summary>Makes and reads inner frames.</summary>
internal static class InnerFrame
{
    /// <summary>A station that sends.</summary>
    public const string Anna = "02:00:00:00:00:0a";

    /// <summary>A station that is sent to.</summary>
    public const string Berta = "02:00:00:00:00:0b";

    private const int EthernetSize = 14;
    private const int TagSize = 4;
    private const int UdpSize = 8;
    private const int TextSize = 32;

    /// <summary>A UDP datagram.</summary>
    /// <param name="family">Inner IPv4 or IPv6.</param>
    /// <param name="text">At most 32 ASCII characters.</param>
    /// <param name="destination">MAC.</param>
    /// <param name="source">MAC.</param>
    /// <param name="trafficClass">TOS or traffic class, ECN bits included.</param>
    /// <param name="hopLimit">TTL or hop limit.</param>
    /// <param name="vlan">VLAN id of an 802.1Q tag; 0 for none.</param>
    /// <param name="flow">Added to the source port.</param>
    public static byte[] Udp(
        AddressFamily family, string text, string destination = Berta, string source = Anna, byte trafficClass = 0, byte hopLimit = 64, int vlan = 0, int flow = 0)
    {
        bool v6 = family == AddressFamily.InterNetworkV6;
        byte[] frame = NewFrame(destination, source, vlan, v6 ? 0x86DD : 0x0800, (v6 ? 40 : 20) + UdpSize + TextSize, out int network);
        Span<byte> ip = frame.AsSpan(network);
        Span<byte> udp = v6 ? WriteIPv6(ip, trafficClass, hopLimit) : WriteIPv4(ip, trafficClass, hopLimit);
        Encoding.ASCII.GetBytes(text, udp[UdpSize..]);
        ReadOnlySpan<byte> addresses = v6 ? ip[8..40] : ip[12..20];
        WriteUdp(udp, addresses, flow);
        return frame;
    }

    /// <summary>A broadcast ARP request; its text is behind the ARP message, where Ethernet has padding.</summary>
    public static byte[] Arp(string text, string source = Anna, int vlan = 0)
    {
        const int ArpSize = 28;
        byte[] frame = NewFrame(RawFrame.Broadcast, source, vlan, 0x0806, ArpSize + TextSize, out int network);
        Span<byte> arp = frame.AsSpan(network);
        Convert.FromHexString("0001080006040001").CopyTo(arp); // Ethernet, IPv4, lengths 6 and 4, request
        frame.AsSpan(6, 6).CopyTo(arp[8..]);
        WriteAddress(arp[14..], "198.19.0.10");
        WriteAddress(arp[24..], "198.19.0.11");
        Encoding.ASCII.GetBytes(text, arp[ArpSize..]);
        return frame;
    }

    /// <summary>The text of a frame made here; empty for any other one.</summary>
    public static string Text(ReadOnlySpan<byte> frame) =>
        frame.Length > EthernetSize + TextSize ? Encoding.ASCII.GetString(frame[^TextSize..].TrimEnd((byte)0)) : "";

    /// <summary>TOS or traffic class of an untagged IP frame.</summary>
    public static byte TrafficClass(ReadOnlySpan<byte> frame) => IpFields.Read(frame[EthernetSize..]).TrafficClass;

    private static byte[] NewFrame(string destination, string source, int vlan, int etherType, int payload, out int network)
    {
        network = EthernetSize + (vlan == 0 ? 0 : TagSize);
        byte[] frame = new byte[network + payload];
        WriteMac(frame, destination);
        WriteMac(frame.AsSpan(6), source);
        if (vlan != 0)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), 0x8100);
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(14), (ushort)vlan);
        }

        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(network - 2), (ushort)etherType);
        return frame;
    }

    private static Span<byte> WriteIPv4(Span<byte> ip, byte trafficClass, byte hopLimit)
    {
        (ip[0], ip[1], ip[8], ip[9]) = (0x45, trafficClass, hopLimit, 17);
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ip.Length);
        WriteAddress(ip[12..], "198.19.0.10");
        WriteAddress(ip[16..], "198.19.0.11");
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Checksum.Of(ip[..20]));
        return ip[20..];
    }

    private static Span<byte> WriteIPv6(Span<byte> ip, byte trafficClass, byte hopLimit)
    {
        BinaryPrimitives.WriteUInt32BigEndian(ip, 6u << 28 | (uint)trafficClass << 20);
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(ip.Length - 40));
        (ip[6], ip[7]) = (17, hopLimit);
        WriteAddress(ip[8..], "fd00:19::10");
        WriteAddress(ip[24..], "fd00:19::11");
        return ip[40..];
    }

    // To the port of the bulk transfers, whose payload tshark is told to take for plain data.
    private static void WriteUdp(Span<byte> udp, ReadOnlySpan<byte> addresses, int flow)
    {
        BinaryPrimitives.WriteUInt16BigEndian(udp, (ushort)(UdpTransfer.Port + flow));
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], UdpTransfer.Port);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udp.Length);
        BinaryPrimitives.WriteUInt16BigEndian(udp[6..], Checksum.OfUdp(addresses, udp));
    }

    private static void WriteAddress(Span<byte> destination, string address) => IPAddress.Parse(address).TryWriteBytes(destination, out _);

    private static void WriteMac(Span<byte> destination, string mac) => Convert.FromHexString(mac.Replace(":", "", StringComparison.Ordinal)).CopyTo(destination);
}
