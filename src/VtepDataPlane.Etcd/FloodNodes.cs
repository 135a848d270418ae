// Which nodes serve which domain, by their flood records: a lookup asks for keys of these nodes only. Kept from the same events the VTEP gets.

using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Etcd;

/// <summary>Nodes of domains. Thread-safe.</summary>
internal sealed class FloodNodes
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Vni, HashSet<string>> _nodes = [];
    private bool _known;
    private bool _current;

    /// <summary>Takes in what was read.</summary>
    public void Apply(DirectoryEvent told)
    {
        lock (_gate)
        {
            if (told is DirectorySnapshot snapshot)
                Replace(snapshot);
            else if (told is DirectoryDelta delta)
                Change(delta);
            else if (told is DirectoryStatus status)
                _current = status.State == DirectoryState.Connected;
        }
    }

    /// <summary>The nodes of a domain; null: they aren't known. None at all is only said while the store is there.</summary>
    public string[]? Of(Vni vni)
    {
        lock (_gate)
        {
            if (_nodes.TryGetValue(vni, out HashSet<string>? nodes) && nodes.Count > 0)
                return [.. nodes];
            return _known && _current ? [] : null;
        }
    }

    private void Replace(DirectorySnapshot snapshot)
    {
        _known |= !snapshot.IsFromCache;
        _nodes.Clear();
        foreach (DirectoryRecord record in snapshot.Records)
        {
            if (record is FloodRecord flood)
                Add(flood.Vni, flood.Owner);
        }
    }

    private void Change(DirectoryDelta delta)
    {
        foreach (DirectoryChange change in delta.Changes)
        {
            if (change.Key.Kind != RecordKind.Flood)
                continue;
            if (change.Record is not null)
                Add(change.Key.Vni, change.Key.Owner);
            else if (_nodes.TryGetValue(change.Key.Vni, out HashSet<string>? nodes))
                nodes.Remove(change.Key.Owner);
        }
    }

    private void Add(Vni vni, string owner)
    {
        if (!_nodes.TryGetValue(vni, out HashSet<string>? nodes))
            _nodes.Add(vni, nodes = new HashSet<string>(StringComparer.Ordinal));
        nodes.Add(owner);
    }
}
