// A netlink socket of the NETLINK_ROUTE family as three calls: send, receive, close. Only what the kernel itself sent is
// received: another process with CAP_NET_ADMIN could address a datagram to our port id, and it is dropped by its sender.
// Belongs to one thread. The namespace is the one the thread is in when the socket opens.

using Tmds.Linux;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Linux.Netlink;

/// <summary>An open rtnetlink socket.</summary>
internal sealed unsafe class NetlinkSocket : IDisposable
{
    /// <summary>
    /// Bytes of a receive buffer: the kernel fills at most 32 KiB of a dump into one datagram, and a link's message without
    /// statistics and virtual functions is below 4 KiB.
    /// </summary>
    public const int DatagramSize = 64 * 1024;

    /// <summary>Bytes in which notifications about thousands of links at once (a bridge goes down, a daemon starts) wait until we read them.</summary>
    public const int ReceiveBuffer = 16 * 1024 * 1024;
    private const int TimeoutSeconds = 2;

    private int _fd;

    private NetlinkSocket(int fd) => _fd = fd;

    /// <summary>For poll and epoll; -1 once closed.</summary>
    public int FileDescriptor => _fd;

    /// <summary>Opens a socket for requests: receiving blocks for at most two seconds.</summary>
    /// <exception cref="VtepException">The system refuses.</exception>
    public static NetlinkSocket OpenForRequests()
    {
        NetlinkSocket socket = Open(LibC.SOCK_RAW | LibC.SOCK_CLOEXEC, groups: 0, ReceiveBuffer);
        socket.SetOption(LibC.SOL_SOCKET, LibC.SO_RCVTIMEO, new Libc.__kernel_old_timeval { tv_sec = TimeoutSeconds });

        // All three are there since Linux 4.20. Without them answers are the same, errors have fewer words.
        socket.SetOption(LibC.SOL_NETLINK, Rtnl.NETLINK_CAP_ACK, 1);
        socket.SetOption(LibC.SOL_NETLINK, Rtnl.NETLINK_EXT_ACK, 1);
        socket.SetOption(LibC.SOL_NETLINK, Rtnl.NETLINK_GET_STRICT_CHK, 1);
        return socket;
    }

    /// <summary>Opens a non-blocking socket that receives the notifications of some groups.</summary>
    /// <param name="groups">A mask: group n is bit n - 1.</param>
    /// <param name="receiveBuffer">Bytes the kernel keeps for us.</param>
    /// <exception cref="VtepException">The system refuses.</exception>
    public static NetlinkSocket OpenForNotifications(uint groups, int receiveBuffer) =>
        Open(LibC.SOCK_RAW | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, groups, receiveBuffer);

    /// <summary>Sends one datagram to the kernel.</summary>
    /// <returns>0 or a negated errno.</returns>
    public int Send(ReadOnlySpan<byte> datagram)
    {
        // The pointer is used within the call only, and the length is the span's own.
        fixed (byte* bytes = datagram)
        {
            ssize_t sent;
            do
            {
                sent = LibC.send(_fd, bytes, datagram.Length, 0);
            }
            while (sent < 0 && LibC.errno == LibC.EINTR);
            return sent < 0 ? -LibC.errno : 0;
        }
    }

    /// <summary>Receives the next datagram of the kernel.</summary>
    /// <returns>Its length, or a negated errno: EAGAIN when there is none (in time), ENOBUFS when notifications were lost,
    /// EMSGSIZE when it was longer than <paramref name="buffer"/>.</returns>
    public int Receive(Span<byte> buffer)
    {
        while (true)
        {
            int length = Receive(buffer, out uint sender);
            if (length == -LibC.EINTR || (length >= 0 && sender != 0))
                continue;
            return length > buffer.Length ? -LibC.EMSGSIZE : length;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        int fd = Interlocked.Exchange(ref _fd, -1);
        if (fd >= 0)
            _ = LibC.close(fd); // Linux frees the descriptor whatever close returns
    }

    private static NetlinkSocket Open(int type, uint groups, int receiveBuffer)
    {
        int fd = LibC.socket(LibC.AF_NETLINK, type, Rtnl.NETLINK_ROUTE);
        if (fd < 0)
            throw Refused("opened", LibC.errno);
        var socket = new NetlinkSocket(fd);
        var local = new Libc.sockaddr_nl { nl_family = (ushort)LibC.AF_NETLINK, nl_groups = groups };

        // The address lives on this stack frame and its true size is given.
        if (LibC.bind(fd, (sockaddr*)&local, sizeof(Libc.sockaddr_nl)) < 0)
        {
            int error = LibC.errno;
            socket.Dispose();
            throw Refused("bound", error);
        }

        // Beyond rmem_max only with CAP_NET_ADMIN; without, as much as the system allows.
        if (!socket.SetOption(LibC.SOL_SOCKET, LibC.SO_RCVBUFFORCE, receiveBuffer))
            socket.SetOption(LibC.SOL_SOCKET, LibC.SO_RCVBUF, receiveBuffer);
        return socket;
    }

    private static VtepException Refused(string what, int error) =>
        new($"The rtnetlink socket, by which links, addresses and routes are read, can't be {what}: {Errno.Describe(error)}. "
            + "A service sandbox must allow the AF_NETLINK address family.");

    private int Receive(Span<byte> buffer, out uint sender)
    {
        Libc.sockaddr_nl from = default;
        socklen_t fromLength = sizeof(Libc.sockaddr_nl);

        // Both lengths given are those of the memory behind the pointers, which are used within the call only.
        fixed (byte* bytes = buffer)
        {
            // MSG_TRUNC: the true length comes back, also when it is more than the buffer holds.
            ssize_t length = LibC.recvfrom(_fd, bytes, buffer.Length, LibC.MSG_TRUNC, (sockaddr*)&from, &fromLength);
            sender = from.nl_pid;
            return length < 0 ? -LibC.errno : (int)length;
        }
    }

    private bool SetOption<T>(int level, int option, T value)
        where T : unmanaged
    {
        // The value lives on this stack frame and its true size is given.
        return LibC.setsockopt(_fd, level, option, &value, sizeof(T)) == 0;
    }
}
