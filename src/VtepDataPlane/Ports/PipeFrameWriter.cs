// Writes frames into a pipe. Room is taken from the pipe for many frames at once and given back when it is full or at the flush, so a frame
// costs a copy and no call. A flush that isn't done at once means that the host reads slowly: until its callback comes there is no room, and who
// sends drops. What waits unflushed is bounded: a batch of super-frames flushes in its midst.
//
// The owner's lane, but the callback and Close, which meet as in PipeFrameReader.

using System.Buffers.Binary;
using System.IO.Pipelines;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Ports;

/// <summary>The half of a <see cref="PipePort"/> that the host reads from.</summary>
internal sealed class PipeFrameWriter
{
    /// <summary>Bytes after which a flush doesn't wait for the end of the batch.</summary>
    private const int MaxUnflushed = 256 * 1024;

    /// <summary>Room asked for at once: a batch of small frames.</summary>
    private const int Room = 16 * 1024;

    private const int Idle = 0, Armed = 1, Ready = 2;

    private readonly PipePort _port;
    private readonly PipeWriter _pipe;
    private readonly Action _onFlushed;
    private Memory<byte> _room;
    private int _used;      // of the room
    private int _unflushed; // of the pipe, the room included
    private int _frames;    // unflushed, without those other lanes handed over
    private int _bytes;     // of these frames
    private int _sent;      // flushed before the end of the batch
    private ValueTask<FlushResult> _flushing;
    private int _state;
    private int _isCompleted;
    private bool _isClosing;
    private Exception? _reason;

    public PipeFrameWriter(PipePort port, PipeWriter pipe)
    {
        _port = port;
        _pipe = pipe;
        _onFlushed = OnFlushed;
    }

    /// <summary>The host is behind: nothing can be written before it reads.</summary>
    public bool IsBehind => Volatile.Read(ref _state) == Armed;

    private QueueMeters Meters => _port.OwnerMeters;

    /// <summary>Takes room for a frame, to be filled before <see cref="Add"/>. None, or why there is no room.</summary>
    public DropReason TryTakeRoom(int length, out Span<byte> room)
    {
        room = default;
        int needed = FramePipe.PrefixLength + length;
        if (_room.Length - _used < needed || _unflushed >= MaxUnflushed || _state != Idle || _isClosing)
        {
            DropReason reason = MakeRoom(needed);
            if (reason != DropReason.None)
                return reason;
        }

        Span<byte> bytes = _room.Span.Slice(_used, needed);
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)length);
        room = bytes[FramePipe.PrefixLength..];
        return DropReason.None;
    }

    /// <summary>The frame in the room taken last is whole.</summary>
    public void Add(int length)
    {
        AddHanded(length);
        _frames++;
        _bytes += length;
    }

    /// <summary>The same for a frame that another lane has counted.</summary>
    public void AddHanded(int length)
    {
        _used += FramePipe.PrefixLength + length;
        _unflushed += FramePipe.PrefixLength + length;
    }

    /// <summary>The next frame will be written, or dropped for good; false: the host has to read first.</summary>
    public bool IsReady()
    {
        if (_state == Ready)
            EndFlush(_flushing, frames: 0, bytes: 0);
        if (_unflushed >= MaxUnflushed)
            FlushNow();
        return !IsBehind;
    }

    /// <summary>Hands everything added to the host. Returns frames that went since the last call.</summary>
    public int Flush()
    {
        if (_unflushed > 0)
            FlushNow();
        int sent = _sent;
        _sent = 0;
        return sent;
    }

    /// <summary>Nothing more is written. Waits for nobody: a flush that isn't done is called back, and completes the pipe then.</summary>
    /// <param name="reason">What the host's reader is told; null: nothing went wrong.</param>
    public void Close(Exception? reason)
    {
        if (_isClosing)
            return;
        _reason = reason;
        Volatile.Write(ref _isClosing, true);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _state) == Armed)
            _pipe.CancelPendingFlush();
        else
            Complete(wasBehind: false);
    }

    private void OnFlushed()
    {
        Volatile.Write(ref _state, Ready);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _isClosing))
            Complete(wasBehind: true);
        else
            _port.Wake();
    }

    // A host that is behind may never read: its writer must not be completed in a way that waits for it, as one over a stream would be
    // without a reason.
    private void Complete(bool wasBehind)
    {
        if (Interlocked.Exchange(ref _isCompleted, 1) != 0)
            return;
        if (wasBehind)
            _reason ??= new IOException($"Port '{_port.Name}': it was closed while the host was behind with reading; what it had not read is lost.");
        _pipe.Complete(_reason);
    }

    private DropReason MakeRoom(int needed)
    {
        bool isReady = IsReady();
        if (_isClosing)
            return _port.IsDisposed ? DropReason.PortGone : DropReason.PortDown;
        if (!isReady)
            return DropReason.PortNoBuffer;
        return _room.Length - _used >= needed || TryTakeMemory(needed) ? DropReason.None : DropReason.PortDown;
    }

    private bool TryTakeMemory(int needed)
    {
        try
        {
            GiveRoomBack();
            _room = _pipe.GetMemory(Math.Max(needed, Room));
            return true;
        }
        catch (InvalidOperationException e)
        {
            OnError(e);
            return false;
        }
    }

    private void GiveRoomBack()
    {
        if (_used > 0)
            _pipe.Advance(_used);
        _room = default;
        _used = 0;
    }

    private void FlushNow()
    {
        int frames = _frames;
        int bytes = _bytes;
        _frames = _bytes = _unflushed = 0;
        try
        {
            GiveRoomBack();
            ValueTask<FlushResult> flushing = _pipe.FlushAsync();
            if (flushing.IsCompleted)
            {
                EndFlush(flushing, frames, bytes);
                return;
            }

            CountSent(frames, bytes); // it is in the pipe
            Arm(flushing);
        }
#pragma warning disable CA1031 // whatever the host completed its reader with: it is the port's end, and nobody else's
        catch (Exception e)
#pragma warning restore CA1031
        {
            Meters.CountDrop(DropReason.PortDown, frames);
            OnError(e);
        }
    }

    private void Arm(ValueTask<FlushResult> flushing)
    {
        _flushing = flushing;
        Volatile.Write(ref _state, Armed);
        flushing.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_onFlushed);
    }

    private void EndFlush(ValueTask<FlushResult> flushing, int frames, int bytes)
    {
        _state = Idle;
        try
        {
            if (!flushing.GetAwaiter().GetResult().IsCompleted)
            {
                CountSent(frames, bytes);
                return;
            }

            _port.End("the host has completed its reader: frames for it are dropped", isDown: true);
            Close(reason: null);
        }
#pragma warning disable CA1031 // as above
        catch (Exception e)
#pragma warning restore CA1031
        {
            OnError(e);
        }

        Meters.CountDrop(DropReason.PortDown, frames);
    }

    private void OnError(Exception error)
    {
        _port.End($"the host completed its reader with an error: {error.Message.TrimEnd('.')}", isDown: true);
        Close(reason: null);
    }

    private void CountSent(int frames, int bytes)
    {
        Meters.CountSent(frames, bytes);
        _sent += frames;
    }
}
