// Counters of one lane that belong to no queue: frames multiplied, frames made, drops before a domain is known, and traffic by
// VTEP. Written by the lane's thread with plain stores, summed by readers at any time.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Forwarding;

/// <summary>Traffic with one VTEP on one lane.</summary>
internal struct VtepTraffic
{
    public long TxFrames;
    public long TxBytes;
    public long RxFrames;
    public long RxBytes;
}

/// <summary>Counters of one lane.</summary>
internal sealed class LaneMeters(int vtepCapacity)
{
    private readonly VtepTraffic[] _traffic = new VtepTraffic[vtepCapacity + 1];
    private readonly long[] _drops = new long[DropReasonText.Count];

    /// <summary>Copies made by flooding beyond the first.</summary>
    public long Replicated { get; set; }

    /// <summary>Frames of our own making.</summary>
    public long Originated { get; set; }

    /// <summary>Drops that belong to no domain.</summary>
    public ReadOnlySpan<long> Drops => _drops;

    public void CountDrop(DropReason reason) => _drops[(int)reason]++;

    /// <summary>Traffic with the VTEP of that id.</summary>
    public ref VtepTraffic Traffic(int vtep) => ref _traffic[vtep];
}

/// <summary>Counters of one domain on one lane.</summary>
internal sealed class DomainLaneMeters
{
    private readonly long[] _drops = new long[DropReasonText.Count];
    private TokenLevel _lookups;

    /// <summary>Questions the lane asked for the domain.</summary>
    public ref TokenLevel Lookups => ref _lookups;

    public long ToUnderlay { get; set; }

    public long FromUnderlay { get; set; }

    public long Moves { get; set; }

    public long LearnLimitHits { get; set; }

    public long ReservedBitsIgnored { get; set; }

    public ReadOnlySpan<long> Drops => _drops;

    public void CountDrop(DropReason reason) => _drops[(int)reason]++;
}

/// <summary>Counters of one domain; kept over reconfiguration.</summary>
internal sealed class DomainMeters(int lanes)
{
    private readonly DomainLaneMeters[] _lanes = [.. Enumerable.Range(0, lanes).Select(_ => new DomainLaneMeters())];

    public DomainLaneMeters this[int lane] => _lanes[lane];

    public long Sum(Func<DomainLaneMeters, long> counter) => _lanes.Sum(counter);

    /// <summary>Adds this domain's drops to <paramref name="totals"/>, indexed by reason.</summary>
    public void AddDropsTo(Span<long> totals)
    {
        foreach (DomainLaneMeters lane in _lanes)
            DropTotals.Add(lane.Drops, totals);
    }
}
