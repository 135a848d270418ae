// Every rule of the host: what is right gives one line that says so, and each thing wrong its exact sentence.

using NUnit.Framework;
using Tmds.Linux;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Linux.Inspection;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Linux.Udp;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Inspection.MadeUpHost;

namespace VtepDataPlane.Tests.Inspection;

[TestFixture]
public sealed class HostRulesTests
{
    private const string Port0 = "$.bridgeDomains[0].ports[0]";

    [Test]
    public void HealthyHost_IsOkInEverything_AndEachLineSaysWhatWasLookedAt()
    {
        IReadOnlyList<HostFinding> findings = HostInspection.Judge(Config(), Facts());

        Assert.That(findings.Select(finding => $"{finding.Severity} {finding.Id} {finding}"), Is.EqualTo(new[]
        {
            "Ok rights no CAP_NET_ADMIN, and none is needed: every TAP device is there and set up",
            "Ok module /dev/net/tun can be opened; the kernel's vxlan module isn't needed",
            "Ok local 198.18.0.1 is an address of this host",
            "Ok port UDP port 4789 is free on 198.18.0.1",
            "Ok vxlan no vxlan device of the kernel has a VNI of ours on UDP port 4789",
            "Ok tap 1 TAP device: none is taken",
            "Ok bridge every bridge that ports name is there",
            "Ok route 1 VTEP named, a route to each",
            "Ok group every group's interface is up and does multicast",
            "Ok mtu every port's packets fit into the path to each of its VTEPs",
            "Ok buffers sockets get 8 MiB to receive and 4 MiB to send",
            "Ok offloads Linux 6.18 has UDP_SEGMENT, UDP_GRO and TAP devices with TSO and USO",
            "Ok files 524288 files may be open",
            "Ok clock the clock is synchronized, and read from tsc",
            "Ok conntrack netfilter tracks no connections here",
        }));
    }

    [Test]
    public void TapThatIsMissing_WithoutTheRightToMakeIt_IsAnError_AndWithItNone()
    {
        HostFacts facts = Facts() with { Links = [Eth0] };

        Assert.That(Wrong(Config(), facts), Is.EqualTo(new[]
        {
            $"Error rights {Port0}.tap: there is no 'tap-blue', and creating a TAP device needs CAP_NET_ADMIN; "
            + "make it beforehand: 'ip tuntap add dev tap-blue mode tap multi_queue user <this user>', or run with CAP_NET_ADMIN",
        }));
        Assert.That(Wrong(Config(), facts with { Rights = facts.Rights with { MayAdministerNetwork = true } }), Is.Empty);
        Assert.That(Wrong(Config(), facts with { Running = new RunningVtep(new HashSet<string>()) }), Is.Empty, "the rights of the vtep that runs aren't ours");
    }

    [Test]
    public void TapOfAnotherUserOrGroup_IsAnError()
    {
        string[] expected =
            [$"Error rights {Port0}.tap: it belongs to another user; make it anew with 'ip tuntap add dev tap-blue mode tap multi_queue user <this user>'"];

        Assert.That(Wrong(Config(), WithTap(Tap with { Tun = new TunInfo(true, 0, null) })), Is.EqualTo(expected));
        Assert.That(Wrong(Config(), WithTap(Tap with { Tun = new TunInfo(true, User, 7) })), Is.EqualTo(expected));
        Assert.That(Wrong(Config(), WithTap(Tap with { Tun = new TunInfo(true, null, User) })), Is.Empty);
    }

    [Test]
    public void WhatCannotBeSetWithoutRights_IsAnErrorWhereFramesWouldGoAstray_AndElseAWarning()
    {
        VtepConfig config = WithPort(port => port with
        {
            Mac = new MacAddress(0x02005E100009),
            Mtu = 1400,
            Bridge = "br0",
            Addresses = [new InterfaceAddress(InetAddress.Parse("198.19.0.1"), 24)],
        });
        HostFacts facts = Facts() with { Links = [Eth0, Tap with { IsUp = false }, Eth0 with { Index = 4, Name = "br0", Kind = "bridge" }] };

        Assert.That(Wrong(config, facts), Is.EqualTo(new[]
        {
            $"Error rights {Port0}.mac: the MAC of 'tap-blue' is 02:00:5e:10:00:01, and changing that needs CAP_NET_ADMIN; "
            + "set it beforehand: 'ip link set dev tap-blue address 02:00:5e:10:00:09'",
            $"Error rights {Port0}.bridge: 'tap-blue' isn't attached to 'br0', and changing that needs CAP_NET_ADMIN; "
            + "set it beforehand: 'ip link set dev tap-blue master br0'",
            $"Error rights {Port0}.addresses[0]: 'tap-blue' doesn't have 198.19.0.1/24, and changing that needs CAP_NET_ADMIN; "
            + "set it beforehand: 'ip address add 198.19.0.1/24 dev tap-blue'",
            $"Warning rights {Port0}.mtu: the MTU of 'tap-blue' is 1450, and changing that needs CAP_NET_ADMIN; "
            + "set it beforehand: 'ip link set dev tap-blue mtu 1400'",
            $"Warning rights {Port0}.tap: 'tap-blue' is down, and changing that needs CAP_NET_ADMIN; "
            + "set it beforehand: 'ip link set dev tap-blue up'",
        }));
        Assert.That(Wrong(config, facts with { Rights = facts.Rights with { MayAdministerNetwork = true } }), Is.Empty);
    }

