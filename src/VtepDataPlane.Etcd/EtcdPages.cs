// A complete reading: page after page, all as of the revision of the first, so that it is one state of the store however long it takes. Anything
// that goes wrong on the way ends it with an exception: there is no half a reading.
//
// Junk is bounded. A page has 5,000 records, fewer when they are so large that the answer wouldn't fit; and of values that can't be read only
// the first 10,000 are kept. A store that is compacted faster than we read gets larger pages the next time.

using Google.Protobuf;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Etcd;

/// <summary>Reads all there is. One reading at a time.</summary>
internal sealed class EtcdPages(EtcdConnection connection, RecordCodec codec)
{
    private const int Normal = 5000;
    private const int Largest = 80_000;
    private const int MostRejected = 10_000;

    private int _most = Normal;

    /// <summary>Everything in a range, with the cluster that said it.</summary>
    /// <exception cref="EtcdException">It could not be read to its end.</exception>
    public async Task<(DirectorySnapshot Snapshot, ulong Cluster)> ReadAsync(KeyRange range, string cause, CancellationToken stop)
    {
        try
        {
            (DirectorySnapshot, ulong) read = await ReadPagesAsync(range, cause, stop).ConfigureAwait(false);
            _most = Normal;
            return read;
        }
        catch (EtcdException e) when (e.Failure == EtcdFailure.Gone)
        {
            _most = Math.Min(_most * 4, Largest);
            throw;
        }
    }

    private async Task<(DirectorySnapshot Snapshot, ulong Cluster)> ReadPagesAsync(KeyRange range, string cause, CancellationToken stop)
    {
        var records = new List<DirectoryRecord>();
        var rejected = new List<RejectedRecord>();
        var next = new RangeRequest { Key = range.Key, RangeEnd = range.End, Limit = _most };
        long left = 0;
        for (ulong cluster = 0; ;)
        {
            RangeResponse page = await PageAsync(next, stop).ConfigureAwait(false);
            (next.Revision, cluster) = next.Revision == 0 ? (page.Header.Revision, page.Header.ClusterId) : (next.Revision, cluster);
            if (page.Header.ClusterId != cluster)
                throw Broken("pages of two clusters", "cluster changed");
            foreach (KeyValue kv in page.Kvs)
                left += Take(kv, records, rejected) ? 0 : 1;
            if (!page.More)
                return (new DirectorySnapshot(next.Revision, records, Shown(rejected, left), Cause: cause), cluster);
            if (page.Kvs.Count == 0 || page.Kvs[^1].Key.Span.SequenceCompareTo(next.Key.Span) < 0)
                throw Broken("a page that doesn't lead on", "compacted");
            next.Key = After(page.Kvs[^1].Key);
        }
    }

    // A page too large for an answer is asked for again, smaller; after one that fits they grow back.
    private async Task<RangeResponse> PageAsync(RangeRequest next, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                RangeResponse page = await connection.RangeAsync(next, stop).ConfigureAwait(false);
                next.Limit = Math.Min(next.Limit * 2, _most);
                return page;
            }
            catch (EtcdException e) when (e.Failure == EtcdFailure.TooLarge && next.Limit > 1)
            {
                next.Limit = Math.Max(1, next.Limit / 8);
            }
        }
    }

    private bool Take(KeyValue kv, List<DirectoryRecord> records, List<RejectedRecord> rejected)
    {
        if (codec.TryParse(kv.Key.Span, kv.Value.Span, out DirectoryRecord? record, out RejectedRecord? wrong))
            records.Add(record);
        else if (rejected.Count < MostRejected)
            rejected.Add(wrong);
        else
            return false;
        return true;
    }

    private List<RejectedRecord> Shown(List<RejectedRecord> rejected, long left)
    {
        if (left > 0)
            rejected.Add(new RejectedRecord(codec.Layout.Prefix, RejectReason.Limit, $"{left} more keys under the prefix hold no record of ours; clear them away."));
        return rejected;
    }

    private static ByteString After(ByteString key)
    {
        byte[] after = new byte[key.Length + 1];
        key.CopyTo(after, 0);
        return UnsafeByteOperations.UnsafeWrap(after);
    }

    private EtcdException Broken(string what, string cause) =>
        new(EtcdFailure.Gone, $"etcd at {EtcdErrors.Shown(connection.Endpoint)} gave {what}; everything is read anew.") { Cause = cause };
}
