// A source on a MemoryStore, as the etcd source is one on etcd: a snapshot, then deltas, a snapshot again whenever something may have been missed,
// and this node's records in the store as soon as they can be. No clock: nothing is delayed, tried again by time, or given up.

using System.Runtime.CompilerServices;
using System.Threading.Channels;
using VtepDataPlane.Discovery.Records;

namespace VtepDataPlane.Discovery;

/// <summary>A source of records in memory. Thread-safe.</summary>
/// <param name="store">The store.</param>
/// <param name="node">Our node id in it.</param>
public sealed class MemoryDirectory(MemoryStore store, string node) : IDirectory
{
    private const int MostWritten = 128;

    private readonly Channel<DirectoryEvent> _events = Channel.CreateUnbounded<DirectoryEvent>();
    private LocalRecords? _own;
    private volatile bool _isReleased;
    private volatile bool _wantsStations = true;

    /// <inheritdoc/>
    public DirectoryCapabilities Capabilities => DirectoryCapabilities.Publish | DirectoryCapabilities.Lookup;

    /// <inheritdoc/>
    public async IAsyncEnumerable<DirectoryEvent> RunAsync(LocalRecords own, [EnumeratorCancellation] CancellationToken stop)
    {
        _own = own;
        store.Attach(this);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task publishing = PublishAsync(own, ends.Token);
        try
        {
            await foreach (DirectoryEvent told in _events.Reader.ReadAllAsync(stop).ConfigureAwait(false))
                yield return told;
        }
        finally
        {
            store.Detach(this);
            await ends.CancelAsync().ConfigureAwait(false);
            await publishing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <inheritdoc/>
    public void Require(DirectoryScope scope)
    {
        _wantsStations = scope.Stations;
        if (_own is not null)
            Resync("scope");
    }

    /// <inheritdoc/>
    public ValueTask<DirectorySnapshot?> ReadAsync(CancellationToken stop) => ValueTask.FromResult(store.Read() is { } read ? Cut(read) : null);

    /// <inheritdoc/>
    public ValueTask<LookupResult> LookupAsync(LookupKey key, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        return ValueTask.FromResult(store.Lookup(key));
    }

    /// <inheritdoc/>
    public ValueTask<string?> WriteAsync(DirectoryChange change, CancellationToken stop) =>
        ValueTask.FromResult(store.TryWrite([change]) ? null : "The store doesn't answer; try again when it is back.");

    /// <inheritdoc/>
    public ValueTask<string?> ReleaseAsync(CancellationToken stop)
    {
        _isReleased = true;
        if (store.Read() is not { } read)
            return ValueTask.FromResult<string?>("The store doesn't answer; this node's records are still in it.");
        store.TryWrite([.. read.Records.Where(record => record.Owner == node).Select(record => new DirectoryChange(record.Key, null))]);
        return ValueTask.FromResult<string?>(null);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        store.Detach(this);
        _events.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    /// <summary>Store: something happened.</summary>
    internal void Take(DirectoryEvent told)
    {
        if (told is DirectoryDelta delta)
            GiveBackLost(delta);
        DirectoryEvent? seen = told is DirectoryDelta all ? Cut(all) : told;
        if (seen is not null)
            _events.Writer.TryWrite(seen);
    }

    /// <summary>Store, or whoever may have missed something: tells everything.</summary>
    internal void Resync(string cause) => store.Read(
        snapshot =>
        {
            _events.Writer.TryWrite(new DirectoryStatus(DirectoryState.Connected));
            _events.Writer.TryWrite(Cut(snapshot));
            HashSet<RecordKey> stored = [.. snapshot.Records.Select(record => record.Key)];
            _own?.GiveBack(_own.All().Select(record => record.Key).Where(key => !stored.Contains(key)));
        },
        cause);

    private async Task PublishAsync(LocalRecords own, CancellationToken stop)
    {
        while (true)
        {
            await own.WaitAsync(stop).ConfigureAwait(false);
            await store.WaitAsync(stop).ConfigureAwait(false);
            IReadOnlyList<DirectoryChange> due = own.Take(MostWritten);
            if (!_isReleased && !store.TryWrite(due))
                own.GiveBack(due.Select(change => change.Key));
        }
    }

    // A record of ours that somebody else took out.
    private void GiveBackLost(DirectoryDelta delta)
    {
        if (_own is { } own && !_isReleased)
            own.GiveBack(delta.Changes.Where(change => change.Record is null && own.TryGet(change.Key, out _)).Select(change => change.Key).ToList());
    }

    private DirectorySnapshot Cut(DirectorySnapshot snapshot) =>
        _wantsStations ? snapshot : snapshot with { Records = [.. snapshot.Records.Where(record => IsOfNode(record.Key))] };

    private DirectoryDelta? Cut(DirectoryDelta delta)
    {
        if (_wantsStations)
            return delta;
        DirectoryChange[] ofNodes = [.. delta.Changes.Where(change => IsOfNode(change.Key))];
        return ofNodes.Length > 0 || delta.Rejected.Count > 0 ? delta with { Changes = ofNodes } : null;
    }

    private static bool IsOfNode(RecordKey key) => key.Kind is RecordKind.Vtep or RecordKind.Flood;
}