    [Test]
    public void DriverThatCannotBeOpened_IsAnErrorWithItsReason()
    {
        Assert.That(Wrong(Config(), Facts() with { TunError = -LibC.ENOENT }), Is.EqualTo(new[]
        {
            $"Error module {Port0}.tap: /dev/net/tun: No such file or directory (ENOENT); load the driver ('modprobe tun'); a container must be given the device",
        }));
        Assert.That(Wrong(Config(), Facts() with { TunError = -LibC.EACCES }), Is.EqualTo(new[]
        {
            $"Error module {Port0}.tap: /dev/net/tun: Permission denied (EACCES); let this user open it ('chmod 0666 /dev/net/tun' is the common mode), or run as root",
        }));
    }

    [Test]
    public void LocalAddressThatIsNotHere_MeansAnotherMachine()
    {
        HostFacts facts = Facts() with { Local = new LocalAddress(Local, IsPresent: false), Addresses = [new AddressInfo(2, Peer, 24, 0, AddressFlags.None)] };
        VtepConfig byInterface = Config() with { Underlay = new UnderlayConfig { Interface = "eth7" } };

        Assert.That(HostInspection.AnotherMachine(Config(), facts), Is.EqualTo("198.18.0.1 is not on this host, so what depends on the machine wasn't checked"));
        Assert.That(HostInspection.AnotherMachine(byInterface, facts with { Local = default }),
            Is.EqualTo("the interface 'eth7' is not on this host, so what depends on the machine wasn't checked"));
        Assert.That(HostInspection.AnotherMachine(Config(), Facts()), Is.Null);
        Assert.That(Wrong(Config(), facts), Is.EqualTo(new[]
        {
            "Error local $.underlay.local: 198.18.0.1 is not an address of this host; it has 198.18.0.2; "
            + "add it to an interface ('ip address add'), or correct underlay.local",
        }));
    }

    [Test]
    public void InterfaceWithoutAnAddress_IsAnError_ThatNeedNotMeanAnotherMachine()
    {
        VtepConfig config = Config() with { Underlay = new UnderlayConfig { Interface = "eth0" } };
        HostFacts facts = Facts() with { Local = default, Addresses = [] };

        Assert.That(HostInspection.AnotherMachine(config, facts), Is.Null);
        Assert.That(Wrong(config, facts), Is.EqualTo(new[]
        {
            "Error local $.underlay.interface: the interface 'eth0' has no global address; give it one ('ip address add'), or name another in underlay.interface",
        }));
    }

    [Test]
    public void AddressUnderDuplicateDetection_IsAWarning()
    {
        Assert.That(Wrong(Config(), Facts() with { Local = new LocalAddress(Local, IsPresent: false) }), Is.EqualTo(new[]
        {
            "Warning local $.underlay: 198.18.0.1 can't be sent from: it is being checked for a duplicate, or has one; find the other owner, or wait a second",
        }));
    }

    [Test]
    public void PortThatSomebodyHolds_IsAnErrorWithTheOwner_UnlessItIsOurOwnDaemon()
    {
        const string Owner = "UDP port 4789 on all addresses is held by process 12 (socat)";
        HostFacts facts = Facts() with { PortTroubles = new Dictionary<InetAddress, PortTrouble> { [Local] = new(-LibC.EADDRINUSE, Owner) } };

        Assert.That(Wrong(Config(), facts), Is.EqualTo(new[] { $"Error port $.underlay.port: {Owner}; stop it, or give underlay.port another number (on every VTEP)" }));
        Assert.That(Wrong(Config(), facts with { Running = new RunningVtep(new HashSet<string>()) }), Is.Empty);
        Assert.That(Wrong(Config(), facts with { MayBeRunning = true }), Is.EqualTo(new[]
        {
            $"Warning port $.underlay.port: {Owner}; ask as root: it may be by the vtep of this host, which this user may not ask",
        }));
    }

