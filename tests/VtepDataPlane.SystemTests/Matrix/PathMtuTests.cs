// The path-MTU topology of the kernel's selftest pmtu.sh, and an underlay that changes its MTU:
//
//   h1 --- MTU 1500 --- router --- MTU 1400 --- h2
//
// The VTEPs must find out, tell the senders inside, and never let anything be fragmented. (Tests with a port wider than its own
// link are in FaultTests.)

using System.Globalization;
using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Matrix;

[TestFixture(AddressFamily.InterNetwork)]
[TestFixture(AddressFamily.InterNetworkV6)]
internal sealed class PathMtuTests(AddressFamily underlay) : TestBed
{
    private const int Narrow = 1400;

    private int Overhead => underlay == AddressFamily.InterNetworkV6 ? 70 : 50;

    [Test]
    public void NarrowLinkBehindARouter_SendersInsideAreToldTheMtuOfThePath()
    {
        (VtepProcess a, VtepProcess b) = StartRouted();
        PingResult over = null!;
        bool IsTold() => (over = PingTooBig(a.Station, b.Station)).ToldMtu == Narrow - Overhead;
        Wait.Until("the sender is told the MTU of the path", IsTold, 10, () => over.Text);
        PingResult fits = Ping.Run(a.Station, b.Station.Address4, count: 3, payload: Narrow - Overhead - 28, dontFragment: true);
        Assert.That(fits.Received, Is.EqualTo(3), fits.Text);
    }

    [Test]
    public void NarrowLinkBehindARouter_TcpBothWaysArrivesWhole()
    {
        (VtepProcess a, VtepProcess b) = StartRouted();
        TcpTransfer.AssertArrives(a.Station, b.Station, AddressFamily.InterNetwork, bytes: 4 << 20);
        TcpTransfer.AssertArrives(b.Station, a.Station, AddressFamily.InterNetwork, bytes: 4 << 20);
        TcpTransfer.AssertArrives(a.Station, b.Station, AddressFamily.InterNetworkV6, bytes: 4 << 20);
    }

    [Test]
    public void UnderlayMtuLoweredAndRaised_PortFollows()
    {
        Make(Lab.Switched(underlay, hosts: 2));
        VtepProcess b = Start(Lab.Hosts[1], Blue(Lab.Hosts[0]));
        VtepProcess a = Start(Lab.Hosts[0], Blue(Lab.Hosts[1]));
        a.Announce("mtu|MTU");
        Ping.UntilReached(a.Station, b.Station.Address4);
        foreach (int mtu in (ReadOnlySpan<int>)[Narrow, 1500])
        {
            a.Host.Namespace.Ip($"link set eth0 mtu {mtu}");
            int expected = mtu - Overhead;
            Wait.Until($"the TAP has an MTU of {expected}", () => Mtu(a.Station) == expected, 5, () => $"It has {Mtu(a.Station)}.");
        }

        Ping.AssertReaches(a.Station, b.Station);
    }

    private (VtepProcess A, VtepProcess B) StartRouted()
    {
        Make(Lab.Routed(underlay, nearMtu: 1500, farMtu: Narrow));
        VtepProcess b = Start(Lab.Hosts[1], Blue(Lab.Hosts[0]));
        VtepProcess a = Start(Lab.Hosts[0], Blue(Lab.Hosts[1]));
        a.Announce("mtu|MTU");
        Ping.UntilReached(a.Station, b.Station.Address4);
        return (a, b);
    }

    private PingResult PingTooBig(Station from, Station to) =>
        Ping.Run(from, to.Address4, count: 1, payload: 1500 - Overhead - 28, dontFragment: true);

    private static int Mtu(Station station) =>
        int.Parse(station.Namespace.Exec("cat", $"/sys/class/net/{station.Device}/mtu").Output, CultureInfo.InvariantCulture);

    private static LabDomain Blue(LabHost peer) => new("blue", 100) { Peers = [peer.Underlay] };
}
