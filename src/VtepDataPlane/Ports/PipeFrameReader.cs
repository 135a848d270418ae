// Reads frames from a pipe into a lane's batch. A read that finds nothing stays with the pipe, and its callback wakes the lane: Receive never waits.
//
//   Idle     nobody waits: Receive asks the pipe            Armed   a read is with the pipe: Receive returns at once
//   Ready    that read is done: Receive takes what it brought
//
// Frames lie in the pipe's segments and are copied once, into the batch's slots. Whole frames in one segment, nearly all, are walked over as one
// span; one that lies across segments goes the long way. A frame that isn't there whole waits in the pipe, which is told that all was looked at.
//
// The owner's lane, but the callback and Close, which may meet on two threads: each says what it did before it looks at what the other did, and the
// pipe is completed by the first of them that sees both.

using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Ports;

/// <summary>The half of a <see cref="PipePort"/> that the host writes to.</summary>
internal sealed class PipeFrameReader
{
    // What is read must still be in the L2 cache when it is sent.
    private const int MaxBatchBytes = 256 * 1024;

    private const int Idle = 0, Armed = 1, Ready = 2;

    private readonly PipePort _port;
    private readonly PipeReader _pipe;
    private readonly Action _onReady;
    private ValueTask<ReadResult> _reading;
    private long _unfinished; // bytes of a frame that isn't there whole
    private int _state;
    private int _isCompleted;
    private bool _isClosing;
    private Exception? _reason;

    public PipeFrameReader(PipePort port, PipeReader pipe)
    {
        _port = port;
        _pipe = pipe;
        _onReady = OnReady;
    }

    private QueueMeters Meters => _port.OwnerMeters;

    /// <summary>Fills the batch; 0 when nothing is there, and then the lane will be woken.</summary>
    public int Receive(FrameBatch batch)
    {
        batch.Count = 0;
        while (batch.Count == 0 && !_isClosing && TryRead(out ReadResult result))
            Take(result, batch);
        return batch.Count;
    }