    [Test]
    public void PortThatMayNotBeBound_IsAnErrorWithTheReason()
    {
        HostFacts facts = Facts() with { PortTroubles = new Dictionary<InetAddress, PortTrouble> { [Local] = new(-LibC.EACCES, null) } };

        Assert.That(Wrong(Config(), facts), Is.EqualTo(new[]
        {
            "Error port $.underlay.port: UDP port 4789 on 198.18.0.1 can't be bound: Permission denied (EACCES); give underlay.port another number (on every VTEP)",
        }));
    }

    [Test]
    public void PortThatIsTakenForAGroupToo_IsSaidOnce()
    {
        InetAddress group = InetAddress.Parse("239.1.1.200");
        var both = new Dictionary<InetAddress, PortTrouble> { [group] = new(-LibC.EADDRINUSE, "the group's"), [Local] = new(-LibC.EADDRINUSE, "the host's") };

        Assert.That(Wrong(Config(WithGroup("eth0")), Facts() with { PortTroubles = both }), Has.Count.EqualTo(1).And.One.Contains("the host's"));
        both.Remove(Local);
        Assert.That(Wrong(Config(WithGroup("eth0")), Facts() with { PortTroubles = both }), Has.Count.EqualTo(1).And.One.Contains("the group's"));
    }

    [Test]
    public void KernelVxlanDeviceWithOurVniOnOurPort_IsAWarning_AndNoOther()
    {
        LinkInfo device = Eth0 with { Index = 9, Name = "vx0", Kind = "vxlan", VxlanPort = 4789, VxlanVni = 100, IsUp = false };

        Assert.That(Wrong(Config(), Facts() with { Links = [Eth0, Tap, device] }), Is.EqualTo(new[]
        {
            "Warning vxlan $.bridgeDomains[0].vni: the kernel's vxlan device 'vx0' has VNI 100 on UDP port 4789 too: it takes the port as soon as it is set up; "
            + "'ip link delete vx0', or choose another VNI",
        }));
        Assert.That(Wrong(Config(), Facts() with { Links = [Eth0, Tap, device with { VxlanVni = 101 }] }), Is.Empty);
        Assert.That(Wrong(Config(), Facts() with { Links = [Eth0, Tap, device with { VxlanPort = 8472 }] }), Is.Empty);
    }

    [Test]
    public void NameThatIsAnotherKindOfDevice_ATunDevice_OrABusyOne_IsAnError()
    {
        Assert.That(Wrong(Config(), WithTap(Tap with { Kind = "bridge", Tun = null })), Is.EqualTo(new[]
        {
            $"Error tap {Port0}.tap: 'tap-blue' is an interface of kind 'bridge', not a TAP device; choose another name, or remove that interface",
        }));
        Assert.That(Wrong(Config(), WithTap(Tap with { Tun = new TunInfo(false, null, null) })), Is.EqualTo(new[]
        {
            $"Error tap {Port0}.tap: the interface is a TUN device, or was made without support for several options; make it anew as a TAP device",
        }));
        HostFacts busy = Facts() with { BusyTaps = new HashSet<string> { "tap-blue" } };
        Assert.That(Wrong(Config(), busy), Is.EqualTo(new[]
        {
            $"Error tap {Port0}.tap: the TAP device is in use by another process: Device or resource busy (EBUSY); "
            + "stop that process ('ip -d tuntap' names it), or give the port another device",
        }));
        Assert.That(Wrong(Config(), busy with { Running = new RunningVtep(new HashSet<string> { "tap-blue" }) }), Is.Empty);
    }

    [Test]
    public void BridgeThatIsMissing_OrIsNone_IsAnError()
    {
        VtepConfig config = WithPort(port => port with { Bridge = "br0" });
        HostFacts facts = Facts() with { Rights = Facts().Rights with { MayAdministerNetwork = true } };

        Assert.That(Wrong(config, facts), Is.EqualTo(new[]
        {
            $"Error bridge {Port0}.bridge: there is no bridge 'br0' to attach it to; make it ('ip link add br0 type bridge'), or remove \"bridge\"",
        }));
        Assert.That(Wrong(config, facts with { Links = [Eth0, Tap, Eth0 with { Index = 8, Name = "br0" }] }), Is.EqualTo(new[]
        {
            $"Error bridge {Port0}.bridge: 'br0' is an interface of kind 'hardware', not a bridge; name another one, or remove \"bridge\"",
        }));
    }

