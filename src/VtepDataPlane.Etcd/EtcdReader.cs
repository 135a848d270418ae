// The reading side of the directory on etcd: a complete reading, then a watch from the next revision on, and again from where it ended, for
// as long as the VTEP runs. When a change may have been missed, everything is read anew; every few minutes it is anyway, for a watch of etcd 3.4
// can lose events without a word (fixed in 3.4.31).
//
// One round is: read if something is due, watch, follow until it ends. After every round that failed comes a pause, so nothing here can spin,
// whatever the store does. A watch must last for a while to count as a success; one that is created and breaks at once does not.

using System.Threading.Channels;
using VtepDataPlane.Discovery;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Etcd;

/// <summary>Tells what the store has and how it changes. <see cref="Require"/> from any thread.</summary>
/// <param name="connection">The store.</param>
/// <param name="codec">Its records.</param>
/// <param name="timings">Spans of time.</param>
/// <param name="time">The clock.</param>
/// <param name="random">For the jitter of pauses.</param>
internal sealed class EtcdReader(EtcdConnection connection, RecordCodec codec, EtcdTimings timings, TimeProvider time, Random random)
{
    private const int FailuresToTell = 3; // of a store that answers, but never with what can be used

    private readonly EtcdPages _pages = new(connection, codec);
    private readonly Backoff _backoff = new(timings, random);
    private readonly Lock _gate = new();
    private CancellationTokenSource? _following;
    private string? _due = "start";
    private bool _stations = true;
    private long _cursor;
    private ulong _cluster;
    private long _readAt;
    private DirectoryStatus? _told;

    /// <summary>What is wanted from now on; everything is read anew.</summary>
    public void Require(DirectoryScope scope)
    {
        lock (_gate)
        {
            _stations = scope.Stations;
            _due ??= "required";
            _ = _following?.CancelAsync();
        }
    }

    /// <summary>The keys that are wanted.</summary>
    public KeyRange Range
    {
        get
        {
            lock (_gate)
                return _stations ? codec.Layout.All : codec.Layout.Nodes;
        }
    }

    /// <summary>Runs until cancelled; throws nothing else.</summary>
    public async Task RunAsync(ChannelWriter<DirectoryEvent> events, CancellationToken stop)
    {
        await TellAsync(events, new DirectoryStatus(DirectoryState.Connecting), stop).ConfigureAwait(false);
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            try
            {
                await RoundAsync(events, stop).ConfigureAwait(false);
            }
            catch (EtcdException e)
            {
                TimeSpan pause = _backoff.Next(e.Failure);
                await TellAsync(events, StatusOf(e, pause), stop).ConfigureAwait(false);
                await Task.Delay(pause, time, stop).ConfigureAwait(false);
            }
        }
    }

    private async Task RoundAsync(ChannelWriter<DirectoryEvent> events, CancellationToken stop)
    {
        bool read = await ReadIfDueAsync(events, stop).ConfigureAwait(false);
        try
        {
            using EtcdWatch watch = await EtcdWatch.OpenAsync(connection, Range, _cursor + 1, _cluster, timings, time, stop).ConfigureAwait(false);
            await TellAsync(events, new DirectoryStatus(DirectoryState.Connected), stop).ConfigureAwait(false);
            await FollowAsync(watch, events, stop).ConfigureAwait(false);
        }
        catch (EtcdException e) when (e.Failure == EtcdFailure.Gone)
        {
            Due(e.Cause);
            throw;
        }
        catch (EtcdException e) when (e.Failure == EtcdFailure.Refused && !read)
        {
            // an expired token looks so: a reading, with a new one, tells whether it was that
            Due("watch refused");
            throw new EtcdException(EtcdFailure.Away, e.Message, e);
        }
    }

    private async Task<bool> ReadIfDueAsync(ChannelWriter<DirectoryEvent> events, CancellationToken stop)
    {
        if (TakeDue() is not { } cause)
            return false;
        try
        {
            (DirectorySnapshot snapshot, ulong cluster) = await _pages.ReadAsync(Range, cause, stop).ConfigureAwait(false);
            await events.WriteAsync(snapshot, stop).ConfigureAwait(false);
            (_cursor, _cluster, _readAt) = (snapshot.Revision, cluster, time.GetTimestamp());
            return true;
        }
        catch (EtcdException)
        {
            Due(cause);
            throw;
        }
    }

    // Ends without an exception when something is due: everything is read anew then, and that needs no pause.
    private async Task FollowAsync(EtcdWatch watch, ChannelWriter<DirectoryEvent> events, CancellationToken stop)
    {
        long opened = time.GetTimestamp();
        using var audit = new CancellationTokenSource(UntilAudit(), time);
        using var until = CancellationTokenSource.CreateLinkedTokenSource(audit.Token, stop);
        try
        {
            Following(until);
            while (true)
                await PassOnAsync(await watch.NextAsync(until.Token).ConfigureAwait(false), events, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested && until.IsCancellationRequested)
        {
            Due("audit"); // unless something was due already
        }
        finally
        {
            Following(null);
            if (time.GetElapsedTime(opened) >= timings.LongestPause)
                _backoff.Reset();
        }
    }

    // Events may come twice (3.4 before .24) and late; what is not newer than what we have is not news.
    private async Task PassOnAsync(List<Event> told, ChannelWriter<DirectoryEvent> events, CancellationToken stop)
    {
        List<Event> news = told.FindAll(happened => happened.Kv.ModRevision > _cursor);
        if (news.Count == 0)
            return;
        DirectoryDelta delta = EtcdDelta.From(news, codec);
        if (delta.Changes.Count + delta.Rejected.Count > 0)
            await events.WriteAsync(delta, stop).ConfigureAwait(false);
        _cursor = delta.Revision;
    }

    private DirectoryStatus StatusOf(EtcdException e, TimeSpan pause)
    {
        if (e.Failure == EtcdFailure.Gone && _backoff.Failures < FailuresToTell && _told is { State: DirectoryState.Connected })
            return _told;
        DirectoryState state = e.Failure == EtcdFailure.Refused ? DirectoryState.Refused : DirectoryState.Degraded;
        return new DirectoryStatus(state, e.Message, (int)pause.TotalMilliseconds);
    }

    private async Task TellAsync(ChannelWriter<DirectoryEvent> events, DirectoryStatus status, CancellationToken stop)
    {
        if (status == _told)
            return;
        await events.WriteAsync(status, stop).ConfigureAwait(false);
        _told = status;
    }

    private TimeSpan UntilAudit()
    {
        TimeSpan left = timings.Audit - time.GetElapsedTime(_readAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private void Due(string cause)
    {
        lock (_gate)
            _due ??= cause;
    }

    // What is required while we read is due after it.
    private string? TakeDue()
    {
        lock (_gate)
        {
            string? due = _due;
            _due = null;
            return due;
        }
    }

    private void Following(CancellationTokenSource? until)
    {
        lock (_gate)
        {
            _following = until;
            if (_due is not null)
                _ = until?.CancelAsync();
        }
    }
}
