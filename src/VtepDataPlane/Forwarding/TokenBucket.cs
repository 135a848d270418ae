// A token bucket in integer arithmetic: tokens are kept in thousandths, so that a rate a second is a number a millisecond.
// One thread; time comes in as an argument.

namespace VtepDataPlane.Forwarding;

/// <summary>Lets <c>burst</c> events through at once and <c>ratePerSecond</c> on average.</summary>
internal sealed class TokenBucket(int ratePerSecond, int burst)
{
    private const long Unit = 1000;
    private long _tokens = burst * Unit;
    private long _lastMilliseconds = long.MinValue;

    /// <summary>True when the event may pass; takes a token then.</summary>
    public bool TryTake(long nowMilliseconds)
    {
        Refill(nowMilliseconds);
        if (_tokens < Unit)
            return false;
        _tokens -= Unit;
        return true;
    }

    private void Refill(long now)
    {
        if (_lastMilliseconds != long.MinValue && now > _lastMilliseconds)
        {
            long elapsed = Math.Min(now - _lastMilliseconds, burst * Unit);
            _tokens = Math.Min(burst * Unit, _tokens + elapsed * ratePerSecond);
        }

        _lastMilliseconds = Math.Max(now, _lastMilliseconds);
    }
}
