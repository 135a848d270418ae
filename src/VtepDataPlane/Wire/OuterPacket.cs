// The outer IP packet around a VXLAN datagram (RFC 7348 section 5), as the Linux kernel writes it for our UDP sockets: no IP options, IPv4
// identification 0 with DF set (include/net/ip.h, ip_select_ident_segs; an atomic datagram of RFC 6864 needs none), IPv6 flow label 0 (our sockets
// turn automatic labels off). Without DF the kernel chooses an identification; here it is 0.

using System.Buffers.Binary;

namespace VtepDataPlane.Wire;

/// <summary>Writes outer headers. Pure; any thread.</summary>
internal static class OuterPacket
{
    /// <summary>Bytes of the outer headers in front of the VXLAN header: 28 over IPv4, 48 over IPv6.</summary>
    /// <param name="remote">The address it is sent to; decides the family.</param>
    public static int HeaderSize(in InetAddress remote) => (remote.IsIPv6 ? Ipv6Header.Size : Ipv4Header.Size) + UdpHeader.Size;

    /// <summary>The whole packet.</summary>
    /// <param name="source">Outer source address; of the destination's family.</param>
    /// <param name="sourcePort">UDP source port.</param>
    /// <param name="destination">Outer destination address.</param>
    /// <param name="destinationPort">UDP destination port.</param>
    /// <param name="trafficClass">TOS or traffic class.</param>
    /// <param name="hopLimit">TTL or hop limit.</param>
    /// <param name="dontFragment">DF; IPv4 only.</param>
    /// <param name="checksum">Fill the UDP checksum; over IPv6 it always is.</param>
    /// <param name="payload">VXLAN header and inner frame, at most 65,507 bytes.</param>
    /// <exception cref="ArgumentException">Source and destination are of two families.</exception>
    public static byte[] Write(
        in InetAddress source, ushort sourcePort, in InetAddress destination, ushort destinationPort, byte trafficClass, byte hopLimit, bool dontFragment,
        bool checksum, ReadOnlySpan<byte> payload)
    {
        if (source.Version != destination.Version)
            throw new ArgumentException("Source and destination must be of one family.", nameof(source));
        var packet = new byte[HeaderSize(destination) + payload.Length];
        var udpLength = (ushort)(UdpHeader.Size + payload.Length);
        Span<byte> udp = packet.AsSpan(packet.Length - udpLength);
        payload.CopyTo(udp[UdpHeader.Size..]);
        new UdpHeader(sourcePort, destinationPort, udpLength, Checksum: 0).Write(udp);
        if (destination.IsIPv6)
            WriteIPv6(packet, source, destination, trafficClass, hopLimit, udpLength);
        else
            WriteIPv4(packet, source, destination, trafficClass, hopLimit, dontFragment);
        if (checksum || destination.IsIPv6)
            BinaryPrimitives.WriteUInt16BigEndian(udp[UdpHeader.ChecksumOffset..], Checksum(source, destination, udp));
        return packet;
    }

    private static void WriteIPv4(Span<byte> packet, in InetAddress source, in InetAddress destination, byte trafficClass, byte hopLimit, bool dontFragment) =>
        new Ipv4Header
        {
            TrafficClass = trafficClass,
            TotalLength = (ushort)packet.Length,
            DontFragment = dontFragment,
            TimeToLive = hopLimit,
            Protocol = IpProtocol.Udp,
            Source = source,
            Destination = destination,
        }.Write(packet);

    private static void WriteIPv6(Span<byte> packet, in InetAddress source, in InetAddress destination, byte trafficClass, byte hopLimit, ushort udpLength) =>
        new Ipv6Header
        {
            TrafficClass = trafficClass,
            PayloadLength = udpLength,
            NextHeader = IpProtocol.Udp,
            HopLimit = hopLimit,
            Source = source,
            Destination = destination,
        }.Write(packet);

    // 0 means "no checksum" in UDP, so a sum of 0 is sent as all ones (RFC 768)
    private static ushort Checksum(in InetAddress source, in InetAddress destination, ReadOnlySpan<byte> udp)
    {
        ulong sum = InternetChecksum.PseudoHeader(source, destination, IpProtocol.Udp, udp.Length) + InternetChecksum.Sum(udp);
        var checksum = (ushort)~InternetChecksum.Fold(sum);
        return checksum == 0 ? (ushort)0xFFFF : checksum;
    }
}
