// One question, answered by etcd itself: every node keeps its stations under its own key, so a station is asked for at all nodes that serve
// the domain, as point reads in one transaction: one revision, one round trip. etcd takes 128 operations in a transaction; larger domains are asked in
// several at once.

using Google.Protobuf;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Etcd;

/// <summary>Asks for one key. Thread-safe.</summary>
internal sealed class EtcdLookup(EtcdConnection connection, RecordCodec codec, FloodNodes nodes)
{
    private const int MostReads = 128;

    /// <summary>All claims for a key. Throws for cancellation only.</summary>
    public async ValueTask<LookupResult> AskAsync(LookupKey key, CancellationToken stop)
    {
        if (nodes.Of(key.Vni) is not { } owners)
            return LookupResult.NoAnswer;
        try
        {
            DirectoryRecord[][] found = await Task.WhenAll(owners.Chunk(MostReads).Select(some => AskAsync(key, some, stop))).ConfigureAwait(false);
            DirectoryRecord[] all = [.. found.SelectMany(some => some)];
            return all.Length > 0 ? new LookupResult(LookupOutcome.Found, all) : LookupResult.NotFound;
        }
        catch (EtcdException)
        {
            return LookupResult.NoAnswer; // the reader has the same trouble, and says it
        }
    }

    private async Task<DirectoryRecord[]> AskAsync(LookupKey key, string[] owners, CancellationToken stop)
    {
        var question = new TxnRequest { Success = { owners.Select(owner => Read(key, owner)) } };
        TxnResponse answer = await AskTwiceAsync(question, stop).ConfigureAwait(false);
        return [.. answer.Responses.SelectMany(one => one.ResponseRange?.Kvs ?? []).Select(Parse).OfType<DirectoryRecord>()];
    }

    // A question does nothing, so it may be asked again, of another member, when one is away.
    private async Task<TxnResponse> AskTwiceAsync(TxnRequest question, CancellationToken stop)
    {
        try
        {
            return await connection.TxnAsync(question, stop).ConfigureAwait(false);
        }
        catch (EtcdException e) when (e.Failure == EtcdFailure.Away)
        {
            return await connection.TxnAsync(question, stop).ConfigureAwait(false);
        }
    }

    private RequestOp Read(LookupKey key, string owner)
    {
        RecordKey record = key.Address.IsNone ? new(RecordKind.Mac, owner, key.Vni, key.Mac) : new(RecordKind.Neighbor, owner, key.Vni, default, key.Address);
        return new RequestOp { RequestRange = new RangeRequest { Key = UnsafeByteOperations.UnsafeWrap(codec.Key(record)) } };
    }

    private DirectoryRecord? Parse(KeyValue kv) => codec.TryParse(kv.Key.Span, kv.Value.Span, out DirectoryRecord? record, out _) ? record : null;
}
