// Keeps this node's records in the store: one loop, one transaction in flight.
//
// The first change goes out at once. What changes meanwhile is a set of keys in LocalRecords: however often a key changes, the next transaction
// has its last state, so churn grows the transactions (up to 120 keys; etcd takes 128 operations) and not their number.
//
// Writes are of our own keys only and say how they are to be, so a write that may or may not have happened is just written again.
// An old one that arrives late (a member that was cut off) is seen by the watch and written over.
//
// What stands in the store and what is wanted there are compared whole (OwnTrees) after the start and whenever the directory has read the store
// anew; between that, the watch tells what others did to our keys. Keys that nobody wants any more are left from a former life of this
// node: they go 30 s after the start, when its stations had time to be heard again.
//
// The node's own record is written first (NodeClaim): without it nothing is.

using Google.Protobuf;
using Grpc.Core;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Etcd;

/// <summary>Writes this node's records. <see cref="RunAsync"/> is called once; everything else from any thread.</summary>
internal sealed partial class EtcdPublisher : IDisposable
{
    private const int MaxBatch = 120;

    private readonly EtcdConnection _connection;
    private readonly EtcdOptions _options;
    private readonly EtcdTimings _timings;
    private readonly TimeProvider _time;
    private readonly RecordCodec _codec;
    private readonly Action<DirectoryStatus?> _tell;
    private readonly NodeClaim _claim;
    private readonly OwnTrees _trees;
    private readonly EtcdLease _lease;
    private readonly WrittenRevisions _written = new();
    private readonly Backoff _pause;
    private readonly RecordKey _self;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly SemaphoreSlim _wake = new(0);
    private readonly SemaphoreSlim _again = new(0);
    private LocalRecords _own = new();
    private DirectoryStatus? _told;
    private long _started;
    private long _wrote;
    private Claimed? _claimedNow;
    private volatile bool _isClaimed;
    private volatile bool _compareDue;
    private volatile bool _sweepDue;
    private volatile bool _released;

    /// <summary>A publisher for one node.</summary>
    /// <param name="connection">The store; not disposed here.</param>
    /// <param name="options">Who we are.</param>
    /// <param name="timings">Pauses.</param>
    /// <param name="time">The clock.</param>
    /// <param name="codec">Keys and values.</param>
    /// <param name="instance">Tells this node from another with its id.</param>
    /// <param name="tell">Called when publishing fails, fails otherwise, or works again (null). From the publisher's loop.</param>
    public EtcdPublisher(EtcdConnection connection, EtcdOptions options, EtcdTimings timings, TimeProvider time, RecordCodec codec, Guid instance,
        Action<DirectoryStatus?> tell)
    {
        (_connection, _options, _timings, _time, _codec, _tell) = (connection, options, timings, time, codec, tell);
        _claim = new NodeClaim(connection, codec, options, instance);
        _trees = new OwnTrees(connection, codec, options.Node);
        _lease = new EtcdLease(connection, timings, time, options.LeaseSeconds, () => _own.GiveBackAll());
        _pause = new Backoff(timings);
        _self = new RecordKey(RecordKind.Vtep, options.Node);
    }

    // The node's own record as this round has written it already.
    private sealed record Claimed(DirectoryRecord Record, long Lease);

