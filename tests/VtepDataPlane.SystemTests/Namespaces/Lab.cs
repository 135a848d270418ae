// The machines of a test: hosts h1, h2, ... in namespaces of their own, joined by an underlay.
//
//   switched                                    routed
//   h1 eth0 --- p1 [ switch ] p2 --- eth0 h2    h1 eth0 --- p1 [ router ] p2 --- eth0 h2
//                       p3 --- eth0 h3
//
//   underlay   198.18.0.N/24 or fd00:18::N/64; routed: 198.18.N.1/24 or fd00:18:N::1/64, the router being .254 or ::fe
//   overlay    198.19.0.N/24 and fd00:19::N/64, on a device of the VTEP under test (Station)
//
// The middle is the place to capture: port pN carries what host N sends and receives.

using System.Net;
using System.Net.Sockets;

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>Hosts joined by an underlay. Disposal kills what runs in them and deletes them.</summary>
internal sealed class Lab : IDisposable
{
    private readonly List<IDisposable> _owned = [];
    private readonly List<LabHost> _hosts = [];

    private Lab(AddressFamily family, NetworkNamespace middle, int mtu) => (Family, Middle, Mtu) = (family, middle, mtu);

    /// <summary>IPv4 or IPv6 underlay.</summary>
    public AddressFamily Family { get; }

    /// <summary>MTU of the link of the first host.</summary>
    public int Mtu { get; }

    /// <summary>The switch's or router's namespace.</summary>
    public NetworkNamespace Middle { get; }

    /// <summary>Host N is at index N - 1.</summary>
    public IReadOnlyList<LabHost> Hosts => _hosts;

    /// <summary>What an inner frame may carry: less the outer IP, UDP and VXLAN headers and the inner Ethernet header.</summary>
    public int OverlayMtu => Mtu - (Family == AddressFamily.InterNetworkV6 ? 70 : 50);

    /// <summary>Hosts on one switch.</summary>
    public static Lab Switched(AddressFamily family, int hosts, int mtu = 1500)
    {
        Requirements.Need("ip", "sysctl", "ethtool");
        var middle = new NetworkNamespace("switch");
        var lab = new Lab(family, middle, mtu);
        lab._owned.Add(middle);
        try
        {
            var bridge = new Bridge(middle, "br0", mtu);
            for (int number = 1; number <= hosts; number++)
            {
                LabHost host = lab.AddHost(number, mtu, Address(family, number));
                bridge.Attach(host.Link.B.Device);
                host.Namespace.Ip($"addr add {host.Underlay}/{(host.IsIPv6 ? "64" : "24")} dev {host.Link.A.Device}");
            }

            return lab;
        }
        catch
        {
            lab.Dispose();
            throw;
        }
    }

    /// <summary>Two hosts with a router between them, whose links may differ in MTU.</summary>
    public static Lab Routed(AddressFamily family, int nearMtu = 1500, int farMtu = 1500)
    {
        Requirements.Need("ip", "sysctl", "ethtool");
        var router = new Router("router");
        var lab = new Lab(family, router.Namespace, nearMtu);
        lab._owned.Add(router);
        try
        {
            for (int number = 1; number <= 2; number++)
                lab.AddRoutedHost(number, number == 1 ? nearMtu : farMtu);
            return lab;
        }
        catch
        {
            lab.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDisposable owned in Enumerable.Reverse(_owned))
            owned.Dispose();
    }

    private static IPAddress Address(AddressFamily family, int number) =>
        IPAddress.Parse(family == AddressFamily.InterNetworkV6 ? $"fd00:18::{number}" : $"198.18.0.{number}");

    private LabHost AddHost(int number, int mtu, IPAddress underlay)
    {
        var place = new NetworkNamespace($"h{number}");
        _owned.Add(place);
        var link = new VethLink(new LinkEnd(place, "eth0"), new LinkEnd(Middle, $"p{number}"), mtu);
        var host = new LabHost(number, place, link, underlay);
        _hosts.Add(host);
        return host;
    }

    private void AddRoutedHost(int number, int mtu)
    {
        bool v6 = Family == AddressFamily.InterNetworkV6;
        (string prefix, string own, string gateway, int length) =
            v6 ? ($"fd00:18:{number}::", "1", "fe", 64) : ($"198.18.{number}.", "1", "254", 24);
        LabHost host = AddHost(number, mtu, IPAddress.Parse(prefix + own));
        host.Namespace.Ip($"addr add {prefix}{own}/{length} dev eth0");
        Middle.Ip($"addr add {prefix}{gateway}/{length} dev p{number}");
        host.Namespace.Ip($"{(v6 ? "-6 " : "")}route add default via {prefix}{gateway}");
    }
}

/// <summary>One host of a lab.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Namespace">Where its programs run.</param>
/// <param name="Link">End A is its <c>eth0</c>, end B the port of switch or router.</param>
/// <param name="Underlay">Its address on the underlay: its VTEP address.</param>
internal sealed record LabHost(int Number, NetworkNamespace Namespace, VethLink Link, IPAddress Underlay)
{
    public bool IsIPv6 => Underlay.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>Its station in overlay <paramref name="overlay"/>, on <paramref name="device"/>.</summary>
    public Station Station(string device, int overlay = 0) =>
        new(Namespace, device, IPAddress.Parse($"198.19.{overlay}.{Number}"), IPAddress.Parse($"fd00:19:{overlay:x}::{Number}"));
}

/// <summary>A machine on the overlay: the device and addresses it is reached by.</summary>
internal sealed record Station(NetworkNamespace Namespace, string Device, IPAddress Address4, IPAddress Address6)
{
    /// <summary>Its addresses with prefix lengths, as a configuration or ip(8) takes them.</summary>
    public IReadOnlyList<string> Prefixes => [$"{Address4}/24", $"{Address6}/64"];

    /// <summary>The address of that family.</summary>
    public IPAddress Address(AddressFamily family) => family == AddressFamily.InterNetworkV6 ? Address6 : Address4;

    /// <summary>The device's MAC.</summary>
    public string Mac => Namespace.Exec("cat", $"/sys/class/net/{Device}/address").Output.Trim();
}
