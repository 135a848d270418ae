// Congestion marks through the tunnel (RFC 6040), as the kernel's selftest forwarding/vxlan_bridge_1d.sh checks them: what goes out
// for each inner mark, and what comes in for each pair of inner and outer mark. The second is given to the kernel's vxlan as well,
// the very same datagrams, and its verdicts must be the same.

using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Selftests;

[TestFixture(AddressFamily.InterNetwork)]
[TestFixture(AddressFamily.InterNetworkV6)]
[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class EcnTests(AddressFamily underlay) : TestBed
{
    private const int Vni = 100;
    private const int Each = 10;

    [TestCase("linux", new[] { 0, 1, 2, 2 })]
    [TestCase("rfc6040", new[] { 0, 1, 2, 3 })]
    public void Encapsulation_CopiesTheInnerMark_AsThePolicySays(string policy, int[] expected)
    {
        Make(Lab.Switched(underlay, hosts: 2));
        using var far = new VxlanSender(Lab.Hosts[1]);
        VtepProcess vtep = Start(Lab.Hosts[0], Domain(Lab.Hosts[1], policy));
        using var tap = new RawSocket(vtep.Station);
        using RawSocket wire = OuterPacket.Wire(Lab.Hosts[0]);
        foreach (AddressFamily inner in Families)
        {
            for (byte mark = 0; mark < 4; mark++)
                Repeat(() => tap.Send(InnerFrame.Udp(inner, $"{inner} {mark}", trafficClass: mark)));
        }

        IReadOnlyList<OuterPacket> sent = OuterPacket.Receive(wire, text => text.StartsWith("InterNetwork", StringComparison.Ordinal), 2 * 4 * Each);
        ILookup<string, byte> marks = sent.ToLookup(packet => InnerFrame.Text(packet.Inner), packet => packet.Ip.TrafficClass);
        Assert.Multiple(() =>
        {
            foreach (AddressFamily inner in Families)
            {
                for (int mark = 0; mark < 4; mark++)
                    Assert.That(marks[$"{inner} {mark}"], Is.EqualTo(Enumerable.Repeat(expected[mark], Each)), $"outer marks of {inner}, inner mark {mark}");
            }
        });
    }

    // (inner, outer) -> what the inner mark becomes; -1: dropped.
    [Test]
    public void Decapsulation_CombinesTheMarksOrDrops_AndTheKernelsVerdictIsTheSame()
    {
        int[,] expected =
        {
            { 0, 0, 0, -1 },
            { 1, 1, 1, 3 },
            { 2, 1, 2, 3 },
            { 3, 3, 3, 3 },
        };
        Make(Lab.Switched(underlay, hosts: 3));
        (LabHost ours, LabHost sender, LabHost reference) = (Lab.Hosts[0], Lab.Hosts[1], Lab.Hosts[2]);
        using var far = new VxlanSender(sender);
        KernelVxlan kernel = KernelVxlan.WithPeers(Lab, reference, Vni, [sender.Underlay]);
        VtepProcess vtep = Start(ours, Domain(sender, "linux"));
        using var tap = new RawSocket(vtep.Station);
        using var device = new RawSocket(kernel.Station);
        foreach (AddressFamily inner in Families)
            SendAllPairs(far, inner, ours, reference);

        Dictionary<string, int> here = Verdicts(tap), there = Verdicts(device);
        Assert.Multiple(() =>
        {
            foreach (AddressFamily inner in Families)
            {
                for (int row = 0; row < 4; row++)
                {
                    for (int column = 0; column < 4; column++)
                        Assert.That(here[$"{inner} {row} {column}"], Is.EqualTo(expected[row, column]), $"{inner}, inner {row}, outer {column}");
                }
            }

            Assert.That(here, Is.EquivalentTo(there), "verdicts of vtep, and of the kernel");
            Assert.That(vtep.Drops("ip_tunnel_ecn"), Is.EqualTo(2 * Each), "congestion that the receiver can't be told of, over IPv4 and IPv6");
        });
    }

    private static AddressFamily[] Families => [AddressFamily.InterNetwork, AddressFamily.InterNetworkV6];

    private static LabDomain Domain(LabHost peer, string policy) => new("blue", Vni)
    {
        Peers = [peer.Underlay],
        Keys = new Dictionary<string, JsonNode> { ["ecn"] = policy },
    };

    private static void Repeat(Action action)
    {
        for (int i = 0; i < Each; i++)
            action();
    }

    // Each frame is a flow of its own: frames of one flow that follow each other may be delivered as one super-frame.
    private static void SendAllPairs(VxlanSender far, AddressFamily inner, params LabHost[] to)
    {
        int flow = 0;
        for (byte mark = 0; mark < 4; mark++)
        {
            for (byte outer = 0; outer < 4; outer++)
                Repeat(() => Send(far, InnerFrame.Udp(inner, $"{inner} {mark} {outer}", trafficClass: mark, flow: flow++), outer, to));
        }
    }

    private static void Send(VxlanSender far, byte[] frame, byte outer, LabHost[] to)
    {
        byte[] datagram = VxlanSender.Datagram(VxlanSender.Header(Vni), frame);
        foreach (LabHost host in to)
            far.Send(host.Underlay, datagram, outer);
    }

    /// <summary>The mark of the delivered frames of each pair, all of them being delivered with the same; -1 when none is.</summary>
    private static Dictionary<string, int> Verdicts(RawSocket device)
    {
        static bool Wanted(byte[] frame) => InnerFrame.Text(frame).StartsWith("InterNetwork", StringComparison.Ordinal);
        List<byte[]> frames = [.. device.Receive(Wanted, 2 * 15 * Each, seconds: 3)];
        frames.AddRange(device.Receive(Wanted, int.MaxValue, seconds: 0.3));
        ILookup<string, byte[]> delivered = frames.ToLookup(frame => InnerFrame.Text(frame));
        var verdicts = new Dictionary<string, int>();
        foreach (string pair in from inner in Families from mark in Enumerable.Range(0, 4) from outer in Enumerable.Range(0, 4) select $"{inner} {mark} {outer}")
        {
            List<int> marks = [.. delivered[pair].Select(frame => InnerFrame.TrafficClass(frame) & 3)];
            Assert.That(marks.Count, Is.EqualTo(0).Or.EqualTo(Each), $"delivered of {pair}");
            Assert.That(marks.Distinct().Count(), Is.LessThan(2), $"different marks for {pair}");
            verdicts[pair] = marks.Count == 0 ? -1 : marks[0];
        }

        return verdicts;
    }
}
