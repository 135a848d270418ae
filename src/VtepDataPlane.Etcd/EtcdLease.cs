// The one lease all our keys are on: when we are heard of no more, the store forgets them. Granted when something is to be written, kept alive
// on a stream of its own every third of its time to live, and given up when the store says it is gone (TTL 0), when a write says
// so, or when our own clock says that it may be.
//
// The clock: a lease lives for its TTL from when the store took our word, which is not before we sent it. So we count from the sending, by a
// clock that nobody sets. A process that was stopped for longer (SIGSTOP, a paused virtual machine) finds the time over when it wakes and asks no more:
// the keys may be gone already. While the store is away we try until then; a lease that outlives this in the store does no harm,
// as every key is written again on the next one.
//
// A lease that is lost is said to be lost, always: `lost` is called once for each, from any thread.

using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Etcd;

/// <summary>A lease and what keeps it alive. Thread-safe.</summary>
/// <param name="connection">The store.</param>
/// <param name="timings">Pauses.</param>
/// <param name="time">The clock.</param>
/// <param name="seconds">Time to live to ask for; what is granted counts.</param>
/// <param name="lost">A lease is no more.</param>
internal sealed class EtcdLease(EtcdConnection connection, EtcdTimings timings, TimeProvider time, int seconds, Action lost)
{
    private readonly Lock _gate = new();
    private Held? _held;
    private TaskCompletionSource _granted = NewSignal();
    private TaskCompletionSource _over = NewSignal();

    // What was last heard of a lease.
    private sealed record Held(long Id, long Sent, TimeSpan Ttl);

    /// <summary>The lease that is held; 0: none.</summary>
    public long Id
    {
        get
        {
            lock (_gate)
                return _held?.Id ?? 0;
        }
    }

    /// <summary>The lease to write with; granted now when none is held. One caller at a time.</summary>
    public async Task<long> EnsureAsync(CancellationToken stop)
    {
        if (Current() is { } held)
            return held.Id;
        long sent = time.GetTimestamp();
        LeaseGrantResponse granted = await connection.GrantAsync(new LeaseGrantRequest { TTL = seconds }, stop).ConfigureAwait(false);
        if (granted.Error.Length > 0 || granted.ID == 0)
            throw new EtcdException(EtcdFailure.Refused, $"etcd at {EtcdErrors.Shown(connection.Endpoint)} grants no lease: "
                + $"{VtepConfigRules.Quote(granted.Error)}. Look into its log.");
        Hold(new Held(granted.ID, sent, TimeSpan.FromSeconds(granted.TTL)));
        return granted.ID;
    }

    private void Hold(Held held)
    {
        lock (_gate)
        {
            _held = held;
            _over = NewSignal();
            _granted.TrySetResult();
        }
    }

    // What is over by our clock is not held, whether or not the keeper has noticed.
    private Held? Current()
    {
        Held? held;
        lock (_gate)
            held = _held;
        if (held is null || !IsOver(held))
            return held;
        Lose(held.Id);
        return null;
    }

    /// <summary>The lease is no more: the store said so to a write.</summary>
    public void Lose(long id)
    {
        if (Drop(id))
            lost();
    }

    private bool Drop(long id)
    {
        lock (_gate)
        {
            if (_held is null || _held.Id != id)
                return false;
            _held = null;
            _granted = NewSignal();
            _over.TrySetResult();
            return true;
        }
    }

    /// <summary>Keeps alive what is held, and what is granted later, until cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var pause = new Backoff(timings);
        while (true)
        {
            Task granted;
            lock (_gate)
                granted = _granted.Task;
            await granted.WaitAsync(stop).ConfigureAwait(false);
            if (Current() is { } held)
                await KeepAsync(held.Id, pause, stop).ConfigureAwait(false);
        }
    }

    private async Task KeepAsync(long id, Backoff pause, CancellationToken stop)
    {
        while (Current() is { } held && held.Id == id)
        {
            try
            {
                await KeepOnStreamAsync(held, pause, stop).ConfigureAwait(false);
            }
            catch (EtcdException)
            {
                // nothing is lost before the time is over; that the store is away is told by the watch and by writes
                await DelayAsync(pause.Next(), stop).ConfigureAwait(false);
            }
        }
    }

    private async Task KeepOnStreamAsync(Held held, Backoff pause, CancellationToken stop)
    {
        await DelayAsync(Until(held), stop).ConfigureAwait(false);
        if (Current()?.Id != held.Id)
            return;
        using EtcdStream<LeaseKeepAliveRequest, LeaseKeepAliveResponse> stream = await connection.OpenKeepAliveAsync(stop).ConfigureAwait(false);
        while (Current()?.Id == held.Id)
        {
            long sent = time.GetTimestamp();
            long seconds = await AskAsync(stream, held, stop).ConfigureAwait(false);
            pause.Reset();
            if (seconds <= 0)
                Lose(held.Id);
            else
                held = Extend(held, sent, seconds);
            await DelayAsync(Until(held), stop).ConfigureAwait(false);
        }
    }

    // An answer that doesn't come is a stream that has failed.
    private async Task<long> AskAsync(EtcdStream<LeaseKeepAliveRequest, LeaseKeepAliveResponse> stream, Held held, CancellationToken stop)
    {
        TimeSpan wait = held.Ttl / 3 < timings.Call ? held.Ttl / 3 : timings.Call;
        using var late = new CancellationTokenSource(wait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        try
        {
            await stream.WriteAsync(new LeaseKeepAliveRequest { ID = held.Id }, either.Token).ConfigureAwait(false);
            return (await stream.ReadAsync(either.Token).ConfigureAwait(false)).TTL;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            connection.Avoid(stream.Endpoint);
            throw EtcdErrors.Late(stream.Endpoint, wait);
        }
    }

    private Held Extend(Held held, long sent, long seconds)
    {
        var longer = new Held(held.Id, sent, TimeSpan.FromSeconds(seconds));
        lock (_gate)
        {
            if (_held?.Id == held.Id)
                _held = longer;
        }

        return longer;
    }

    // Until the next word is due: a third of the time to live after the last one.
    private TimeSpan Until(Held held)
    {
        TimeSpan left = held.Ttl / 3 - time.GetElapsedTime(held.Sent);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private bool IsOver(Held held) => time.GetElapsedTime(held.Sent) >= held.Ttl;

    // Ends early when the lease is lost meanwhile.
    private async Task DelayAsync(TimeSpan pause, CancellationToken stop)
    {
        Task over;
        lock (_gate)
            over = _over.Task;
        using var awake = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await Task.WhenAny(Task.Delay(pause, time, awake.Token), over).ConfigureAwait(false);
        await awake.CancelAsync().ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
    }

    /// <summary>Gives the lease back; its keys go with it. Nothing is told to be lost.</summary>
    public async Task RevokeAsync(CancellationToken stop)
    {
        long id = Id;
        if (!Drop(id))
            return;
        try
        {
            await connection.RevokeAsync(new LeaseRevokeRequest { ID = id }, stop).ConfigureAwait(false);
        }
        catch (EtcdException e) when (e.Failure == EtcdFailure.Gone)
        {
            // it had ended by itself
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
