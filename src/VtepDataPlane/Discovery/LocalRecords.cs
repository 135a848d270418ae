// What this node has and wants to be known: the desired state of its records in a store, and which of them the store may not have yet. The
// reconciler sets and removes records; a source takes what is due, writes it, and gives back what it couldn't write. Between the two
// lies no queue of changes but a set of keys: whatever happens to a key while the source is busy or the store is away, one write
// brings it up to date. Thread-safe.

using System.Diagnostics.CodeAnalysis;
using VtepDataPlane.Discovery.Records;

namespace VtepDataPlane.Discovery;

/// <summary>The desired state of this node's records. Thread-safe.</summary>
public sealed class LocalRecords
{
    private readonly Lock _gate = new();
    private readonly Dictionary<RecordKey, DirectoryRecord> _records = [];
    private readonly HashSet<RecordKey> _due = [];
    private TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Records wanted in the store.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _records.Count;
        }
    }

    /// <summary>Records the store may not have as they are wanted.</summary>
    public int Due
    {
        get
        {
            lock (_gate)
                return _due.Count;
        }
    }

    /// <summary>Wants a record in the store; a record that is wanted already as it is stays undisturbed.</summary>
    /// <param name="record">The record; one of the same key before it is replaced.</param>
    public void Set(DirectoryRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        lock (_gate)
        {
            if (_records.TryGetValue(record.Key, out DirectoryRecord? old) && old == record)
                return;
            _records[record.Key] = record;
            Add(record.Key);
        }
    }

    /// <summary>Wants a record out of the store.</summary>
    /// <param name="key">Of a record; nothing happens when it isn't wanted.</param>
    public void Remove(RecordKey key)
    {
        lock (_gate)
        {
            if (_records.Remove(key))
                Add(key);
        }
    }

    /// <summary>The record as it is wanted.</summary>
    /// <param name="key">Of a record.</param>
    /// <param name="record">The record, or null.</param>
    /// <returns>True when it is wanted.</returns>
    public bool TryGet(RecordKey key, [NotNullWhen(true)] out DirectoryRecord? record)
    {
        lock (_gate)
            return _records.TryGetValue(key, out record);
    }

    /// <summary>All that is wanted.</summary>
    public IReadOnlyList<DirectoryRecord> All()
    {
        lock (_gate)
            return [.. _records.Values];
    }

    /// <summary>Source: up to <paramref name="most"/> keys that are due, each with the record as it is wanted now; null: not at all.</summary>
    public IReadOnlyList<DirectoryChange> Take(int most)
    {
        lock (_gate)
        {
            DirectoryChange[] taken = [.. _due.Take(most).Select(key => new DirectoryChange(key, _records.GetValueOrDefault(key)))];
            foreach (DirectoryChange change in taken)
                _due.Remove(change.Key);
            return taken;
        }
    }

    /// <summary>Source: these could not be written, or the store has lost them.</summary>
    /// <param name="keys">They are due again.</param>
    public void GiveBack(IEnumerable<RecordKey> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        lock (_gate)
        {
            foreach (RecordKey key in keys)
                Add(key);
        }
    }

    /// <summary>Source: the store may have lost everything; all of it is due.</summary>
    public void GiveBackAll()
    {
        lock (_gate)
        {
            foreach (RecordKey key in _records.Keys)
                Add(key);
        }
    }

    /// <summary>Source: ends when something is due.</summary>
    /// <param name="stop">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public Task WaitAsync(CancellationToken stop)
    {
        lock (_gate)
            return _due.Count > 0 ? Task.CompletedTask : _wake.Task.WaitAsync(stop);
    }

    private void Add(RecordKey key)
    {
        _due.Add(key);
        if (_due.Count != 1)
            return;
        _wake.TrySetResult();
        _wake = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
