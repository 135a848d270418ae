// What goes wrong around a VTEP: a cable pulled, a TAP deleted, a peer killed, a path narrower than the frame.

using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Matrix;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class FaultTests : TestBed
{
    [TestCase(AddressFamily.InterNetwork, null)]
    [TestCase(AddressFamily.InterNetworkV6, null)]
    [TestCase(AddressFamily.InterNetwork, "239.1.1.100")]
    [TestCase(AddressFamily.InterNetworkV6, "ff05::100")]
    public void UnderlayLinkDownAndUp_TrafficIsBackWithinTwoSeconds(AddressFamily family, string? group)
    {
        (VtepProcess a, VtepProcess b) = StartTwo(family, group);
        a.Announce("eth0|198\\.18|fd00:18|peer|route|underlay");
        a.Host.Namespace.Ip("link set eth0 down");
        Assert.That(Ping.Run(a.Station, b.Station.Address4, count: 1).Received, Is.Zero, "the link is down");
        a.Host.Namespace.Ip("link set eth0 up");
        Assert.That(Ping.UntilReached(a.Station, b.Station.Address4), Is.LessThan(TimeSpan.FromSeconds(2)));
        Assert.That(Ping.UntilReached(b.Station, a.Station.Address4), Is.LessThan(TimeSpan.FromSeconds(2)));
        using var sender = new RawSocket(b.Station);
        using var receiver = new RawSocket(a.Station);
        byte[] flooded = RawFrame.DhcpDiscover("02:00:00:00:00:a1");
        sender.Send(flooded);
        Assert.That(receiver.CountCopies(flooded, expected: 1), Is.EqualTo(1), "what goes to all VTEPs arrives again");
    }

    // An address that comes doesn't make the kernel report its memberships anew; leaving and joining does, twice for each (RFC 3376
    // section 8.1, RFC 3810 section 9.1: the robustness variable). MLD stands behind a hop-by-hop header (0).
    [TestCase(AddressFamily.InterNetwork, "239.1.1.100", "198.18.0.77/24")]
    [TestCase(AddressFamily.InterNetworkV6, "ff05::100", "fd00:18::77/64")]
    public void AddressOfTheGroupsInterfaceChanges_TheGroupIsReportedAnew(AddressFamily family, string group, string address)
    {
        const int AtTheStart = 2;
        Make(Lab.Switched(family, hosts: 2));
        BackgroundProcess reports = Own(Lab.Middle.Start("tcpdump", ["-lnv", "-i", "p1", "igmp or ip6[6] = 0"]));
        reports.WaitForLine("listening on");
        VtepProcess a = Start(Lab.Hosts[0], Blue(Lab.Hosts[1], group));
        int Joins() => Regex.Count(reports.Text, $"gaddr {group} to_ex");
        Wait.Until("the group is joined", () => Joins() >= AtTheStart, seconds: 10, () => reports.Text);
        a.Host.Namespace.Ip($"addr add {address} dev eth0");
        Wait.Until("the group is joined anew", () => Joins() > AtTheStart, seconds: 5, () => reports.Text);
    }

    [Test]
    public void TapDeletedUnderTheRunningVtep_ComesBack_AndOtherDomainsLoseNothing()
    {
        Make(Lab.Switched(AddressFamily.InterNetwork, hosts: 2));
        (LabHost one, LabHost two) = (Lab.Hosts[0], Lab.Hosts[1]);
        VtepProcess b = Start(two, Blue(one), Red(one));
        VtepProcess a = Start(one, Blue(two), Red(two)); // with a MAC of the kernel's choice, which the device must get back
        a.Announce("tap-blue");
        (Station red, Station farRed) = (Red(two).StationOn(one), Red(one).StationOn(two));
        Ping.UntilReached(a.Station, b.Station.Address4);
        Ping.UntilReached(red, farRed.Address4);

        BackgroundProcess ping = Ping.Start(red, farRed.Address4, interval: 0.002);
        one.Namespace.Ip("link del tap-blue");
        Wait.Until("tap-blue is there again", () => one.Namespace.HasDevice("tap-blue"));
        Ping.UntilReached(a.Station, b.Station.Address4);
        Ping.AssertReaches(b.Station, a.Station);
        PingResult other = Ping.StopAndRead(ping);
        Assert.That((other.Lost, other.Sent > 20), Is.EqualTo((0, true)), other.Text);
    }

    [Test]
    public void PeerKilledAndStartedAgain_TrafficIsBackWithinFiveSeconds()
    {
        (VtepProcess a, VtepProcess b) = StartTwo(AddressFamily.InterNetwork, null, mac: "02:00:00:00:02:01");
        a.Announce("peer|refused|unreachable");
        Ping.AssertReaches(a.Station, b.Station);
        Kill(b);
        VtepProcess again = Start(b.Host, WithMac(Blue(a.Host), "02:00:00:00:02:01"));
        Assert.That(Ping.UntilReached(a.Station, again.Station.Address4), Is.LessThan(TimeSpan.FromSeconds(5)));
        Ping.AssertReaches(again.Station, a.Station);
    }

    [TestCase(AddressFamily.InterNetwork)]
    [TestCase(AddressFamily.InterNetworkV6)]
    public void PortWiderThanThePath_SenderIsToldTheMtu_AndNothingIsFragmented(AddressFamily family)
    {
        Make(Lab.Switched(family, hosts: 2));
        (LabHost one, LabHost two) = (Lab.Hosts[0], Lab.Hosts[1]);
        VtepProcess b = Start(two, WithMtu(Blue(one), 2000));
        VtepProcess a = Start(one, WithMtu(Blue(two), 2000));
        a.Announce("mtu|MTU");
        b.Announce("mtu|MTU");
        Ping.UntilReached(a.Station, b.Station.Address4);
        foreach (AddressFamily inner in (ReadOnlySpan<AddressFamily>)[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
        {
            PingResult ping = Ping.Run(a.Station, b.Station.Address(inner), count: 3, payload: 1700, dontFragment: true);
            Assert.That(ping.ToldMtu, Is.EqualTo(Lab.OverlayMtu), ping.Text);
        }

        Assert.That(a.Drops("path_mtu_exceeded"), Is.Positive);
        TcpTransfer.AssertArrives(a.Station, b.Station, AddressFamily.InterNetwork, bytes: 4 << 20);
        TcpTransfer.AssertArrives(b.Station, a.Station, AddressFamily.InterNetworkV6, bytes: 4 << 20);
    }

    [TestCase(AddressFamily.InterNetwork)]
    [TestCase(AddressFamily.InterNetworkV6)]
    public void ChecksumsLeftToTheLink_ArriveRightAllTheSame(AddressFamily family)
    {
        Make(Lab.Switched(family, hosts: 2));
        VtepProcess b = StartWithOffloads(Lab.Hosts[1], Blue(Lab.Hosts[0]));
        VtepProcess a = StartWithOffloads(Lab.Hosts[0], Blue(Lab.Hosts[1]));
        Ping.UntilReached(a.Station, b.Station.Address4);
        TcpTransfer.AssertArrives(a.Station, b.Station, AddressFamily.InterNetwork);
        TcpTransfer.AssertArrives(b.Station, a.Station, AddressFamily.InterNetworkV6);
        UdpTransfer.AssertArrive(a.Station, b.Station, AddressFamily.InterNetwork);
    }

    private (VtepProcess A, VtepProcess B) StartTwo(AddressFamily family, string? group, string? mac = null)
    {
        Make(Lab.Switched(family, hosts: 2));
        VtepProcess b = Start(Lab.Hosts[1], WithMac(Blue(Lab.Hosts[0], group), mac));
        VtepProcess a = Start(Lab.Hosts[0], Blue(Lab.Hosts[1], group));
        Ping.UntilReached(a.Station, b.Station.Address4);
        return (a, b);
    }

    private static LabDomain Blue(LabHost peer, string? group = null) =>
        group is null
            ? new LabDomain("blue", 100) { Peers = [peer.Underlay] }
            : new LabDomain("blue", 100) { Group = IPAddress.Parse(group) };

    private static LabDomain Red(LabHost peer) => new("red", 200) { Peers = [peer.Underlay], Overlay = 1 };

    private static LabDomain WithMac(LabDomain domain, string? mac) =>
        mac is null ? domain : WithPortKey(domain, "mac", mac);

    private static LabDomain WithMtu(LabDomain domain, int mtu) => WithPortKey(domain, "mtu", mtu);

    private static LabDomain WithPortKey(LabDomain domain, string key, JsonNode value) =>
        domain with { PortKeys = new Dictionary<string, JsonNode> { [key] = value } };
}
