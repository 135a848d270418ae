// What a bridge domain does with frames, over two and three VTEPs in memory: flooding, learning, ageing, moves, split horizon,
// isolation of domains, admission.

using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Network.TestNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Network;

public sealed class ForwardingTests
{
    private const string A = "198.18.0.1", B = "198.18.0.2", C = "198.18.0.3";
    private static readonly MacAddress s_macC = MacAddress.Parse("02:00:00:00:00:0c");

    [Test]
    public void UnknownUnicast_IsFloodedToEveryPeerAndEveryOtherPort_ThenUnicastOnceLearned()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1", "a2"], [B, C]));
        Node b = network.Add(B, Domain(100, ["b1"], [A, C]));
        Node c = network.Add(C, Domain(100, ["c1"], [A, B]));

        byte[] frame = Udp(MacA, MacB);
        a.Port("a1").Inject(frame);
        network.Run();

        Assert.That(network.TakeDatagrams().Select(d => d.Outer.Remote.Address.ToString()), Is.EquivalentTo(new[] { B, C }));
        Assert.That(a.Port("a2").TakeAll().Single().Bytes, Is.EqualTo(frame));
        Assert.That(b.Port("b1").TakeAll().Single().Bytes, Is.EqualTo(frame));
        Assert.That(c.Port("c1").TakeAll().Single().Bytes, Is.EqualTo(frame));
        Assert.That(b.Fdb(), Is.EqualTo(new[] { $"100 {MacA} remote {A}" }));

