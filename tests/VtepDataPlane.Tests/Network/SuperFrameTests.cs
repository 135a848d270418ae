// Super-frames through a network of VTEPs: whole to local ports, cut up at the underlay, with the path's MTU held against their
// segments. Conservation is asserted by TestNetwork.

using NUnit.Framework;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Tests.Offload;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Network.TestNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Network;

public sealed class SuperFrameTests
{
    private const string A = "198.18.0.1", B = "198.18.0.2", C = "198.18.0.3";

    private static IEnumerable<TestCaseData<byte[]>> Kinds() =>
    [
        new(Tcp(payload: Pattern(5000), identification: 7, options: Hex("0101080a 11111111 22222222"), checksum: TestChecksum.Partial)) { TestName = "TCPv4" },
        new(Tcp(sourceIp: IPv6A, destinationIp: IPv6B, payload: Pattern(5000), checksum: TestChecksum.Partial)) { TestName = "TCPv6" },
        new(Udp(payload: Pattern(5000), checksum: TestChecksum.Partial)) { TestName = "UDPv4" },
        new(Udp(sourceIp: IPv6A, destinationIp: IPv6B, payload: Pattern(5000), checksum: TestChecksum.Partial)) { TestName = "UDPv6" },
    ];

    [TestCaseSource(nameof(Kinds))]
    public void ASuperFrame_ArrivesAsItsSegments(byte[] frame)
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        Node b = network.Add(B, Domain(100, ["b1"], [A]));
        Introduce(network, b);
        a.Port("a1").TakeAll();

        a.Port("a1").Inject(frame, SuperFrames.Describe(frame, 1371));
        network.Run();
        IReadOnlyList<MemoryFrame> arrived = b.Port("b1").TakeAll();
        Assert.That(arrived.Select(segment => segment.Bytes), Is.EqualTo(SuperFrames.CutByTheBook(frame, 1371)));
        Assert.That(arrived.Select(segment => segment.Offload), Is.All.EqualTo(default(OffloadInfo)), "checksums are finished");
        Assert.That(network.TakeDatagrams().Select(datagram => datagram.Payload[..8]), Is.All.EqualTo(Vxlan(100, [])));

