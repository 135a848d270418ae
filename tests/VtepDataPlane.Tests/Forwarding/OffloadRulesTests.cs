// What a kernel vxlan peer on the same machine leaves unsaid about its hosts' frames, and what we say to the port instead.

using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Network.TestNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Forwarding;

public sealed class OffloadRulesTests
{
    private const string A = "198.18.0.1", B = "198.18.0.2";

    private static byte[] LongUdp { get; } = Udp(MacB, MacA, payload: Pattern(5000), checksum: TestChecksum.Partial);

    [Test]
    public void AUdpSuperFrame_BecomesOne_BesideItsSegmentSize([Values(false, true)] bool ipv6)
    {
        byte[] super = ipv6 ? Udp(MacB, MacA, IPv6B, IPv6A, payload: Pattern(5000), checksum: TestChecksum.Partial) : LongUdp;
        MemoryFrame frame = Deliver(super, hint: 1200).Single();

        int transport = ipv6 ? 54 : 34;
        Assert.That(frame.Bytes, Is.EqualTo(super));
        Assert.That(frame.Offload, Is.EqualTo(new OffloadInfo
        {
            NeedsChecksum = true,
            Gso = GsoType.Udp,
            GsoSize = 1200,
            HeaderLength = (ushort)(transport + 8),
            ChecksumStart = (ushort)transport,
            ChecksumOffset = 6,
        }));
    }

    [Test]
    public void AUdpSuperFrameThatFitsThePort_IsStillSeveralDatagrams()
    {
        MemoryFrame frame = Deliver(Udp(MacB, MacA, payload: Pattern(300), checksum: TestChecksum.Partial), hint: 100).Single();
        Assert.That((frame.Offload.Gso, frame.Offload.GsoSize), Is.EqualTo((GsoType.Udp, (ushort)100)));
    }

    [Test]
    public void ATcpSuperFrame_IsCutByTheHint_ButNeverAboveThePortsMtu([Values(500, 1390, 1391, 9000)] int hint)
    {
        byte[] super = Tcp(MacB, MacA, payload: Pattern(9100), checksum: TestChecksum.Partial, flags: TcpFlags.Ack | TcpFlags.Cwr);
        MemoryFrame frame = Deliver(super, hint).Single();
        Assert.That(frame.Offload, Is.EqualTo(new OffloadInfo
        {
            NeedsChecksum = true,
            TcpEcn = true,
            Gso = GsoType.TcpIPv4,
            GsoSize = (ushort)Math.Min(hint, 1450 - 40),
            HeaderLength = 54,
            ChecksumStart = 34,
            ChecksumOffset = 16,
        }));
    }

    [Test]
    public void ATcpSuperFrame_OneByteLongerThanThePortTakes_IsTwoSegments()
    {
        byte[] super = Tcp(MacB, MacA, payload: Pattern(1411), checksum: TestChecksum.Partial);
        MemoryFrame frame = Deliver(super, hint: 0).Single();
        Assert.That((frame.Offload.Gso, frame.Offload.GsoSize), Is.EqualTo((GsoType.TcpIPv4, (ushort)1410)));
    }

    [TestCase(1408, true)]
    [TestCase(1422, true)]
    [TestCase(1423, false)]
    public void AUdpSuperFrame_WhoseSegmentsAreTooLongForThePort_IsDropped(int hint, bool fits)
    {
        DropReason expected = fits ? DropReason.None : DropReason.PortMtuExceeded;
        Assert.That(Deliver(LongUdp, hint, expected), Has.Count.EqualTo(fits ? 1 : 0));
    }

    private static IEnumerable<TestCaseData> NoSuperFrames()
    {
        yield return Named("its checksum is finished", Udp(MacB, MacA, payload: Pattern(600)), default(OffloadInfo));
        yield return Named("it has no checksum", Udp(MacB, MacA, payload: Pattern(600), checksum: TestChecksum.Zero), default(OffloadInfo));
        yield return Named("it is no IP", Ethernet(0x88B5, Pattern(600), MacB, MacA), default(OffloadInfo));
        byte[] transport = Udp(payload: Pattern(600), checksum: TestChecksum.Partial)[34..];
        yield return Named("it is a fragment", Ip(17, transport, MacB, MacA, moreFragments: true), default(OffloadInfo));
        yield return Named(
            "it is one segment", Udp(MacB, MacA, payload: Pattern(400), checksum: TestChecksum.Partial),
            new OffloadInfo { NeedsChecksum = true, ChecksumStart = 34, ChecksumOffset = 6 });
    }

    [TestCaseSource(nameof(NoSuperFrames))]
    public void AHintBesideWhatIsNoSuperFrame_IsForgotten(byte[] bytes, OffloadInfo expected)
    {
        MemoryFrame frame = Deliver(bytes, hint: 400).Single();
        Assert.That(frame.Offload, Is.EqualTo(expected));
        Assert.That(frame.Bytes, Is.EqualTo(bytes));
    }

    [Test]
    public void AHintFromAPort_IsForgottenToo()
    {
        using var network = new Network.TestNetwork();
        Network.Node a = network.Add(A, Domain(100, ["a1", "a2"], []));
        a.Port("a1").Inject(Udp(MacA, MacB), new OffloadInfo { GsoSize = 1000 });
        network.Run();
        Assert.That(a.Port("a2").TakeAll().Single().Offload, Is.EqualTo(default(OffloadInfo)));
    }

