// This node's two trees as they stand in the store, beside what is wanted there. Read by the publisher after its start and after each reading
// of the store by the directory; between two writes, so that nothing of our own changes meanwhile. The leases of keys are seen too: a
// key of a former life looks right and will go with its old lease.

using Google.Protobuf;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Etcd;

/// <summary>Reads this node's keys.</summary>
internal sealed class OwnTrees(EtcdConnection connection, RecordCodec codec, string node)
{
    private const int Page = 1000;

    /// <summary>Where store and wish differ.</summary>
    /// <param name="Wrong">Wanted, and missing, different, or on another lease.</param>
    /// <param name="Unwanted">In the store only.</param>
    /// <param name="Revision">The store's.</param>
    public sealed record Differences(IReadOnlyList<RecordKey> Wrong, IReadOnlyList<RecordKey> Unwanted, long Revision);

    /// <summary>Compares the trees with what is wanted.</summary>
    public async Task<Differences> CompareAsync(LocalRecords own, Func<DirectoryRecord, byte[]> value, long lease, CancellationToken stop)
    {
        Dictionary<RecordKey, KeyValue> there = [];
        await ReadAsync(codec.Layout.NodesOf(node), there, stop).ConfigureAwait(false);
        long revision = await ReadAsync(codec.Layout.StationsOf(node), there, stop).ConfigureAwait(false);
        var wrong = new List<RecordKey>();
        foreach (DirectoryRecord record in own.All())
        {
            if (!there.Remove(record.Key, out KeyValue? kv) || kv.Lease != lease || !kv.Value.Span.SequenceEqual(value(record)))
                wrong.Add(record.Key);
        }

        return new Differences(wrong, [.. there.Keys], revision);
    }

    private async Task<long> ReadAsync(KeyRange tree, Dictionary<RecordKey, KeyValue> there, CancellationToken stop)
    {
        var request = new RangeRequest { Key = tree.Key, RangeEnd = tree.End, Limit = Page };
        RangeResponse page;
        do
        {
            page = await connection.RangeAsync(request, stop).ConfigureAwait(false);
            foreach (KeyValue kv in page.Kvs)
            {
                // what stands here in no spelling of ours isn't ours to delete; it is shown as rejected
                if (codec.KeyOf(kv.Key.Span) is { } key)
                    there[key] = kv;
            }

            if (page is { More: true, Kvs.Count: 0 })
                throw new EtcdException(EtcdFailure.Away, $"etcd at {EtcdErrors.Shown(connection.Endpoint)} gave a page that doesn't lead on.");
            if (page.More)
                request.Key = ByteString.CopyFrom([.. page.Kvs[^1].Key.Span, 0]);
        }
        while (page.More);
        return page.Header.Revision;
    }
}
