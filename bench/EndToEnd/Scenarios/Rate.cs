// How fast a counter runs: traffic flows for a while, then the counter is read twice with its own time between.

using System.Diagnostics;
using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Scenarios;

/// <summary>Measures rates.</summary>
internal static class Rate
{
    /// <summary>Millions a second.</summary>
    public static double OfMillions(KernelCounters counter, Timing timing)
    {
        Thread.Sleep(TimeSpan.FromSeconds(timing.Warmup));
        long start = Stopwatch.GetTimestamp();
        long before = counter.Read();
        Thread.Sleep(TimeSpan.FromSeconds(timing.Seconds));
        long after = counter.Read();
        if (after == before)
            throw new BenchException("Nothing arrived.");
        return (after - before) / Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }
}
