// Wakes one thread that sleeps. A kernel event: sleeping costs nothing, and setting it twice is setting it once. Whoever holds the callback may call it
// at any time, also when the sleeper has ended and the event is closed: then nothing happens.

namespace VtepDataPlane.Running;

/// <summary>A wake-up. <see cref="Signal"/>: any thread, at any time. <see cref="Wait"/>: the one that sleeps.</summary>
internal sealed class Alarm : IDisposable
{
    private readonly AutoResetEvent _event = new(initialState: false);
    private readonly Lock _gate = new();
    private bool _isClosed;

    /// <summary>Wakes the sleeper, now or when it lies down.</summary>
    public void Signal()
    {
        lock (_gate) // for the time of one system call
        {
            if (!_isClosed)
                _event.Set();
        }
    }

    /// <summary>Sleeps until the next signal.</summary>
    public void Wait() => _event.WaitOne();

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            _event.Dispose();
        }
    }
}
