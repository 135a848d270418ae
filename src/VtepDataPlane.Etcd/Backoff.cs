// Pauses between attempts: they double from the first to the longest, each shortened at random by up to half, so that many VTEPs that lost the
// same store don't come back in one moment. Not thread-safe.

namespace VtepDataPlane.Etcd;

/// <summary>Growing pauses.</summary>
/// <param name="timings">The first, the longest, and that after a refusal.</param>
/// <param name="random">For the jitter; null: the process's.</param>
internal sealed class Backoff(EtcdTimings timings, Random? random = null)
{
    /// <summary>Failures since the last success.</summary>
    public int Failures { get; private set; }

    /// <summary>One failure more: how long to wait. After a refusal the pause is long at once, and always the same but for the jitter.</summary>
    public TimeSpan Next(EtcdFailure failure = EtcdFailure.Away)
    {
        double grown = timings.FirstPause.TotalSeconds * Math.Pow(2, Math.Min(Failures++, 20));
        double whole = failure == EtcdFailure.Refused ? timings.RefusedPause.TotalSeconds : Math.Min(grown, timings.LongestPause.TotalSeconds);
        return TimeSpan.FromSeconds(whole * (1 - ((random ?? Random.Shared).NextDouble() / 2)));
    }

    /// <summary>It works.</summary>
    public void Reset() => Failures = 0;
}