    /// <summary>No more is read. Waits for nobody: a read that is with the pipe is called back, and completes the pipe then.</summary>
    /// <param name="reason">What the host's writer is told; null: nothing went wrong.</param>
    public void Close(Exception? reason)
    {
        if (_isClosing)
            return;
        _reason = reason;
        Volatile.Write(ref _isClosing, true);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _state) == Armed)
            _pipe.CancelPendingRead();
        else
            Complete();
    }

    private void OnReady()
    {
        Volatile.Write(ref _state, Ready);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _isClosing))
            Complete();
        else
            _port.Wake();
    }

    private void Complete()
    {
        if (Interlocked.Exchange(ref _isCompleted, 1) == 0)
            _pipe.Complete(_reason);
    }

    private bool TryRead(out ReadResult result)
    {
        result = default;
        int state = Volatile.Read(ref _state);
        if (state == Armed)
            return false;
        try
        {
            ValueTask<ReadResult> reading = state == Ready ? _reading : _pipe.ReadAsync();
            if (!reading.IsCompleted)
            {
                Arm(reading);
                return false;
            }

            _state = Idle;
            result = reading.GetAwaiter().GetResult();
            return true;
        }
#pragma warning disable CA1031 // whatever the host completed its writer with: it is the port's end, and nobody else's
        catch (Exception e)
#pragma warning restore CA1031
        {
            _state = Idle;
            OnError(e);
            return false;
        }
    }

    private void Arm(ValueTask<ReadResult> reading)
    {
        _reading = reading;
        Volatile.Write(ref _state, Armed);
        reading.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_onReady);
    }

    private void Take(in ReadResult result, FrameBatch batch)
    {
        ReadOnlySequence<byte> rest = result.Buffer;
        FramesEnd end = TakeFrames(ref rest, batch, out uint lie);
        _unfinished = end == FramesEnd.Unfinished ? rest.Length : 0;
        _pipe.AdvanceTo(rest.Start, end == FramesEnd.Unfinished ? rest.End : rest.Start);
        if (end == FramesEnd.Lie)
            OnLie(lie);
        else if (end == FramesEnd.Unfinished && result.IsCompleted)
            OnCompleted();
    }

    private FramesEnd TakeFrames(ref ReadOnlySequence<byte> rest, FrameBatch batch, out uint lie)
    {
        lie = 0;
        long full = Meters.ReceivedBytes + MaxBatchBytes;
        while (batch.Count < batch.Capacity && Meters.ReceivedBytes < full)
        {
            int taken = TakeWhole(rest.FirstSpan, batch, full);
            if (taken > 0)
            {
                rest = rest.Slice(taken);
                continue;
            }

            if (!FramePipe.TryReadLength(rest, out uint length))
                return FramesEnd.Unfinished;
            lie = length;
            if (length > FramePipe.MaxFrameLength)
                return FramesEnd.Lie;
            if (rest.Length - FramePipe.PrefixLength < length)
                return FramesEnd.Unfinished;
            TakeOne(rest.Slice(FramePipe.PrefixLength, length), batch);
            rest = rest.Slice(FramePipe.PrefixLength + length);
        }

        return FramesEnd.BatchIsFull;
    }

    /// <summary>Takes the frames that lie whole in one segment. Returns their bytes, lengths included.</summary>
    private int TakeWhole(ReadOnlySpan<byte> bytes, FrameBatch batch, long full)
    {
        int count = bytes.Length;
        while (batch.Count < batch.Capacity && Meters.ReceivedBytes < full && bytes.Length >= FramePipe.PrefixLength)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(bytes);
            if (length > FramePipe.MaxFrameLength || length > bytes.Length - FramePipe.PrefixLength)
                break;
            ReadOnlySpan<byte> frame = bytes.Slice(FramePipe.PrefixLength, (int)length);
            if (TryTakeRoom(frame.Length, batch, out Span<byte> room))
                frame.CopyTo(room);
            bytes = bytes[(FramePipe.PrefixLength + (int)length)..];
        }

        return count - bytes.Length;
    }

    private void TakeOne(in ReadOnlySequence<byte> frame, FrameBatch batch)
    {
        if (TryTakeRoom((int)frame.Length, batch, out Span<byte> room))
            frame.CopyTo(room);
    }

    // A lane's batch takes every frame; somebody else's may be smaller.
    private bool TryTakeRoom(int length, FrameBatch batch, out Span<byte> room)
    {
        Meters.CountReceived(length);
        room = default;
        if (length > batch.Room)
        {
            Meters.CountDrop(DropReason.PortError);
            return false;
        }

        room = batch.RoomOf(batch.Count);
        batch.Reset(batch.Count++, length);
        return true;
    }

    // --- ends ---

    private void OnCompleted()
    {
        if (_unfinished > 0)
        {
            Fail($"the host completed its writer {CountUnfinished()} bytes into a frame", inner: null, tellsWriter: true);
            return;
        }

        _port.End("the host has completed its writer: nothing more comes from it", isDown: false);
        Close(reason: null);
    }

    private void OnError(Exception error)
    {
        string where = _unfinished > 0 ? $", {CountUnfinished()} bytes into a frame" : "";
        Fail($"the host completed its writer with an error{where}: {error.Message.TrimEnd('.')}", error, tellsWriter: false);
    }

    private void OnLie(uint length)
    {
        Meters.CountReceived(FramePipe.PrefixLength);
        Meters.CountDrop(DropReason.PortError);
        Fail($"the host's stream is broken: {FramePipe.Lie(length)}", inner: null, tellsWriter: true);
    }

    private long CountUnfinished()
    {
        Meters.CountReceived((int)_unfinished);
        Meters.CountDrop(DropReason.FrameTruncated);
        return _unfinished;
    }

    private void Fail(string why, Exception? inner, bool tellsWriter)
    {
        var reason = new InvalidDataException(_port.End(why, isDown: true), inner);
        Close(tellsWriter ? reason : null);
        _port.Break(reason);
    }

    private enum FramesEnd
    {
        BatchIsFull,
        Unfinished,
        Lie,
    }
}
