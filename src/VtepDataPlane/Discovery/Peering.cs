// The VTEPs one domain names, whoever named them: the configured peers, those a directory tells, additions to and removals from the flood list
// at run time, and static FDB entries. From them come the flood list and the admission rule. It holds a reference on every VTEP it
// names, so an id stays valid for as long as a domain may send to it. Control loop only.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>The VTEPs of one domain.</summary>
/// <param name="vteps">All VTEPs.</param>
/// <param name="groups">Memberships of all domains.</param>
/// <param name="released">Receives ids no domain names any more: to be reclaimed after a grace period.</param>
internal sealed class Peering(RemoteVteps vteps, GroupMemberships groups, List<int> released) : IDisposable
{
    private readonly Dictionary<VtepEndpoint, int> _ids = [];
    private readonly List<VtepEndpoint> _added = [];
    private readonly HashSet<VtepEndpoint> _removed = [];
    private readonly Dictionary<MacAddress, VtepEndpoint> _stations = [];
    private IReadOnlyCollection<VtepEndpoint> _directoryAdmitted = [];
    private IReadOnlyCollection<VtepEndpoint> _directoryFlood = [];
    private readonly HashSet<int> _dropped = [];
    private DiscoveryConfig? _discovery;
    private Admission? _admission;
    private int[]? _floodVteps;

    /// <summary>The group and its settings, or null.</summary>
    public MulticastDiscovery? Multicast => _discovery as MulticastDiscovery;

    /// <summary>Configured, told and added VTEPs that get a copy of flooded frames, in that order, each once.</summary>
    public IEnumerable<VtepEndpoint> FloodEndpoints =>
        ((_discovery as StaticDiscovery)?.Peers ?? []).Concat(_directoryFlood).Concat(_added).Distinct().Where(peer => !_removed.Contains(peer));

    /// <summary>Everything named, with the VTEP's id.</summary>
    public IReadOnlyDictionary<VtepEndpoint, int> Ids => _ids;

    /// <summary>Takes over a configuration, the first or a changed one.</summary>
    /// <exception cref="VtepException">More VTEPs than there is room for.</exception>
    public void Configure(DiscoveryConfig discovery)
    {
        MulticastGroup? before = Multicast?.Group;
        MulticastGroup? after = (discovery as MulticastDiscovery)?.Group;
        _discovery = discovery;
        UpdateReferences();
        if (before == after)
            return;
        if (after is { } joined)
            groups.Acquire(joined);
        if (before is { } left)
            groups.Release(left);
    }

    /// <summary>
    /// Takes over what a directory tells: who may send, and who gets copies. VTEPs there is no room for are left out; they have no id then.
    /// </summary>
    public void SetDirectory(IReadOnlyCollection<VtepEndpoint> admitted, IReadOnlyCollection<VtepEndpoint> flood)
    {
        _directoryAdmitted = admitted;
        _directoryFlood = flood;
        if (TryUpdateReferences() is null)
            return;
        _directoryAdmitted = [.. admitted.Where(_ids.ContainsKey)];
        _directoryFlood = [.. flood.Where(_ids.ContainsKey)];
        UpdateReferences();
    }

    /// <summary>Adds to the flood list; false when it is there already.</summary>
    public bool TryAddFlood(in VtepEndpoint vtep)
    {
        if (FloodEndpoints.Contains(vtep))
            return false;
        if (!_removed.Remove(vtep))
            _added.Add(vtep);
        try
        {
            UpdateReferences();
        }
        catch (VtepException)
        {
            _added.Remove(vtep);
            throw;
        }

        return true;
    }

    /// <summary>Takes from the flood list; false when it isn't there.</summary>
    public bool TryRemoveFlood(in VtepEndpoint vtep)
    {
        if (!FloodEndpoints.Contains(vtep))
            return false;
        if (!_added.Remove(vtep))
            _removed.Add(vtep);
        UpdateReferences();
        return true;
    }

    /// <summary>Names the VTEP of a fixed FDB entry, and returns its id.</summary>
    public int AddStation(MacAddress mac, in VtepEndpoint vtep)
    {
        _stations[mac] = vtep;
        try
        {
            UpdateReferences();
        }
        catch (VtepException)
        {
            _stations.Remove(mac);
            throw;
        }

        return _ids[vtep];
    }

    /// <summary>Forgets the VTEP of a fixed FDB entry.</summary>
    public void RemoveStation(MacAddress mac)
    {
        if (_stations.Remove(mac))
            UpdateReferences();
    }

    /// <summary>Who may send to the domain.</summary>
    public Admission Admission => Multicast is not null
        ? Admission.Open
        : _admission ??= Admission.Listed(_ids.Select(pair => KeyValuePair.Create(pair.Key.Address, pair.Value)).DistinctBy(pair => pair.Key));

    /// <summary>Ids of <see cref="FloodEndpoints"/>.</summary>
    public int[] FloodVteps => _floodVteps ??= [.. FloodEndpoints.Select(endpoint => _ids[endpoint])];

    /// <summary>
    /// Ids that were named here once, since this was asked last, and no longer are: what was learned behind them must go, though other domains may
    /// name them on. None with a group, where everybody may send.
    /// </summary>
    public IReadOnlyList<int> TakeDropped()
    {
        if (_dropped.Count == 0)
            return [];
        int[] dropped = Multicast is not null ? [] : [.. _dropped.Except(_ids.Values)];
        _dropped.Clear();
        return dropped;
    }

    /// <summary>Gives all references back. FDB entries that name these VTEPs must be gone.</summary>
    public void Dispose()
    {
        foreach (int id in _ids.Values)
            Release(id);
        _ids.Clear();
        if (Multicast is { } multicast)
            groups.Release(multicast.Group);
        _discovery = null;
    }

    private void UpdateReferences()
    {
        if (TryUpdateReferences() is { } left)
            throw new VtepException($"There is no room for VTEP {left}: {vteps.Capacity} are known already. Name fewer peers.");
    }

    // References first, releases after: a VTEP named before and after keeps its id. Gives the first VTEP there was no room for.
    private VtepEndpoint? TryUpdateReferences()
    {
        _admission = null;
        _floodVteps = null;
        var named = FloodEndpoints.Concat(_stations.Values).Concat(_directoryAdmitted).ToHashSet();
        VtepEndpoint? left = null;
        foreach (VtepEndpoint endpoint in named.Where(endpoint => !_ids.ContainsKey(endpoint)))
        {
            int id = vteps.Acquire(endpoint);
            if (id == 0)
                left ??= endpoint;
            else
                _ids.Add(endpoint, id);
        }

        foreach (VtepEndpoint endpoint in _ids.Keys.Where(endpoint => !named.Contains(endpoint)).ToList())
        {
            _dropped.Add(_ids[endpoint]);
            Release(_ids[endpoint]);
            _ids.Remove(endpoint);
        }

        return left;
    }

    private void Release(int id)
    {
        if (vteps.Release(id))
            released.Add(id);
    }
}
