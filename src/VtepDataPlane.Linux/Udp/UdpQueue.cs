// The underlay's queue on one lane. Receiving is DatagramReceiver's. Sending:
//
//   Send   notes address and length of the datagram, writes the destination into a sockaddr and what differs from the socket's
//          defaults into control messages, and appends the note to the list of its socket (source port and DF).
//   Flush  hands each socket its list with sendmmsg. Order is kept within a socket, and a flow stays on one, so order is kept
//          within a flow.
//
// sendmmsg stops at the first datagram that fails and tells why only when that is the first of the call; so the call is repeated
// from there, and an error belongs to the first. There is one more owner an error can have: an ICMP message about an earlier
// datagram makes the socket fail its next call (udp(7)). Therefore the error queue is read and the datagram tried once more. When
// the kernel has no buffer the flush waits once, at most 1 ms.
//
// Arrays handed to the kernel are pinned and made once. Belongs to its lane's worker, except Use and IsLocalAddressPresent.

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Tmds.Linux;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Udp;

/// <summary>Datagrams of one lane.</summary>
internal sealed unsafe class UdpQueue : IFrameQueue
{
    /// <summary>Source ports of a VTEP.</summary>
    public const int SourcePorts = 16;

    // Four batches: a flood to a few peers is one sendmmsg a socket; what floods to more flushes in between.
    private const int MaxPending = 4 * FrameBatch.DefaultCapacity;
    private const int Buckets = 2 * SourcePorts; // with DF, without DF
    private const short End = -1;

    private readonly iovec[] _buffers = GC.AllocateArray<iovec>(MaxPending, pinned: true);
    private readonly byte[] _names = GC.AllocateArray<byte>(MaxPending * SocketAddress.Size, pinned: true);
    private readonly byte[] _controls = GC.AllocateArray<byte>(MaxPending * ControlMessages.SendSize, pinned: true);
    private readonly mmsghdr[] _messages = GC.AllocateArray<mmsghdr>(MaxPending, pinned: true);
    private readonly byte[] _nameLengths = new byte[MaxPending];
    private readonly byte[] _controlLengths = new byte[MaxPending];
    private readonly short[] _next = new short[MaxPending];
    private readonly short[] _first = new short[Buckets];
    private readonly short[] _last = new short[Buckets];
    private readonly int _lane;
    private readonly PathMtus _pathMtus;
    private LaneSockets? _sockets;
    private bool _isLocalAddressPresent = true;
    private uint _usedBuckets;
    private int _pendingCount;
    private int _sentInSend;
    private bool _hasWaited;
    private long _now;

    /// <summary>A queue without sockets: what is sent counts as LocalAddressMissing.</summary>
    public UdpQueue(int lane, PathMtus pathMtus)
    {
        _lane = lane;
        _pathMtus = pathMtus;
    }

    /// <inheritdoc/>
    public QueueMeters Meters { get; } = new();

    /// <summary>The receiver of all sockets of this lane.</summary>
    public DatagramReceiver Receiver { get; } = new();

    /// <summary>
    /// False while the local address is missing from this host. The kernel refuses to send from a missing IPv4 address, but not from
    /// a missing IPv6 address, so it is refused here.
    /// </summary>
    public bool IsLocalAddressPresent
    {
        get => Volatile.Read(ref _isLocalAddressPresent);
        set => Volatile.Write(ref _isLocalAddressPresent, value);
    }

    /// <summary>Control loop: from now on the queue uses these sockets; null: none.</summary>
    public void Use(LaneSockets? sockets) => Volatile.Write(ref _sockets, sockets);

    /// <inheritdoc/>
    public int Receive(FrameBatch batch)
    {
        batch.Count = 0;
        return Volatile.Read(ref _sockets) is { } sockets ? Receiver.Receive(sockets.Receive, batch, Meters) : 0;
    }

    /// <summary>Reads the error queue of one of this lane's send sockets.</summary>
    public void ReadErrors(int fd) => IcmpErrors.Drain(fd, _pathMtus);

