// A token bucket with a fixed rate. One thread; time comes in as an argument.

namespace VtepDataPlane.Forwarding;

/// <summary>Lets <c>burst</c> events through at once and <c>ratePerSecond</c> on average.</summary>
internal sealed class TokenBucket(int ratePerSecond, int burst)
{
    private TokenLevel _level;

    /// <summary>True when the event may pass; takes a token then.</summary>
    public bool TryTake(long nowMilliseconds) => _level.TryTake(nowMilliseconds, ratePerSecond, burst);
}
