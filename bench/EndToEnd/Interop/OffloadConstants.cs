// Constants of the offloads (linux/if_tun.h, linux/udp.h, linux/if_packet.h). They are here because the interop of VtepDataPlane.Linux
// doesn't have them yet; once it does, they double its own and go.

namespace VtepDataPlane.EndToEnd.Interop;

/// <summary>What a TAP device may leave to its reader, and how a UDP socket splits and merges.</summary>
internal static class OffloadConstants
{
    public const uint TunTso4 = 0x02;
    public const uint TunTso6 = 0x04;
    public const uint TunTsoEcn = 0x08;
    public const uint TunUso4 = 0x20;
    public const uint TunUso6 = 0x40;

    public const int UdpSegment = 103;
    public const int UdpGro = 104;

    /// <summary>Datagrams of one send: UDP_MAX_SEGMENTS since 6.9.</summary>
    public const int MaxSegments = 128;

    /// <summary>Bytes of one send over IPv4; IPv6 takes a little more.</summary>
    public const int MaxSend = 65507;

    public const int PacketQdiscBypass = 20;
}
