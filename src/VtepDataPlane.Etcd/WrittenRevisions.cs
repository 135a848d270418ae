// At which revision we last wrote a key. The watch tells our own writes back, later and one after the other: what it tells of a key as of a
// revision before our last write of it is an echo, not somebody else's doing. Entries go when the watch has passed them. Where
// nothing of it is watched they go by number: forgetting one early costs a write too many.
// Thread-safe.

using VtepDataPlane.Discovery.Records;

namespace VtepDataPlane.Etcd;

/// <summary>Revisions of our own last writes.</summary>
internal sealed class WrittenRevisions
{
    private const int MaxKeys = 65_536;

    private readonly Lock _gate = new();
    private readonly Dictionary<RecordKey, long> _revisions = [];
    private readonly Queue<(long Revision, RecordKey[] Keys)> _order = new();

    /// <summary>Keys were written.</summary>
    public void Add(long revision, RecordKey[] keys)
    {
        lock (_gate)
        {
            foreach (RecordKey key in keys)
                _revisions[key] = revision;
            _order.Enqueue((revision, keys));
            while (_revisions.Count > MaxKeys && _order.Count > 1)
                Forget(_order.Dequeue());
        }
    }

    /// <summary>What is told of a key as of a revision was already so when we wrote it, or is our write itself.</summary>
    public bool IsEcho(RecordKey key, long revision)
    {
        lock (_gate)
            return _revisions.TryGetValue(key, out long written) && written >= revision;
    }

    /// <summary>The watch has told everything up to a revision.</summary>
    public void Passed(long revision)
    {
        lock (_gate)
        {
            while (_order.TryPeek(out (long Revision, RecordKey[] Keys) oldest) && oldest.Revision <= revision)
                Forget(_order.Dequeue());
        }
    }

    /// <summary>The store has this revision now. Lower than what we wrote: it was restored from a backup, and what we know is of no use.</summary>
    public void StoreIsAt(long revision)
    {
        lock (_gate)
        {
            if (_order.All(written => written.Revision <= revision))
                return;
            _revisions.Clear();
            _order.Clear();
        }
    }

    private void Forget((long Revision, RecordKey[] Keys) written)
    {
        foreach (RecordKey key in written.Keys)
        {
            if (_revisions.TryGetValue(key, out long last) && last == written.Revision)
                _revisions.Remove(key);
        }
    }
}
