// How often one event may be logged: 100 at once, and 10 a second from then on. What is suppressed is counted until somebody tells it, with
// the logger and the level it would have had. Any thread; time comes in as an argument.

using Microsoft.Extensions.Logging;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Forwarding;

namespace VtepDataPlane.Daemon.Logging;

/// <summary>The limit of one event.</summary>
/// <param name="name">What it is called when suppressed ones are told.</param>
internal sealed class EventLimit(string name)
{
    /// <summary>Entries a second.</summary>
    public const int Rate = 10;

    /// <summary>Entries at once.</summary>
    public const int Burst = 100;

    private readonly Lock _gate = new();
    private readonly TokenBucket _bucket = new(Rate, Burst);
    private (ILogger Logger, LogLevel Level)? _last;
    private long _suppressed;

    /// <summary>True when an entry may pass; otherwise it is counted.</summary>
    public bool TryPass(ILogger logger, LogLevel level, long nowMilliseconds)
    {
        lock (_gate)
        {
            if (_bucket.TryTake(nowMilliseconds))
                return true;
            _suppressed++;
            _last = (logger, level);
            return false;
        }
    }

    /// <summary>Tells how many were suppressed since the last time; nothing when none was.</summary>
    public void Tell()
    {
        long count;
        (ILogger Logger, LogLevel Level)? last;
        lock (_gate)
            (count, last, _suppressed, _last) = (_suppressed, _last, 0, null);
        last?.Logger.Suppressed(last.Value.Level, count, name);
    }
}
