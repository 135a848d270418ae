// Open vSwitch as the other VTEP, its userspace ("netdev") datapath: no kernel module, and nothing of the system's own OVS
// is touched, since database, sockets and pid files lie in a folder of the test.
//
//   eth0 --- br-underlay (has the VTEP address) - - routes - - vxlan port on br-int (has the overlay addresses)
//
// The netdev datapath sends a tunnel packet itself: it looks the route up in the kernel's table, which must lead to an internal
// port of one of its own bridges, and resolves the next hop by ARP on that bridge. So the host's eth0 is put into
// br-underlay and its address moves to the bridge's internal port. See Documentation/howto/userspace-tunneling.rst.

using System.Net;

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>An Open vSwitch of its own on a host; it goes with the host, its folder on disposal.</summary>
internal sealed class OvsPeer : IDisposable
{
    private const string Schema = "/usr/share/openvswitch/vswitch.ovsschema";
    private readonly string _folder = Directory.CreateTempSubdirectory("vtep-ovs-").FullName;
    private readonly Dictionary<string, string> _environment;
    private readonly BackgroundProcess _database;
    private readonly BackgroundProcess _switch;

    /// <summary>Starts OVS on <paramref name="host"/> with one vxlan port towards <paramref name="peer"/>.</summary>
    public OvsPeer(Lab lab, LabHost host, int vni, IPAddress peer)
    {
        Requirements.Need("ovs-vsctl", "ovs-vswitchd", "ovsdb-server", "ethtool");
        Host = host;
        Station = host.Station("br-int");
        _environment = new Dictionary<string, string>
        {
            ["OVS_RUNDIR"] = _folder,
            ["OVS_LOGDIR"] = _folder,
            ["OVS_DBDIR"] = _folder,
            ["OVS_SYSCONFDIR"] = _folder,
        };
        Command.Run("ovsdb-tool", "create", Path.Combine(_folder, "conf.db"), Schema).OrFail();
        _database = host.Namespace.Start("ovsdb-server", [$"--remote=punix:{Socket}", Path.Combine(_folder, "conf.db")], _environment);
        Wait.Until("ovsdb-server listens", () => File.Exists(Socket), 10, () => _database.Text);
        Vsctl("--no-wait init");
        _switch = host.Namespace.Start("ovs-vswitchd", [$"unix:{Socket}"], _environment);
        AddUnderlay(lab, host);
        AddOverlay(lab, vni, peer);
    }

    public LabHost Host { get; }

    /// <summary>The machine on the overlay: the host itself, by br-int.</summary>
    public Station Station { get; }

    private string Socket => Path.Combine(_folder, "db.sock");

    /// <summary>Ends OVS and deletes its folder.</summary>
    public void Dispose()
    {
        _switch.Dispose();
        _database.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // eth0 gives its MAC as well as its address to the bridge: on one wire there shall be one machine. OVS reads eth0 through a
    // packet socket without checksum metadata, so whoever sends to it must finish its checksums (VethLink.FinishChecksumsOf).
    private void AddUnderlay(Lab lab, LabHost host)
    {
        string mac = host.Namespace.Exec("cat", "/sys/class/net/eth0/address").Output.Trim();
        Vsctl($"add-br br-underlay -- set bridge br-underlay datapath_type=netdev other-config:hwaddr={mac}");
        Vsctl("add-port br-underlay eth0");
        host.Namespace.Ip("addr flush dev eth0");
        host.Namespace.Ip($"addr add {host.Underlay}/{(host.IsIPv6 ? 64 : 24)} dev br-underlay");
        host.Namespace.Ip($"link set br-underlay mtu {lab.Mtu} up");
    }

    private void AddOverlay(Lab lab, int vni, IPAddress peer)
    {
        Vsctl("add-br br-int -- set bridge br-int datapath_type=netdev");
        Vsctl("add-port br-int vx0 -- set interface vx0 type=vxlan " +
            $"options:local_ip={Host.Underlay} options:remote_ip={peer} options:key={vni}");
        foreach (string prefix in Station.Prefixes)
            Host.Namespace.Ip($"addr add {prefix} dev br-int");
        Vsctl($"set interface br-int mtu_request={lab.OverlayMtu}");
        Host.Namespace.Ip("link set br-int up");
    }

    private void Vsctl(string words) =>
        Host.Namespace.Exec("ovs-vsctl",
            [$"--db=unix:{Socket}", "--timeout=10", .. words.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
}