        CounterSnapshot counters = a.Vtep.Counters();
        Assert.That((counters.Received, counters.Segmented, counters.Sent), Is.EqualTo((2, 3, 5)), "the introduction, and one cut into four");
        PeerSnapshot peer = a.Vtep.Peers(network.Now).Single();
        Assert.That((peer.TxFrames, peer.TxBytes), Is.EqualTo((4, arrived.Sum(segment => segment.Bytes.Length + 8))));
    }

    [Test]
    public void AFlood_GoesCutUpToEveryVtep_AndWholeToALocalPort()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1", "a2"], [B, C]));
        Node b = network.Add(B, Domain(100, ["b1"], [A, C]));
        Node c = network.Add(C, Domain(100, ["c1"], [A, B]));
        byte[] frame = Tcp(payload: Pattern(5000), flags: TcpFlags.Ack | TcpFlags.Psh | TcpFlags.Cwr, checksum: TestChecksum.Partial);
        OffloadInfo offload = SuperFrames.Describe(frame, 1380, ecn: true);
        a.Port("a1").Inject(frame, offload);
        network.Run();

        List<byte[]> expected = SuperFrames.CutByTheBook(frame, 1380);
        Assert.That(b.Port("b1").TakeAll().Select(segment => segment.Bytes), Is.EqualTo(expected));
        Assert.That(c.Port("c1").TakeAll().Select(segment => segment.Bytes), Is.EqualTo(expected));
        MemoryFrame whole = a.Port("a2").TakeAll().Single();
        Assert.That(whole.Bytes, Is.EqualTo(frame));
        Assert.That(whole.Offload, Is.EqualTo(offload));
        CounterSnapshot counters = a.Vtep.Counters();
        Assert.That((counters.Replicated, counters.Segmented, counters.Sent), Is.EqualTo((2, 2 * 3, 1 + 2 * 4)));
    }

    // the longest segment of 1396 + 54 bytes needs a path of 1450 + 36 + 14
    [TestCase(1396)]
    [TestCase(1000)]
    public void AsLongAsItsSegmentsFit_ASuperFrameMayBeLongerThanThePath(int gsoSize)
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        byte[] frame = Tcp(payload: Pattern(60_000), checksum: TestChecksum.Partial);
        a.Port("a1").Inject(frame, SuperFrames.Describe(frame, gsoSize));
        network.Run();
        Assert.That(network.TakeDatagrams(), Has.Count.EqualTo((60_000 + gsoSize - 1) / gsoSize));
        Assert.That(a.Vtep.Counters().Drops, Is.Empty);
    }

    [Test]
    public void SegmentsTooLongForThePath_AreOneDrop_AndItsSenderIsTold([Values(IPv4A, IPv6A)] string source)
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, [], [B, C]) with { Ports = [new PortConfig { Tap = "a1", Mtu = 4000 }, new PortConfig { Tap = "a2", Mtu = 4000 }] });
        Node b = network.Add(B, Domain(100, ["b1"], [A]));
        Introduce(network, b);
        a.Port("a1").TakeAll();
        a.Port("a2").TakeAll();

        bool v6 = source == IPv6A;
        int fits = 1450 - (v6 ? 60 : 40);
        byte[] frame = Tcp(sourceIp: source, destinationIp: v6 ? IPv6B : IPv4B, payload: Pattern(5000), checksum: TestChecksum.Partial);
        a.Port("a1").Inject(frame, SuperFrames.Describe(frame, fits));
        network.Run();
        Assert.That(network.TakeDatagrams(), Has.Count.EqualTo(4), "exactly as long as fits");

        a.Port("a1").Inject(frame, SuperFrames.Describe(frame, fits + 1));
        network.Run();
        Assert.That(network.TakeDatagrams(), Is.Empty);
        Assert.That(a.Drops(DropReason.PathMtuExceeded), Is.EqualTo(1));
        Assert.That(a.Port("a2").TakeAll(), Is.Empty);
        byte[] answer = a.Port("a1").TakeAll().Single().Bytes;
        if (v6)
        {
            Assert.That(answer[54..62], Is.EqualTo((byte[])[2, 0, answer[56], answer[57], 0, 0, 1450 >> 8, 1450 & 0xFF]));
            Assert.That(answer[62..(62 + 60)], Is.EqualTo(frame[14..74]), "quotes the super-frame");
        }
        else
        {
            Assert.That(answer[34..42], Is.EqualTo((byte[])[3, 4, answer[36], answer[37], 0, 0, 1450 >> 8, 1450 & 0xFF]));
            Assert.That(answer[42..(42 + 28)], Is.EqualTo(frame[14..42]), "quotes the super-frame");
        }
    }

    [Test]
    public void WithLossAndDuplication_TheBooksBalance()
    {
        using var network = new TestNetwork(seed: 5);
        (network.Wire.Loss, network.Wire.Duplication, network.Wire.Reordering) = (0.1, 0.1, 0.1);
        Node a = network.Add(A, Domain(100, ["a1", "a2"], [B, C]));
        Node b = network.Add(B, Domain(100, ["b1"], [A, C]));
        network.Add(C, Domain(100, ["c1"], [A, B]));
        network.Wire.Unreachable.Add(InetAddress.Parse(C));
        for (int i = 1; i <= 50; i++)
        {
            byte[] frame = Tcp(payload: Pattern(100 * i), checksum: TestChecksum.Partial);
            a.Port("a1").Inject(frame, SuperFrames.Describe(frame, 700));
            network.Run();
        }

        Assert.That(a.Drops(DropReason.NoRoute), Is.EqualTo(a.Vtep.Counters().Segmented / 2 + 50), "every segment for C");
        Assert.That(b.Port("b1").Waiting, Is.GreaterThan(0));
        network.AssertConservation();
    }

    // MacB is behind the other VTEP from now on
    private static void Introduce(TestNetwork network, Node node)
    {
        node.Port("b1").Inject(Arp(MacB));
        network.Run();
        network.TakeDatagrams();
    }
}
