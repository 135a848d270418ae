// Super-frames everywhere: a kernel vxlan on the same machine hands over inner TCP super-frames as one datagram, inner UDP super-frames as one
// datagram with a segment size beside it, and checksums it left to a network card that isn't there; our own VTEPs send trains of datagrams. What
// is which must be told apart, or payloads are cut in the wrong places: every byte that arrives is compared, with the offloads of
// the link on, partly on, and off.

using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Matrix;

[TestFixtureSource(nameof(Combinations))]
internal sealed class OffloadTests(string underlay, string peer, string link) : TestBed
{
    private const int Vni = 100;
    private Station _ours = null!;
    private Station _theirs = null!;
    private VtepProcess _vtep = null!;

    public static IEnumerable<object[]> Combinations() =>
        from underlay in new[] { "IPv4", "IPv6" }
        from peer in new[] { "vtep", "kernel" }
        from link in new[] { "offloads", "no tunnel offload", "no offload" }
        where peer == "kernel" || link != "no tunnel offload"
        select new object[] { underlay, peer, link };

    [SetUp]
    public void ConnectHosts()
    {
        Make(Lab.Switched(underlay == "IPv6" ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, hosts: 2));
        foreach (LabHost host in Lab.Hosts)
            SetOffloads(host);
        _theirs = peer == "kernel"
            ? KernelVxlan.WithPeers(Lab, Lab.Hosts[1], Vni, [Lab.Hosts[0].Underlay]).Station
            : StartWithOffloads(Lab.Hosts[1], Domain(Lab.Hosts[0])).Station;
        _vtep = StartWithOffloads(Lab.Hosts[0], Domain(Lab.Hosts[1]));
        _ours = _vtep.Station;
        Ping.UntilReached(_ours, _theirs.Address4);
    }

    [Test]
    public void Tcp_ArrivesWholeBothWays()
    {
        foreach (AddressFamily family in (ReadOnlySpan<AddressFamily>)[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
        {
            TcpTransfer.AssertArrives(_ours, _theirs, family, bytes: 24 << 20);
            TcpTransfer.AssertArrives(_theirs, _ours, family, bytes: 24 << 20);
        }

        Assert.That((long)_vtep.Show("counters")["segmented"]!, Is.GreaterThan(1000), "super-frames were read from the TAP");
    }

    [TestCase(1000, 40_100)]
    [TestCase(1200, 60_000)]
    [TestCase(333, 19_981)]
    public void UdpTrains_ArriveAsTheDatagramsTheyStandFor(int size, int bytes)
    {
        foreach (AddressFamily family in (ReadOnlySpan<AddressFamily>)[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
        {
            UdpTrains.AssertArrive(_ours, _theirs, family, bytes, size);
            UdpTrains.AssertArrive(_theirs, _ours, family, bytes, size);
        }
    }

    private static LabDomain Domain(LabHost other) => new("blue", Vni) { Peers = [other.Underlay] };

    private void SetOffloads(LabHost host)
    {
        string[] off = link switch
        {
            "no tunnel offload" => ["tx-udp_tnl-segmentation", "off", "tx-udp_tnl-csum-segmentation", "off"],
            "no offload" => ["tx", "off", "tso", "off", "gso", "off", "gro", "off"],
            _ => [],
        };
        if (off.Length > 0)
            host.Namespace.Exec("ethtool", ["-K", host.Link.A.Device, .. off]);
    }
}
