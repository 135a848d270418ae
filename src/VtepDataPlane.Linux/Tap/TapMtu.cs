// The MTU a port without one of its own is set up with, before there is a daemon: what PathTable will find, from the same routes and links.
// What it can't see yet are VTEPs that a controller will name, and routers' reports; the link that has our own address stands in for those
// VTEPs, which is right unless some of them are behind a narrower path. Where not even a route is there, a new device gets what fits into a
// link of 1500 bytes, and one that is there is left as it is.
//
// Set-up only.

using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Linux.Udp;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Tap;

/// <summary>The MTU of a domain's ports, and what to know about it.</summary>
/// <param name="Mtu">Bytes; null: nothing is known that it could follow from.</param>
/// <param name="Assumed">Bytes for a device that is made now.</param>
/// <param name="Note">What the operator should know; null: it is what the daemon will find too.</param>
internal readonly record struct TapMtu(int? Mtu, int Assumed, string? Note)
{
    private const int UsualLink = 1500;

    /// <summary>The operator says so.</summary>
    public static TapMtu Configured(int mtu) => new(mtu, mtu, null);

    /// <summary>Follows the routes to the domain's VTEPs.</summary>
    public static TapMtu Of(BridgeDomainConfig domain, UnderlayConfig underlay, RtNetlink netlink) => domain.Discovery switch
    {
        StaticDiscovery peers => OfPeers(peers, domain.Encapsulation, netlink),
        MulticastDiscovery multicast => OfGroup(multicast.Group, domain.Encapsulation, netlink),
        _ => OfOwnLink(underlay, domain.Encapsulation, netlink),
    };

    private static TapMtu OfPeers(StaticDiscovery discovery, EncapsulationPolicy policy, RtNetlink netlink)
    {
        int smallest = int.MaxValue;
        foreach (VtepEndpoint peer in discovery.Peers)
        {
            UnderlayPath path = UdpUnderlay.RouteTo(peer.Address, netlink);
            if (path.Status == PathStatus.Reachable)
                smallest = Math.Min(smallest, Encapsulator.PortMtu(path.Mtu, peer.Address, policy.InnerVlan));
        }

        return smallest == int.MaxValue
            ? Unknown("there is no route to any peer", discovery.Peers is [var first, ..] ? first.Address : default, policy)
            : Configured(PathTable.Bounded(smallest));
    }

    private static TapMtu OfGroup(MulticastGroup group, EncapsulationPolicy policy, RtNetlink netlink) =>
        netlink.GetLink(group.Interface) is { } link
            ? Through(link, group.Group, policy)
            : Unknown($"there is no interface '{group.Interface}'", group.Group, policy);

    private static TapMtu OfOwnLink(UnderlayConfig underlay, EncapsulationPolicy policy, RtNetlink netlink)
    {
        InetAddress local = LocalAddress.Read(underlay, netlink).Address;
        int index = netlink.GetAddresses().FirstOrDefault(address => address.Address == local)?.Index ?? 0;
        return netlink.GetLink(index) is { } link
            ? Through(link, local, policy) with { Note = $"that of '{link.Name}', since the controller's VTEPs aren't known yet" }
            : Unknown("there is no interface with our VTEP address", underlay.Local ?? default, policy);
    }

    private static TapMtu Through(LinkInfo link, in InetAddress remote, EncapsulationPolicy policy) =>
        Configured(PathTable.Bounded(Encapsulator.PortMtu(link.Mtu, remote, policy.InnerVlan)));

    private static TapMtu Unknown(string why, in InetAddress remote, EncapsulationPolicy policy) =>
        new(null, PathTable.Bounded(Encapsulator.PortMtu(UsualLink, remote, policy.InnerVlan)), $"{why} yet that it could follow: run it again when there is");
}
