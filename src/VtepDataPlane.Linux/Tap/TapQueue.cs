// One queue of a TAP device. The kernel gives one frame a read and takes one a write, so a batch is a loop of readv and writev;
// the virtio header travels beside the frame's bytes, never through them.
//
// The queue outlives its file descriptor: when the device is deleted and made anew, the control loop attaches a new descriptor
// to the same queue, and the forwarder needn't know. While there is none, what is sent counts as PortGone. The control loop
// swaps descriptors only and closes an old one when the worker has left it (Workers.Quiesce).
//
// A device with one kernel queue serves several lanes: one of them receives, the others write to the same descriptor. A write
// is a whole frame a system call, so two threads can't tear each other's.
//
// Belongs to its lane's worker, except Attach and Detach.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Tmds.Linux;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Linux.Tap;

/// <summary>A TAP device's queue on one lane.</summary>
internal sealed unsafe class TapQueue : IFrameQueue
{
    private const int None = -1;

    // Noted frames: what one batch sends to one port. A flood from a full batch fits; above it Send flushes on its own.
    private const int MaxPending = FrameBatch.DefaultCapacity;
    private const int FirstPending = 4;

    // Bytes after which a batch is full. A batch of 64 KiB super-frames would be 4 MiB, and what is read must still be in the L2 cache (1 MiB
    // and more) when it is sent; it also bounds the headers the underlay makes for the segments of one batch.
    private const int MaxBatchBytes = 256 * 1024;

    private Pending[] _pending = [];
    private int _pendingCount;
    private int _sentInSend;
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
        byte* header = stackalloc byte[VirtioNetHeader.Size];
        long full = Meters.ReceivedBytes + MaxBatchBytes;
        while (batch.Count < batch.Capacity && Meters.ReceivedBytes < full && ReceiveOne(fd, header, batch))
        {
        }

        return batch.Count;
    }

    /// <inheritdoc/>
    public void Send(in Frame frame)
    {
        if (_pendingCount == _pending.Length)
            MakeRoom();
        ref Pending pending = ref _pending[_pendingCount++];

        // The frame's slot lies in a FrameBatch's pinned memory and is borrowed until Flush returns, so its address stays valid.
        pending.Bytes = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(frame.Bytes));
        pending.Length = frame.Length;
        pending.Offload = frame.Info.Offload;
    }

    /// <inheritdoc/>
    public int Flush()
    {
        int sent = _sentInSend;
        int fd = FileDescriptor;
        byte* header = stackalloc byte[VirtioNetHeader.Size];
        for (int i = 0; i < _pendingCount; i++)
        {
            if (SendOne(fd, header, _pending[i]))
                sent++;
        }

        _pendingCount = 0;
        _sentInSend = 0;
        return sent;
    }

    private bool ReceiveOne(int fd, byte* header, FrameBatch batch)
    {
        Span<byte> room = batch.RoomOf(batch.Count);
        int n;

        // Both parts outlive the call: the header is on the caller's stack, the room is pinned memory of the length given.
        fixed (byte* bytes = room)
        {
            iovec* parts = stackalloc iovec[2];
            parts[0] = new iovec { iov_base = header, iov_len = VirtioNetHeader.Size };
            parts[1] = new iovec { iov_base = bytes, iov_len = room.Length };
            n = Libc.readv(fd, parts, 2);
        }

        if (n < VirtioNetHeader.Size)
            return OnReadFailed(n);
        int length = n - VirtioNetHeader.Size;
        Meters.CountReceived(length);
        if (VirtioNetHeader.TryRead(new ReadOnlySpan<byte>(header, VirtioNetHeader.Size), length, out OffloadInfo offload))
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

    private bool SendOne(int fd, byte* header, in Pending pending)
    {
        if (fd == None)
        {
            Meters.CountDrop(DropReason.PortGone);
            return false;
        }

        VirtioNetHeader.Write(new Span<byte>(header, VirtioNetHeader.Size), pending.Offload);
        iovec* parts = stackalloc iovec[2];
        parts[0] = new iovec { iov_base = header, iov_len = VirtioNetHeader.Size };
        parts[1] = new iovec { iov_base = pending.Bytes, iov_len = pending.Length };
        int n;
        do
        {
            // The header is on the caller's stack, the bytes are pinned and borrowed until Flush returns (see Send).
            n = Libc.writev(fd, parts, 2);
        }
        while (n == -LibC.EINTR);
        if (n >= 0)
            Meters.CountSent(pending.Length);
        else
            OnWriteFailed(-n);
        return n >= 0;
    }

    private void OnWriteFailed(int error)
    {
        if (error == LibC.EBADFD)
            Volatile.Write(ref _isGone, true);
        Meters.CountDrop(Reason(error));
    }

    private static DropReason Reason(int error)
    {
        if (error == LibC.EIO)
            return DropReason.PortDown;
        if (error == LibC.EBADFD)
            return DropReason.PortGone;
        bool noBuffer = error == LibC.EAGAIN || error == LibC.ENOBUFS || error == LibC.ENOMEM;
        return noBuffer ? DropReason.PortNoBuffer : DropReason.PortError;
    }

    // Ten thousand quiet ports shouldn't hold room for a batch each: the array grows with use, and then stays.
    private void MakeRoom()
    {
        if (_pending.Length < MaxPending)
            Array.Resize(ref _pending, Math.Max(FirstPending, 2 * _pending.Length));
        else
            _sentInSend = Flush();
    }

    private struct Pending
    {
        public byte* Bytes;
        public int Length;
        public OffloadInfo Offload;
    }
}
