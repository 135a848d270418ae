// What the kernel takes in one send with UDP_SEGMENT (net/ipv4/udp.c), and options of packet sockets (linux/if_packet.h).

namespace VtepDataPlane.EndToEnd.Interop;

/// <summary>Limits and options that the interop of VtepDataPlane.Linux has no use for.</summary>
internal static class SendLimits
{
    /// <summary>Datagrams of one send: UDP_MAX_SEGMENTS since 6.9.</summary>
    public const int MaxSegments = 128;

    /// <summary>Bytes of one send over IPv4; IPv6 takes a little more.</summary>
    public const int MaxSend = 65507;

    /// <summary>PACKET_QDISC_BYPASS.</summary>
    public const int PacketQdiscBypass = 20;
}
