// Sums of drop counters, for snapshots. Control plane only.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Forwarding;

internal static class DropTotals
{
    public static void Add(ReadOnlySpan<long> drops, Span<long> totals)
    {
        for (int i = 0; i < drops.Length; i++)
            totals[i] += drops[i];
    }

    public static void Add(QueueMeters meters, Span<long> totals)
    {
        foreach (DropReason reason in DropReasonText.All)
            totals[(int)reason] += meters.Drops(reason);
    }

    /// <summary>Only the reasons that occurred, in the enum's order.</summary>
    public static IReadOnlyDictionary<DropReason, long> Occurred(ReadOnlySpan<long> totals)
    {
        var occurred = new Dictionary<DropReason, long>();
        foreach (DropReason reason in DropReasonText.All)
        {
            if (totals[(int)reason] != 0)
                occurred.Add(reason, totals[(int)reason]);
        }

        return occurred;
    }
}
