// Receiving datagrams, whole, 64 a call: recvmmsg(2) straight into the slots of a batch. The arrays the kernel reads and writes
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

namespace VtepDataPlane.Linux.Udp;

/// <summary>Receives datagrams into batches.</summary>
internal sealed unsafe class DatagramReceiver
{
    private const int MaxMessages = FrameBatch.DefaultCapacity;

    private readonly mmsghdr[] _messages = GC.AllocateArray<mmsghdr>(MaxMessages, pinned: true);
    private readonly iovec[] _buffers = GC.AllocateArray<iovec>(MaxMessages, pinned: true);
    private readonly byte[] _names = GC.AllocateArray<byte>(MaxMessages * SocketAddress.Size, pinned: true);
    private readonly byte[] _controls = GC.AllocateArray<byte>(MaxMessages * ControlMessages.ReceiveSize, pinned: true);
    private FrameBatch? _batch;

    /// <summary>Fills the batch from a socket. Returns its Count; 0 when nothing waits.</summary>
    public int Receive(int fd, FrameBatch batch, QueueMeters meters)
    {
        batch.Count = 0;
        int room = Math.Min(batch.Capacity, MaxMessages);
        if (_batch != batch)
            PointTo(batch, room);

        // The array is pinned for its life, and so is all it points to (PointTo); the count given is within it.
        int received = Libc.recvmmsg(fd, Address(_messages), (uint)room, LibC.MSG_DONTWAIT);
        for (int i = 0; i < received; i++)
            Take(i, batch, meters);
        return batch.Count;
    }

    private static T* Address<T>(T[] pinned)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));

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
                msg_name = Address(_names) + i * SocketAddress.Size,
                msg_iov = Address(_buffers) + i,
                msg_iovlen = 1,
                msg_control = Address(_controls) + i * ControlMessages.ReceiveSize,
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

    private void Take(int message, FrameBatch batch, QueueMeters meters)
    {
        ref msghdr header = ref Unsafe.As<mmsghdr, msghdr>(ref _messages[message]);
        var length = (int)_messages[message].msg_len;
        meters.CountReceived(length);
        if ((header.msg_flags & LibC.MSG_TRUNC) != 0)
        {
            meters.CountDrop(DropReason.DatagramTruncated);
        }
        else
        {
            int slot = batch.Count++;
            if (slot != message)
                batch.RoomOf(message)[..length].CopyTo(batch.RoomOf(slot));
            ref FrameInfo info = ref batch.Reset(slot, length);
            info.Outer.Remote = SocketAddress.Read(_names.AsSpan(message * SocketAddress.Size, SocketAddress.Size));
            info.Outer.TrafficClass = TrafficClass(message, (int)(ulong)header.msg_controllen);
        }

        ResetLengths(message);
    }

    private byte TrafficClass(int message, int length) => ControlMessages.ReadTrafficClass(
        _controls.AsSpan(message * ControlMessages.ReceiveSize, Math.Min(length, ControlMessages.ReceiveSize)));
}