    /// <inheritdoc/>
    public void Send(in Frame frame)
    {
        if (_pendingCount == MaxPending)
            _sentInSend += SendPending();
        if (_pendingCount == 0)
            _now = Environment.TickCount64;
        int i = _pendingCount++;
        Span<byte> bytes = frame.Bytes;
        ref readonly OuterHeader outer = ref frame.Info.Outer;

        // The frame's slot lies in a FrameBatch's pinned memory and is borrowed until Flush returns, so its address stays valid.
        _buffers[i].iov_base = Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes));
        _buffers[i].iov_len = bytes.Length;
        _nameLengths[i] = (byte)SocketAddress.Write(
            _names.AsSpan(i * SocketAddress.Size, SocketAddress.Size), outer.Remote.Address, outer.Remote.Port, outer.InterfaceIndex);
        InetAddress local = Volatile.Read(ref _sockets)?.Local ?? default;
        _controlLengths[i] = (byte)ControlMessages.Write(
            _controls.AsSpan(i * ControlMessages.SendSize, ControlMessages.SendSize), outer, local);
        Append(i, Bucket(outer));
        _pathMtus.Sent(_lane).Add(bytes, outer.Remote.Address, _now);
    }

    /// <inheritdoc/>
    public int Flush()
    {
        int sent = _sentInSend + SendPending();
        _sentInSend = 0;
        return sent;
    }

    private static int Bucket(in OuterHeader outer)
    {
        bool withDf = outer.DontFragment || outer.Remote.Address.IsIPv6;
        return outer.SourcePort % SourcePorts + (withDf ? 0 : SourcePorts);
    }

    private void Append(int message, int bucket)
    {
        uint bit = 1u << bucket;
        if ((_usedBuckets & bit) == 0)
            _first[bucket] = (short)message;
        else
            _next[_last[bucket]] = (short)message;
        _last[bucket] = (short)message;
        _next[message] = End;
        _usedBuckets |= bit;
    }

    private int SendPending()
    {
        int sent = 0;
        _hasWaited = false;
        LaneSockets? sockets = IsLocalAddressPresent ? Volatile.Read(ref _sockets) : null;
        for (uint used = _usedBuckets; used != 0; used &= used - 1)
            sent += SendBucket(BitOperations.TrailingZeroCount(used), sockets);
        _usedBuckets = 0;
        _pendingCount = 0;
        return sent;
    }

    private int SendBucket(int bucket, LaneSockets? sockets)
    {
        int count = Gather(_first[bucket]);
        if (sockets is null)
            return DropAll(count, DropReason.LocalAddressMissing);
        int fd = sockets.Send(bucket % SourcePorts, dontFragment: bucket < SourcePorts);
        return fd < 0 ? DropAll(count, Reason(-fd)) : SendAll(fd, count);
    }

    // Every pointer written here is into memory that is pinned for its life (our arrays), or pinned and borrowed until Flush
    // returns (the frame, whose address is in _buffers).
    private int Gather(int message)
    {
        int count = 0;
        for (; message != End; message = _next[message])
        {
            var header = new msghdr
            {
                msg_name = Address(_names) + message * SocketAddress.Size,
                msg_namelen = _nameLengths[message],
                msg_iov = Address(_buffers) + message,
                msg_iovlen = 1,
                msg_control = _controlLengths[message] == 0 ? null : Address(_controls) + message * ControlMessages.SendSize,
                msg_controllen = _controlLengths[message],
            };
            _messages[count++].msg_hdr = header;
        }

        return count;
    }

    private int SendAll(int fd, int count)
    {
        int sent = 0;
        bool isRetry = false;
        for (int done = 0; done < count;)
        {
            // The array is pinned for its life; the count given is what Gather filled.
            int n = Libc.sendmmsg(fd, Address(_messages) + done, (uint)(count - done), 0);
            for (int i = 0; i < n; i++)
                Meters.CountSent((int)_messages[done + i].msg_len);
            if (n > 0)
            {
                sent += n;
                done += n;
                isRetry = false;
            }
            else if (n != -LibC.EINTR && (isRetry || !Recover(fd, -n)))
            {
                Meters.CountDrop(Reason(-n));
                done++;
                isRetry = false;
            }
            else if (n != -LibC.EINTR)
            {
                isRetry = true;
            }
        }

        return sent;
    }

    /// <summary>Does what can be done about an error; true when the datagram should be tried once more.</summary>
    private bool Recover(int fd, int error)
    {
        if (IsNoBuffer(error))
        {
            if (_hasWaited)
                return false;
            _hasWaited = true;
            var request = new pollfd { fd = fd, events = LibC.POLLOUT };

            // The structure lives on this stack frame for the time of the call.
            _ = LibC.poll(&request, 1, 1);
            return true;
        }

        if (error == LibC.EPERM || error == LibC.EINVAL || error == LibC.EADDRNOTAVAIL)
            return false;
        ReadErrors(fd);
        return true;
    }

    private int DropAll(int count, DropReason reason)
    {
        for (int i = 0; i < count; i++)
            Meters.CountDrop(reason);
        return 0;
    }

    private static bool IsNoBuffer(int error) => error == LibC.ENOBUFS || error == LibC.EAGAIN || error == LibC.ENOMEM;

    private static DropReason Reason(int error)
    {
        if (error == LibC.EMSGSIZE)
            return DropReason.LinkMtuExceeded;
        if (error == LibC.EPERM)
            return DropReason.TxDenied;
        if (error == LibC.ENETUNREACH || error == LibC.EHOSTUNREACH || error == LibC.ENETDOWN)
            return DropReason.NoRoute;
        if (IsNoBuffer(error))
            return DropReason.TxNoBuffer;
        return error == LibC.EINVAL || error == LibC.EADDRNOTAVAIL ? DropReason.LocalAddressMissing : DropReason.TxError;
    }

    private static T* Address<T>(T[] pinned)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));
}
