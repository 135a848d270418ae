// What the scripted etcd keeps: keys with revisions, a history for watches, leases. As small as the protocol allows (etcd server/mvcc).
// One lock for all.

using Google.Protobuf;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Tests.Etcd;

/// <summary>A store with revisions.</summary>
internal sealed class FakeStore
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, KeyValue> _keys = new(StringComparer.Ordinal);
    private readonly List<Event> _history = [];
    private readonly Dictionary<long, long> _leases = [];
    private long _nextLease = 1000;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Of the cluster; another one is another store.</summary>
    public ulong ClusterId { get; set; } = 0xC1;

    public long Revision { get; private set; } = 1;

    public long Compacted { get; private set; }

    public ResponseHeader Header => new() { ClusterId = ClusterId, MemberId = 1, Revision = Revision };

    /// <summary>All keys with their values, in order.</summary>
    public IReadOnlyDictionary<string, string> All
    {
        get
        {
            lock (_gate)
                return _keys.ToDictionary(pair => pair.Key, pair => pair.Value.Value.ToStringUtf8());
        }
    }

    /// <summary>Leases that live, with the seconds they were granted.</summary>
    public IReadOnlyDictionary<long, long> Leases
    {
        get
        {
            lock (_gate)
                return new Dictionary<long, long>(_leases);
        }
    }

    /// <summary>Ends at the next change.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate)
                return _changed.Task;
        }
    }

    public KeyValue? Get(string key)
    {
        lock (_gate)
            return _keys.GetValueOrDefault(key);
    }

    public void Put(string key, string value, long lease = 0) => Put(key, ByteString.CopyFromUtf8(value), lease);

    public void Put(string key, ByteString value, long lease = 0) =>
        Txn(new TxnRequest { Success = { new RequestOp { RequestPut = new PutRequest { Key = ByteString.CopyFromUtf8(key), Value = value, Lease = lease } } } });

    public void Delete(string key) =>
        Txn(new TxnRequest { Success = { new RequestOp { RequestDeleteRange = new DeleteRangeRequest { Key = ByteString.CopyFromUtf8(key) } } } });

    /// <summary>Forgets how it was before a revision.</summary>
    public void Compact(long revision)
    {
        lock (_gate)
        {
            Compacted = revision;
            _history.RemoveAll(past => past.Kv.ModRevision < revision);
        }
    }

    /// <summary>As from a backup: the keys stay, the revision is a lower one, history is gone.</summary>
    public void RestoreTo(long revision)
    {
        lock (_gate)
        {
            Revision = revision;
            _history.Clear();
            foreach (KeyValue kv in _keys.Values)
                kv.ModRevision = kv.CreateRevision = Math.Min(kv.ModRevision, revision);
            Wake();
        }
    }

    /// <summary>Keys go without a history of it: what a watch that misses events looks like.</summary>
    public void LoseSilently(string key)
    {
        lock (_gate)
        {
            _keys.Remove(key);
            Revision++;
        }
    }

    public LeaseGrantResponse Grant(LeaseGrantRequest request)
    {
        lock (_gate)
        {
            long id = request.ID != 0 ? request.ID : ++_nextLease;
            _leases[id] = Math.Max(2, request.TTL);
            return new LeaseGrantResponse { Header = Header, ID = id, TTL = _leases[id] };
        }
    }

    /// <summary>Seconds left: those granted, or 0 for a lease that is none.</summary>
    public long KeepAlive(long id)
    {
        lock (_gate)
            return _leases.GetValueOrDefault(id);
    }

    /// <summary>A lease ends, revoked or run out: its keys go.</summary>
    public bool EndLease(long id)
    {
        lock (_gate)
        {
            if (!_leases.Remove(id))
                return false;
            string[] keys = [.. _keys.Where(pair => pair.Value.Lease == id).Select(pair => pair.Key)];
            if (keys.Length == 0)
                return true;
            Revision++;
            foreach (string key in keys)
                Remove(key);
            Wake();
            return true;
        }
    }

    public RangeResponse Range(RangeRequest request)
    {
        lock (_gate)
            return RangeLocked(request);
    }

    public TxnResponse Txn(TxnRequest request)
    {
        lock (_gate)
        {
            bool holds = request.Compare.All(Holds);
            IList<RequestOp> ops = holds ? request.Success : request.Failure;
            foreach (RequestOp op in ops)
            {
                if (op.RequestPut is { Lease: not 0 } put && !_leases.ContainsKey(put.Lease))
                    throw FakeErrors.LeaseNotFound;
            }

            bool writes = ops.Any(op => op.RequestPut is not null || (op.RequestDeleteRange is { } gone && Select(gone.Key, gone.RangeEnd).Any()));
            if (writes)
                Revision++;
            var response = new TxnResponse { Succeeded = holds, Responses = { ops.Select(Do).ToList() } };
            response.Header = Header;
            if (writes)
                Wake();
            return response;
        }
    }

    /// <summary>What happened in a range from a revision on.</summary>
    public List<Event> Since(long revision, ByteString key, ByteString end)
    {
        lock (_gate)
            return [.. _history.Where(past => past.Kv.ModRevision >= revision && Within(past.Kv.Key, key, end)).Select(past => past.Clone())];
    }

    private RangeResponse RangeLocked(RangeRequest request)
    {
        if (request.Revision > Revision)
            throw FakeErrors.FutureRevision;
        if (request.Revision != 0 && request.Revision < Compacted)
            throw FakeErrors.Compacted;
        List<KeyValue> all = At(request);
        int most = request.Limit > 0 ? (int)request.Limit : int.MaxValue;
        var response = new RangeResponse { Header = Header, Count = all.Count, More = !request.CountOnly && all.Count > most };
        if (!request.CountOnly)
            response.Kvs.Add(all.Take(most).Select(kv => kv.Clone()));
        return response;
    }

    // how it was at a revision: today's keys, without what came later, with what was there before
    private List<KeyValue> At(RangeRequest request)
    {
        IEnumerable<KeyValue> now = Select(request.Key, request.RangeEnd);
        if (request.Revision == 0 || request.Revision == Revision)
            return [.. now];
        var then = now.ToDictionary(kv => kv.Key.ToStringUtf8(), StringComparer.Ordinal);
        foreach (string key in _history.Where(past => past.Kv.ModRevision > request.Revision).Select(past => past.Kv.Key.ToStringUtf8()))
            then.Remove(key);
        foreach (IGrouping<string, Event> changed in _history.Where(past => Within(past.Kv.Key, request.Key, request.RangeEnd))
            .GroupBy(past => past.Kv.Key.ToStringUtf8()))
        {
            if (changed.LastOrDefault(past => past.Kv.ModRevision <= request.Revision) is { Type: Event.Types.EventType.Put } last)
                then[changed.Key] = last.Kv;
        }

        return [.. then.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value)];
    }

    private IEnumerable<KeyValue> Select(ByteString key, ByteString end) => _keys.Values.Where(kv => Within(kv.Key, key, end));

    private static bool Within(ByteString key, ByteString from, ByteString end) =>
        end.IsEmpty ? key == from : key.Span.SequenceCompareTo(from.Span) >= 0 && key.Span.SequenceCompareTo(end.Span) < 0;

    private bool Holds(Compare compare)
    {
        KeyValue kv = _keys.GetValueOrDefault(compare.Key.ToStringUtf8()) ?? new KeyValue();
        int order = compare.Target switch
        {
            Compare.Types.CompareTarget.Version => kv.Version.CompareTo(compare.Version),
            Compare.Types.CompareTarget.Create => kv.CreateRevision.CompareTo(compare.CreateRevision),
            Compare.Types.CompareTarget.Mod => kv.ModRevision.CompareTo(compare.ModRevision),
            Compare.Types.CompareTarget.Lease => kv.Lease.CompareTo(compare.Lease),
            _ => kv.Value.Span.SequenceCompareTo(compare.Value.Span),
        };
        return compare.Result switch
        {
            Compare.Types.CompareResult.Equal => order == 0,
            Compare.Types.CompareResult.NotEqual => order != 0,
            Compare.Types.CompareResult.Greater => order > 0,
            _ => order < 0,
        };
    }

    private ResponseOp Do(RequestOp op)
    {
        if (op.RequestRange is { } range)
            return new ResponseOp { ResponseRange = RangeLocked(range) };
        if (op.RequestPut is { } put)
        {
            DoPut(put);
            return new ResponseOp { ResponsePut = new PutResponse { Header = Header } };
        }

        string[] gone = [.. Select(op.RequestDeleteRange.Key, op.RequestDeleteRange.RangeEnd).Select(kv => kv.Key.ToStringUtf8())];
        foreach (string key in gone)
            Remove(key);
        return new ResponseOp { ResponseDeleteRange = new DeleteRangeResponse { Header = Header, Deleted = gone.Length } };
    }

    private void DoPut(PutRequest put)
    {
        KeyValue? old = _keys.GetValueOrDefault(put.Key.ToStringUtf8());
        var kv = new KeyValue
        {
            Key = put.Key,
            Value = put.Value,
            Lease = put.Lease,
            ModRevision = Revision,
            CreateRevision = old?.CreateRevision ?? Revision,
            Version = (old?.Version ?? 0) + 1,
        };
        _keys[put.Key.ToStringUtf8()] = kv;
        _history.Add(new Event { Type = Event.Types.EventType.Put, Kv = kv });
    }

    private void Remove(string key)
    {
        if (_keys.Remove(key, out KeyValue? old))
            _history.Add(new Event { Type = Event.Types.EventType.Delete, Kv = new KeyValue { Key = old.Key, ModRevision = Revision } });
    }

    private void Wake()
    {
        _changed.TrySetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
