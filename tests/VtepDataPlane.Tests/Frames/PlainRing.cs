// The plainest ring there is, a list: what RecordRing is held against. Each step is done to both, and they must agree.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Tests.Frames;

/// <summary>The model: a list of records, and a walk over the array's places for whether bytes fit.</summary>
internal sealed class PlainRing(int records, int bytes)
{
    private readonly int _records = PowerOfTwo(records);
    private readonly int _bytes = bytes == 0 ? 0 : PowerOfTwo(bytes);
    private readonly List<(int Value, int Start, int Length)> _kept = []; // staged, committed, and read but not released
    private int _end;
    private int _committedEnd;
    private int _unread;
    private int _staged;

    public long Lost { get; private set; }

    public long Committed { get; private set; }

    /// <summary>0 to 35: stage so many bytes; 36 to 39: commit; 40 to 43: read; 44, 45: release; 46: discard.</summary>
    public bool Step(RecordRing<int> ring, int number, int step) => step switch
    {
        < 36 => Stage(ring, number, step),
        < 40 => Commit(ring),
        < 44 => Read(ring),
        < 46 => Release(ring),
        _ => Discard(ring),
    };

    private bool Stage(RecordRing<int> ring, int value, int length)
    {
        int start = PlaceFor(length);
        bool fits = _kept.Count < _records && start >= 0;
        if (ring.TryStage(length, out int slot, out Span<byte> room) != fits)
            return false;
        if (!fits)
        {
            Lost++;
            return true;
        }

        room.Fill((byte)value);
        ring[slot] = value;
        _kept.Add((value, start, length));
        _end = start + length;
        _staged++;
        return room.Length == length;
    }

    // -1: nowhere. Tries the end, then the beginning, and asks every record whether it lies there.
    private int PlaceFor(int length)
    {
        if (length > _bytes / 2)
            return -1;
        int place = _bytes == 0 ? 0 : _end % _bytes;
        int start = place + length <= _bytes ? place : 0;

        // what is skipped at the end is taken as well, until what lies before it is released
        int needed = start == place ? length : _bytes - place + length;
        return needed <= _bytes - Taken() ? start : -1;
    }

    private int Taken()
    {
        int taken = 0;
        int place = _kept.Count == 0 ? 0 : _tail;
        foreach ((_, int start, int length) in _kept)
        {
            taken += start >= place ? start - place : _bytes - place + start;
            taken += length;
            place = start + length == _bytes && length > 0 ? 0 : start + length;
        }

        return taken;
    }

    private int _tail; // where the oldest kept bytes begin to count, gaps included

    private bool Commit(RecordRing<int> ring)
    {
        ring.Commit();
        Committed += _staged;
        _unread += _staged;
        _staged = 0;
        _committedEnd = _end;
        return true;
    }

    private bool Discard(RecordRing<int> ring)
    {
        ring.Discard();
        _kept.RemoveRange(_kept.Count - _staged, _staged);
        _staged = 0;
        _end = _committedEnd;
        return true;
    }

    private bool Read(RecordRing<int> ring)
    {
        bool isReady = ring.TryRead(out int value, out ReadOnlySpan<byte> room);
        if (isReady != _unread > 0)
            return false;
        if (!isReady)
            return true;
        (int expected, _, int length) = _kept[_kept.Count - _staged - _unread--];
        return value == expected && room.Length == length && room.IndexOfAnyExcept((byte)value) < 0;
    }

    private bool Release(RecordRing<int> ring)
    {
        ring.Release();
        int read = _kept.Count - _staged - _unread;
        if (read > 0)
            _tail = _bytes == 0 ? 0 : (_kept[read - 1].Start + _kept[read - 1].Length) % _bytes;
        _kept.RemoveRange(0, read);
        return true;
    }

    private static int PowerOfTwo(int value)
    {
        int power = 1;
        while (power < value)
            power *= 2;
        return power;
    }
}