    [Test]
    public void PeerWithoutARoute_ThroughOurOwnPort_OrOnThisHost_IsAWarning()
    {
        const string Place = "Warning route $.bridgeDomains[0].discovery.static.peers[0]:";

        Assert.That(Wrong(Config(), WithRoute(null)), Is.EqualTo(new[] { $"{Place} there is no route to 198.18.0.2; add one ('ip route add'), or correct the address" }));
        Assert.That(Wrong(Config(), WithRoute(Route(3)))[0], Is.EqualTo(
            $"{Place} the route to 198.18.0.2 leaves through our own port 'tap-blue': nothing is sent there; route it through the underlay's interface ('ip route add')"));
        Assert.That(Wrong(Config(), WithRoute(Route(2, isLocal: true))), Is.EqualTo(new[] { $"{Place} 198.18.0.2 is an address of this host itself; list the other VTEPs only" }));
    }

    [TestCase(1450, InnerVlanPolicy.Drop, null)]
    [TestCase(1446, InnerVlanPolicy.Pass, null)]
    [TestCase(1451, InnerVlanPolicy.Drop, 1450)]
    [TestCase(1447, InnerVlanPolicy.Pass, 1446)]
    public void MtuOfAPort_MayBeWhatTheNarrowestPathCarries_AndNoMore(int mtu, InnerVlanPolicy tags, int? fits)
    {
        VtepConfig config = Config(Blue() with { Ports = [new PortConfig { Tap = "tap-blue", Mtu = mtu }], Encapsulation = new EncapsulationPolicy { InnerVlan = tags } });
        HostFacts facts = WithTap(Tap with { Mtu = mtu });

        Assert.That(Wrong(config, facts), Is.EqualTo(fits is null ? Array.Empty<string>() :
        [
            $"Warning mtu {Port0}.mtu: the MTU is {mtu}, but the path to 198.18.0.2 carries {fits}: longer packets are dropped and answered; write {fits}, or raise the MTU on the way",
        ]));
    }

    [Test]
    public void MtuOfAPath_IsTheSmallestOfLinkRouteAndPeers_AndLessOverIPv6()
    {
        InetAddress far = InetAddress.Parse("198.18.5.5");
        HostFacts facts = Facts() with { Routes = new Dictionary<InetAddress, RouteInfo?> { [Peer] = Route(2), [far] = Route(2, mtu: 1300) } };
        Assert.That(Wrong(Config(Blue($"{Peer}", $"{far}")), facts), Is.EqualTo(new[]
        {
            $"Warning mtu {Port0}.tap: the MTU of 'tap-blue' is 1450, but the path to 198.18.5.5 carries 1250: longer packets are dropped and answered; "
            + "'ip link set dev tap-blue mtu 1250'",
        }));

        InetAddress six = InetAddress.Parse("fd00:18::2");
        facts = Facts() with { Routes = new Dictionary<InetAddress, RouteInfo?> { [six] = Route(2) } };
        Assert.That(Wrong(Config(Blue($"{six}")), facts).Single(), Does.Contain("the path to fd00:18::2 carries 1430:"));
    }

    [Test]
    public void MtuThatTheDaemonSetsItself_IsNoMatter()
    {
        HostFacts facts = WithTap(Tap with { Mtu = 1500 });

        Assert.That(Wrong(Config(), facts), Has.Count.EqualTo(1));
        Assert.That(Wrong(Config(), facts with { Rights = facts.Rights with { MayAdministerNetwork = true } }), Is.Empty);
    }

    [Test]
    public void GroupWithoutItsInterface_IsAnError_AndOneThatNobodyHears_AWarning()
    {
        const string Place = "group $.bridgeDomains[0].discovery.multicast.interface:";
        VtepConfig config = Config(WithGroup("eth0"));

        Assert.That(Wrong(config, Facts()), Is.Empty);
        Assert.That(Wrong(Config(WithGroup("eth9")), Facts()), Is.EqualTo(new[]
        {
            $"Error {Place} there is no interface 'eth9'; correct \"interface\" of the domain's multicast discovery",
        }));
        Assert.That(Wrong(config, Facts() with { Links = [Eth0 with { IsUp = false }, Tap] }), Is.EqualTo(new[]
        {
            $"Warning {Place} 'eth0' is down: group 239.1.1.200 is reached by nobody; 'ip link set dev eth0 up'",
        }));
        Assert.That(Wrong(config, Facts() with { Links = [Eth0 with { IsMulticast = false }, Tap] }), Is.EqualTo(new[]
        {
            $"Warning {Place} 'eth0' does no multicast: group 239.1.1.200 is reached by nobody; 'ip link set dev eth0 multicast on'",
        }));
    }

