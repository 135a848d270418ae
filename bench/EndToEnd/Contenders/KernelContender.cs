// The Linux kernel's vxlan device (ip-link(8)): the reference. It has no process; its work is done on the time of whoever sends, and in
// the softirq that follows.

using System.Net;
using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Contenders;

/// <summary>A vxlan device on each host.</summary>
internal sealed class KernelContender() : Contender("kernel")
{
    private const string Device = "vxlan0";
    private const string Flood = "00:00:00:00:00:00";

    /// <inheritdoc/>
    public override Endpoint Join(Segment segment)
    {
        Host host = segment.Host;
        host.Ip($"link add {Device} type vxlan id {Segment.Vni} local {segment.Local} dstport {Segment.Port}");
        host.SetUpInner(Device, segment.Underlay.VxlanMtu);
        foreach (IPAddress peer in segment.Peers)
            host.BridgeTool($"fdb append {Flood} dev {Device} dst {peer}");
        if (segment.HasFixedStation)
            host.BridgeTool($"fdb add {Segment.StationMac} dev {Device} dst {segment.Peers[0]}");
        return new Endpoint(Device);
    }
}
