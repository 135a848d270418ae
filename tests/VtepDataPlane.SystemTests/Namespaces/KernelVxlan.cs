// The Linux kernel's vxlan device as the other VTEP: the reference implementation, and, against itself, the proof that a
// failure is the VTEP's and not the test bench's. See ip-link(8), "type vxlan".

using System.Net;

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>A vxlan device on a host; it goes with the host.</summary>
internal sealed class KernelVxlan
{
    private KernelVxlan(LabHost host, string device, int overlay)
    {
        Host = host;
        Station = host.Station(device, overlay);
    }

    public LabHost Host { get; }

    /// <summary>The machine on the overlay: the host itself, by the device's addresses.</summary>
    public Station Station { get; }

    /// <summary>With a flood list of unicast peers.</summary>
    public static KernelVxlan WithPeers(Lab lab, LabHost host, int vni, IEnumerable<IPAddress> peers, string options = "", int overlay = 0)
    {
        var vxlan = new KernelVxlan(host, $"vx{vni}", overlay);
        vxlan.Add($"id {vni} local {host.Underlay} dstport 4789 {options}", lab.OverlayMtu);
        foreach (IPAddress peer in peers)
            vxlan.AppendFdb("00:00:00:00:00:00", peer);
        return vxlan;
    }

    /// <summary>With a multicast group.</summary>
    public static KernelVxlan WithGroup(Lab lab, LabHost host, int vni, IPAddress group, string options = "", int overlay = 0)
    {
        var vxlan = new KernelVxlan(host, $"vx{vni}", overlay);
        vxlan.Add($"id {vni} local {host.Underlay} group {group} dev eth0 dstport 4789 ttl 1 {options}", lab.OverlayMtu);
        return vxlan;
    }

    /// <summary>Adds an FDB entry; with the all-zeros MAC a peer of the flood list.</summary>
    public void AppendFdb(string mac, IPAddress vtep) => Host.Namespace.BridgeTool($"fdb append {mac} dev {Station.Device} dst {vtep}");

    /// <summary>The kernel's FDB of the device.</summary>
    public string Fdb() => Host.Namespace.BridgeTool($"fdb show dev {Station.Device}").Output;

    // Without "dev" the kernel doesn't lower the MTU by the outer headers, so it is always said.
    private void Add(string parameters, int mtu)
    {
        Host.Namespace.Ip($"link add {Station.Device} mtu {mtu} type vxlan {parameters}");
        foreach (string prefix in Station.Prefixes)
            Host.Namespace.Ip($"addr add {prefix} dev {Station.Device}");
        Host.Namespace.Ip($"link set {Station.Device} up");
    }
}