    [Test]
    public void SmallBuffersAndOldKernels_AreWarnings()
    {
        Assert.That(Wrong(Config(), Facts() with { Sockets = new SocketAbilities(212_992, 212_992, true, true) }), Is.EqualTo(new[]
        {
            "Warning buffers -: sockets get a receive buffer of 212992 bytes where 8388608 are asked for: bursts are lost; "
            + "'sysctl -w net.core.rmem_max=8388608', or run with CAP_NET_ADMIN",
            "Warning buffers -: sockets get a send buffer of 212992 bytes where 4194304 are asked for: bursts are lost; "
            + "'sysctl -w net.core.wmem_max=4194304', or run with CAP_NET_ADMIN",
        }));
        HostFacts old = Facts() with { Kernel = new Version(4, 15), Sockets = Facts().Sockets with { SendsTrains = false, ReceivesTrains = false } };
        Assert.That(Wrong(Config(), old), Is.EqualTo(new[]
        {
            "Warning offloads -: the kernel has no UDP_SEGMENT (Linux 4.18): datagrams are sent one by one; use a newer kernel, 6.2 or later",
            "Warning offloads -: the kernel has no UDP_GRO (Linux 5.0): datagrams are received one by one; use a newer kernel, 6.2 or later",
            "Warning offloads -: TAP devices have no USO (Linux 6.2): UDP of local programs comes frame by frame; use a newer kernel, 6.2 or later",
        }));
    }

    [Test]
    public void TooFewFiles_AreAWarning_AndAnErrorWhereAStartWouldFail()
    {
        const string Wanted = "files may be open, and 1 port with 2 workers should have 4098; raise LimitNOFILE= in the unit ('ulimit -Hn')";

        Assert.That(Wrong(Config(), Facts() with { OpenFiles = 1024 }), Is.EqualTo(new[] { $"Warning files $.bridgeDomains: 1024 {Wanted}" }));
        Assert.That(Wrong(Config(), Facts() with { OpenFiles = 128 }), Is.EqualTo(new[] { $"Error files $.bridgeDomains: 128 {Wanted}" }));
        Assert.That(Wrong(Config(), Facts() with { OpenFiles = 128, Rights = Facts().Rights with { MayRaiseLimits = true } }), Is.Empty);
    }

    [Test]
    public void ClockAndConntrack_AreWarnings()
    {
        Assert.That(Wrong(Config(), Facts() with { Clock = new ClockFacts(false, "hpet") }), Is.EqualTo(new[]
        {
            "Warning clock -: the clock isn't synchronized: certificates may seem invalid, and logs of several hosts don't fit together; 'timedatectl set-ntp true'",
            "Warning clock -: the kernel reads time from hpet, which is slow; find out why it distrusts the tsc ('dmesg | grep -i tsc')",
        }));
        Assert.That(Wrong(Config(), Facts() with { Conntrack = new ConntrackFacts(90, 100) }), Is.EqualTo(new[]
        {
            "Warning conntrack -: netfilter tracks 90 of at most 100 connections: when the table is full, datagrams are dropped; "
            + "'sysctl -w net.netfilter.nf_conntrack_max=...', or don't track VXLAN ('udp dport 4789 notrack')",
        }));
        Assert.That(Wrong(Config(), Facts() with { Conntrack = new ConntrackFacts(89, 100) }), Is.Empty);
    }

    [Test]
    public void Rights_AreReadFromTheStatusFile()
    {
        const string Status = "Name:\tvtep\nUid:\t0\t990\t0\t0\nGid:\t0\t991\t0\t0\nGroups:\t4 24 \nCapEff:\t0000000001001000\n";

        HostRights rights = HostInspection.ParseRights(Status);

        Assert.That((rights.MayAdministerNetwork, rights.MayRaiseLimits, rights.UserId), Is.EqualTo((true, true, 990u)));
        Assert.That(rights.Groups, Is.EquivalentTo(new uint[] { 4, 24, 991 }));
        Assert.That(HostInspection.ParseRights(Status.Replace("1001000", "0", StringComparison.Ordinal)).MayAdministerNetwork, Is.False);
    }

    private static HostFacts WithTap(LinkInfo tap) => Facts() with { Links = [Eth0, tap] };

    private static HostFacts WithRoute(RouteInfo? route) => Facts() with { Routes = new Dictionary<InetAddress, RouteInfo?> { [Peer] = route } };
}