    private static IEnumerable<TestCaseData> Lies()
    {
        yield return Named("a UDP length below the packet's", Patched(LongUdp, 38, 0x0100), 1000);
        yield return Named("a UDP length above the packet's", Patched(LongUdp, 38, 0xFFFF), 1000);
        yield return Named("an IP length below the frame's", Finish(Patched(LongUdp, 16, 1000)), 100);
        byte[] tcp = Tcp(MacB, MacA, payload: Pattern(5000), checksum: TestChecksum.Partial);
        byte[] empty = Tcp(MacB, MacA, payload: [], checksum: TestChecksum.Partial);
        yield return Named("a TCP header of 60 bytes where there are 20", Patched(empty, 46, 0xF010), 1);
        yield return Named("a TCP data offset of 0", Patched(tcp, 46, 0x0010), 1000);
        yield return Named("a TCP data offset of 0, without a hint", Patched(tcp, 46, 0x0010), 0);
        yield return Named("bytes behind a TCP packet, without a hint", [.. tcp, 0, 0], 0);
    }

    [TestCaseSource(nameof(Lies))]
    public void ASuperFrameWhoseLengthsLie_IsDropped_AndNothingIsWritten(byte[] bytes, int hint) =>
        Assert.That(Deliver(bytes, hint, DropReason.OffloadInvalid), Is.Empty);

    [Test]
    public void PortsOfDifferentMtus_GetTheSameFrame_EachWithItsOwnSegmentSize()
    {
        byte[] super = Tcp(MacB, MacAddress.Broadcast, payload: Pattern(5000), checksum: TestChecksum.Partial);
        var network = new MemoryNetwork(seed: 1);
        var host = new MemoryHost(network, InetAddress.Parse(A));
        using var vtep = new Vtep(Config("a1", "a2", "a3"), host, seed: 42, nowMilliseconds: 0);
        foreach ((string port, int mtu) in new[] { ("a1", 60), ("a2", 1000), ("a3", 9000) })
            host.Served.Single(served => served.Device.Name == port).Mtu = mtu;
        ServeOnce(vtep, super, hint: 0);

        Assert.That(host.Ports["a1"].TakeAll().Single().Offload.GsoSize, Is.EqualTo(60 - 40));
        Assert.That(host.Ports["a2"].TakeAll().Single().Offload.GsoSize, Is.EqualTo(1000 - 40));
        var plain = new OffloadInfo { NeedsChecksum = true, ChecksumStart = 34, ChecksumOffset = 16 };
        Assert.That(host.Ports["a3"].TakeAll().Single().Offload, Is.EqualTo(plain));
    }

    private static TestCaseData Named(string name, byte[] bytes, object second) => new TestCaseData(bytes, second).SetArgDisplayNames(name);

    private static byte[] Patched(byte[] frame, int offset, int word)
    {
        byte[] patched = [.. frame];
        patched[offset] = (byte)(word >> 8);
        patched[offset + 1] = (byte)word;
        return patched;
    }

    // the pseudo-header's sum for the length the IP header now claims
    private static byte[] Finish(byte[] frame) =>
        Patched(frame, 40, SumOf([.. frame.AsSpan(26, 8), 0, 17, .. (byte[])[(1000 - 20) >> 8, (1000 - 20) & 0xFF]]));

    /// <summary>Receives one datagram with a segment size beside it, and gives what the port got.</summary>
    private static IReadOnlyList<MemoryFrame> Deliver(byte[] frame, int hint, DropReason expected = DropReason.None)
    {
        var host = new MemoryHost(new MemoryNetwork(seed: 1), InetAddress.Parse(A));
        using var vtep = new Vtep(Config("a1"), host, seed: 42, nowMilliseconds: 0);
        ServeOnce(vtep, frame, hint);
        Assert.That(vtep.Counters().Drops, expected == DropReason.None ? Is.Empty : Is.EqualTo(new Dictionary<DropReason, long> { [expected] = 1 }));
        return host.Ports["a1"].TakeAll();
    }

    private static void ServeOnce(Vtep vtep, byte[] frame, int hint) =>
        vtep.Lanes[0].ServeUnderlay(new HintingQueue(Vxlan(100, frame), (ushort)hint), nowMilliseconds: 0);

    private static VtepConfig Config(params string[] taps) => new()
    {
        Workers = 1,
        FdbCapacity = 64,
        Underlay = new UnderlayConfig { Local = InetAddress.Parse(A) },
        BridgeDomains = [Domain(100, taps, [B])],
    };

    /// <summary>One datagram with the segment size that UDP_GRO says.</summary>
    private sealed class HintingQueue(byte[] datagram, ushort hint) : IFrameQueue
    {
        public QueueMeters Meters { get; } = new();

        public int Receive(FrameBatch batch)
        {
            Meters.CountReceived(datagram.Length);
            batch.Count = 0;
            batch.TryAdd(datagram);
            batch[0].Info.Outer.Remote = new VtepEndpoint(InetAddress.Parse(B), 50_000);
            batch[0].Info.Offload.GsoSize = hint;
            return batch.Count;
        }

        public void Send(in Frame frame)
        {
        }

        public int Flush() => 0;
    }
}
