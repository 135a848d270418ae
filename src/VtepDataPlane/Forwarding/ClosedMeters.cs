// What queues and domains had counted before they were closed, so that the books stay whole over reconfiguration. Written by
// the control loop, read by snapshots; a lock, for this is no frame path.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Forwarding;

/// <summary>Sums of closed counters.</summary>
internal sealed class ClosedMeters
{
    private readonly Lock _gate = new();
    private readonly FrameTotals _totals = new();
    private readonly long[] _domainDrops = DirectedDrops.NewArray();
    private readonly long[] _portDrops = new long[DropReasonText.Count];
    private long _moves, _learnLimitHits;

    public void Add(AccessPort port, int lanes)
    {
        lock (_gate)
        {
            for (int lane = 0; lane < lanes; lane++)
            {
                _totals.Add(port.Lane(lane).Queue.Meters);
                DropTotals.Add(port.Lane(lane).Queue.Meters, _portDrops);
            }
        }
    }

    public void Add(DomainMeters meters)
    {
        lock (_gate)
        {
            meters.AddDropsTo(_totals.Drops);
            meters.AddDirectedDropsTo(_domainDrops);
            _moves += meters.Sum(lane => lane.Moves);
            _learnLimitHits += meters.Sum(lane => lane.LearnLimitHits);
        }
    }

    /// <summary>Moves and refusals to learn of closed domains.</summary>
    public (long Moves, long LearnLimitHits) Learning
    {
        get
        {
            lock (_gate)
                return (_moves, _learnLimitHits);
        }
    }

    /// <summary>Adds drops of closed domains, as in <see cref="DirectedDrops"/>, and of closed ports, by reason.</summary>
    public void AddDropsTo(Span<long> domains, Span<long> ports)
    {
        lock (_gate)
        {
            DropTotals.Add(_domainDrops, domains);
            DropTotals.Add(_portDrops, ports);
        }
    }

    /// <summary>Adds the sums to a reader's totals.</summary>
    public void AddTo(FrameTotals totals)
    {
        lock (_gate)
            totals.Add(_totals);
    }
}
