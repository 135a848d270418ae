// Stations that lanes learned, on their way to subscribers: a ring for each lane. A lane stages what it learns and commits at the end of its batch.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics.Events;

/// <summary>A station was learned, or has moved.</summary>
/// <param name="Domain">Index of its domain.</param>
/// <param name="Mac">Which.</param>
/// <param name="From">Where it was before; a miss: nowhere.</param>
/// <param name="To">Where it is now.</param>
/// <param name="NowMilliseconds">When, by the VTEP's clock.</param>
internal readonly record struct StationRecord(int Domain, MacAddress Mac, FdbTarget From, FdbTarget To, long NowMilliseconds);

/// <summary>The rings of all lanes. Writing: the lane. Reading: the control loop.</summary>
/// <param name="lanes">How many.</param>
/// <param name="room">Records each holds.</param>
/// <param name="wake">Wakes the reader; any thread, never blocks.</param>
internal sealed class StationWatch(int lanes, int room, Action wake)
{
    private readonly RecordRing<StationRecord>[] _rings = [.. Enumerable.Range(0, lanes).Select(_ => new RecordRing<StationRecord>(room, bytes: 0))];
    private readonly bool[] _hasNews = new bool[lanes]; // something staged, or lost
    private int _nextLane;

    /// <summary>Records all rings together hold.</summary>
    public int Room => room * _rings.Length;

    /// <summary>Records lost for want of room.</summary>
    public long Lost => _rings.Sum(ring => ring.Lost);

    /// <summary>Lane: notes one.</summary>
    public void Stage(int lane, in StationRecord record)
    {
        _hasNews[lane] = true;
        if (_rings[lane].TryStage(length: 0, out int slot, out _))
            _rings[lane][slot] = record;
    }

    /// <summary>Lane: its batch is over.</summary>
    public void Commit(int lane)
    {
        if (!_hasNews[lane])
            return;
        _hasNews[lane] = false;
        _rings[lane].Commit();
        wake();
    }

    /// <summary>Reader: the next one.</summary>
    public bool TryRead(out StationRecord record)
    {
        for (int tried = 0; tried < _rings.Length; tried++)
        {
            RecordRing<StationRecord> ring = _rings[_nextLane];
            if (ring.TryRead(out record, out _))
            {
                ring.Release();
                return true;
            }

            _nextLane = (_nextLane + 1) % _rings.Length;
        }

        record = default;
        return false;
    }
}
