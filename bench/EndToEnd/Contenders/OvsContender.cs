// Open vSwitch with its userspace ("netdev") datapath, an instance of its own on each host with its database, sockets and logs in a folder of the
// bench.
//
//   eth0 --- br-underlay (has the VTEP address) - - routes - - vxlan ports on br-int (has the inner addresses)
//
// The datapath sends tunnel packets itself: the kernel's route must lead to an internal port of one of its bridges, so eth0 goes into
// br-underlay and gives it its address and MAC. See Documentation/howto/userspace-tunneling.rst. It reads eth0 through a packet socket that
// can't take super-frames, so a kernel that sends to it must finish them first.

using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Contenders;

/// <summary>Open vSwitch on each host.</summary>
internal sealed class OvsContender() : Contender("ovs")
{
    private const string Schema = "/usr/share/openvswitch/vswitch.ovsschema";
    private const string Device = "br-int";

    /// <inheritdoc/>
    public override bool ReadsOffTheDevice => true;

    /// <inheritdoc/>
    public override Endpoint Join(Segment segment)
    {
        string folder = Directory.CreateTempSubdirectory("vtep-bench-ovs-").FullName;
        string socket = Path.Combine(folder, "db.sock");
        string database = Path.Combine(folder, "conf.db");
        var environment = new Dictionary<string, string>
        {
            ["OVS_RUNDIR"] = folder,
            ["OVS_LOGDIR"] = folder,
            ["OVS_DBDIR"] = folder,
            ["OVS_SYSCONFDIR"] = folder,
        };
        Shell.Run("ovsdb-tool", "create", database, Schema);
        BackgroundProcess server = segment.Host.Start("ovsdb-server", [$"--remote=punix:{socket}", database], environment);
        Wait.Until("ovsdb-server listens", 10, () => IsListening(server, socket));
        var vsctl = new Vsctl(segment.Host, socket);
        vsctl.Run("--no-wait init");
        BackgroundProcess process = segment.Host.Start("ovs-vswitchd", [$"unix:{socket}"], environment);
        AddUnderlay(segment, vsctl);
        AddOverlay(segment, vsctl, folder);
        return new Endpoint(Device, folder, process);
    }

    private static bool IsListening(BackgroundProcess server, string socket)
    {
        server.MustRun();
        return File.Exists(socket);
    }

    private static void AddUnderlay(Segment segment, Vsctl vsctl)
    {
        Host host = segment.Host;
        vsctl.Run($"add-br br-underlay -- set bridge br-underlay datapath_type=netdev other-config:hwaddr={host.Mac(Host.UnderlayDevice)}");
        vsctl.Run($"add-port br-underlay {Host.UnderlayDevice}");
        host.Ip($"addr flush dev {Host.UnderlayDevice}");
        host.Ip($"addr add {segment.Local}/{(segment.Underlay.IsV6 ? 64 : 16)} dev br-underlay");
        host.Ip($"link set br-underlay mtu {segment.Underlay.Mtu} up");

        // What the datapath reads off eth0 goes up the host's own stack as well, which would answer that nobody listens.
        host.Exec("nft", "add table inet ovs");
        host.Exec("nft", "add chain inet ovs early { type filter hook prerouting priority raw; }");
        host.Exec("nft", $"add rule inet ovs early iifname {Host.UnderlayDevice} drop");
        if (!host.Reaches(segment.Peers[0]))
            _ = host.Reaches(segment.Peers[0]); // the answer teaches the datapath the peer's MAC; the peer may still be starting
    }

    private static void AddOverlay(Segment segment, Vsctl vsctl, string folder)
    {
        vsctl.Run($"add-br {Device} -- set bridge {Device} datapath_type=netdev");
        for (int i = 0; i < segment.Peers.Count; i++)
        {
            vsctl.Run($"add-port {Device} vx{i} -- set interface vx{i} type=vxlan options:local_ip={segment.Local} " +
                $"options:remote_ip={segment.Peers[i]} options:key={Segment.Vni} options:dst_port={Segment.Port}");
        }

        vsctl.Run($"set interface {Device} mtu_request={segment.Underlay.VxlanMtu}");
        segment.Host.SetUpInner(Device, segment.Underlay.VxlanMtu);
        if (segment.HasFixedStation)
        {
            segment.Host.Exec("ovs-ofctl", "add-flow", $"unix:{folder}/{Device}.mgmt",
                $"priority=100,in_port=LOCAL,dl_dst={Segment.StationMac},actions=output:vx0");
        }
    }

    private sealed record Vsctl(Host Host, string Socket)
    {
        public void Run(string words) =>
            Host.Exec("ovs-vsctl", [$"--db=unix:{Socket}", "--timeout=10", .. words.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
    }
}
