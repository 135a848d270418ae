// Drop counters of the forwarder: by reason and by where the frame came from, in one array. The index is 2 * reason + side, so to split
// by side costs the frame path an addition.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Forwarding;

/// <summary>How counters by reason and side are laid out.</summary>
internal static class DirectedDrops
{
    /// <summary>Length of such an array.</summary>
    public static int Count => 2 * DropReasonText.Count;

    public static long[] NewArray() => new long[Count];

    public static int IndexOf(DropReason reason, bool isFromUnderlay) => 2 * (int)reason + (isFromUnderlay ? 1 : 0);

    /// <summary>Adds both sides to <paramref name="totals"/>, indexed by reason.</summary>
    public static void AddByReason(ReadOnlySpan<long> drops, Span<long> totals)
    {
        for (int i = 0; i < drops.Length; i++)
            totals[i / 2] += drops[i];
    }
}
