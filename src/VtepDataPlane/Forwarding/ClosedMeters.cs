// What queues and domains had counted before they were closed, so that the books stay whole over reconfiguration. Written by
// the control loop, read by snapshots; a lock, for this is no frame path.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Forwarding;

/// <summary>Sums of closed counters.</summary>
internal sealed class ClosedMeters
{
    private readonly Lock _gate = new();
    private readonly long[] _drops = new long[DropReasonText.Count];
    private long _received;
    private long _sent;

    public void Add(AccessPort port, int lanes)
    {
        lock (_gate)
        {
            for (int lane = 0; lane < lanes; lane++)
            {
                QueueMeters meters = port.Lane(lane).Queue.Meters;
                _received += meters.Received;
                _sent += meters.Sent;
                DropTotals.Add(meters, _drops);
            }
        }
    }

    public void Add(DomainMeters meters)
    {
        lock (_gate)
            meters.AddDropsTo(_drops);
    }

    /// <summary>Adds the sums to a reader's totals.</summary>
    public void AddTo(ref long received, ref long sent, Span<long> drops)
    {
        lock (_gate)
        {
            received += _received;
            sent += _sent;
            DropTotals.Add(_drops, drops);
        }
    }
}
