// A cable between two namespaces: a veth pair. MTU, addresses and checksum offload are set per end.

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>One end of a link.</summary>
internal readonly record struct LinkEnd(NetworkNamespace Namespace, string Device);

/// <summary>A veth pair, up at both ends; it goes with its namespaces.</summary>
internal sealed class VethLink
{
    /// <summary>Makes the pair.</summary>
    public VethLink(LinkEnd a, LinkEnd b, int mtu)
    {
        (A, B) = (a, b);
        a.Namespace.Ip($"link add {a.Device} type veth peer name {b.Device} netns {b.Namespace.Name}");
        foreach (LinkEnd end in (ReadOnlySpan<LinkEnd>)[a, b])
            end.Namespace.Ip($"link set {end.Device} mtu {mtu} up");
    }

    public LinkEnd A { get; }

    public LinkEnd B { get; }

    /// <summary>
    /// Makes the kernel finish checksums and segmentation before a packet of <paramref name="end"/> enters the link. Over a veth it
    /// otherwise leaves both to a receiver that never does them, and a capture would show checksums that nobody computed.
    /// </summary>
    public static void FinishChecksumsOf(LinkEnd end) => end.Namespace.Exec("ethtool", "-K", end.Device, "tx", "off");
}

/// <summary>A Linux bridge as a plain switch: every multicast goes to every port, no spanning tree, no wait before forwarding.</summary>
internal sealed class Bridge
{
    private readonly LinkEnd _bridge;

    /// <summary>Makes it.</summary>
    public Bridge(NetworkNamespace place, string device, int mtu)
    {
        _bridge = new LinkEnd(place, device);
        place.Ip($"link add {device} mtu {mtu} type bridge mcast_snooping 0 stp_state 0 forward_delay 0");
        place.Ip($"link set {device} up");
    }

    /// <summary>Attaches a device.</summary>
    public void Attach(string device) => _bridge.Namespace.Ip($"link set {device} master {_bridge.Device}");
}

/// <summary>A router between two links: forwards both families.</summary>
internal sealed class Router : IDisposable
{
    /// <summary>Makes its namespace.</summary>
    public Router(string role)
    {
        Namespace = new NetworkNamespace(role);
        Namespace.Sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
    }

    public NetworkNamespace Namespace { get; }

    /// <inheritdoc/>
    public void Dispose() => Namespace.Dispose();
}
