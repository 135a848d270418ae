// Routes of a real kernel: what the forwarding table says about a destination, and what it must not be made to say.

using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.Wire;

namespace VtepDataPlane.SystemTests.Netlink;

internal sealed class RouteTests
{
    private NetlinkNamespace _host = null!;

    [SetUp]
    public void MakeNamespace() => _host = new NetlinkNamespace(
        "link add v0 type veth peer name v1", "link set v0 up", "link set v1 up",
        "link add narrow mtu 1300 type veth peer name n1", "link set narrow up", "link set n1 up",
        "addr add 198.18.0.1/24 dev v0", "addr add fd00:18::1/64 dev v0 nodad",
        "addr add 198.18.9.1/24 dev narrow", "addr add fd00:9::1/64 dev narrow nodad");

    [TearDown]
    public void DeleteNamespace() => _host.Dispose();

    [TestCase("198.18.0.2")]
    [TestCase("fd00:18::2")]
    public void GetRoute_ToANeighbour_IsDirect(string destination)
    {
        RouteInfo route = Route(destination)!;

        Assert.That(route.NextHops, Is.EqualTo(new[] { new NextHop(_host.Link("v0").Index, default) }));
        Assert.That((route.MtuMetric, route.IsLocal), Is.EqualTo((0, false)));
    }

    [TestCase("198.18.20.0/24", "198.18.0.254", "198.18.20.5")]
    [TestCase("fd00:20::/64", "fd00:18::fe", "fd00:20::5")]
    public void GetRoute_ThroughARouter_TellsItAndTheMtuMetric(string prefix, string gateway, string destination)
    {
        _host.Ip($"route add {prefix} via {gateway} mtu 1399");

        RouteInfo route = Route(destination)!;

        Assert.That((route.InterfaceIndex, route.Gateway.ToString(), route.MtuMetric), Is.EqualTo((_host.Link("v0").Index, gateway, 1399)));
    }

    [Test]
    public void GetRoute_WithAnIPv6GatewayForIPv4_TellsIt()
    {
        _host.Ip("route add 198.18.20.0/24 via inet6 fd00:18::fe dev v0");

        Assert.That(Route("198.18.20.5")!.Gateway.ToString(), Is.EqualTo("fd00:18::fe"));
    }

    [TestCase("198.18.20.0/24", "198.18.0.254", "198.18.9.254", "198.18.20.5")]
    [TestCase("fd00:20::/64", "fd00:18::fe", "fd00:9::fe", "fd00:20::5")]
    public void GetRoute_WithSeveralWays_TellsAllAndTheNarrowestFirst(string prefix, string wide, string narrow, string destination)
    {
        _host.Ip($"route add {prefix} mtu 1450 nexthop via {wide} dev v0 nexthop via {narrow} dev narrow");

        RouteInfo route = Route(destination)!;

        Assert.That(route.NextHops, Is.EqualTo(new[]
        {
            new NextHop(_host.Link("narrow").Index, InetAddress.Parse(narrow)), new NextHop(_host.Link("v0").Index, InetAddress.Parse(wide)),
        }));
        Assert.That(route.MtuMetric, Is.EqualTo(1450));
    }

    [Test]
    public void GetRoute_WithSeveralWays_LeavesOutOneWithoutCarrier()
    {
        _host.Ip("route add 198.18.20.0/24 nexthop via 198.18.0.254 dev v0 nexthop via 198.18.9.254 dev narrow");
        _host.Ip("link set n1 down");

        Assert.That(
            () => Route("198.18.20.5")!.NextHops.Select(hop => hop.InterfaceIndex),
            Is.EqualTo(new[] { _host.Link("v0").Index }).After(5000, 10));
    }

    [TestCase("198.18.20.0/24", "198.18.0.254", "198.18.20.5")]
    [TestCase("fd00:20::/64", "fd00:18::fe", "fd00:20::5")]
    public void GetRoute_ByANextHopObject_TellsInterfaceAndGateway(string prefix, string gateway, string destination)
    {
        _host.Ip($"nexthop add id 7 via {gateway} dev v0");
        _host.Ip($"route add {prefix} nhid 7");

        Assert.That(Route(destination)!.NextHops, Is.EqualTo(new[] { new NextHop(_host.Link("v0").Index, InetAddress.Parse(gateway)) }));
    }

