// What the reconciler changes in the data plane: peers, stations, neighbours. The VTEP implements it on its tables; tests by a dictionary.
// Control loop only.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>Where directory records end up.</summary>
internal interface IDirectoryTarget
{
    /// <summary>
    /// The VTEPs of a domain, all of them: those frames are accepted from and stations may be behind, and those that get a copy of what is
    /// flooded. Takes effect with <see cref="Commit"/>; a VTEP that is no longer named is given up there.
    /// </summary>
    void SetPeers(Vni vni, IReadOnlyCollection<VtepEndpoint> admitted, IReadOnlyCollection<VtepEndpoint> flood);

    /// <summary>A station is behind a VTEP that <see cref="SetPeers"/> named. Replaces what was learned or told before.</summary>
    /// <returns>False: an entry of the operator stands there, or the table is full.</returns>
    bool TrySetStation(Vni vni, MacAddress mac, VtepEndpoint vtep, bool isSticky);

    /// <summary>The directory knows a station no more. Entries it didn't make stay.</summary>
    void RemoveStation(Vni vni, MacAddress mac);

    /// <summary>An address is at a MAC.</summary>
    /// <returns>False: the table is full.</returns>
    bool TrySetNeighbor(Vni vni, InetAddress address, MacAddress mac, bool isRouter, bool isLocal);

    /// <summary>Nobody knows the address any more.</summary>
    void RemoveNeighbor(Vni vni, InetAddress address);

    /// <summary>The station is behind one of our own ports now: learned there, fixed there, or the port's own MAC.</summary>
    bool IsLocal(Vni vni, MacAddress mac);

    /// <summary>Publishes what changed among the peers. Called once for each event, after the other calls.</summary>
    void Commit();
}
