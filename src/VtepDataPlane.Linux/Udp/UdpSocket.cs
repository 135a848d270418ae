// Opening UDP sockets for a VTEP. Three kinds, and the reasons for their options:
//
//   receive  bound to (local, port). The first is bound without SO_REUSEPORT, so that it fails when anybody else has the port,
//            also another VTEP of ours; then it gets the option and the other lanes bind beside it. The kernel spreads flows
//            over them by a hash. Never SO_REUSEADDR: it would let any process take our datagrams.
//   send     bound to (local, source port), to have a source port a flow (RFC 7348 section 5). Deaf: a filter that passes nothing
//            is attached before it is bound. DF is IP_PMTUDISC_PROBE (set DF, ignore the path MTU the kernel believes) or
//            INTERFACE (no DF, no local fragments); IP_RECVERR brings routers' ICMP messages to its error queue.
//   group    bound to (group, port) alone and joined on its interfaces; IP_MULTICAST_ALL is off everywhere, or the kernel would also
//            give a socket the groups that others joined.
//
// Addresses are bound with IP_FREEBIND: whether the address is ours has been checked before, and an IPv6 address in duplicate
// address detection can be bound now and used when it is ready. All functions give a descriptor or a negated errno.

using Tmds.Linux;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Udp;

/// <summary>Opens sockets.</summary>
internal static unsafe partial class UdpSocket
{
    public const int ReceiveBuffer = 8 * 1024 * 1024;
    public const int SendBuffer = 4 * 1024 * 1024;

    // A send socket receives nothing but error messages of up to a page.
    private const int ErrorBuffer = 64 * 1024;
    public const int DefaultHopLimit = 64;

    /// <summary>The kernel's default towards a group (ip(7), IP_MULTICAST_TTL).</summary>
    public const int DefaultGroupHopLimit = 1;

    /// <summary>A receive socket of the local address.</summary>
    public static int OpenReceive(in InetAddress local, ushort port, bool isFirst, bool acceptZeroChecksumIPv6)
    {
        int fd = Open(local);
        if (fd < 0)
            return fd;
        ConfigureReceiving(fd, local, acceptZeroChecksumIPv6);
        return BindShared(fd, local, port, isFirst);
    }

    /// <summary>A socket of a group, not yet joined.</summary>
    public static int OpenGroup(in InetAddress group, ushort port, bool acceptZeroChecksumIPv6)
    {
        int fd = Open(group);
        if (fd < 0)
            return fd;
        ConfigureReceiving(fd, group, acceptZeroChecksumIPv6);
        int error = Bind(fd, group, port);
        return error < 0 ? Fail(fd, error) : fd;
    }

    /// <summary>A send socket with one source port.</summary>
    public static int OpenSend(in InetAddress local, ushort port, bool isFirst, bool dontFragment, bool udpChecksum)
    {
        int fd = Open(local);
        if (fd < 0)
            return fd;
        AttachDeafFilter(fd);
        _ = Set(fd, LibC.SOL_SOCKET, LibC.SO_RCVBUF, ErrorBuffer);
        SetBuffer(fd, LibC.SO_SNDBUFFORCE, LibC.SO_SNDBUF, SendBuffer);
        int error = local.IsIPv4 ? ConfigureSending4(fd, dontFragment, udpChecksum) : ConfigureSending6(fd);
        return error < 0 ? Fail(fd, error) : BindShared(fd, local, port, isFirst);
    }

    /// <summary>Joins or leaves a group on an interface. 0 or -errno.</summary>
    public static int SetMembership(int fd, in InetAddress group, int interfaceIndex, bool join)
    {
        // The structures live on this stack frame and are given with their true sizes.
        if (group.IsIPv4)
        {
            Libc.ip_mreqn request = default;
            group.Write(new Span<byte>(request.imr_multiaddr, 4));
            request.imr_ifindex = interfaceIndex;
            return Set(fd, LibC.IPPROTO_IP, join ? LibC.IP_ADD_MEMBERSHIP : LibC.IP_DROP_MEMBERSHIP, request);
        }

        Libc.ipv6_mreq request6 = default;
        group.Write(new Span<byte>(request6.ipv6mr_multiaddr, 16));
        request6.ipv6mr_ifindex = (uint)interfaceIndex;
        return Set(fd, LibC.IPPROTO_IPV6, join ? LibC.IPV6_JOIN_GROUP : LibC.IPV6_LEAVE_GROUP, request6);
    }

    /// <summary>Closes a descriptor; -1 is none.</summary>
    public static void Close(int fd)
    {
        if (fd >= 0)
            _ = LibC.close(fd); // Linux frees the descriptor whatever close returns
    }

    private static int Open(in InetAddress address)
    {
        int fd = LibC.socket(SocketAddress.Family(address), LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0);
        if (fd < 0)
            return -LibC.errno;
        _ = Set(fd, LibC.IPPROTO_IP, LibC.IP_MULTICAST_ALL, 0);
        _ = Set(fd, LibC.IPPROTO_IP, LibC.IP_FREEBIND, 1);
        if (address.IsIPv6)
        {
            _ = Set(fd, LibC.IPPROTO_IPV6, LibC.IPV6_V6ONLY, 1);
            _ = Set(fd, LibC.IPPROTO_IPV6, Libc.IPV6_MULTICAST_ALL, 0);
            _ = Set(fd, LibC.IPPROTO_IPV6, LibC.IPV6_FREEBIND, 1);
        }

        return fd;
    }

