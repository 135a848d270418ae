// What an operator asks for, and the end: records of any node by hand, all of this node's records out of the store.

using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Etcd;

internal sealed partial class EtcdPublisher
{
    /// <summary>Writes a record of another node, or deletes it, without a lease. Null, or a sentence why not.</summary>
    public async Task<string?> WriteAsync(DirectoryChange change, CancellationToken stop)
    {
        if (change.Key.Owner == _options.Node)
            return $"Node id {_options.Node} is this VTEP's own: it writes its records itself. Name another node.";
        if (Mistake(change) is { } mistake)
            return mistake;
        try
        {
            await _connection.TxnAsync(new TxnRequest { Success = { ToWrite(change, 0) } }, stop).ConfigureAwait(false);
            return null;
        }
        catch (EtcdException e)
        {
            return e.Message;
        }
    }

    // What we write by hand must be what we would take when we read it.
    private string? Mistake(DirectoryChange change)
    {
        byte[] key = _codec.Key(change.Key);
        if (change.Record is null)
            return _codec.KeyOf(key) is null ? $"There can be no record {VtepConfigRules.Quote(_codec.Layout.Name(change.Key))}. Check its parts." : null;
        return _codec.TryParse(key, RecordCodec.Value(change.Record), out _, out RejectedRecord? rejected) ? null : rejected.Detail;
    }

    /// <summary>Deletes all of this node's records, and publishes nothing any more. Null, or a sentence why not.</summary>
    public async Task<string?> ReleaseAsync(CancellationToken stop)
    {
        _released = true;
        await _turn.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            await _lease.RevokeAsync(stop).ConfigureAwait(false);
            var txn = new TxnRequest { Success = { Delete(_codec.Layout.NodesOf(_options.Node)), Delete(_codec.Layout.StationsOf(_options.Node)) } };
            await _connection.TxnAsync(txn, stop).ConfigureAwait(false);
            Tell(new DirectoryStatus(DirectoryState.Connected, "This node's records were released: it publishes nothing until vtep is started again."));
            return null;
        }
        catch (EtcdException e)
        {
            return $"This node's records are still in the store: {e.Message} Try again.";
        }
        finally
        {
            _turn.Release();
        }
    }

    private static RequestOp Delete(KeyRange range) => new() { RequestDeleteRange = new DeleteRangeRequest { Key = range.Key, RangeEnd = range.End } };

    // A process that stops takes its records along, quickly or not at all: they go with the lease anyway.
    private async Task WithdrawAsync()
    {
        if (_options.KeepOnStop)
            return;
        using var late = new CancellationTokenSource(_timings.Withdrawal, _time);
        try
        {
            await _lease.RevokeAsync(late.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is EtcdException or OperationCanceledException)
        {
            string why = e is EtcdException ? e.Message : $"etcd at {EtcdErrors.Shown(_connection.Endpoint)} didn't answer in time.";
            Tell(new DirectoryStatus(DirectoryState.Degraded, $"This node's records stay in the store for up to {_options.LeaseSeconds} s: {why}"));
        }
    }
}
