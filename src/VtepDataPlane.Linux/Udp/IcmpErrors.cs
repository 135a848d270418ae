// A send socket's error queue (IP_RECVERR, ip(7)): ICMP messages about datagrams sent from its port, and our own EMSGSIZE. An entry
// carries the original destination, the UDP payload as far as it was quoted, and a sock_extended_err; for "fragmentation needed"
// and "packet too big" its ee_info is the MTU. Nothing else in it is acted upon: an unreachable VTEP may be back in a second, and
// the message may be forged.
//
// Reading is bounded, so that a flood of forged messages can't hold a worker here; what is left makes the socket ready again.
//
// Belongs to the worker of the socket's lane.

using System.Runtime.InteropServices;
using Tmds.Linux;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Linux.Udp;

/// <summary>Reads error queues.</summary>
internal static unsafe class IcmpErrors
{
    private const int MaxMessages = 32;
    private const int QuoteSize = 128;
    private const int ControlSize = 256;

    /// <summary>Reads what waits in a socket's error queue and reports path MTUs.</summary>
    public static void Drain(int fd, PathMtus pathMtus)
    {
        for (int i = 0; i < MaxMessages && ReadOne(fd, pathMtus); i++)
        {
        }
    }

    private static bool ReadOne(int fd, PathMtus pathMtus)
    {
        byte* name = stackalloc byte[SocketAddress.Size];
        byte* quote = stackalloc byte[QuoteSize];
        byte* control = stackalloc byte[ControlSize];
        var buffer = new iovec { iov_base = quote, iov_len = QuoteSize };
        var message = new msghdr
        {
            msg_name = name,
            msg_namelen = SocketAddress.Size,
            msg_iov = &buffer,
            msg_iovlen = 1,
            msg_control = control,
            msg_controllen = ControlSize,
        };

        // All the message points to lives on this stack frame and is given with its true size.
        int length = Libc.recvmsg(fd, &message, LibC.MSG_ERRQUEUE | LibC.MSG_DONTWAIT);
        if (length < 0)
            return length == -LibC.EINTR;
        VtepEndpoint destination = SocketAddress.Read(new ReadOnlySpan<byte>(name, SocketAddress.Size));
        var controlData = new ReadOnlySpan<byte>(control, Math.Min((int)(ulong)message.msg_controllen, ControlSize));
        if (PathMtuIn(controlData) is { } mtu)
            pathMtus.Report(destination.Address, mtu, new ReadOnlySpan<byte>(quote, Math.Min(length, QuoteSize)), Environment.TickCount64);
        return true;
    }

    /// <summary>The MTU an ICMP message reports, or null when it is about something else or came from ourselves.</summary>
    private static int? PathMtuIn(ReadOnlySpan<byte> control)
    {
        ReadOnlySpan<byte> data = ControlMessages.Find(control, LibC.IPPROTO_IP, LibC.IP_RECVERR);
        if (data.IsEmpty)
            data = ControlMessages.Find(control, LibC.IPPROTO_IPV6, LibC.IPV6_RECVERR);
        if (data.Length < sizeof(Libc.sock_extended_err))
            return null;
        var error = MemoryMarshal.Read<Libc.sock_extended_err>(data);
        bool tooBig4 = error.ee_origin == LibC.SO_EE_ORIGIN_ICMP
            && error is { ee_type: Libc.ICMP_DEST_UNREACH, ee_code: Libc.ICMP_FRAG_NEEDED };
        bool tooBig6 = error.ee_origin == LibC.SO_EE_ORIGIN_ICMP6 && error.ee_type == Libc.ICMPV6_PKT_TOOBIG;
        return tooBig4 || tooBig6 ? (int)Math.Min(error.ee_info, int.MaxValue) : null;
    }
}
