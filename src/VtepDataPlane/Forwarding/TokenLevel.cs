// A token bucket without its rate, in integer arithmetic: what was taken and has not come back is kept in thousandths of a token, so that a rate a
// second is a number a millisecond. The rate comes in with each question, since a reload may change it; and as what is kept is the lack of tokens, the
// default value is a full bucket, of which a table can hold many without making them. One thread; time comes in as an argument.

namespace VtepDataPlane.Forwarding;

/// <summary>How empty a token bucket is.</summary>
internal struct TokenLevel
{
    private const long Unit = 1000;
    private long _lacking;
    private long _lastMilliseconds;

    /// <summary>True when an event may pass, <paramref name="burst"/> of them at once and <paramref name="ratePerSecond"/> on average; takes a token then.</summary>
    public bool TryTake(long nowMilliseconds, int ratePerSecond, int burst)
    {
        _lacking = Math.Min(_lacking, burst * Unit); // the burst may have been larger
        Refill(nowMilliseconds, ratePerSecond, burst);
        if (_lacking + Unit > burst * Unit)
            return false;
        _lacking += Unit;
        return true;
    }

    // A pause longer than it takes to fill is as good as a shorter one; the bound keeps the product small.
    private void Refill(long now, int ratePerSecond, int burst)
    {
        if (now <= _lastMilliseconds)
            return;
        long elapsed = Math.Min(now - _lastMilliseconds, burst * Unit);
        _lacking = Math.Max(0, _lacking - elapsed * ratePerSecond);
        _lastMilliseconds = now;
    }
}
