// No fragments, ever: the MTU of ports follows the paths, and what is too long all the same is dropped, counted and answered.
// And the super-frames of a kernel peer.

using NUnit.Framework;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Network.TestNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Network;

public sealed class PathMtuTests
{
    private const string A = "198.18.0.1", B = "198.18.0.2", C = "198.18.0.3", A6 = "fd00::a", B6 = "fd00::b";

    [TestCase(A, B, InnerVlanPolicy.Drop, ExpectedResult = 1450)]
    [TestCase(A, B, InnerVlanPolicy.Pass, ExpectedResult = 1446)]
    [TestCase(A6, B6, InnerVlanPolicy.Drop, ExpectedResult = 1430)]
    [TestCase(A6, B6, InnerVlanPolicy.Pass, ExpectedResult = 1426)]
    public int ThePortsMtu_IsThePathsLessTheHeaders(string local, string peer, InnerVlanPolicy tags)
    {
        using var network = new TestNetwork();
        Node a = network.Add(local, Domain(100, ["a1"], [peer]) with { Encapsulation = new EncapsulationPolicy { InnerVlan = tags } });
        return a.Port("a1").Mtu;
    }

    [Test]
    public void TheSmallestPathCounts_AndAChangeIsFollowed()
    {
        using var network = new TestNetwork();
        network.Wire.PathMtus[InetAddress.Parse(C)] = 1400;
        Node a = network.Add(A, Domain(100, ["a1"], [B, C]), MulticastDomain(200, ["a2"]));
        Assert.That((a.Port("a1").Mtu, a.Port("a2").Mtu), Is.EqualTo((1350, 1450)));
        network.Wire.PathMtus.Clear();
        network.Wire.Mtu = 9000;
        a.Vtep.UnderlayChanged(network.Now);
        Assert.That((a.Port("a1").Mtu, a.Port("a2").Mtu), Is.EqualTo((8950, 8950)));
    }

