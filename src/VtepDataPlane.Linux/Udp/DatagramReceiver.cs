// Receiving datagrams, whole, 64 a call: recvmmsg(2) straight into the slots of a batch. With UDP_GRO (udp(7)) a slot may get a train of
// datagrams of one flow, and a call thousands; FrameBatch then yields them one by one. When slots come back that full, fewer are asked for the
// next time: what doesn't fit into the processor's second-level cache is read from memory twice. The arrays the kernel reads and writes
// (messages, buffers, source addresses, control messages) are made once in pinned memory; between calls only the lengths it
// changed are put back. All receive sockets of a lane, its own and those of its groups, share one receiver: 64 messages of
// arrays for each of thousands of groups would be waste.
//
// A datagram longer than its slot is dropped, and the next one moves down into its place. Slots are made for the longest
// datagram there is, so this is not on the path of any real one.
//
// Belongs to its lane's worker.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Tmds.Linux;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Offload;

namespace VtepDataPlane.Linux.Udp;

/// <summary>Receives datagrams into batches.</summary>
internal sealed unsafe class DatagramReceiver
{
    // Beyond this a call costs no less a datagram.
    private const int MaxMessages = 64;

    // Slots a call gets when they come back full of trains, and what full means.
    private const int FewMessages = 8;
    private const int ManyBytes = 256 * 1024;

    private readonly mmsghdr[] _messages = GC.AllocateArray<mmsghdr>(MaxMessages, pinned: true);
    private readonly iovec[] _buffers = GC.AllocateArray<iovec>(MaxMessages, pinned: true);
    private readonly byte[] _names = GC.AllocateArray<byte>(MaxMessages * SocketAddress.Size, pinned: true);
    private readonly byte[] _controls = GC.AllocateArray<byte>(MaxMessages * ControlMessages.ReceiveSize, pinned: true);
    private FrameBatch? _batch;
    private int _room = MaxMessages;

    /// <summary>Fills the batch from a socket. Returns its Count; 0 when nothing waits.</summary>
    public int Receive(int fd, FrameBatch batch, QueueMeters meters)
    {
        batch.Count = 0;
        int capacity = Math.Min(batch.Capacity, MaxMessages);
        if (_batch != batch)
            PointTo(batch, capacity);

        // The array is pinned for its life, and so is all it points to (PointTo); the count given is within it.
        int received = Libc.recvmmsg(fd, Pinned.Address(_messages), (uint)Math.Min(capacity, _room), LibC.MSG_DONTWAIT);
        int bytes = 0;
        for (int i = 0; i < received; i++)
            bytes += Take(i, batch, meters);
        _room = bytes > ManyBytes ? FewMessages : MaxMessages;
        return batch.Count;
    }

    // Every pointer written here is into memory that is pinned for its life: our own arrays and the batch's slots, and both are
    // referenced by this object as long as the pointers stand.
    private void PointTo(FrameBatch batch, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Span<byte> slot = batch.RoomOf(i);
            _buffers[i] = new iovec { iov_base = Unsafe.AsPointer(ref MemoryMarshal.GetReference(slot)), iov_len = slot.Length };
            var header = new msghdr
            {
                msg_name = Pinned.Address(_names) + i * SocketAddress.Size,
                msg_iov = Pinned.Address(_buffers) + i,
                msg_iovlen = 1,
                msg_control = Pinned.Address(_controls) + i * ControlMessages.ReceiveSize,
            };
            _messages[i].msg_hdr = header;
            ResetLengths(i);
        }

        _batch = batch;
    }

    private void ResetLengths(int message)
    {
        ref msghdr header = ref Unsafe.As<mmsghdr, msghdr>(ref _messages[message]); // its first field
        header.msg_namelen = SocketAddress.Size;
        header.msg_controllen = ControlMessages.ReceiveSize;
    }

    private int Take(int message, FrameBatch batch, QueueMeters meters)
    {
        ref msghdr header = ref Unsafe.As<mmsghdr, msghdr>(ref _messages[message]); // its first field
        var length = (int)_messages[message].msg_len;
        if ((header.msg_flags & LibC.MSG_TRUNC) != 0)
        {
            meters.CountReceived(length);
            meters.CountDrop(DropReason.DatagramTruncated);
        }
        else
        {
            int slot = batch.Count++;
            if (slot != message)
                batch.RoomOf(message)[..length].CopyTo(batch.RoomOf(slot));
            ref FrameInfo info = ref batch.Reset(slot, length);
            ReadOnlySpan<byte> control = Control(message, (int)(ulong)header.msg_controllen);
            info.Outer.Remote = SocketAddress.Read(_names.AsSpan(message * SocketAddress.Size, SocketAddress.Size));
            info.Outer.TrafficClass = ControlMessages.ReadTrafficClass(control);
            meters.CountReceived(Judge(ref info, batch.RoomOf(slot)[..length], ControlMessages.ReadSegmentSize(control)), length);
        }

        ResetLengths(message);
        return length;
    }

    /// <summary>One datagram or a train. How many.</summary>
    private static int Judge(ref FrameInfo info, ReadOnlySpan<byte> bytes, int segmentSize)
    {
        if (segmentSize <= 0 || bytes.Length <= segmentSize)
            return 1;
        if (ReceivedTrain.IsOneDatagram(bytes))
        {
            info.Offload.GsoSize = (ushort)segmentSize; // a hint, until the forwarder knows what it is
            return 1;
        }

        info.SegmentSize = segmentSize;
        return (bytes.Length + segmentSize - 1) / segmentSize;
    }

    private ReadOnlySpan<byte> Control(int message, int length) =>
        _controls.AsSpan(message * ControlMessages.ReceiveSize, Math.Min(length, ControlMessages.ReceiveSize));
}
