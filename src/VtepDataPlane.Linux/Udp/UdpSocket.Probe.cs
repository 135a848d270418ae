// What the kernel grants to sockets like ours: asked of a socket that is opened for it and closed again, since /proc/sys says what is
// allowed, not what is given, and is hidden from services.

using Tmds.Linux;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Udp;

/// <summary>What sockets are granted.</summary>
/// <param name="ReceiveBuffer">Bytes of the receive buffer, as they were asked for.</param>
/// <param name="SendBuffer">Bytes of the send buffer.</param>
/// <param name="SendsTrains">UDP_SEGMENT: many datagrams leave as one send.</param>
/// <param name="ReceivesTrains">UDP_GRO: many datagrams arrive as one.</param>
internal readonly record struct SocketAbilities(int ReceiveBuffer, int SendBuffer, bool SendsTrains, bool ReceivesTrains);

internal static unsafe partial class UdpSocket
{
    /// <summary>Asks.</summary>
    /// <param name="local">Says the family.</param>
    public static SocketAbilities Probe(in InetAddress local)
    {
        const int AnySegment = 1400;
        int fd = Open(local);
        if (fd < 0)
            return default;
        SetBuffer(fd, LibC.SO_RCVBUFFORCE, LibC.SO_RCVBUF, ReceiveBuffer);
        SetBuffer(fd, LibC.SO_SNDBUFFORCE, LibC.SO_SNDBUF, SendBuffer);
        bool sends = Set(fd, LibC.IPPROTO_UDP, Libc.UDP_SEGMENT, AnySegment) == 0;
        bool receives = Set(fd, LibC.IPPROTO_UDP, Libc.UDP_GRO, 1) == 0;

        // The kernel keeps twice what it is asked for, for its own bookkeeping, and tells that (socket(7)).
        var abilities = new SocketAbilities(Get(fd, LibC.SO_RCVBUF) / 2, Get(fd, LibC.SO_SNDBUF) / 2, sends, receives);
        Close(fd);
        return abilities;
    }

    /// <summary>Whether a socket can be bound where ours would be: 0 or a negated errno. It is closed again at once.</summary>
    public static int ProbePort(in InetAddress address, ushort port)
    {
        int fd = address.IsMulticast
            ? OpenGroup(address, port, acceptZeroChecksumIPv6: false)
            : OpenReceive(address, port, isFirst: true, acceptZeroChecksumIPv6: false);
        Close(fd);
        return Math.Min(fd, 0);
    }

    private static int Get(int fd, int option)
    {
        int value = 0;
        socklen_t length = sizeof(int);

        // Value and length live on this stack frame, and the length is the value's true size.
        return LibC.getsockopt(fd, LibC.SOL_SOCKET, option, &value, &length) < 0 ? 0 : value;
    }
}
