// Loggers with a limit for each event (EventLimit), whatever they write to: this stands between those who log and all providers. The frame
// path never logs; this keeps a device that flaps or a client that asks nonsense from filling the disk.
//
// Any thread. A timer runs only while something is suppressed: it tells of it a second later, and again each second for as long as it goes
// on; what is left is told at the end.

using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace VtepDataPlane.Daemon.Logging;

/// <summary>A logger factory that limits what passes.</summary>
internal sealed class LimitedLoggerFactory : ILoggerFactory
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private readonly ILoggerFactory _inner;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly ITimer _timer;
    private readonly ConcurrentDictionary<(int Id, string? Name), EventLimit> _limits = new();
    private int _isArmed;

    /// <summary>Limits what goes to <paramref name="inner"/>, which is disposed of with it.</summary>
    public LimitedLoggerFactory(ILoggerFactory inner, TimeProvider time)
    {
        (_inner, _time, _start) = (inner, time, time.GetTimestamp());
        _timer = time.CreateTimer(_ => Tell(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public ILogger CreateLogger(string categoryName) => new Limited(this, _inner.CreateLogger(categoryName));

    public void AddProvider(ILoggerProvider provider) => _inner.AddProvider(provider);

    /// <summary>Tells what was suppressed last, and ends.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        Tell();
        _inner.Dispose();
    }

    private bool MayPass(ILogger logger, LogLevel level, EventId id)
    {
        EventLimit limit = _limits.GetOrAdd((id.Id, id.Name), key => new EventLimit(key.Name ?? $"event {key.Id.ToString(CultureInfo.InvariantCulture)}"));
        if (limit.TryPass(logger, level, (long)_time.GetElapsedTime(_start).TotalMilliseconds))
            return true;
        if (Interlocked.Exchange(ref _isArmed, 1) == 0)
            _timer.Change(s_pause, Timeout.InfiniteTimeSpan);
        return false;
    }

    private void Tell()
    {
        Volatile.Write(ref _isArmed, 0); // first: what is suppressed from now on sets the timer again
        foreach (EventLimit limit in _limits.Values)
            limit.Tell();
    }

    private sealed class Limited(LimitedLoggerFactory factory, ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (inner.IsEnabled(logLevel) && factory.MayPass(inner, logLevel, eventId))
                inner.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}
