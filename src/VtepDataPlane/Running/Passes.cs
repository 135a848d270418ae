// How somebody outside knows that a lane's thread has left the batch it was in: he asks for a pass and wakes the thread, which acknowledges at the head of
// its loop all that were asked for until then. What a lane could still hold from before the request it holds no more after the pass, so a descriptor may be
// closed, and state be freed. It costs the thread one read a round while nobody asks.

namespace VtepDataPlane.Running;

/// <summary>The passes of one thread. <see cref="Acknowledge"/> is that thread's; all others any thread may use.</summary>
internal sealed class Passes : IDisposable
{
    private readonly ManualResetEventSlim _passed = new(initialState: false);
    private long _requested;
    private long _acknowledged;

    /// <summary>Grows when passes that were asked for have been made.</summary>
    public long Made => Volatile.Read(ref _acknowledged);

    /// <summary>Asks for a pass; wake the thread afterwards.</summary>
    /// <returns>For <see cref="Await"/>.</returns>
    public long Request() => Interlocked.Increment(ref _requested);

    /// <summary>Waits until the pass was made; returns at once without a running thread, and on that thread itself.</summary>
    public void Await(long ticket, Thread? thread)
    {
        while (thread is { IsAlive: true } && Made < ticket && Thread.CurrentThread != thread)
        {
            _passed.Reset();
            if (Made < ticket)
                _passed.Wait(millisecondsTimeout: 100); // a bound only for the case that the thread ends instead
        }
    }

    /// <summary>The thread: it is in no batch now.</summary>
    public void Acknowledge()
    {
        long requested = Volatile.Read(ref _requested);
        if (requested == _acknowledged)
            return;
        Volatile.Write(ref _acknowledged, requested);
        _passed.Set();
    }

    /// <inheritdoc/>
    public void Dispose() => _passed.Dispose();
}
