// Whatever comes in, from either side, ends as sent or as one drop reason, and nothing is thrown: frames and datagrams cut at every
// byte, lengths that lie, stacks of tags, random bytes. And every drop reason there is can be reached: a test for each, or here.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Network.TestNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Network;

public sealed class BadInputTests
{
    private const string A = "198.18.0.1", B = "198.18.0.2";

    private static IEnumerable<byte[]> GoodFrames() =>
    [
        Udp(), Tcp(options: Pattern(12)), Arp(), IcmpEcho(), Udp(vlans: [5]), Udp(vlans: [5, 6]), Udp(vlans: [5, 6, 7]),
        Udp(sourceIp: IPv6A, destinationIp: IPv6B), UdpBehindExtensions(3), UdpBehindExtensions(9),
        Ip(17, Pattern(64), fragmentOffset: 8), Ip(17, Pattern(64), moreFragments: true), Ethernet(0x88CC, Pattern(46)), Ethernet(60, Pattern(60)),
    ];

    [Test]
    public void EveryFrame_CutAtEveryByte_IsSentOrCounted_OnBothSides()
    {
        using var network = new TestNetwork();
        var pass = new EncapsulationPolicy { InnerVlan = InnerVlanPolicy.Pass };
        Node a = network.Add(A, Domain(100, ["a1", "a2"], [B]) with { Encapsulation = pass });
        foreach (byte[] frame in GoodFrames())
        {
            for (int length = 0; length <= frame.Length; length++)
            {
                a.Port("a1").Inject(frame.AsSpan(0, length));
                network.Forge(B, A, Vxlan(100, frame[..length]));
                network.Run();
                a.Port("a1").TakeAll();
                a.Port("a2").TakeAll();
            }
        }

        byte[] whole = Vxlan(100, Udp());
        for (int length = 0; length < 8; length++)
            network.Forge(B, A, whole[..length]);
        network.Run();
        Assert.That(a.Drops(DropReason.VxlanTruncated), Is.EqualTo(8));
        Assert.That(a.Drops(DropReason.FrameTruncated), Is.GreaterThan(GoodFrames().Count() * 28));
        Assert.That(a.Drops(DropReason.IpHeaderMalformed), Is.GreaterThan(0));
    }

