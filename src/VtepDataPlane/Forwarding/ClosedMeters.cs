// What queues and domains had counted before they were closed, so that the books stay whole over reconfiguration. Written by
// the control loop, read by snapshots; a lock, for this is no frame path.

namespace VtepDataPlane.Forwarding;

/// <summary>Sums of closed counters.</summary>
internal sealed class ClosedMeters
{
    private readonly Lock _gate = new();
    private readonly FrameTotals _totals = new();

    public void Add(AccessPort port, int lanes)
    {
        lock (_gate)
        {
            for (int lane = 0; lane < lanes; lane++)
                _totals.Add(port.Lane(lane).Queue.Meters);
        }
    }

    public void Add(DomainMeters meters)
    {
        lock (_gate)
            meters.AddDropsTo(_totals.Drops);
    }

    /// <summary>Adds the sums to a reader's totals.</summary>
    public void AddTo(FrameTotals totals)
    {
        lock (_gate)
            totals.Add(_totals);
    }
}
