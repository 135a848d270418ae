// One watch on a stream of its own, from its creation to its end, which is always an EtcdException. What etcd does that looks like a watch and
// is none, and what we make of it (etcd 3.4.23 and its server/etcdserver/api/v3rpc/watch.go):
//
//   created, header revision below the start      the store was restored: the watch would stay silent until it has caught up    Gone
//   created by another cluster                    Gone
//   cancelled with a compact_revision             changes are lost; its header's revision is 0, no cursor is ever taken from it  Gone
//   id -1, created and cancelled                  refused; an expired token looks like a missing right                          Refused
//   id -1, nothing else                           the answer to our question for a sign of life; carries no cursor, 3.4 sends it
//                                                 ahead of events that are older
//   cancelled otherwise, no leader; end of stream Away
//   silence                                       asked after a while whether it lives; no answer: Away, and the member is avoided
//
// Large responses come in fragments; only a whole one is passed on, for a revision is never taken in part.

using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Etcd;

/// <summary>A watch that runs. One reader.</summary>
internal sealed class EtcdWatch : IDisposable
{
    private readonly EtcdConnection _connection;
    private readonly EtcdStream<WatchRequest, WatchResponse> _stream;
    private readonly EtcdTimings _timings;
    private readonly TimeProvider _time;
    private readonly ulong _cluster;
    private Task<WatchResponse>? _read;

    private EtcdWatch(
        EtcdConnection connection, EtcdStream<WatchRequest, WatchResponse> stream, ulong cluster, EtcdTimings timings, TimeProvider time) =>
        (_connection, _stream, _cluster, _timings, _time) = (connection, stream, cluster, timings, time);

    /// <summary>Watches a range from a revision on; ends when etcd has confirmed it.</summary>
    /// <param name="connection">The store.</param>
    /// <param name="range">Keys.</param>
    /// <param name="start">First revision that is wanted.</param>
    /// <param name="cluster">The cluster the reading before came from.</param>
    /// <param name="timings">How long to wait.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Ends the attempt.</param>
    public static async Task<EtcdWatch> OpenAsync(
        EtcdConnection connection, KeyRange range, long start, ulong cluster, EtcdTimings timings, TimeProvider time, CancellationToken stop)
    {
        var watch = new EtcdWatch(connection, await connection.OpenWatchAsync(stop).ConfigureAwait(false), cluster, timings, time);
        try
        {
            await watch.CreateAsync(range, start, stop).ConfigureAwait(false);
            return watch;
        }
        catch
        {
            watch.Dispose();
            throw;
        }
    }

    /// <summary>The next events, those of one or more whole revisions, in order. A call that was cancelled may be made again.</summary>
    public async Task<List<Event>> NextAsync(CancellationToken stop)
    {
        var events = new List<Event>();
        while (true)
        {
            WatchResponse response = await ReadAliveAsync(stop).ConfigureAwait(false);
            Check(response);
            events.AddRange(response.Events);
            if (!response.Fragment && events.Count > 0)
                return events;
        }
    }

    public void Dispose()
    {
        _stream.Dispose();
        Forget(_read);
    }

    private async Task CreateAsync(KeyRange range, long start, CancellationToken stop)
    {
        await WriteAsync(new WatchRequest
        {
            CreateRequest = new WatchCreateRequest { Key = range.Key, RangeEnd = range.End, StartRevision = start, ProgressNotify = true, Fragment = true },
        }, stop).ConfigureAwait(false);
        WatchResponse created = await ReadAsync(_timings.Answer, stop).ConfigureAwait(false) ?? throw Silent();
        Check(created);
        if (!created.Created)
            throw new EtcdException(EtcdFailure.Away, $"etcd at {Member} didn't confirm the watch. It is tried again.");
        if (created.Header.Revision < start - 1)
            throw Gone($"etcd at {Member} is at revision {created.Header.Revision}, behind {start - 1} that was read before: it was restored.", "restored");
    }

    private void Check(WatchResponse response)
    {
        if (response.Canceled)
            throw Cancelled(response);
        if (response.Header is { } header && header.ClusterId != 0 && header.ClusterId != _cluster)
            throw Gone($"Another etcd cluster answers at {Member} than before.", "cluster changed");
    }

    private EtcdException Cancelled(WatchResponse response)
    {
        string reason = response.CancelReason;
        if (response.CompactRevision > 0 || reason.Contains("compacted", StringComparison.Ordinal))
            return Gone($"etcd at {Member} has forgotten the changes since; everything is read anew.", "compacted");
        string words = VtepConfigRules.Escape(reason.Length > 200 ? reason[..200] : reason);
        if (!reason.Contains("permission denied", StringComparison.Ordinal) && !reason.Contains("auth", StringComparison.Ordinal))
            return new EtcdException(EtcdFailure.Away, $"etcd at {Member} has ended the watch: {(words.Length > 0 ? words : "no reason given")}. It is tried again.");
        _connection.ForgetToken();
        return new EtcdException(EtcdFailure.Refused, $"etcd at {Member} doesn't let us watch: {words}. Grant the node's user read on the prefix.");
    }

    private async Task<WatchResponse> ReadAliveAsync(CancellationToken stop)
    {
        if (await ReadAsync(_timings.Idle, stop).ConfigureAwait(false) is { } response)
            return response;
        await WriteAsync(new WatchRequest { ProgressRequest = new WatchProgressRequest() }, stop).ConfigureAwait(false);
        return await ReadAsync(_timings.Answer, stop).ConfigureAwait(false) ?? throw Silent();
    }

    // The read itself isn't cancelled with the wait for it: that would cancel the stream.
    private async Task<WatchResponse?> ReadAsync(TimeSpan within, CancellationToken stop)
    {
        _read ??= _stream.ReadAsync(CancellationToken.None);
        try
        {
            WatchResponse response = await _read.WaitAsync(within, _time, stop).ConfigureAwait(false);
            _read = null;
            return response;
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    private async Task WriteAsync(WatchRequest request, CancellationToken stop)
    {
        Task write = _stream.WriteAsync(request, CancellationToken.None);
        try
        {
            await write.WaitAsync(_timings.Answer, _time, stop).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw Silent();
        }
        finally
        {
            Forget(write);
        }
    }

    private EtcdException Silent()
    {
        _connection.Avoid(_stream.Endpoint);
        return EtcdErrors.Late(_stream.Endpoint, _timings.Answer);
    }

    // what a task that nobody waits for any more fails with is known: we ended it
    private static void Forget(Task? task) =>
        task?.ContinueWith(ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    private string Member => EtcdErrors.Shown(_stream.Endpoint);

    private static EtcdException Gone(string sentence, string cause) => new(EtcdFailure.Gone, sentence) { Cause = cause };
}
