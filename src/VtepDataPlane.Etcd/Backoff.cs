// Growing pauses after failures, each shortened by up to a half at random, so that many VTEPs don't come back at the same moment.
// Not thread-safe.

namespace VtepDataPlane.Etcd;

/// <summary>Pauses that double from the first to the longest.</summary>
internal sealed class Backoff(EtcdTimings timings)
{
    /// <summary>Failures since all was well.</summary>
    public int Failures { get; private set; }

    /// <summary>All is well again.</summary>
    public void Reset() => Failures = 0;

    /// <summary>The next pause after a failure.</summary>
    public TimeSpan Next()
    {
        double pause = Math.Min(timings.FirstPause.TotalMilliseconds * Math.Pow(2, Math.Min(Failures++, 30)), timings.LongestPause.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(pause * (1 - Random.Shared.NextDouble() / 2));
    }
}