    private static void ConfigureReceiving(int fd, in InetAddress address, bool acceptZeroChecksumIPv6)
    {
        SetBuffer(fd, LibC.SO_RCVBUFFORCE, LibC.SO_RCVBUF, ReceiveBuffer);
        _ = address.IsIPv4
            ? Set(fd, LibC.IPPROTO_IP, LibC.IP_RECVTOS, 1)
            : Set(fd, LibC.IPPROTO_IPV6, LibC.IPV6_RECVTCLASS, 1);
        if (address.IsIPv6 && acceptZeroChecksumIPv6)
            _ = Set(fd, LibC.IPPROTO_UDP, Libc.UDP_NO_CHECK6_RX, 1);
        _ = Set(fd, LibC.IPPROTO_UDP, Libc.UDP_GRO, 1); // before Linux 5.0: every datagram by itself
    }

    // These decide about fragments; without them the socket must not be used, so errors count.
    private static int ConfigureSending4(int fd, bool dontFragment, bool udpChecksum)
    {
        _ = Set(fd, LibC.IPPROTO_IP, LibC.IP_TTL, DefaultHopLimit);
        _ = Set(fd, LibC.IPPROTO_IP, LibC.IP_MULTICAST_LOOP, 0);
        int error = Set(fd, LibC.IPPROTO_IP, LibC.IP_RECVERR, 1);
        if (error == 0 && !udpChecksum)
            error = Set(fd, LibC.SOL_SOCKET, LibC.SO_NO_CHECK, 1);
        int mode = dontFragment ? LibC.IP_PMTUDISC_PROBE : LibC.IP_PMTUDISC_INTERFACE;
        return error == 0 ? Set(fd, LibC.IPPROTO_IP, LibC.IP_MTU_DISCOVER, mode) : error;
    }

    private static int ConfigureSending6(int fd)
    {
        _ = Set(fd, LibC.IPPROTO_IPV6, LibC.IPV6_UNICAST_HOPS, DefaultHopLimit);
        _ = Set(fd, LibC.IPPROTO_IPV6, LibC.IPV6_MULTICAST_LOOP, 0);
        _ = Set(fd, LibC.IPPROTO_IPV6, Libc.IPV6_AUTOFLOWLABEL, 0); // as the kernel's vxlan device: the source port tells flows apart
        int error = Set(fd, LibC.IPPROTO_IPV6, LibC.IPV6_RECVERR, 1);
        if (error == 0)
            error = Set(fd, LibC.IPPROTO_IPV6, LibC.IPV6_DONTFRAG, 1);
        return error == 0 ? Set(fd, LibC.IPPROTO_IPV6, LibC.IPV6_MTU_DISCOVER, LibC.IPV6_PMTUDISC_PROBE) : error;
    }

    /// <summary>Binds; the first socket of an address and port without SO_REUSEPORT, so that only our own can be beside it.</summary>
    private static int BindShared(int fd, in InetAddress address, ushort port, bool isFirst)
    {
        int error = isFirst ? Bind(fd, address, port) : Set(fd, LibC.SOL_SOCKET, LibC.SO_REUSEPORT, 1);
        if (error == 0)
            error = isFirst ? Set(fd, LibC.SOL_SOCKET, LibC.SO_REUSEPORT, 1) : Bind(fd, address, port);
        return error < 0 ? Fail(fd, error) : fd;
    }

    private static int Bind(int fd, in InetAddress address, ushort port)
    {
        byte* name = stackalloc byte[SocketAddress.Size];
        int length = SocketAddress.Write(new Span<byte>(name, SocketAddress.Size), address, port);

        // The address lives on this stack frame and its true length is given.
        return LibC.bind(fd, (sockaddr*)name, length) < 0 ? -LibC.errno : 0;
    }

    // "ret #0": no byte of any datagram passes, so the kernel drops it before it takes room in the receive buffer.
    private static void AttachDeafFilter(int fd)
    {
        const ushort BpfReturnConstant = 0x06;
        var instruction = new Libc.sock_filter { code = BpfReturnConstant, k = 0 };
        var program = new Libc.sock_fprog { len = 1, filter = &instruction };
        _ = Set(fd, LibC.SOL_SOCKET, LibC.SO_ATTACH_FILTER, program);
    }

    // Beyond the system's limit only with CAP_NET_ADMIN; without, as much as the system allows.
    private static void SetBuffer(int fd, int force, int plain, int bytes)
    {
        if (Set(fd, LibC.SOL_SOCKET, force, bytes) < 0)
            _ = Set(fd, LibC.SOL_SOCKET, plain, bytes);
    }

    private static int Set<T>(int fd, int level, int option, T value)
        where T : unmanaged
    {
        // The value lives on this stack frame and its true size is given.
        return LibC.setsockopt(fd, level, option, &value, sizeof(T)) < 0 ? -LibC.errno : 0;
    }

    private static int Fail(int fd, int error)
    {
        Close(fd);
        return error;
    }
}
