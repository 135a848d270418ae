// The in-memory twin of a store that several VTEPs share: what etcd is to a cluster, in one process and without a clock. Any number of
// MemoryDirectory sources attach; each sees every change in order. A test makes it go away and come back, lose everything, be restored from an
// old copy, or hold junk. Thread-safe; the same calls give the same events.

using VtepDataPlane.Discovery.Records;

namespace VtepDataPlane.Discovery;

/// <summary>A store in memory. Thread-safe.</summary>
public sealed class MemoryStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<RecordKey, DirectoryRecord> _records = [];
    private readonly Dictionary<string, RejectedRecord> _junk = [];
    private readonly List<MemoryDirectory> _attached = [];
    private bool _isAway;
    private long _revision = 1;
    private long _lookups;
    private TaskCompletionSource _back = Completed();

    /// <summary>Grows with every change.</summary>
    public long Revision
    {
        get
        {
            lock (_gate)
                return _revision;
        }
    }

    /// <summary>Questions asked, answered or not.</summary>
    public long Lookups => Interlocked.Read(ref _lookups);

    /// <summary>All records.</summary>
    public IReadOnlyList<DirectoryRecord> Records
    {
        get
        {
            lock (_gate)
                return [.. _records.Values];
        }
    }

    /// <summary>Puts records in, as one change.</summary>
    /// <param name="records">Of any nodes; those of the same keys are replaced.</param>
    public void Put(params DirectoryRecord[] records)
    {
        ArgumentNullException.ThrowIfNull(records);
        Write([.. records.Select(record => new DirectoryChange(record.Key, record))]);
    }

    /// <summary>Takes records out, as one change; keys that aren't there are passed over.</summary>
    /// <param name="keys">Of records of any nodes.</param>
    public void Delete(params RecordKey[] keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        Write([.. keys.Select(key => new DirectoryChange(key, null))]);
    }

    /// <summary>Takes all records of a node out, as one change: its lease has ended.</summary>
    /// <param name="node">Its id.</param>
    public void Withdraw(string node)
    {
        lock (_gate)
            Write([.. _records.Keys.Where(key => key.Owner == node).Select(key => new DirectoryChange(key, null))]);
    }

    /// <summary>Takes everything out, junk too, as one change.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _junk.Clear();
            Write([.. _records.Keys.Select(key => new DirectoryChange(key, null))]);
        }
    }

    /// <summary>Something that can't be read; in the place of a record when <see cref="RejectedRecord.Means"/> says so.</summary>
    /// <param name="junk">What sources shall tell of it.</param>
    public void PutJunk(RejectedRecord junk)
    {
        ArgumentNullException.ThrowIfNull(junk);
        lock (_gate)
        {
            _junk[junk.Name] = junk;
            if (junk.Means is { } key)
                _records.Remove(key);
            _revision++;
            Tell(new DirectoryDelta(_revision, [], [junk]));
        }
    }

    /// <summary>Stops answering: sources say that they are degraded, and nothing can be written.</summary>
    /// <param name="problem">What sources say is wrong.</param>
    public void GoAway(string problem = "the store doesn't answer")
    {
        lock (_gate)
        {
            if (_isAway)
                return;
            _isAway = true;
            _back = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Tell(new DirectoryStatus(DirectoryState.Degraded, problem, 100));
        }
    }

    /// <summary>Answers again; sources read everything anew.</summary>
    public void ComeBack()
    {
        lock (_gate)
        {
            if (!_isAway)
                return;
            _isAway = false;
            _back.SetResult();
            foreach (MemoryDirectory directory in _attached)
                directory.Resync("stream lost");
        }
    }

    /// <summary>Is restored from an old copy: these records, that revision. Sources notice and read everything anew.</summary>
    /// <param name="revision">The store's from now on, smaller than before as a rule.</param>
    /// <param name="records">All there is.</param>
    public void Restore(long revision, IEnumerable<DirectoryRecord> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        lock (_gate)
        {
            _records.Clear();
            foreach (DirectoryRecord record in records)
                _records[record.Key] = record;
            _revision = revision;
            foreach (MemoryDirectory directory in _isAway ? [] : _attached)
                directory.Resync("revision went back");
        }
    }

    internal void Attach(MemoryDirectory directory)
    {
        lock (_gate)
        {
            _attached.Add(directory);
            if (_isAway)
                directory.Take(new DirectoryStatus(DirectoryState.Connecting, "the store doesn't answer", 100));
            else
                directory.Resync("start");
        }
    }

    internal void Detach(MemoryDirectory directory)
    {
        lock (_gate)
            _attached.Remove(directory);
    }

    /// <summary>Ends when the store answers.</summary>
    internal Task WaitAsync(CancellationToken stop)
    {
        lock (_gate)
            return _back.Task.WaitAsync(stop);
    }

    /// <summary>Everything, told to one source before anything else can happen. Nothing while the store is away.</summary>
    internal void Read(Action<DirectorySnapshot> told, string cause)
    {
        lock (_gate)
        {
            if (!_isAway)
                told(new DirectorySnapshot(_revision, [.. _records.Values], [.. _junk.Values], Cause: cause));
        }
    }

    internal DirectorySnapshot? Read()
    {
        DirectorySnapshot? read = null;
        Read(snapshot => read = snapshot, "read");
        return read;
    }

    internal LookupResult Lookup(LookupKey key)
    {
        Interlocked.Increment(ref _lookups);
        lock (_gate)
        {
            if (_isAway)
                return LookupResult.NoAnswer;
            RecordKind kind = key.Address.IsNone ? RecordKind.Mac : RecordKind.Neighbor;
            DirectoryRecord[] found = [.. _records.Values.Where(record => record.Key == new RecordKey(kind, record.Owner, key.Vni, key.Mac, key.Address))];
            return found.Length == 0 ? LookupResult.NotFound : new LookupResult(LookupOutcome.Found, found);
        }
    }

    /// <summary>Writes as one change. False: the store is away.</summary>
    internal bool TryWrite(IReadOnlyList<DirectoryChange> changes)
    {
        lock (_gate)
        {
            if (!_isAway)
                Write(changes);
            return !_isAway;
        }
    }

    private void Write(IReadOnlyList<DirectoryChange> changes)
    {
        lock (_gate)
        {
            DirectoryChange[] news = [.. changes.Where(change => change.Record is not null || _records.ContainsKey(change.Key))];
            foreach ((RecordKey key, DirectoryRecord? record) in news)
            {
                if (record is null)
                    _records.Remove(key);
                else
                    _records[key] = record;
            }

            if (news.Length == 0)
                return;
            _revision++;
            Tell(new DirectoryDelta(_revision, news, []));
        }
    }

    private void Tell(DirectoryEvent told)
    {
        // What happens while the store is away is seen when it is back.
        if (_isAway && told is not DirectoryStatus)
            return;
        foreach (MemoryDirectory directory in _attached)
            directory.Take(told);
    }

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }
}
