// Where directory records end up in this VTEP: peers in the domain's Peering, stations in the FDB, bindings in the neighbour table. Stations
// and bindings take effect at once, those tables being made for it; peers when they are committed, all domains at once, since that publishes
// a new state and waits for the lanes. Control loop only; called under the facade's lock.

using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane;

/// <summary>The VTEP's tables as a directory sees them.</summary>
internal sealed class DirectoryTarget(DomainTable domains, Fdb fdb, NeighborTable neighbors) : IDirectoryTarget
{
    private readonly List<DomainRecord> _changed = [];

    /// <inheritdoc/>
    public void SetPeers(Vni vni, IReadOnlyCollection<VtepEndpoint> admitted, IReadOnlyCollection<VtepEndpoint> flood)
    {
        if (domains.Find(vni) is not { } domain)
            return;
        domain.Peering.SetDirectory(admitted, flood);
        _changed.Add(domain);
    }

    /// <inheritdoc/>
    public bool TrySetStation(Vni vni, MacAddress mac, VtepEndpoint vtep, bool isSticky)
    {
        if (domains.Find(vni) is not { } domain || !domain.Peering.Ids.TryGetValue(vtep, out int id))
            return false;
        var target = new FdbTarget(isSticky ? FdbKind.StickyRemote : FdbKind.DirectoryRemote, id);
        return fdb.TryAdd(domain.Index, mac, target, replace: true) == FdbAddResult.Added;
    }

    /// <inheritdoc/>
    public void RemoveStation(Vni vni, MacAddress mac)
    {
        if (domains.Find(vni) is { } domain)
            fdb.DeleteDirectory(domain.Index, mac);
    }

    /// <inheritdoc/>
    public bool TrySetNeighbor(Vni vni, InetAddress address, MacAddress mac, bool isRouter, bool isLocal) =>
        domains.Find(vni) is { } domain && neighbors.TrySet(domain.Index, address, new Neighbor(mac, isRouter, isLocal));

    /// <inheritdoc/>
    public void RemoveNeighbor(Vni vni, InetAddress address)
    {
        if (domains.Find(vni) is { } domain)
            neighbors.Remove(domain.Index, address);
    }

    /// <inheritdoc/>
    public bool IsLocal(Vni vni, MacAddress mac) => domains.Find(vni) is { } domain && fdb.Lookup(domain.Index, mac).IsLocal;

    /// <inheritdoc/>
    public void Commit()
    {
        if (_changed.Count == 0)
            return;
        domains.PeersChanged(_changed);
        _changed.Clear();
    }
}
