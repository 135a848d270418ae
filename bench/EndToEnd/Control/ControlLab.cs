// Hosts on one switch, a Linux bridge in a namespace of its own:
//
//   host 1 .. 3   VTEPs              198.18.0.1 .. .3
//   host 4        the store          198.18.0.4
//
// and behind host 4, as behind a router, the VTEPs of nodes that exist in the store only: 198.18.16.0/20. Nothing answers there; what is flooded
// to them ends at host 4, without asking for the address of each.

using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Control;

/// <summary>The hosts; deleted on disposal.</summary>
internal sealed class ControlLab : IDisposable
{
    private const int Mtu = 1550;
    private const int HostCount = 4;
    private const string Bridge = "br0";
    private readonly List<Host> _all = [];

    public ControlLab()
    {
        try
        {
            Host hub = Add(0);
            hub.Ip($"link add {Bridge} mtu {Mtu} type bridge mcast_snooping 0");
            hub.Ip($"link set {Bridge} up");
            for (int i = 1; i <= HostCount; i++)
                Connect(Add(i), hub);
            Store = new EtcdStore(Hosts[^1]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Network of VTEPs that aren't there: 4,096 addresses.</summary>
    public const uint ForeignVteps = 0xc612_1000; // 198.18.16.0

    /// <summary>Hosts 1 to 4.</summary>
    public IReadOnlyList<Host> Hosts => _all[1..];

    /// <summary>On host 4.</summary>
    public EtcdStore Store { get; } = null!;

    /// <inheritdoc/>
    public void Dispose()
    {
        Store?.Dispose();
        foreach (Host host in _all)
            host.Dispose();
    }

    private Host Add(int number)
    {
        var host = new Host(number);
        _all.Add(host);
        return host;
    }

    private static void Connect(Host host, Host hub)
    {
        host.Ip($"link add {Host.UnderlayDevice} mtu {Mtu} type veth peer name port{host.Number} mtu {Mtu} netns {hub.Name}");
        host.Ip($"link set {Host.UnderlayDevice} up");
        host.Ip($"addr add {host.Underlay(v6: false)}/16 dev {Host.UnderlayDevice}");
        hub.Ip($"link set port{host.Number} master {Bridge} up");
        if (host.Number < HostCount)
            host.Ip($"route add 198.18.16.0/20 via 198.18.0.{HostCount} dev {Host.UnderlayDevice}");
    }
}