    [TestCase("198.18.20.0/24", "198.18.0.254", "198.18.20.5")]
    [TestCase("fd00:20::/64", "fd00:18::fe", "fd00:20::5")]
    public void GetRoute_ByANextHopObjectAlone_TellsInterfaceAndGateway(string prefix, string gateway, string destination)
    {
        _host.Exec("sysctl -qw net.ipv4.nexthop_compat_mode=0");
        _host.Ip($"nexthop add id 7 via {gateway} dev v0");
        _host.Ip($"route add {prefix} nhid 7 mtu 1399");

        RouteInfo route = Route(destination)!;

        Assert.That(route.NextHops, Is.EqualTo(new[] { new NextHop(_host.Link("v0").Index, InetAddress.Parse(gateway)) }));
        Assert.That(route.MtuMetric, Is.EqualTo(1399));
    }

    [TestCase("198.18.0.1")]
    [TestCase("127.0.0.1")]
    [TestCase("fd00:18::1")]
    [TestCase("::1")]
    public void GetRoute_ToOurselves_IsLocal(string destination)
    {
        // The kernel adds an IPv6 address's local route from a work queue, a moment after the address.
        Assert.That(() => Route(destination)!.IsLocal, Is.True.After(5000, 10));
    }

    [TestCase("unreachable", "198.18.20.0/24", "198.18.20.5")]
    [TestCase("blackhole", "198.18.20.0/24", "198.18.20.5")]
    [TestCase("prohibit", "198.18.20.0/24", "198.18.20.5")]
    [TestCase("throw", "198.18.20.0/24", "198.18.20.5")]
    [TestCase("unreachable", "fd00:20::/64", "fd00:20::5")]
    [TestCase("blackhole", "fd00:20::/64", "fd00:20::5")]
    [TestCase("prohibit", "fd00:20::/64", "fd00:20::5")]
    [TestCase("throw", "fd00:20::/64", "fd00:20::5")]
    public void GetRoute_OfATypeThatSendsNothing_IsNull(string type, string prefix, string destination)
    {
        _host.Ip($"route add {type} {prefix}");

        Assert.That(Route(destination), Is.Null);
    }

    [TestCase("198.19.0.1")]
    [TestCase("fd00:ffff::1")]
    public void GetRoute_ToNowhere_IsNull(string destination) => Assert.That(Route(destination), Is.Null);

    [TestCase("0.0.0.0")]
    [TestCase("::")]
    [TestCase("239.1.1.1")]
    [TestCase("ff02::1")]
    [TestCase("255.255.255.255")]
    [TestCase("198.18.0.255")]
    public void GetRoute_ToNoUnicastAddress_IsNull(string destination) => Assert.That(Route(destination), Is.Null);

    [Test]
    public void GetRoute_ToNone_IsNull() => Assert.That(_host.Netlink.GetRoute(default), Is.Null);

    /// <summary>A router with a narrow far side answers our large datagram with "fragmentation needed" or "packet too big", as a
    /// forger would: the kernel then caches a smaller path MTU for the destination. It must not show.</summary>
    [TestCase("198.18.20.5", 1350)]
    [TestCase("fd00:20::5", 1350)]
    public void GetRoute_DoesNotBelieveAPathMtuException(string destination, int narrowMtu)
    {
        using var router = new NetlinkNamespace();
        _host.Ip($"link set v1 netns {router.Name}");
        router.Exec("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
        router.IpBatch(
        [
            "link set v1 up", "addr add 198.18.0.254/24 dev v1", "addr add fd00:18::fe/64 dev v1 nodad",
            $"link add far mtu {narrowMtu} type veth peer name end", "link set far up", "link set end up",
            "route add 198.18.20.0/24 dev far", "route add fd00:20::/64 dev far",
        ]);
        _host.Ip("route add 198.18.20.0/24 via 198.18.0.254");
        _host.Ip("route add fd00:20::/64 via fd00:18::fe");

        Assert.That(() => CachedMtu(destination), Does.Contain($"mtu {narrowMtu}").After(10_000, 50), "the exception is planted");

        RouteInfo route = Route(destination)!;
        Assert.That((route.MtuMetric, route.InterfaceIndex), Is.EqualTo((0, _host.Link("v0").Index)));
    }

    private RouteInfo? Route(string destination) => _host.Netlink.GetRoute(InetAddress.Parse(destination));

    /// <summary>Sends a datagram of the link's full size, then gives ip(8)'s words on the route's cache.</summary>
    private string CachedMtu(string destination)
    {
        InNamespace.Run(_host.Name, () =>
        {
            var remote = new IPEndPoint(IPAddress.Parse(destination), 9);
            using var socket = new Socket(remote.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.SendTo(new byte[1400], remote);
        });
        return _host.Ip($"route get {destination}");
    }
}
