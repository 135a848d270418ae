// What the trials of VTEPs mean, in sentences.

using VtepDataPlane.Linux.Inspection;

namespace VtepDataPlane.Daemon.Inspection;

/// <summary>Rules of other VTEPs.</summary>
internal static class PeerRules
{
    private const string Id = "peer";
    private const int Recently = 60;

    /// <summary>A finding for each VTEP, and one for those that weren't tried.</summary>
    /// <param name="peers">What was found out.</param>
    /// <param name="all">How many VTEPs there are.</param>
    public static IEnumerable<HostFinding> Judge(IReadOnlyList<PeerState> peers, int all)
    {
        if (all == 0)
            yield return HostFinding.Ok(Id, "no VTEP is known that could be tried");
        if (peers.Any(peer => peer.IsTried && peer.Answers is null))
            yield return Warning(null, "this user can't ping, so whether VTEPs are there and what their paths carry wasn't tried", "run it as root, or with CAP_NET_RAW");
        foreach (PeerState peer in peers.Where(peer => peer.IsTried))
            yield return Judge(peer);
        int tried = peers.Count(peer => peer.IsTried);
        if (tried < all)
            yield return Warning(null, $"{tried} of {all} VTEPs were tried: no more than {PeerProbe.MostPeers}, and for two seconds", "run it again");
    }

    private static HostFinding Judge(PeerState peer)
    {
        string address = $"{peer.Peer.Address}";
        if (peer.IsDeaf)
            return Error(address, $"nobody listens on UDP port {peer.Peer.Port} of {address}", "start its vtep, or correct the peer's address and port here");
        if (peer.Answers == false)
            return Unreached(peer, address);
        if (peer.Carries is { } carries && carries < peer.PathMtu)
        {
            return Error(address, $"{address} answers packets of {carries} bytes and none larger, though the route there says {peer.PathMtu}: larger frames vanish on the way",
                $"find what drops them and their ICMP messages, or tell the route: 'ip route change ... mtu {carries}'");
        }

        string carried = peer.Answers is null ? $"nothing says that nobody listens on {peer.Peer}" : $"{address} answers packets of {peer.PathMtu} bytes, and UDP port {peer.Peer.Port} isn't closed";
        return HostFinding.Ok(Id, peer.IdleSeconds is { } idle ? $"{carried}; last heard {idle} s ago" : carried);
    }

    private static HostFinding Unreached(PeerState peer, string address) => peer.IdleSeconds is { } idle and < Recently
        ? Warning(address, $"{address} was heard {idle} s ago but doesn't answer ping, so what its path carries wasn't tried", "let ICMP pass")
        : Error(address, $"{address} doesn't answer ping", "look whether it is up, and for a firewall on the way; VTEPs need ICMP for path MTUs");

    private static HostFinding Error(string address, string message, string remedy) => new(Id, FindingSeverity.Error, address, null, message, remedy);

    private static HostFinding Warning(string? address, string message, string remedy) => new(Id, FindingSeverity.Warning, address, null, message, remedy);
}
