// The main job in every combination: {IPv4, IPv6 underlay} x {static peers, multicast} x {our VTEP, the kernel's vxlan at the other
// end}. Host 1 always runs vtep. Every test ends with TestBed judging all that vtep sent.

using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Matrix;

[TestFixtureSource(nameof(Combinations))]
[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class PeerMatrixTests(string underlay, string discovery, string peer) : TestBed
{
    private const int Vni = 100;
    private Station _ours = null!;
    private Station _theirs = null!;

    public static IEnumerable<object[]> Combinations() =>
        from underlay in new[] { "IPv4", "IPv6" }
        from discovery in new[] { "static", "multicast" }
        from peer in new[] { "vtep", "kernel" }
        select new object[] { underlay, discovery, peer };

    [SetUp]
    public void ConnectHosts()
    {
        Make(Lab.Switched(underlay == "IPv6" ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, hosts: 2));
        _theirs = peer == "kernel" ? StartKernel(Lab.Hosts[1], Lab.Hosts[0]) : Start(Lab.Hosts[1], Domain(Lab.Hosts[0])).Station;
        _ours = Start(Lab.Hosts[0], Domain(Lab.Hosts[1])).Station;
        Ping.UntilReached(_ours, _theirs.Address4);
    }

    [Test]
    public void Ping_BothFamiliesBothWays_LosesNothing()
    {
        Ping.AssertReaches(_ours, _theirs, count: 20);
        Ping.AssertReaches(_theirs, _ours, count: 20);
    }

    [Test]
    public void Tcp_SixtyFourMiBBothWays_ArrivesWhole()
    {
        TcpTransfer.AssertArrives(_ours, _theirs, AddressFamily.InterNetwork);
        TcpTransfer.AssertArrives(_theirs, _ours, AddressFamily.InterNetwork);
        TcpTransfer.AssertArrives(_ours, _theirs, AddressFamily.InterNetworkV6, bytes: 8 << 20);
        TcpTransfer.AssertArrives(_theirs, _ours, AddressFamily.InterNetworkV6, bytes: 8 << 20);
    }

    [Test]
    public void Udp_DatagramsOf64KiBBothWays_AllArrive()
    {
        foreach (AddressFamily family in (ReadOnlySpan<AddressFamily>)[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
        {
            UdpTransfer.AssertArrive(_ours, _theirs, family);
            UdpTransfer.AssertArrive(_theirs, _ours, family);
        }
    }

    [TestCase(AddressFamily.InterNetwork, 28)]
    [TestCase(AddressFamily.InterNetworkV6, 48)]
    public void PingOfTheMtu_Passes_AndOneByteMoreFailsAtTheSender(AddressFamily family, int headers)
    {
        int fits = Lab.OverlayMtu - headers;
        PingResult full = Ping.Run(_ours, _theirs.Address(family), count: 3, fits, dontFragment: true);
        Assert.That(full.Received, Is.EqualTo(3), full.Text);
        PingResult over = Ping.Run(_ours, _theirs.Address(family), count: 3, fits + 1, dontFragment: true);
        Assert.That((over.Received, over.ToldMtu), Is.EqualTo((0, (int?)Lab.OverlayMtu)), over.Text);
        PingResult inFragments = Ping.Run(_ours, _theirs.Address(family), count: 3, payload: 4000);
        Assert.That(inFragments.Received, Is.EqualTo(3), inFragments.Text);
    }

    [Test]
    public void BroadcastAndMulticast_ArriveOnceAndUnchanged()
    {
        using var ours = new RawSocket(_ours);
        using var theirs = new RawSocket(_theirs);
        byte[] discover = RawFrame.DhcpDiscover("02:00:00:00:00:a1");
        ours.Send(discover);
        Assert.That(theirs.CountCopies(discover, expected: 1), Is.EqualTo(1), "DHCP discover towards the peer");
        theirs.Send(discover);
        Assert.That(ours.CountCopies(discover, expected: 1), Is.EqualTo(1), "DHCP discover from the peer");
        (IPAddress, ushort) from = (_ours.Address4, 5353), group = (IPAddress.Parse("239.1.2.3"), 30_001);
        byte[] multicast = RawFrame.Udp4("01:00:5e:01:02:03", "02:00:00:00:00:a2", from, group, new byte[64]);
        ours.Send(multicast);
        Assert.That(theirs.CountCopies(multicast, expected: 1), Is.EqualTo(1), "multicast towards the peer");
        theirs.Send(multicast);
        Assert.That(ours.CountCopies(multicast, expected: 1), Is.EqualTo(1), "multicast from the peer");
    }

    private LabDomain Domain(LabHost other) =>
        discovery == "static" ? new LabDomain("blue", Vni) { Peers = [other.Underlay] } : new LabDomain("blue", Vni) { Group = Group };

    private Station StartKernel(LabHost host, LabHost other) => discovery == "static"
        ? KernelVxlan.WithPeers(Lab, host, Vni, [other.Underlay]).Station
        : KernelVxlan.WithGroup(Lab, host, Vni, Group).Station;

    private IPAddress Group => IPAddress.Parse(underlay == "IPv6" ? "ff05::100" : "239.1.1.100");
}