        b.Port("b1").Inject(Udp(MacB, MacA));
        network.Run();
        Assert.That(network.TakeDatagrams().Single().Outer.Remote.Address.ToString(), Is.EqualTo(A), "the reply goes to the one VTEP it was learned behind");
        Assert.That(a.Port("a1").TakeAll(), Has.Count.EqualTo(1));
        Assert.That(a.Port("a2").TakeAll(), Is.Empty);
        Assert.That(c.Port("c1").TakeAll(), Is.Empty);
    }

    [Test]
    public void TheDatagram_IsTheVxlanHeaderAndTheFrame_ByteForByte()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(0x12345, ["a1"], [B]));
        byte[] frame = Arp(MacA);
        a.Port("a1").Inject(frame);
        network.Run();

        MemoryDatagram datagram = network.TakeDatagrams().Single();
        Assert.That(datagram.Payload, Is.EqualTo((byte[])[.. Hex("08 000000 012345 00"), .. frame]));
        Assert.That(datagram.Outer.Remote.Port, Is.EqualTo(4789));
        Assert.That(datagram.Outer.SourcePort, Is.InRange(49152, 65535));
        Assert.That(datagram.Outer.HopLimit, Is.EqualTo(64));
        Assert.That(datagram.Outer.TrafficClass, Is.Zero);
        Assert.That(datagram.Outer.DontFragment, Is.True);
    }

    [Test]
    public void FromTheUnderlay_NothingGoesBackToTheUnderlay()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B, C]));
        network.Add(B, Domain(100, ["b1"], [A, C]));
        network.Forge(B, A, Vxlan(100, Udp(MacB, MacA)));
        network.Run();
        Assert.That(network.TakeDatagrams(), Has.Count.EqualTo(1), "only the forged one");

        network.Forge(C, A, Vxlan(100, Udp(s_macC, MacB)));
        network.Run();
        Assert.That(a.Drops(DropReason.SplitHorizon), Is.EqualTo(1), "B's MAC is behind B: it must not be relayed from C to B");
        Assert.That(network.TakeDatagrams(), Has.Count.EqualTo(1));
    }

    [Test]
    public void PortsOfOneDomain_SwitchToEachOther_AndASuperFrameIsPassedWhole()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1", "a2", "a3"], [B]));
        a.Port("a2").Inject(Arp(MacB));
        network.Run();
        network.TakeDatagrams();
        a.Port("a1").TakeAll();
        a.Port("a3").TakeAll();

        byte[] super = Tcp(MacA, MacB, payload: Pattern(20_000), checksum: TestChecksum.Partial);
        var offload = new OffloadInfo { Gso = GsoType.TcpIPv4, GsoSize = 1410, HeaderLength = 54, NeedsChecksum = true, ChecksumStart = 34, ChecksumOffset = 16 };
        a.Port("a1").Inject(super, offload);
        network.Run();

        MemoryFrame delivered = a.Port("a2").TakeAll().Single();
        Assert.That(delivered.Bytes, Is.EqualTo(super));
        Assert.That(delivered.Offload, Is.EqualTo(offload));
        Assert.That(a.Port("a3").TakeAll(), Is.Empty);
        Assert.That(network.TakeDatagrams(), Is.Empty);
    }

    [Test]
    public void AFrameForThePortItCameFrom_IsNotSentBack()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        a.Port("a1").Inject(Arp(MacA));
        a.Port("a1").Inject(Arp(MacB));
        a.Port("a1").Inject(Udp(MacA, MacB));
        network.Run();
        Assert.That(a.Drops(DropReason.SamePort), Is.EqualTo(1));
        Assert.That(a.Port("a1").TakeAll(), Is.Empty);
    }

    [Test]
    public void WithNobodyToSendTo_AFrameIsDroppedAndCounted()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], []));
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        Assert.That(a.Drops(DropReason.NoTxTarget), Is.EqualTo(1));
    }

    [Test]
    public void TwoDomainsWithTheSameMacs_NeverMix()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]), Domain(200, ["a2"], [B]));
        Node b = network.Add(B, Domain(100, ["b1"], [A]), Domain(200, ["b2"], [A]));
        b.Port("b1").Inject(Arp(MacB));
        network.Run();
        a.Port("a1").TakeAll();

        a.Port("a2").Inject(Udp(MacA, MacB, payload: Pattern(5)));
        network.Run();
        Assert.That(b.Port("b1").TakeAll(), Is.Empty, "MAC B is known in VNI 100 only; in 200 the frame is flooded, in 200");
        Assert.That(b.Port("b2").TakeAll(), Has.Count.EqualTo(1));
        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacB} remote {B}", $"200 {MacA} local a2" }));
    }

    [Test]
    public void AMacThatMoves_IsFollowedAtItsFirstFrame()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B, C]));
        Node b = network.Add(B, Domain(100, ["b1"], [A, C]));
        Node c = network.Add(C, Domain(100, ["c1"], [A, B]));
        b.Port("b1").Inject(Arp(s_macC));
        network.Run();
        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {s_macC} remote {B}" }));
        c.Port("c1").Inject(Arp(s_macC));
        network.Run();
        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {s_macC} remote {C}" }));
        Assert.That(b.Fdb(), Is.EqualTo(new[] { $"100 {s_macC} remote {C}" }), "from a port to a VTEP");
        Assert.That(a.Vtep.Domains().Single().Moves, Is.EqualTo(1));
    }

    [Test]
    public void AnEntryAges_EvenWhileWeTransmitToIt_AndIsFloodedAgain()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B, C]) with { Ageing = 30 });
        Node b = network.Add(B, Domain(100, ["b1"], [A, C]));
        b.Port("b1").Inject(Arp(MacB));
        network.Run();
        for (int second = 0; second < 50; second++)
        {
            network.Wait(1);
            a.Port("a1").Inject(Udp(MacA, MacB));
            network.Run();
        }

        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacA} local a1" }));
        network.TakeDatagrams();
        a.Port("a1").Inject(Udp(MacA, MacB));
        network.Run();
        Assert.That(network.TakeDatagrams(), Has.Count.EqualTo(2));
    }

    [Test]
    public void ReceivingRefreshes_AndAgeingZeroMeansNever()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]) with { Ageing = 3 }, Domain(200, ["a2"], [B]) with { Ageing = 0 });
        Node b = network.Add(B, Domain(100, ["b1"], [A]), Domain(200, ["b2"], [A]));
        b.Port("b2").Inject(Arp(MacB));
        for (int i = 0; i < 10; i++)
        {
            b.Port("b1").Inject(Arp(MacB));
            network.Run();
            network.Wait(2);
        }

        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacB} remote {B}", $"200 {MacB} remote {B}" }));
        network.Wait(100_000 / 10);
        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"200 {MacB} remote {B}" }));
    }

    [Test]
    public void AStaticEntry_IsNeverOverridden_AndTheFrameIsDropped()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B, C]) with { Fdb = [new StaticFdbEntry(MacB, new VtepEndpoint(InetAddress.Parse(B), 4789), null)] });
        network.Forge(C, A, Vxlan(100, Udp(MacB, MacA)));
        a.Port("a1").Inject(Udp(MacB, MacA));
        network.Run();
        Assert.That(a.Drops(DropReason.EntryExists), Is.EqualTo(2));
        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacB} static {B}" }));
        network.Forge(B, A, Vxlan(100, Udp(MacB, MacA)));
        network.Run();
        Assert.That(a.Port("a1").TakeAll(), Has.Count.EqualTo(1), "from where it belongs it is welcome");
    }

    [Test]
    public void TheFdbLimit_BoundsLearning_AndFramesStillFlow()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]) with { FdbLimit = 10 });
        Node b = network.Add(B, Domain(100, ["b1"], [A]));
        for (int i = 0; i < 50; i++)
            a.Port("a1").Inject(Arp(new MacAddress(0x0200_0000_1000UL + (ulong)i)));
        network.Run();
        Assert.That(a.Fdb(), Has.Count.EqualTo(10));
        Assert.That(b.Port("b1").TakeAll(), Has.Count.EqualTo(50));
        Assert.That(a.Vtep.Domains().Single().LearnLimitHits, Is.EqualTo(40));
    }

    [Test]
    public void SourceMacs_ThatAreOursOrGroupOrZero_AreDropped()
    {
        using var network = new TestNetwork();
        MacAddress own = MacAddress.Parse("02:00:00:00:00:aa");
        BridgeDomainConfig domain = Domain(100, ["a1"], [B]);
        Node a = network.Add(A, domain with { Ports = [new PortConfig { Tap = "a1", Mac = own }] });
        network.Forge(B, A, Vxlan(100, Udp(own, MacA)));
        network.Forge(B, A, Vxlan(100, Udp(MacAddress.Zero, MacA)));
        network.Forge(B, A, Vxlan(100, Udp(MacAddress.Parse("01:00:5e:00:00:01"), MacA)));
        network.Run();
        Assert.That(a.Drops(DropReason.LocalMac), Is.EqualTo(1));
        Assert.That(a.Drops(DropReason.SourceMacInvalid), Is.EqualTo(2));
        Assert.That(a.Port("a1").TakeAll(), Is.Empty);
    }

    [Test]
    public void AStrangersDatagram_IsNeitherDeliveredNorLearnedFrom()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]), Domain(200, ["a2"], [C]));
        network.Forge("198.18.0.66", A, Vxlan(100, Udp(MacB, MacA)));
        network.Forge(C, A, Vxlan(100, Udp(MacB, MacA)));
        network.Run();
        Assert.That(a.Drops(DropReason.PeerUnknown), Is.EqualTo(2), "C is a VTEP of VNI 200 only");
        Assert.That(a.Fdb(), Is.Empty);
        Assert.That(a.Port("a1").TakeAll(), Is.Empty);
    }

    [Test]
    public void FloodList_GrowsAndShrinksByTheAllZerosEntry()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        var c = new VtepEndpoint(InetAddress.Parse(C), 4789);
        Assert.That(a.Vtep.AddFdb(new Vni(100), MacAddress.Zero, c, null), Is.Null);
        Assert.That(a.Vtep.AddFdb(new Vni(100), MacAddress.Zero, c, null), Does.Contain("already"));
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        Assert.That(network.TakeDatagrams().Select(d => d.Outer.Remote.Address.ToString()), Is.EqualTo(new[] { B, C }));

        Assert.That(a.Vtep.DeleteFdb(new Vni(100), MacAddress.Zero, c), Is.Null);
        Assert.That(a.Vtep.DeleteFdb(new Vni(100), MacAddress.Zero, c), Does.Contain("not in the flood list"));
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        Assert.That(network.TakeDatagrams().Select(d => d.Outer.Remote.Address.ToString()), Is.EqualTo(new[] { B }));
    }

    [Test]
    public void EachPeer_MayHaveItsOwnPort()
    {
        using var network = new TestNetwork();
        BridgeDomainConfig domain = Domain(100, ["a1"], []) with
        {
            Discovery = new StaticDiscovery
            {
                Peers = [new VtepEndpoint(InetAddress.Parse(B), 4789), new VtepEndpoint(InetAddress.Parse(C), 8472)],
            },
        };
        Node a = network.Add(A, domain);
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        Assert.That(network.TakeDatagrams().Select(d => d.Outer.Remote.ToString()), Is.EqualTo(new[] { $"{B}:4789", $"{C}:8472" }));
    }

    [Test]
    public void OurOwnDatagrams_BackInByAPort_AreALoop()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        a.Port("a1").Inject(Udp(MacA, MacB, sourceIp: A, destinationIp: B, destinationPort: 4789));
        network.Run();
        Assert.That(a.Drops(DropReason.RouteLoop), Is.EqualTo(1));
    }

    [Test]
    public void ARouteToAPeerThroughOurOwnPort_IsALoop_UntilItIsMended()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        a.Port("a1").InterfaceIndex = 7;
        a.Host.Underlay!.RouteInterfaces[InetAddress.Parse(B)] = 7;
        a.Vtep.UnderlayChanged(network.Now);
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        Assert.That(a.Drops(DropReason.RouteLoop), Is.EqualTo(1));
        Assert.That(a.Vtep.Status().Warnings.Single(), Does.Contain(B).And.Contain("our own ports"));

        a.Host.Underlay!.RouteInterfaces.Clear();
        a.Vtep.UnderlayChanged(network.Now);
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        Assert.That(network.TakeDatagrams(), Has.Count.EqualTo(1));
    }

    [Test]
    public void WhileTheLocalAddressIsMissing_NothingIsSent()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B, C]));
        a.Host.Underlay!.IsLocalAddressPresent = false;
        a.Vtep.UnderlayChanged(network.Now);
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        Assert.That(a.Drops(DropReason.LocalAddressMissing), Is.EqualTo(2), "one for each copy");
        Assert.That(network.TakeDatagrams(), Is.Empty);
    }
}
