// What a running daemon tells that points to trouble: its own warnings, and frames dropped for a reason that has a remedy. Counters count
// from its start, so these are warnings: the trouble may be over.

using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Inspection;

namespace VtepDataPlane.Daemon.Inspection;

/// <summary>Rules of a daemon's own view.</summary>
internal static class DaemonRules
{
    private static readonly (DropReason Reason, string What, string Remedy)[] s_drops =
    [
        (DropReason.VniNotFound, "had a VNI that no domain here has", "add the domain, or take this host off the sender's peers"),
        (DropReason.PeerUnknown, "came from a VTEP that their domain doesn't know", "list it as a peer if it is one ('vtep show peers')"),
        (DropReason.PeerLimit, "came from more VTEPs than may be learned", "raise underlay.learnedPeerLimit"),
        (DropReason.InnerVlanDenied, "had a VLAN tag, which their domain doesn't carry", "write \"innerVlan\": \"pass\" on every VTEP of the domain if tags are wanted"),
        (DropReason.LocalMac, "came back from the tunnel with a MAC of our own", "look for a loop: a bridge that joins two segments, or a MAC used twice"),
        (DropReason.PathMtuExceeded, "were longer than the path to their VTEP carries", "lower the MTU of the stations ('vtep show domains' says to what), or raise the underlay's"),
        (DropReason.RouteLoop, "had a VTEP whose route leaves through our own port", "route it through the underlay's interface"),
        (DropReason.NoRoute, "had no route to their VTEP", "add one ('ip route add')"),
        (DropReason.LinkMtuExceeded, "were longer than the underlay's link takes", "lower the MTU of the ports, or raise that of the link"),
        (DropReason.TxDenied, "were refused by this host's firewall", "let UDP out to the VXLAN port ('nft list ruleset')"),
        (DropReason.TxNoBuffer, "found no buffer to be sent from", "raise net.core.wmem_max, or look for a slow link"),
        (DropReason.PortNoBuffer, "found no room in a port whose reader is slow", "look at what reads it ('vtep show ports')"),
    ];

    /// <summary>Judges.</summary>
    public static IEnumerable<HostFinding> Judge(DaemonView daemon)
    {
        if (daemon.Status is not { } status)
            return [new HostFinding("daemon", FindingSeverity.Warning, null, null, daemon.Problem!.TrimEnd('.'), null)];
        return
        [
            HostFinding.Ok("daemon", $"vtep runs: {status.BridgeDomains} domains, {status.Ports} ports, {status.Peers} VTEPs known"),
            .. status.Warnings.Select(warning => new HostFinding("daemon", FindingSeverity.Warning, null, null, warning.TrimEnd('.'), null)),
            .. Drops(daemon.Counters?.Drops ?? new Dictionary<DropReason, long>()),
        ];
    }

    private static List<HostFinding> Drops(IReadOnlyDictionary<DropReason, long> drops)
    {
        List<HostFinding> found =
        [
            .. s_drops.Where(drop => drops.GetValueOrDefault(drop.Reason) > 0)
                .Select(drop => new HostFinding("drops", FindingSeverity.Warning, drop.Reason.Name(), null, $"{drops[drop.Reason]} frames {drop.What} ({drop.Reason.Name()})", drop.Remedy)),
        ];
        return found.Count > 0 ? found : [HostFinding.Ok("drops", "no frame was dropped for a reason that has a remedy")];
    }
}
