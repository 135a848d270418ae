// A frame in a few words, for people: addresses, what it carries.

using System.Buffers.Binary;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics.Explain;

/// <summary>Describes frames in words. Pure.</summary>
internal static class FrameText
{
    /// <summary>Such as "98 bytes, 02:00:00:00:00:01 to 02:00:00:00:00:02, IPv4 198.19.0.1 to 198.19.0.2, ICMP".</summary>
    public static string Describe(ReadOnlySpan<byte> frame)
    {
        if (FrameHeaders.Parse(frame, out FrameHeaders headers) == FrameFault.Truncated)
            return $"{frame.Length} bytes, too short for an Ethernet header";
        string tags = headers.VlanTags == 0 ? "" : $", VLAN {(VlanTag.TryRead(frame[12..], out VlanTag tag) ? tag.Identifier : 0)}";
        return $"{frame.Length} bytes, {headers.Source} to {headers.Destination}{tags}, {Payload(frame, headers)}";
    }

    private static string Payload(ReadOnlySpan<byte> frame, in FrameHeaders headers)
    {
        ReadOnlySpan<byte> packet = frame[headers.NetworkOffset..];
        if (headers.IpVersion == 4)
            return $"IPv4 {InetAddress.ReadIPv4(packet[Ipv4Header.SourceOffset..])} to {InetAddress.ReadIPv4(packet[Ipv4Header.DestinationOffset..])}, {Transport(frame, headers)}";
        if (headers.IpVersion == 6)
            return $"IPv6 {InetAddress.ReadIPv6(packet[Ipv6Header.SourceOffset..])} to {InetAddress.ReadIPv6(packet[Ipv6Header.DestinationOffset..])}, {Transport(frame, headers)}";
        if (headers.EtherType == EtherType.Arp && ArpPacket.TryParse(packet, out ArpPacket arp))
            return arp.Operation == ArpPacket.Request
                ? $"ARP: {arp.SenderAddress} asks for {arp.TargetAddress}"
                : $"ARP: {arp.SenderAddress} is at {arp.SenderMac}";
        return headers.EtherType is EtherType.IPv4 or EtherType.IPv6 ? "IP with a malformed header" : $"EtherType 0x{headers.EtherType:x4}";
    }

    private static string Transport(ReadOnlySpan<byte> frame, in FrameHeaders headers)
    {
        string name = headers.Protocol switch
        {
            IpProtocol.Tcp => "TCP",
            IpProtocol.Udp => "UDP",
            IpProtocol.Sctp => "SCTP",
            IpProtocol.IcmpV4 => "ICMP",
            IpProtocol.IcmpV6 => "ICMPv6",
            _ => $"protocol {headers.Protocol}",
        };
        bool hasPorts = headers.TransportOffset != 0 && headers.Protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp;
        if (!hasPorts || headers.TransportOffset == 0)
            return name;
        ReadOnlySpan<byte> ports = frame[headers.TransportOffset..];
        return $"{name} {BinaryPrimitives.ReadUInt16BigEndian(ports)} to {BinaryPrimitives.ReadUInt16BigEndian(ports[2..])}";
    }
}
