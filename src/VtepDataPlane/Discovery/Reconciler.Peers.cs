// The VTEPs of a domain. A node that wants a copy of what is flooded is one; so is a node that has a station there, whose frames would be dropped
// otherwise, but nothing is flooded to it.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>The VTEPs of a domain.</summary>
/// <param name="Admitted">Those frames are accepted from.</param>
/// <param name="Flood">Those that get a copy of what is flooded.</param>
internal sealed record DomainPeers(HashSet<VtepEndpoint> Admitted, HashSet<VtepEndpoint> Flood)
{
    /// <summary>No VTEPs.</summary>
    public static DomainPeers None { get; } = new([], []);

    /// <summary>The same VTEPs, in whichever order.</summary>
    public bool IsSame(DomainPeers other) => Admitted.SetEquals(other.Admitted) && Flood.SetEquals(other.Flood);
}

internal sealed partial class Reconciler
{
    private readonly Dictionary<Vni, DomainPeers> _peers = [];

    // False: nothing new.
    private bool TellPeers(Vni vni)
    {
        DomainPeers peers = PeersOf(vni, _table);
        if (peers.IsSame(_peers.GetValueOrDefault(vni, DomainPeers.None)))
            return false;
        if (peers.Admitted.Count == 0)
            _peers.Remove(vni);
        else
            _peers[vni] = peers;
        _target.SetPeers(vni, peers.Admitted, peers.Flood);
        return true;
    }

    private DomainPeers PeersOf(Vni vni, DirectoryTable table)
    {
        var peers = new DomainPeers([], []);
        foreach ((string owner, Membership membership) in table.MembersOf(vni))
        {
            if (table.VtepOf(owner)?.EndpointFor(_here.Address.Version) is not { } vtep)
                continue;
            peers.Admitted.Add(vtep);
            if (membership.Floods)
                peers.Flood.Add(vtep);
        }

        return peers;
    }
}
