// The one key of ours that somebody else may want: n/<node>/self. Two nodes that were given one id by mistake would overwrite each other's
// records for ever and send each other's frames to nowhere, so the second one publishes nothing and says why.
//
// It is ours when it is absent, when it says our instance, or when it says our own address (this node without its instance file, or a record
// somebody wrote for it). What can't be read says nothing and is overwritten. Between reading and writing lies a compare of the key's revision.

using Google.Protobuf;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Etcd.Wire;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Etcd;

/// <summary>Writes this node's own record, if the node's id is free or ours.</summary>
internal sealed class NodeClaim(EtcdConnection connection, RecordCodec codec, EtcdOptions options, Guid instance)
{
    /// <summary>The record as it is written: with name and instance.</summary>
    public VtepRecord Signed(VtepRecord record) => record with { Name = options.Name ?? record.Name, Instance = instance };

    /// <summary>Writes the record. The revision, or null: somebody wrote meanwhile.</summary>
    /// <exception cref="EtcdException">Refused: another node uses the id.</exception>
    public async Task<long?> TryWriteAsync(VtepRecord record, long lease, CancellationToken stop)
    {
        ByteString key = UnsafeByteOperations.UnsafeWrap(codec.Key(record.Key));
        RangeResponse read = await connection.RangeAsync(new RangeRequest { Key = key }, stop).ConfigureAwait(false);
        KeyValue? there = read.Kvs.FirstOrDefault();
        if (there is not null && codec.TryParse(there.Key.Span, there.Value.Span, out DirectoryRecord? known, out _) && !IsOurs((VtepRecord)known, record))
            throw new EtcdException(EtcdFailure.Refused, Taken((VtepRecord)known));
        TxnResponse written = await connection.TxnAsync(Write(key, record, there?.ModRevision ?? 0, lease), stop).ConfigureAwait(false);
        return written.Succeeded ? written.Header.Revision : null;
    }

    private TxnRequest Write(ByteString key, VtepRecord record, long seen, long lease) => new()
    {
        Compare = { new Compare { Key = key, Target = Compare.Types.CompareTarget.Mod, Result = Compare.Types.CompareResult.Equal, ModRevision = seen } },
        Success =
        {
            new RequestOp
            {
                RequestPut = new PutRequest { Key = key, Value = UnsafeByteOperations.UnsafeWrap(RecordCodec.Value(Signed(record))), Lease = lease },
            },
        },
    };

    private bool IsOurs(VtepRecord known, VtepRecord record) =>
        known.Instance == instance || IsSame(known.IPv4, record.IPv4) || IsSame(known.IPv6, record.IPv6);

    private static bool IsSame(VtepEndpoint known, VtepEndpoint ours) => !ours.Address.IsNone && known == ours;

    private string Taken(VtepRecord known)
    {
        VtepEndpoint at = known.IPv4.Address.IsNone ? known.IPv6 : known.IPv4;
        return $"Node id {options.Node} is used by the VTEP at {at}: nothing of this node is published. Give this node another id, or run "
            + "'vtep release' for the other.";
    }
}
