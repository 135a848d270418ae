// What code on the frame path allocates. The runtime allocates on any thread now and then, and a branch that is taken for the first time may cost something
// once; what a frame costs, it costs each time. So it is measured some times, and the least of them counts.

namespace VtepDataPlane.SystemTests.Linux;

/// <summary>Bytes allocated by the calling thread.</summary>
internal static class Allocation
{
    private const int Times = 3;

    /// <summary>The bytes the leanest of three calls has allocated.</summary>
    public static long Least(Action act)
    {
        long least = long.MaxValue;
        for (int i = 0; i < Times; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            act();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