    /// <summary>Keeps records in the store until cancelled; then withdraws them, unless they are to be kept.</summary>
    public async Task RunAsync(LocalRecords own, CancellationToken stop)
    {
        (_own, _started, _sweepDue, _compareDue) = (own, _time.GetTimestamp(), true, true);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task keeper = _lease.RunAsync(ended.Token);
        Task writer = WriteUntilStoppedAsync(ended.Token);
        try
        {
            await (await Task.WhenAny(keeper, writer).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // asked to stop
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(keeper, writer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await WithdrawAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The directory has read the store anew: what stands there of ours is compared with what is wanted.</summary>
    public void Compare()
    {
        _compareDue = true;
        _wake.Release();
    }

    /// <summary>The directory's watch has told this. What others did to our keys is undone.</summary>
    public void Seen(DirectoryDelta delta)
    {
        IEnumerable<DirectoryChange> spoilt = delta.Rejected.Where(rejected => rejected.Means is not null)
            .Select(rejected => new DirectoryChange(rejected.Means!.Value, null));
        RecordKey[] wrong = [.. delta.Changes.Concat(spoilt).Where(change => change.Key.Owner == _options.Node && IsWrong(change, delta.Revision))
            .Select(change => change.Key)];
        _written.Passed(delta.Revision);
        if (wrong.Length == 0)
            return;
        _own.GiveBack(wrong);
        if (!wrong.Contains(_self))
            return;
        Volatile.Write(ref _claimedNow, null);
        _again.Release();
    }

    private bool IsWrong(DirectoryChange change, long revision)
    {
        if (_written.IsEcho(change.Key, revision))
            return false;
        bool isWanted = _own.TryGet(change.Key, out DirectoryRecord? wanted);
        if (isWanted)
            return Written(wanted!) != change.Record;
        return change.Record is not null && MaySweep;
    }

    // Never under an id that may be another node's.
    private bool MaySweep => _isClaimed && _time.GetElapsedTime(_started) >= _timings.Grace;

    private DirectoryRecord Written(DirectoryRecord wanted) => wanted is VtepRecord vtep ? _claim.Signed(vtep) : wanted;

    private async Task WriteUntilStoppedAsync(CancellationToken stop)
    {
        while (true)
        {
            await WaitForWorkAsync(stop).ConfigureAwait(false);
            await GatherAsync(stop).ConfigureAwait(false);
            try
            {
                await WorkAsync(stop).ConfigureAwait(false);
                _wrote = _time.GetTimestamp();
                _pause.Reset();
                Tell(null);
            }
            catch (EtcdException e)
            {
                await FailedAsync(e, stop).ConfigureAwait(false);
            }
        }
    }

    private async Task WaitForWorkAsync(CancellationToken stop)
    {
        TimeSpan untilSweep = _timings.Grace - _time.GetElapsedTime(_started);
        if (!_released && (_own.Due > 0 || _compareDue || (_sweepDue && MaySweep)))
            return;
        using var awake = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task due = _released ? Task.Delay(Timeout.Infinite, awake.Token) : _own.WaitAsync(awake.Token);
        Task sweep = Task.Delay(untilSweep > TimeSpan.Zero ? untilSweep : Timeout.InfiniteTimeSpan, _time, awake.Token);
        await FirstOfAsync(awake, due, sweep, _wake.WaitAsync(awake.Token)).ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
    }

    private async Task GatherAsync(CancellationToken stop)
    {
        TimeSpan left = _wrote == 0 ? TimeSpan.Zero : _timings.Gathering - _time.GetElapsedTime(_wrote);
        if (left > TimeSpan.Zero && _own.Due < MaxBatch)
            await Task.Delay(left, _time, stop).ConfigureAwait(false);
    }

    private async Task WorkAsync(CancellationToken stop)
    {
        await _turn.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            if (_released)
                return;
            await ClaimAsync(stop).ConfigureAwait(false);
            await CompareTreesAsync(stop).ConfigureAwait(false);
            await WriteBatchAsync(stop).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _claimedNow, null);
            _turn.Release();
        }
    }

    // Once, before anything else; changes of the record go the same way, see WriteBatchAsync.
    private async Task ClaimAsync(CancellationToken stop)
    {
        while (!_isClaimed && _own.TryGet(_self, out DirectoryRecord? record))
        {
            long lease = await _lease.EnsureAsync(stop).ConfigureAwait(false);
            long? revision = await OnLeaseAsync(lease, () => _claim.TryWriteAsync((VtepRecord)record, lease, stop)).ConfigureAwait(false);
            _isClaimed = revision is not null;
            if (revision is not { } written)
                continue;
            _written.Add(written, [_self]);
            Volatile.Write(ref _claimedNow, new Claimed(record, lease));
        }
    }

    private async Task CompareTreesAsync(CancellationToken stop)
    {
        bool sweeps = MaySweep;
        if (!_compareDue && !(_sweepDue && sweeps))
            return;
        _compareDue = false;
        try
        {
            OwnTrees.Differences found =
                await _trees.CompareAsync(_own, record => RecordCodec.Value(Written(record)), _lease.Id, stop).ConfigureAwait(false);
            _written.StoreIsAt(found.Revision);
            _own.GiveBack(sweeps ? [.. found.Wrong, .. found.Unwanted] : found.Wrong);
            _sweepDue &= !sweeps;
        }
        catch
        {
            _compareDue = true;
            throw;
        }
    }

    private async Task WriteBatchAsync(CancellationToken stop)
    {
        IReadOnlyList<DirectoryChange> batch = _own.Take(MaxBatch);
        if (batch.Count == 0)
            return;
        try
        {
            await WriteAllAsync(batch, stop).ConfigureAwait(false);
        }
        catch
        {
            _own.GiveBack(batch.Select(change => change.Key));
            throw;
        }
    }

    private async Task WriteAllAsync(IReadOnlyList<DirectoryChange> batch, CancellationToken stop)
    {
        bool wasClaimed = _isClaimed;
        if (batch.FirstOrDefault(change => change.Key == _self) is { Key.Owner: not null } self && !IsClaimedNow(self.Record))
            _isClaimed = false;
        await ClaimAsync(stop).ConfigureAwait(false);
        DirectoryChange[] others = [.. batch.Where(change => change.Key != _self || (change.Record is null && wasClaimed))];
        if (others.Length == 0)
            return;
        long lease = others.Any(change => change.Record is not null) ? await _lease.EnsureAsync(stop).ConfigureAwait(false) : 0;
        var txn = new TxnRequest { Success = { others.Select(change => ToWrite(change, lease)) } };
        TxnResponse done = await OnLeaseAsync(lease, () => _connection.TxnAsync(txn, stop)).ConfigureAwait(false);
        _written.Add(done.Header.Revision, [.. others.Select(change => change.Key)]);
    }

    private bool IsClaimedNow(DirectoryRecord? record) =>
        Volatile.Read(ref _claimedNow) is { } claimed && claimed.Record == record && claimed.Lease == _lease.Id;

    private RequestOp ToWrite(DirectoryChange change, long lease)
    {
        ByteString key = UnsafeByteOperations.UnsafeWrap(_codec.Key(change.Key));
        return change.Record is null
            ? new RequestOp { RequestDeleteRange = new DeleteRangeRequest { Key = key } }
            : new RequestOp { RequestPut = new PutRequest { Key = key, Value = UnsafeByteOperations.UnsafeWrap(RecordCodec.Value(change.Record)), Lease = lease } };
    }

    // "Lease not found" is the store's word that all our keys are gone.
    private async Task<T> OnLeaseAsync<T>(long lease, Func<Task<T>> write)
    {
        try
        {
            return await write().ConfigureAwait(false);
        }
        catch (EtcdException e) when (e.Failure == EtcdFailure.Gone)
        {
            _lease.Lose(lease);
            throw;
        }
    }

    private async Task FailedAsync(EtcdException e, CancellationToken stop)
    {
        // a lease that is gone is no trouble yet: the next round gets another
        TimeSpan pause = _pause.Next(e.Failure);
        if (e.Failure != EtcdFailure.Gone || _pause.Failures > 2)
            Tell(new DirectoryStatus(e.Failure == EtcdFailure.Refused ? DirectoryState.Refused : DirectoryState.Degraded, Sentence(e),
                (int)pause.TotalMilliseconds));
        using var awake = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await FirstOfAsync(awake, Task.Delay(pause, _time, awake.Token), _again.WaitAsync(awake.Token)).ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
    }

    // The others are called off, so that waiting leaves nothing behind.
    private static async Task FirstOfAsync(CancellationTokenSource awake, params Task[] waits)
    {
        await Task.WhenAny(waits).ConfigureAwait(false);
        await awake.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(waits).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private string Sentence(EtcdException e)
    {
        bool isDenied = e.InnerException is RpcException { StatusCode: StatusCode.PermissionDenied };
        string keys = $"'{_codec.Layout.Prefix}/n/{_options.Node}/' and '{_codec.Layout.Prefix}/s/{_options.Node}/'";
        return isDenied
            ? $"This node's records can't be published: {e.Message} The node's role needs readwrite on the prefixes {keys}; see etcdctl role grant-permission."
            : e.Message;
    }

    private void Tell(DirectoryStatus? status)
    {
        if (status?.State == _told?.State && status?.Problem == _told?.Problem)
            return;
        _told = status;
        _tell(status);
    }

    public void Dispose()
    {
        _turn.Dispose();
        _wake.Dispose();
        _again.Dispose();
    }
}
