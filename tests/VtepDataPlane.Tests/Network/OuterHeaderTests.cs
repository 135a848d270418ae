// The outer header, and what it does to the inner one: ECN both ways (the kernel's matrix, vxlan_bridge_1d.sh), the 39 reserved bits
// (vxlan_reserved.sh), TTL, TOS and DF fixed and inherited (l2_tos_ttl_inherit.sh), source ports, inner VLAN tags.

using NUnit.Framework;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using static VtepDataPlane.Tests.Network.TestNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Network;

public sealed class OuterHeaderTests
{
    private const string A = "198.18.0.1", B = "198.18.0.2";

    private static OuterHeader OuterOf(byte[] frame, EncapsulationPolicy policy)
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]) with { Encapsulation = policy });
        a.Port("a1").Inject(frame);
        network.Run();
        return network.TakeDatagrams().Single().Outer;
    }

    [TestCase(0, ExpectedResult = 0)]
    [TestCase(1, ExpectedResult = 1)]
    [TestCase(2, ExpectedResult = 2)]
    [TestCase(3, ExpectedResult = 2)]
    public int EcnOnEncapsulation_IsCopied_AndCeGoesOutAsEct0(int inner) =>
        OuterOf(Udp(tos: (byte)inner), new EncapsulationPolicy()).TrafficClass;

    [Test]
    public void EcnOnEncapsulation_AsRfc6040_CopiesCe() =>
        Assert.That(OuterOf(Udp(tos: 3), new EncapsulationPolicy { Ecn = EcnPolicy.Rfc6040 }).TrafficClass, Is.EqualTo(3));

    // inner, outer -> delivered inner, -1 for dropped (RFC 6040 figure 4; kernel selftest vxlan_bridge_1d.sh)
    [Test]
    public void EcnOnDecapsulation_FollowsTheMatrix(
        [Values(false, true)] bool ipv6,
        [Values(0, 1, 2, 3)] int inner,
        [Values(0, 1, 2, 3)] int outer)
    {
        int[,] matrix = { { 0, 0, 0, -1 }, { 1, 1, 1, 3 }, { 2, 1, 2, 3 }, { 3, 3, 3, 3 } };
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        byte dscp = 0xB8;
        byte[] frame = ipv6 ? Udp(sourceIp: IPv6A, destinationIp: IPv6B, tos: (byte)(dscp | inner)) : Udp(tos: (byte)(dscp | inner));
        network.Forge(B, A, Vxlan(100, frame), trafficClass: (byte)outer);
        network.Run();

        if (matrix[inner, outer] < 0)
        {
            Assert.That(a.Drops(DropReason.IpTunnelEcn), Is.EqualTo(1));
            Assert.That(a.Port("a1").TakeAll(), Is.Empty);
            return;
        }

        byte expected = (byte)(dscp | matrix[inner, outer]);
        byte[] whole = ipv6 ? Udp(sourceIp: IPv6A, destinationIp: IPv6B, tos: expected) : Udp(tos: expected);
        Assert.That(a.Port("a1").TakeAll().Single().Bytes, Is.EqualTo(whole), "DSCP, checksums and all else as a sender with that TOS would have made it");
    }

    [Test]
    public void AFrameThatIsNotIp_IsDeliveredWhateverTheOuterEcn()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        network.Forge(B, A, Vxlan(100, Arp()), trafficClass: 3);
        network.Run();
        Assert.That(a.Port("a1").TakeAll(), Has.Count.EqualTo(1));
    }

    private static IEnumerable<(uint Flags, byte Last)> ReservedBits()
    {
        for (int bit = 0; bit < 32; bit++)
        {
            if (bit != 27) // the I flag
                yield return (0x0800_0000u | (1u << bit), 0);
        }

        for (int bit = 0; bit < 8; bit++)
            yield return (0x0800_0000u, (byte)(1 << bit));
    }

    [Test]
    public void ThirtyNineReservedBits_AreIgnoredAndCounted_OrDropped_ByPolicy()
    {
        Assert.That(ReservedBits().Count(), Is.EqualTo(39));
        using var network = new TestNetwork();
        Node a = network.Add(
            A, Domain(100, ["a1"], [B]), Domain(200, ["a2"], [B]) with { Encapsulation = new EncapsulationPolicy { ReservedBits = ReservedBitsPolicy.Linux } });
        foreach ((uint flags, byte last) in ReservedBits())
        {
            network.Forge(B, A, Vxlan(100, Udp(), flags, last));
            network.Forge(B, A, Vxlan(200, Udp(), flags, last));
        }

        network.Forge(B, A, Vxlan(200, Udp()));
        network.Run();
        Assert.That(a.Port("a1").TakeAll(), Has.Count.EqualTo(39));
        Assert.That(a.Vtep.Domains()[0].ReservedBitsIgnored, Is.EqualTo(39));
        Assert.That(a.Port("a2").TakeAll(), Has.Count.EqualTo(1));
        Assert.That(a.Drops(DropReason.VxlanReservedBits), Is.EqualTo(39));
    }

    [Test]
    public void WithoutTheIFlag_ThereIsNoVni()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        for (uint flags = 0; flags < 0x100; flags++)
        {
            if ((flags & 0x08) == 0)
                network.Forge(B, A, Vxlan(100, Udp(), flags << 24));
        }

        network.Run();
        Assert.That(a.Drops(DropReason.VxlanInvalidHeader), Is.EqualTo(128));
    }

    private static IEnumerable<TestCaseData> InnerKinds()
    {
        foreach (int[]? vlan in new int[]?[] { null, [99] })
        {
            string tag = vlan is null ? "" : " tagged";
            yield return new TestCaseData(Udp(tos: 0x14, ttl: 77, vlans: vlan), 0x14, 77).SetArgDisplayNames("IPv4" + tag);
            yield return new TestCaseData(Udp(sourceIp: IPv6A, destinationIp: IPv6B, tos: 0x14, ttl: 77, vlans: vlan), 0x14, 77).SetArgDisplayNames("IPv6" + tag);
            yield return new TestCaseData(Arp(vlans: vlan), 0, 64).SetArgDisplayNames("ARP" + tag);
        }
    }

    [TestCaseSource(nameof(InnerKinds))]
    public void TtlAndTos_AreInheritedFromIp_AndDefaultsForWhatIsNot(byte[] frame, int tos, int ttl)
    {
        OuterHeader outer = OuterOf(frame, new EncapsulationPolicy { Ttl = null, Dscp = null, InnerVlan = InnerVlanPolicy.Pass });
        Assert.That(outer.TrafficClass, Is.EqualTo(tos));
        Assert.That(outer.HopLimit, Is.EqualTo(ttl));
    }

    [TestCaseSource(nameof(InnerKinds))]
    public void TtlAndTos_MayBeFixed(byte[] frame, int tos, int ttl)
    {
        OuterHeader outer = OuterOf(frame, new EncapsulationPolicy { Ttl = 100, Dscp = 46, InnerVlan = InnerVlanPolicy.Pass });
        Assert.That(outer.TrafficClass, Is.EqualTo(46 << 2 | (tos & 3)));
        Assert.That(outer.HopLimit, Is.EqualTo(100), $"not the inner {ttl}");
    }

    // rows: DF set, unset, inherit; columns: inner IPv4 with DF, without, IPv6, ARP
    [TestCase(DontFragmentPolicy.Set, new[] { true, true, true, true })]
    [TestCase(DontFragmentPolicy.Unset, new[] { false, false, false, false })]
    [TestCase(DontFragmentPolicy.Inherit, new[] { true, false, true, false })]
    public void DontFragment_FollowsItsPolicy(DontFragmentPolicy policy, bool[] expected)
    {
        byte[][] frames = [Udp(df: true), Udp(df: false), Udp(sourceIp: IPv6A, destinationIp: IPv6B), Arp()];
        Assert.That(frames.Select(frame => OuterOf(frame, new EncapsulationPolicy { DontFragment = policy }).DontFragment), Is.EqualTo(expected));
    }

    [Test]
    public void TheSourcePort_IsOneForAFlow_AndManyForMany()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        for (int flow = 0; flow < 10; flow++)
        {
            for (int i = 0; i < 3; i++)
                a.Port("a1").Inject(Udp(sourcePort: 1000 + flow, payload: Pattern(10 + i)));
        }

        network.Run();
        List<ushort> ports = [.. network.TakeDatagrams().Select(d => d.Outer.SourcePort)];
        Assert.That(ports, Has.All.InRange(49152, 65535));
        for (int flow = 0; flow < 10; flow++)
            Assert.That(ports.Skip(3 * flow).Take(3).Distinct().Count(), Is.EqualTo(1));
        Assert.That(ports.Distinct().Count(), Is.GreaterThan(5));
    }

    [Test]
    public void AnInnerTag_IsDeniedByDefault_AndCarriedBothWaysWhereAllowed()
    {
        using var network = new TestNetwork();
        var pass = new EncapsulationPolicy { InnerVlan = InnerVlanPolicy.Pass };
        Node a = network.Add(A, Domain(100, ["a1"], [B]), Domain(200, ["a2"], [B]) with { Encapsulation = pass });
        Node b = network.Add(B, Domain(100, ["b1"], [A]), Domain(200, ["b2"], [A]) with { Encapsulation = pass });
        byte[] tagged = Udp(vlans: [99]);
        byte[] doubleTagged = Udp(MacB, MacA, vlans: [10, 20]);
        a.Port("a1").Inject(tagged);
        network.Forge(B, A, Vxlan(100, tagged));
        a.Port("a2").Inject(tagged);
        b.Port("b2").Inject(doubleTagged);
        network.Run();
        Assert.That(a.Drops(DropReason.InnerVlanDenied), Is.EqualTo(2));
        Assert.That(b.Port("b2").TakeAll().Single().Bytes, Is.EqualTo(tagged));
        Assert.That(a.Port("a2").TakeAll().Single().Bytes, Is.EqualTo(doubleTagged));
    }

    [Test]
    public void AnUnfinishedChecksum_IsFinishedTowardsTheUnderlay_AndMarkedTowardsAPort()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1", "a2"], [B]));
        a.Port("a1").Inject(
            Tcp(checksum: TestChecksum.Partial), new OffloadInfo { NeedsChecksum = true, ChecksumStart = 34, ChecksumOffset = 16 });
        network.Run();
        MemoryDatagram datagram = network.TakeDatagrams().Single();
        Assert.That(datagram.Payload[8..], Is.EqualTo(Tcp()), "finished");
        MemoryFrame copy = a.Port("a2").TakeAll().Single();
        Assert.That(copy.Bytes, Is.EqualTo(Tcp()), "flooded copies are the same bytes, so finished too");
        Assert.That(copy.Offload.NeedsChecksum, Is.False);

        network.Forge(B, A, Vxlan(100, Tcp(MacB, MacA, checksum: TestChecksum.Partial)));
        network.Run();
        MemoryFrame marked = a.Port("a1").TakeAll().Single();
        Assert.That(marked.Bytes, Is.EqualTo(Tcp(MacB, MacA, checksum: TestChecksum.Partial)));
        Assert.That(marked.Offload, Is.EqualTo(new OffloadInfo { NeedsChecksum = true, ChecksumStart = 34, ChecksumOffset = 16 }));
    }

    [Test]
    public void AFinishedChecksum_RightOrWrong_IsPassedOnAsItIs([Values("Right", "Wrong", "Zero")] string kind)
    {
        TestChecksum checksum = Enum.Parse<TestChecksum>(kind);
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        network.Forge(B, A, Vxlan(100, Udp(checksum: checksum)));
        network.Run();
        MemoryFrame frame = a.Port("a1").TakeAll().Single();
        Assert.That(frame.Bytes, Is.EqualTo(Udp(checksum: checksum)));
        Assert.That(frame.Offload, Is.EqualTo(default(OffloadInfo)), "never blessed: the receiver's stack judges it");
    }
}
