// Counters of one lane that belong to no queue: frames multiplied, frames made, drops before a domain is known, and traffic by
// VTEP, and by domain and VTEP (PairMeters). Written by the lane's thread with plain stores, summed by readers at any time.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Forwarding;

/// <summary>Traffic with one VTEP on one lane.</summary>
internal struct VtepTraffic
{
    public long TxFrames;
    public long TxBytes;
    public long RxFrames;
    public long RxBytes;

    public void Add(in VtepTraffic other)
    {
        TxFrames += other.TxFrames;
        TxBytes += other.TxBytes;
        RxFrames += other.RxFrames;
        RxBytes += other.RxBytes;
    }
}

/// <summary>Counters of one lane.</summary>
internal sealed class LaneMeters(int vtepCapacity)
{
    private readonly VtepTraffic[] _traffic = new VtepTraffic[vtepCapacity + 1];
    private readonly long[] _drops = DirectedDrops.NewArray();

    /// <summary>Copies made by flooding beyond the first.</summary>
    public long Replicated { get; set; }

    /// <summary>Frames of our own making.</summary>
    public long Originated { get; set; }

    /// <summary>Traffic by domain and VTEP.</summary>
    public PairMeters Pairs { get; } = new();

    /// <summary>Drops that belong to no domain, as in <see cref="DirectedDrops"/>.</summary>
    public ReadOnlySpan<long> Drops => _drops;

    public void CountDrop(DropReason reason, bool isFromUnderlay) => _drops[DirectedDrops.IndexOf(reason, isFromUnderlay)]++;

    /// <summary>Traffic with the VTEP of that id.</summary>
    public ref VtepTraffic Traffic(int vtep) => ref _traffic[vtep];
}

/// <summary>Counters of one domain on one lane.</summary>
internal sealed class DomainLaneMeters
{
    private readonly long[] _drops = DirectedDrops.NewArray();
    private TokenLevel _lookups;
    private VtepTraffic _withoutRow;

    /// <summary>Questions the lane asked for the domain.</summary>
    public ref TokenLevel Lookups => ref _lookups;

    /// <summary>Traffic with VTEPs that have no row in <see cref="PairMeters"/>, where all the rest is counted.</summary>
    public ref VtepTraffic WithoutRow => ref _withoutRow;

    public long Moves { get; set; }

    public long LearnLimitHits { get; set; }

    public long ReservedBitsIgnored { get; set; }

    /// <summary>As in <see cref="DirectedDrops"/>.</summary>
    public ReadOnlySpan<long> Drops => _drops;

    public void CountDrop(DropReason reason, bool isFromUnderlay) => _drops[DirectedDrops.IndexOf(reason, isFromUnderlay)]++;
}

/// <summary>Counters of one domain; kept over reconfiguration.</summary>
internal sealed class DomainMeters(int lanes)
{
    private readonly DomainLaneMeters[] _lanes = [.. Enumerable.Range(0, lanes).Select(_ => new DomainLaneMeters())];
    private readonly long[] _closedPorts = new long[DropReasonText.Count];

    public DomainLaneMeters this[int lane] => _lanes[lane];

    public long Sum(Func<DomainLaneMeters, long> counter) => _lanes.Sum(counter);

    /// <summary>Adds this domain's drops to <paramref name="totals"/>, indexed by reason.</summary>
    public void AddDropsTo(Span<long> totals)
    {
        foreach (DomainLaneMeters lane in _lanes)
            DirectedDrops.AddByReason(lane.Drops, totals);
    }

    /// <summary>Adds this domain's drops to <paramref name="totals"/>, as in <see cref="DirectedDrops"/>.</summary>
    public void AddDirectedDropsTo(Span<long> totals)
    {
        foreach (DomainLaneMeters lane in _lanes)
            DropTotals.Add(lane.Drops, totals);
    }

    /// <summary>
    /// Adds what ports of this domain that are closed had dropped to <paramref name="totals"/>, indexed by reason. A domain's counts
    /// must not fall when it loses a port; in the totals of <see cref="ClosedMeters"/> they are as well.
    /// </summary>
    public void AddClosedPortsTo(Span<long> totals)
    {
        for (int i = 0; i < _closedPorts.Length; i++)
            totals[i] += Volatile.Read(ref _closedPorts[i]);
    }

    /// <summary>Control loop: a port is being closed.</summary>
    public void CountClosedPort(AccessPort port)
    {
        for (int lane = 0; lane < _lanes.Length; lane++)
            DropTotals.Add(port.Lane(lane).Queue.Meters, _closedPorts);
    }
}
