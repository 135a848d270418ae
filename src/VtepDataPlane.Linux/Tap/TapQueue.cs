// One queue of a TAP device. The kernel gives one frame a read and takes one a write, so a batch is a loop of read and writev;
// the virtio header travels beside the frame's bytes, never through them. Here: the descriptor, and reading; writing stands in TapQueue.Send.cs.
//
// The queue outlives its file descriptor: when the device is deleted and made anew, the control loop attaches a new descriptor
// to the same queue, and the forwarder needn't know. While there is none, what is sent counts as PortGone. The control loop
// swaps descriptors only and closes an old one when the worker has left it (Workers.Quiesce).
//
// A device with one kernel queue serves several lanes: one of them receives, the others write to the same descriptor. A write
// is a whole frame a system call, so two threads can't tear each other's.
//
// Belongs to its lane's worker, except Attach and Detach.

using Tmds.Linux;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Offload;

namespace VtepDataPlane.Linux.Tap;

/// <summary>A TAP device's queue on one lane.</summary>
/// <param name="lane">What it shares with the queues of other devices on its lane.</param>
internal sealed unsafe partial class TapQueue(TapLane lane) : IFrameQueue
{
    private const int None = -1;

    // Bytes after which a batch is full. A batch of 64 KiB super-frames would be 4 MiB, and what is read must still be in the L2 cache (1 MiB
    // and more) when it is sent; it also bounds the headers the underlay makes for the segments of one batch.
    private const int MaxBatchBytes = 256 * 1024;

    private int _fd = None;
    private bool _receives;
    private bool _isGone;

    /// <inheritdoc/>
    public QueueMeters Meters { get; } = new();

    /// <summary>The device is deleted: polling the descriptor would report an error for ever.</summary>
    public bool IsGone => Volatile.Read(ref _isGone);

    /// <summary>This queue receives; if not, its device has fewer queues than there are lanes.</summary>
    public bool Receives => Volatile.Read(ref _receives);

    /// <summary>The descriptor to poll, -1 when there is none.</summary>
    public int FileDescriptor => Volatile.Read(ref _fd);

    /// <summary>Control loop: from now on the queue uses this descriptor, which stays the property of the port.</summary>
    public void Attach(int fd, bool receives)
    {
        _kinds = TrainKinds.All; // for the worker to see together with the descriptor
        Volatile.Write(ref _receives, receives);
        Volatile.Write(ref _isGone, false);
        Volatile.Write(ref _fd, fd);
    }

    /// <summary>Control loop: no descriptor from now on. A worker may still be in a call with the old one.</summary>
    public void Detach() => Volatile.Write(ref _fd, None);

    /// <inheritdoc/>
    public int Receive(FrameBatch batch)
    {
        batch.Count = 0;
        int fd = FileDescriptor;
        if (fd == None || !_receives || _isGone)
            return 0;
        long full = Meters.ReceivedBytes + MaxBatchBytes;
        while (batch.Count < batch.Capacity && Meters.ReceivedBytes < full && ReceiveOne(fd, batch))
        {
        }

        return batch.Count;
    }

    // The header goes into the headroom, right in front of the frame: a second part of a readv costs a third more than this read.
    private bool ReceiveOne(int fd, FrameBatch batch)
    {
        Span<byte> room = batch.RoomOf(batch.Count, front: VirtioNetHeader.Size);
        int n;

        // The room is pinned memory of the length given.
        fixed (byte* bytes = room)
            n = Libc.read(fd, bytes, (nuint)room.Length);
        if (n < VirtioNetHeader.Size)
            return OnReadFailed(n);
        int length = n - VirtioNetHeader.Size;
        Meters.CountReceived(length);
        if (VirtioNetHeader.TryRead(room, length, out OffloadInfo offload))
            batch.Reset(batch.Count++, length).Offload = offload;
        else
            Meters.CountDrop(DropReason.OffloadInvalid);
        return true;
    }

    // EAGAIN: nothing waits. EBADFD: the device is deleted. EIO: it is down. Nothing was read, so there is nothing to count.
    private bool OnReadFailed(int n)
    {
        if (n == -LibC.EINTR)
            return true;
        if (n is var error && error == -LibC.EBADFD)
            Volatile.Write(ref _isGone, true);
        return false;
    }
}
