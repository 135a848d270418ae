// What a VTEP's metrics say of traffic: sums over all series are those of the books and tables, and their number is bounded.

using NUnit.Framework;
using VtepDataPlane.Daemon.Metrics;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Frames;
using VtepDataPlane.Tests.Diagnostics;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Network.TestNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Network;

public sealed class MetricsTests
{
    private const string A = "198.18.0.1", B = "198.18.0.2", C = "198.18.0.3";

    [Test]
    public void Traffic_IsCountedByDomainPeerAndDirection()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B, C]), Domain(200, ["a2"], [B]));
        Node b = network.Add(B, Domain(100, ["b1"], [A]), Domain(200, ["b2"], [A]));
        byte[] frame = Udp(MacA, MacB);
        a.Port("a1").Inject(frame);
        a.Port("a2").Inject(frame);
        network.Run();
        b.Port("b1").Inject(Udp(MacB, MacA));
        network.Run();

        ReadMetrics read = ReadMetrics.Of(a.Vtep);
        Assert.That(read["""vtep_peer_frames_total{vni="100",peer="198.18.0.2:4789",direction="tx"}"""], Is.EqualTo(1));
        Assert.That(read["""vtep_peer_frames_total{vni="100",peer="198.18.0.3:4789",direction="tx"}"""], Is.EqualTo(1));
        Assert.That(read["""vtep_peer_frames_total{vni="100",peer="198.18.0.2:4789",direction="rx"}"""], Is.EqualTo(1));
        Assert.That(read["""vtep_peer_frames_total{vni="200",peer="198.18.0.2:4789",direction="rx"}"""], Is.Zero);
        Assert.That(read["""vtep_peer_io_bytes_total{vni="200",peer="198.18.0.2:4789",direction="tx"}"""], Is.EqualTo(frame.Length + VxlanHeader.Size));
        Assert.That(read["""vtep_port_io_bytes_total{port="a1",vni="100",direction="rx"}"""], Is.EqualTo(frame.Length));
        Assert.That(read["""vtep_fdb_entries{vni="100"}"""], Is.EqualTo(a.Vtep.Domains()[0].FdbEntries));
        AssertSums(a.Vtep);
        AssertSums(b.Vtep);
    }

    [Test]
    public void AFloodToAGroup_IsCountedUnderTheGroup_AndAnotherGroupBeginsAtNothing()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, MulticastDomain(100, ["a1"]));
        Node b = network.Add(B, MulticastDomain(100, ["b1"]));
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        Assert.That(ReadMetrics.Of(a.Vtep).Sum("vtep_peer_frames_total", "peer=\"239.1.1.1:4789\"", "\"tx\""), Is.EqualTo(1));
        Assert.That(ReadMetrics.Of(b.Vtep).Sum("vtep_peer_frames_total", "peer=\"198.18.0.1:4789\"", "\"rx\""), Is.EqualTo(1));

        using var reader = new MetricsReader(a.Vtep);
        ReadMetrics.Text(reader, isOpenMetrics: false);
        a.Vtep.Apply(a.Vtep.Config with { BridgeDomains = [MulticastDomain(100, ["a1"], "239.1.1.2")] }, network.Now);
        a.Port("a1").Inject(Arp(MacA));
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        ReadMetrics read = ReadMetrics.Parse(ReadMetrics.Text(reader, isOpenMetrics: false));
        Assert.That(read.Sum("vtep_peer_frames_total", "peer=\"239.1.1.2:4789\"", "\"tx\""), Is.EqualTo(2));
        Assert.That(read.Sum("vtep_peer_frames_total", "peer=\"removed\"", "\"tx\""), Is.EqualTo(1));
        AssertSums(a.Vtep);
    }

    [Test]
    public void EveryDrop_IsInOneSeries_WhateverComesAndGoes()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1", "a2"], [B]), Domain(200, ["a3"], [B]), Domain(300, ["a4"], []));
        using var reader = new MetricsReader(a.Vtep);
        Drop(network, a);
        ReadMetrics read = Read(reader, a.Vtep);
        Assert.That(read["""vtep_drops_total{vni="none",direction="from_underlay",reason="vni_not_found"}"""], Is.EqualTo(1));
        Assert.That(read["""vtep_drops_total{vni="100",direction="from_underlay",reason="peer_unknown"}"""], Is.EqualTo(1));
        Assert.That(read["""vtep_drops_total{vni="300",direction="from_port",reason="no_tx_target"}"""], Is.EqualTo(1));
        Assert.That(read["""vtep_drops_total{vni="100",direction="from_port",reason="source_mac_invalid"}"""], Is.EqualTo(1));
        Assert.That(read.Sum("vtep_drops_total", "direction=\"to_port\"", "vni=\"100\""), Is.EqualTo(1));

        a.Vtep.Apply(a.Vtep.Config with { BridgeDomains = [Domain(100, ["a1"], [B]), Domain(200, ["a3"], [B])] }, network.Now);
        read = Read(reader, a.Vtep);
        Assert.That(read["""vtep_drops_total{vni="removed",direction="from_port",reason="no_tx_target"}"""], Is.EqualTo(1));
        Assert.That(read.Sum("vtep_drops_total", "direction=\"to_port\"", "vni=\"100\""), Is.EqualTo(1), "its port is gone, its count is not");

        a.Vtep.Apply(a.Vtep.Config with { BridgeDomains = [Domain(300, ["a4"], [])] }, network.Now);
        Drop(network, a);
        Read(reader, a.Vtep);
        a.Vtep.Apply(a.Vtep.Config with { BridgeDomains = [] }, network.Now);
        Read(reader, a.Vtep);
    }

    [Test]
    public void TenThousandDomainsAndFourThousandPeers_HaveABoundedNumberOfSeries_WithWholeSums()
    {
        const int Domains = 10_000, Peers = 4096;
        using var network = new TestNetwork();
        network.Wire.Recording = null;
        Node a = network.Add(new VtepConfig
        {
            Workers = 1,
            Underlay = new UnderlayConfig { Local = InetAddress.Parse(A) },
            BridgeDomains = [.. Enumerable.Range(1, Domains).Select(vni => Domain(vni, [], [Peer(vni % Peers)]))],
        });
        using var reader = new MetricsReader(a.Vtep);
        for (int vni = 1; vni <= Domains; vni++)
            network.Forge(Peer(vni % Peers), A, Vxlan(vni, Udp(MacB, MacA)));
        network.Run();

        foreach (bool isOpenMetrics in new[] { false, true })
        {
            ReadMetrics read = ReadMetrics.Parse(ReadMetrics.Text(reader, isOpenMetrics));
            Assert.That(read, Has.Count.LessThan(SeriesBudget.Total));
            Assert.That(read.Sum("vtep_peer_frames_total"), Is.EqualTo(Domains));
            Assert.That(read.Sum("vtep_drops_total", "no_tx_target"), Is.EqualTo(Domains));
            Assert.That(read.Sum("vtep_fdb_entries"), Is.EqualTo(a.Vtep.Status().FdbEntries));
            Assert.That(read.Sum("vtep_peers"), Is.EqualTo(Peers));
            Assert.That(read["""vtep_folded_series{metric="vtep.drops"}"""], Is.EqualTo(Domains - SeriesBudget.Drops));
            Assert.That(read["vtep_omitted_series"], Is.Zero);
        }
    }

    private static string Peer(int number) => $"198.18.{1 + number / 250}.{1 + number % 250}";

    private static void Drop(TestNetwork network, Node a)
    {
        network.Forge(B, A, Vxlan(999, Udp(MacB, MacA)));
        if (a.Host.Ports.ContainsKey("a4"))
            a.Port("a4").Inject(Udp(MacA, MacB));
        if (a.Host.Ports.ContainsKey("a2"))
        {
            network.Forge(C, A, Vxlan(100, Udp(MacB, MacA)));
            a.Port("a1").Inject(Udp(MacAddress.Parse("01:00:00:00:00:01"), MacB));
            a.Port("a2").IsUp = false;
            a.Port("a1").Inject(Udp(MacA, MacB));
            network.Run();
            a.Port("a2").IsUp = true;
        }

        network.Run();
    }

    private static ReadMetrics Read(MetricsReader reader, Vtep vtep)
    {
        ReadMetrics read = ReadMetrics.Parse(ReadMetrics.Text(reader, isOpenMetrics: false));
        AssertSums(read, vtep);
        return read;
    }

    private static void AssertSums(Vtep vtep) => AssertSums(ReadMetrics.Of(vtep), vtep);

    private static void AssertSums(ReadMetrics read, Vtep vtep)
    {
        CounterSnapshot books = vtep.Counters();
        Assert.That(read.Sum("vtep_drops_total"), Is.EqualTo(books.Drops.Values.Sum()));
        foreach ((DropReason reason, long count) in books.Drops)
            Assert.That(read.Sum("vtep_drops_total", $"reason=\"{reason.Name()}\""), Is.EqualTo(count), reason.Name());
        double came = read.Sum("vtep_frames_received_total") + read.Sum("vtep_frames_replicated_total") + read.Sum("vtep_frames_originated_total")
            + read.Sum("vtep_frames_segmented_total");
        double went = read.Sum("vtep_frames_sent_total") + read.Sum("vtep_frames_coalesced_total") + read.Sum("vtep_drops_total");
        Assert.That(came, Is.EqualTo(went).And.EqualTo(books.Received + books.Replicated + books.Originated + books.Segmented));
        Assert.That(read.Sum("vtep_port_frames_total", "\"rx\"") + vtep.Lanes.Sum(lane => lane.Underlay.Meters.Received), Is.EqualTo(books.Received));
        Assert.That(read.Sum("vtep_peer_frames_total"), Is.EqualTo(vtep.Lanes.Sum(lane => Total(lane.Meters.Pairs))));
    }

    private static long Total(VtepDataPlane.Forwarding.PairMeters pairs)
    {
        VtepDataPlane.Forwarding.VtepTraffic total = default;
        pairs.Read((int _, int _, in VtepDataPlane.Forwarding.VtepTraffic _) => { }, ref total);
        return total.TxFrames + total.RxFrames;
    }
}
