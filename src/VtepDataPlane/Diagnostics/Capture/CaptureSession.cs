// A capture that runs: a ring for each lane, filled by the lanes, emptied by whoever reads. A reader that is slow, or stops, loses capture
// and nothing else: full rings count what they couldn't take. Ended by Dispose.
//
// A capture of drops only sees the copies that are sent as well, since only the queues know which of them they will drop; but as long as none is
// dropped, what was noted of a batch is taken back when the batch ends, so it takes no room. A copy that found no room is lost when it is dropped.
//
// TryRead, Write and their like: one thread, the reader's. Counters: any. The rest: the lanes.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics.Capture;

/// <summary>How much a capture may hold for its reader: memory of each lane, taken when the capture starts. Immutable.</summary>
public sealed record CaptureRoom
{
    /// <summary>Frames a lane can have waiting, 1 to 2^30; rounded up to a power of two.</summary>
    public int Frames { get; init; } = 16_384;

    /// <summary>Bytes of frames a lane can have waiting, 0 to 2^30; rounded up to a power of two. A frame of more than half is lost.</summary>
    public int Bytes { get; init; } = 16 << 20;
}

/// <summary>A running capture. One reader; <see cref="Dispose"/> and the counters from any thread.</summary>
public sealed class CaptureSession : IDisposable
{
    /// <summary>In place of a slot: the frame isn't wanted, or is lost.</summary>
    internal const int NotStaged = -1;

    /// <summary>In place of a slot: there is no room for it, so it is lost if a queue drops it.</summary>
    internal const int LostIfDropped = -2;

    private readonly RecordRing<CaptureRecord>[] _rings;
    private readonly bool[] _hasNews; // a drop, or one that is lost, in the batch a lane is in
    private readonly Action<CaptureSession> _end;
    private int _nextLane;
    private long _read;
    private bool _isEnded;

    internal CaptureSession(CaptureFilter filter, CaptureRoom room, int lanes, Action<CaptureSession> end)
    {
        Filter = filter;
        _rings = [.. Enumerable.Range(0, lanes).Select(_ => new RecordRing<CaptureRecord>(room.Frames, room.Bytes))];
        _hasNews = new bool[lanes];
        _end = end;
    }

    /// <summary>What it sees.</summary>
    public CaptureFilter Filter { get; }

    /// <summary>Called by a lane when frames wait to be read, or were lost; never blocks. Null: the reader comes by itself.</summary>
    internal Action? Committed { get; init; }

    /// <summary>It isn't a program's or an operator's: subscribers' drops come from it.</summary>
    internal bool IsForEvents => Committed is not null;

    /// <summary>Frames read so far.</summary>
    public long Read => Volatile.Read(ref _read);

    /// <summary>Frames that should have been captured and weren't, the reader being too slow.</summary>
    public long Lost => _rings.Sum(ring => ring.Lost);

    /// <summary>Nothing waits to be read now.</summary>
    public bool IsEmpty => _rings.All(ring => ring.IsEmpty);

    /// <summary>Ended: nothing comes any more, what waits can still be read.</summary>
    public bool IsEnded => Volatile.Read(ref _isEnded);

    /// <summary>Reads the next frame; false when none waits now. The frame's bytes are good until the next call.</summary>
    /// <param name="frame">The frame; default when the answer is false.</param>
    public bool TryRead(out CapturedFrame frame)
    {
        for (int tried = 0; tried < _rings.Length; tried++)
        {
            if (TryRead(_nextLane, out frame))
                return true;
            _nextLane = (_nextLane + 1) % _rings.Length;
        }

        frame = default;
        return false;
    }

    /// <summary>Frames a lane has lost so far.</summary>
    internal long LostOn(int lane) => _rings[lane].Lost;

    private bool TryRead(int lane, out CapturedFrame frame)
    {
        RecordRing<CaptureRecord> ring = _rings[lane];
        ring.Release(); // what was read before
        while (ring.TryRead(out CaptureRecord record, out ReadOnlySpan<byte> bytes))
        {
            if (Filter.DropsOnly && record.DroppedSegments == 0)
                continue;
            Volatile.Write(ref _read, _read + 1);
            frame = new CapturedFrame(record, bytes, lane);
            return true;
        }

        frame = default;
        return false;
    }

    /// <summary>Lane: notes a frame, if it is wanted and there is room. Gives its slot, or one of the constants above.</summary>
    internal int Stage(int lane, in CaptureRecord record, ReadOnlySpan<byte> frame, in FrameHeaders headers)
    {
        if (!Filter.Wants(record, frame, headers))
            return NotStaged;
        RecordRing<CaptureRecord> ring = _rings[lane];
        int kept = Math.Min(frame.Length, Filter.SnapLength);
        bool isDrop = record.DroppedSegments > 0;
        if (Filter.DropsOnly && !isDrop && !ring.HasRoom(kept))
            return LostIfDropped;
        bool hasRoom = ring.TryStage(kept, out int slot, out Span<byte> bytes);
        _hasNews[lane] |= isDrop || !hasRoom;
        if (!hasRoom)
            return NotStaged;
        frame[..kept].CopyTo(bytes);
        ring[slot] = record;
        return slot;
    }

    /// <summary>Lane: a queue dropped a copy that was noted, or found no room.</summary>
    internal void Drop(int lane, int slot, DropReason reason, int segments)
    {
        if (slot == NotStaged)
            return;
        _hasNews[lane] = true;
        if (slot == LostIfDropped)
            _rings[lane].CountLost();
        else
            _rings[lane][slot].Drop(reason, segments);
    }

    /// <summary>Lane: what was noted is as it will stay.</summary>
    internal void Commit(int lane)
    {
        if (Filter.DropsOnly && !_hasNews[lane])
            _rings[lane].Discard();
        else
            Publish(lane);
        _hasNews[lane] = false;
    }

    private void Publish(int lane)
    {
        _rings[lane].Commit();
        Committed?.Invoke();
    }

    /// <summary>Ends it. What waits can still be read.</summary>
    public void Dispose()
    {
        if (!Interlocked.Exchange(ref _isEnded, true))
            _end(this);
    }
}