    [Test]
    public void ThirteenBytes_And65535_AreHandled()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        a.Port("a1").Inject(Pattern(13));
        a.Port("a1").Inject(Ethernet(0x88B5, new byte[65_521]));
        network.Run();
        Assert.That(a.Drops(DropReason.FrameTruncated), Is.EqualTo(1));
        Assert.That(a.Drops(DropReason.PathMtuExceeded), Is.EqualTo(1));
        network.Forge(B, A, Vxlan(100, Ethernet(0x88B5, new byte[65_485])));
        network.Forge(B, A, new byte[70_000]);
        network.Run();
        Assert.That(a.Drops(DropReason.PortMtuExceeded), Is.EqualTo(1));
        Assert.That(a.Drops(DropReason.DatagramTruncated), Is.EqualTo(1));
    }

    // offset into the frame, value: version, IHL, total length too short and too long; payload length of IPv6
    [TestCase(false, 14, 0x55)]
    [TestCase(false, 14, 0x44)]
    [TestCase(false, 14, 0x4F)]
    [TestCase(false, 17, 19)]
    [TestCase(false, 16, 0x40)]
    [TestCase(true, 14, 0x40)]
    [TestCase(true, 18, 0x40)]
    public void AnIpHeaderThatLies_IsMalformed(bool ipv6, int offset, int value)
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        byte[] frame = ipv6 ? Udp(sourceIp: IPv6A, destinationIp: IPv6B, payload: Pattern(4)) : Udp(payload: Pattern(4));
        frame[offset] = (byte)value;
        a.Port("a1").Inject(frame);
        network.Forge(B, A, Vxlan(100, frame));
        network.Run();
        Assert.That(a.Drops(DropReason.IpHeaderMalformed), Is.EqualTo(2));
    }

    [Test]
    public void RandomDatagramsAndFrames_KeepTheBooks()
    {
        Gen<(byte[] Frame, bool Inside, int Flip)> input = Gen.Select(
            Gen.OneOf(Gen.Int[0, GoodFrames().Count() - 1].Select(i => GoodFrames().ElementAt(i)), Gen.Byte.Array[0, 100]), Gen.Bool, Gen.Int[0, 4000]);
        input.Array[1, 40].Sample(
            frames =>
            {
                using var network = new TestNetwork();
                Node a = network.Add(A, Domain(100, ["a1", "a2"], [B]));
                foreach ((byte[] original, bool inside, int flip) in frames)
                {
                    byte[] frame = inside ? Vxlan(100, original) : [.. original];
                    if (flip / 8 < frame.Length)
                        frame[flip / 8] ^= (byte)(1 << (flip % 8));
                    if (inside)
                        network.Forge(B, A, frame);
                    else
                        a.Port("a1").Inject(frame);
                }

                network.Run();
                return a.Vtep.Counters().Unaccounted == 0 && a.Vtep.Counters().Received == frames.Length;
            },
            iter: 2000);
    }

    [Test]
    public void OffloadMetadataThatLies_IsDropped()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1", "a2"], [B]));
        OffloadInfo[] lies =
        [
            new() { NeedsChecksum = true, ChecksumStart = 34, ChecksumOffset = 65_000 },
            new() { NeedsChecksum = true, ChecksumStart = 65_535, ChecksumOffset = 65_535 },
            new() { Gso = GsoType.TcpIPv4, GsoSize = 0, NeedsChecksum = true, ChecksumStart = 34, ChecksumOffset = 16 },
            new() { Gso = GsoType.TcpIPv4, GsoSize = 1400, HeaderLength = 65_000, NeedsChecksum = true, ChecksumStart = 34, ChecksumOffset = 16 },
            new() { Gso = GsoType.TcpIPv4, GsoSize = 1400, HeaderLength = 54 },
        ];
        foreach (OffloadInfo lie in lies)
            a.Port("a1").Inject(Tcp(), lie);
        network.Run();
        Assert.That(a.Drops(DropReason.OffloadInvalid), Is.EqualTo(lies.Length));
    }

    // extension headers of 176 bytes: the port's kernel may know how to cut it, we don't
    [Test]
    public void ASuperFrameWithTooLongHeaders_IsCountedAtTheUnderlay_AndStillGoesToThePorts()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1", "a2"], [B]));
        byte[] tcp = Tcp(sourceIp: IPv6A, destinationIp: IPv6B, payload: Pattern(5000))[54..];
        byte[] frame = Ip(60, Extension(IpProtocol.Tcp, tcp, size: 176), sourceIp: IPv6A, destinationIp: IPv6B);
        var offload = new OffloadInfo { Gso = GsoType.TcpIPv6, GsoSize = 1000, NeedsChecksum = true, ChecksumStart = 230, ChecksumOffset = 16 };
        a.Port("a1").Inject(frame, offload);
        network.Run();
        Assert.That(a.Drops(DropReason.GsoUnsupported), Is.EqualTo(1));
        Assert.That(a.Port("a2").TakeAll(), Has.Count.EqualTo(1));
        Assert.That(network.TakeDatagrams(), Is.Empty);
    }

    [Test]
    public void PortsThatAreDownOrSlow_AndPathsThatFail_AreCountedByReason()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1", "a2"], [B]));
        a.Port("a2").IsUp = false;
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        a.Port("a2").IsUp = true;
        Assert.That(a.Drops(DropReason.PortDown), Is.EqualTo(1));

        for (int i = 0; i < MemoryPort.Capacity + 5; i++)
        {
            network.Forge(B, A, Vxlan(100, Udp(MacB, MacA)));
            network.Run();
        }

        Assert.That(a.Drops(DropReason.PortNoBuffer), Is.EqualTo(5));

        network.Wire.Unreachable.Add(InetAddress.Parse(B));
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        Assert.That(a.Drops(DropReason.NoRoute), Is.EqualTo(1));

        network.Wire.Unreachable.Clear();
        network.Wire.Mtu = 100; // and nobody has told the VTEP
        a.Port("a1").Inject(Udp(MacA, MacB, payload: Pattern(200)));
        network.Run();
        Assert.That(a.Drops(DropReason.LinkMtuExceeded), Is.EqualTo(1));

        network.Forge(B, A, Vxlan(999, Arp()));
        network.Run();
        Assert.That(a.Drops(DropReason.VniNotFound), Is.EqualTo(1));
    }

    [Test]
    public void AFrameReceivedJustBeforeItsPortIsRemoved_IsCounted()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        AccessPort served = a.Host.Served.Single();
        a.Port("a1").Inject(Arp(MacA));
        a.Host.Withdrawing = _ => a.Vtep.Lanes[0].ServePort(served, network.Now);
        a.Vtep.Apply(a.Vtep.Config with { BridgeDomains = [] }, network.Now);
        Assert.That(network.TakeDatagrams(), Has.Count.EqualTo(1), "the state it met still had the domain");
    }

    [Test]
    public void EveryReason_HasANameOfItsOwn()
    {
        string[] names = [.. DropReasonText.All.ToArray().Select(reason => reason.Name())];
        Assert.That(names, Is.Unique.And.All.Match("^[a-z]+(_[a-z0-9]+)*$"));
        Assert.That(DropReason.VniNotFound.Name(), Is.EqualTo("vni_not_found"));
        Assert.That(DropTotals.Occurred(new long[DropReasonText.Count]), Is.Empty);
    }
}
