// Sums over queues of what came in, what went out, and what became more or fewer on the way. Control plane only.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Forwarding;

/// <summary>Totals of the counters of many queues, and of drops wherever they were counted.</summary>
internal sealed class FrameTotals
{
    private readonly long[] _drops = new long[DropReasonText.Count];

    public long Received { get; private set; }

    public long ReceivedBytes { get; private set; }

    public long Segmented { get; private set; }

    public long Sent { get; private set; }

    public long SentBytes { get; private set; }

    public long Coalesced { get; private set; }

    /// <summary>By reason.</summary>
    public Span<long> Drops => _drops;

    public void Add(QueueMeters meters)
    {
        Received += meters.Received;
        ReceivedBytes += meters.ReceivedBytes;
        Segmented += meters.Segmented;
        Sent += meters.Sent;
        SentBytes += meters.SentBytes;
        Coalesced += meters.Coalesced;
        DropTotals.Add(meters, _drops);
    }

    public void Add(FrameTotals other)
    {
        Received += other.Received;
        ReceivedBytes += other.ReceivedBytes;
        Segmented += other.Segmented;
        Sent += other.Sent;
        SentBytes += other.SentBytes;
        Coalesced += other.Coalesced;
        DropTotals.Add(other._drops, _drops);
    }
}
