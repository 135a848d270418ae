// How large a super-frame the kernel's own TCP may make for a TAP device (IFLA_GSO_MAX_SEGS, IFLA_GSO_MAX_SIZE), so that one of full-size
// segments leaves as one send with UDP_SEGMENT and never needs a second one for the rest.
//
// A send (a train, see DatagramSender) carries at most 65507 bytes and 64 segments; a datagram is VXLAN 8 + Ethernet 14 + MTU. So n segments
// fit. Linux's TCP makes (gso_max_size - 1 - MAX_TCP_HEADER) / MSS segments of a super-frame (sk_setup_caps and tcp_tso_autosize), at most
// gso_max_segs; MAX_TCP_HEADER is 192, 256 or 320, as the kernel was built, and the MSS is the MTU less 40 to 72. Hence
//
//   n segments or more with IPv4 and timestamps:    gso_max_size >  MAX_TCP_HEADER + n * (MTU - 52)
//   n or fewer with IPv6 and timestamps:            gso_max_size <= MAX_TCP_HEADER + (n + 1) * (MTU - 72)
//
// and the middle between both serves every kernel. For MTU 1450: 44 segments, 62,018 bytes. Flows with a small MSS get up to 64 segments.
//
// The limits fit frames of the host's own TCP only, which asks the device before it makes one. A super-frame from elsewhere, through a
// bridge or a router, was made without asking (46 segments, from a container's veth), and if it is larger than the limits the kernel
// cuts it up in software, into single frames for us to read: a tenth of the speed, measured with a bridge. So devices in a bridge, and those
// of a host that forwards, keep the kernel's limits; a second send with the rest costs far less. Where there are very many devices they keep
// them too, for a quick start (TapSettings).
//
// Pure, but for IsRouter. Any thread.

using VtepDataPlane.Linux.Udp;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Tap;

/// <summary>Limits of the super-frames that a device is given.</summary>
/// <param name="MaxSegments">Segments.</param>
/// <param name="MaxSize">Bytes of the super-frame, counted as the kernel does: TCP leaves room for the largest headers there are.</param>
internal readonly record struct GsoLimits(int MaxSegments, int MaxSize)
{
    private const int KernelDefaultSize = 65_536;
    private const int UsualMaxTcpHeader = 256;
    private const int IPv4AndTcpWithTimestamps = 20 + 32;
    private const int IPv6AndTcpWithTimestamps = 40 + 32;

    /// <summary>Limits for a device with that MTU.</summary>
    public static GsoLimits For(int mtu)
    {
        int datagram = VxlanHeader.Size + EthernetHeader.Size + mtu;
        int segments = Math.Clamp(DatagramSender.MaxTrainBytes / datagram, 1, DatagramSender.MaxTrain);
        if (segments == DatagramSender.MaxTrain)
            return new GsoLimits(DatagramSender.MaxTrain, KernelDefaultSize);
        int least = segments * (mtu - IPv4AndTcpWithTimestamps);
        int most = (segments + 1) * (mtu - IPv6AndTcpWithTimestamps);
        return new GsoLimits(DatagramSender.MaxTrain, Math.Min(1 + UsualMaxTcpHeader + (least + most) / 2, KernelDefaultSize));
    }

    /// <summary>The host of the calling thread's network namespace forwards packets. Where /proc/sys can't be read it counts as none.</summary>
    public static bool IsRouter() => IsOn("/proc/sys/net/ipv4/ip_forward") || IsOn("/proc/sys/net/ipv6/conf/all/forwarding");

    private static bool IsOn(string setting)
    {
        try
        {
            return File.ReadAllText(setting).Trim() != "0";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