    [Test]
    public void AConfiguredMtu_Stands_AndAWarningSaysThatItIsTooLarge()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, [], [B]) with { Ports = [new PortConfig { Tap = "a1", Mtu = 1500 }] });
        Assert.That(a.Port("a1").Mtu, Is.EqualTo(1500));
        Assert.That(a.Vtep.Status().Warnings.Single(), Does.Contain("a1").And.Contain("1500").And.Contain("1450"));
    }

    // the MTU told is the path's less 50 or 70 (pmtu.sh)
    [TestCase(A, B, 1450)]
    [TestCase(A6, B6, 1430)]
    public void AnOversizeFrame_IsDropped_AndItsSenderIsTold(string local, string peer, int told)
    {
        using var network = new TestNetwork();
        Node a = network.Add(local, Domain(100, [], [peer]) with { Ports = [new PortConfig { Tap = "a1", Mtu = 4000 }] });
        network.Forge(peer, local, Vxlan(100, Arp(MacB)));
        network.Run();
        a.Port("a1").TakeAll();
        network.TakeDatagrams();

        a.Port("a1").Inject(Udp(payload: Pattern(told - 28), df: true));
        a.Port("a1").Inject(Udp(sourceIp: IPv6A, destinationIp: IPv6B, payload: Pattern(told - 48)));
        network.Run();
        Assert.That(network.TakeDatagrams(), Has.Count.EqualTo(2), "exactly as long as fits");

        byte[] long4 = Udp(payload: Pattern(told - 27), df: true);
        byte[] long6 = Udp(sourceIp: IPv6A, destinationIp: IPv6B, payload: Pattern(told - 47));
        a.Port("a1").Inject(long4);
        a.Port("a1").Inject(long6);
        network.Run();
        Assert.That(network.TakeDatagrams(), Is.Empty);
        Assert.That(a.Drops(DropReason.PathMtuExceeded), Is.EqualTo(2));

        IReadOnlyList<MemoryFrame> answers = a.Port("a1").TakeAll();
        byte[] icmp4 = answers[0].Bytes, icmp6 = answers[1].Bytes;
        Assert.That(Convert.ToHexString(icmp4[..14]), Is.EqualTo("02000000000A" + "02000000000B" + "0800"), "back to the sender, from the destination");
        Assert.That(icmp4[34..42], Is.EqualTo((byte[])[3, 4, icmp4[36], icmp4[37], 0, 0, (byte)(told >> 8), (byte)told]));
        Assert.That(icmp4[42..(42 + 28)], Is.EqualTo(long4[14..42]), "quotes the packet");
        Assert.That(icmp6[54..62], Is.EqualTo((byte[])[2, 0, icmp6[56], icmp6[57], 0, 0, (byte)(told >> 8), (byte)told]));
        Assert.That(icmp6[62..(62 + 48)], Is.EqualTo(long6[14..62]));
    }

    [Test]
    public void GroupFrames_IcmpErrors_AndPacketsThatMayBeFragmented_AreNotAnswered()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, [], [B, C]) with { Ports = [new PortConfig { Tap = "a1", Mtu = 4000 }] });
        a.Port("a1").Inject(Udp(destination: MacAddress.Broadcast, destinationIp: "255.255.255.255", payload: Pattern(2000)));
        a.Port("a1").Inject(Udp(destination: MacAddress.Parse("01:00:5e:01:01:01"), destinationIp: "239.1.1.1", payload: Pattern(2000)));
        a.Port("a1").Inject(IcmpEcho(type: 3, payload: Pattern(2000)));
        a.Port("a1").Inject(IcmpEcho(sourceIp: IPv6A, destinationIp: IPv6B, type: 1, payload: Pattern(2000)));
        a.Port("a1").Inject(Udp(payload: Pattern(2000), df: false));
        a.Port("a1").Inject(Ethernet(0x88B5, Pattern(2000)));
        network.Run();
        Assert.That(a.Drops(DropReason.PathMtuExceeded), Is.EqualTo(12), "a copy to each of two peers");
        Assert.That(a.Port("a1").TakeAll(), Is.Empty);
    }

    [Test]
    public void AnsweringIsHeldBack_WhenThereIsTooMuchToAnswer()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, [], [B]) with { Ports = [new PortConfig { Tap = "a1", Mtu = 4000 }] });
        for (int i = 0; i < 500; i++)
            a.Port("a1").Inject(Udp(payload: Pattern(2000)));
        network.Run();
        Assert.That(a.Port("a1").TakeAll(), Has.Count.EqualTo(100), "sixty-four for one batch, a hundred at once");
        network.Now += 1000;
        a.Port("a1").Inject(Udp(payload: Pattern(2000)));
        network.Run();
        Assert.That(a.Port("a1").TakeAll(), Has.Count.EqualTo(1));
    }

    [Test]
    public void AnUnknownDestination_IsAnsweredOnce_WithTheSmallestMtu()
    {
        using var network = new TestNetwork();
        network.Wire.PathMtus[InetAddress.Parse(C)] = 1400;
        Node a = network.Add(A, Domain(100, [], [B, C]) with { Ports = [new PortConfig { Tap = "a1", Mtu = 4000 }] });
        a.Port("a1").Inject(Udp(payload: Pattern(1420), df: true));
        network.Run();
        Assert.That(network.TakeDatagrams().Single().Outer.Remote.Address.ToString(), Is.EqualTo(B), "1448 bytes fit towards B");
        byte[] answer = a.Port("a1").TakeAll().Single().Bytes;
        Assert.That(answer[40..42], Is.EqualTo((byte[])[1350 >> 8, 1350 & 0xFF]));
    }

    [Test]
    public void ATcpSuperFrameOfAKernelPeer_GoesToThePortWhole_ToBeSegmentedThere([Values(false, true)] bool ipv6, [Values(false, true)] bool tagged)
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]) with { Encapsulation = new EncapsulationPolicy { InnerVlan = InnerVlanPolicy.Pass } });
        int mtu = a.Port("a1").Mtu;
        byte[] super = ipv6
            ? Tcp(MacB, MacA, IPv6B, IPv6A, payload: Pattern(30_000), checksum: TestChecksum.Partial, vlans: tagged ? [7] : null)
            : Tcp(MacB, MacA, payload: Pattern(30_000), checksum: TestChecksum.Partial, vlans: tagged ? [7] : null);
        network.Forge(B, A, Vxlan(100, super));
        network.Run();

        MemoryFrame frame = a.Port("a1").TakeAll().Single();
        int network0 = tagged ? 18 : 14, ip = ipv6 ? 40 : 20;
        Assert.That(frame.Bytes, Is.EqualTo(super));
        Assert.That(frame.Offload, Is.EqualTo(new OffloadInfo
        {
            NeedsChecksum = true,
            Gso = ipv6 ? GsoType.TcpIPv6 : GsoType.TcpIPv4,
            GsoSize = (ushort)(mtu - ip - 20),
            HeaderLength = (ushort)(network0 + ip + 20),
            ChecksumStart = (ushort)(network0 + ip),
            ChecksumOffset = 16,
        }));
    }

    [Test]
    public void AFrameTooLongForThePort_ThatIsNoSuperFrame_IsDropped()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        network.Forge(B, A, Vxlan(100, Tcp(payload: Pattern(3000), checksum: TestChecksum.Right)));
        network.Forge(B, A, Vxlan(100, Udp(payload: Pattern(3000), checksum: TestChecksum.Partial)));
        network.Forge(B, A, Vxlan(100, Ethernet(0x88B5, Pattern(3000))));
        network.Run();
        Assert.That(a.Drops(DropReason.PortMtuExceeded), Is.EqualTo(3));
        Assert.That(a.Port("a1").TakeAll(), Is.Empty);
    }

    [Test]
    public void APortWhoseMtuCantBeSet_KeepsItsOwn()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        a.Port("a1").MtuRefusal = "Operation not permitted (EPERM)";
        network.Wire.Mtu = 1400;
        a.Vtep.UnderlayChanged(network.Now);
        Assert.That(a.Vtep.Ports().Single().Mtu, Is.EqualTo(1450));
        Assert.That(a.Vtep.Status().Warnings.Single(), Does.Contain("1350"));
    }
}
