// Datagrams that must not get in: from strangers, for nobody, broken. Not one frame may come out of any port, nothing may be
// learned from them, and each is counted under its own reason. Outer UDP checksums are the kernel's to verify, so these are sent
// as whole packets through a packet socket.

using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Operation;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Selftests;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class AdmissionTests : TestBed
{
    private const int BlueVni = 100;
    private const int RedVni = 200;
    private const int NoVni = 300;
    private const string Stranger = "198.18.0.66";
    private const string Intruder = "02:00:00:00:00:ee";

    [Test]
    public void DatagramsThatMayNotEnter_AreNotDelivered_TeachNothing_AndAreCountedByReason()
    {
        Make(Lab.Switched(AddressFamily.InterNetwork, hosts: 3));
        (LabHost ours, LabHost two, LabHost three) = (Lab.Hosts[0], Lab.Hosts[1], Lab.Hosts[2]);
        three.Namespace.Ip($"addr add {Stranger}/24 dev eth0");
        VtepProcess vtep = Start(ours, new LabDomain("blue", BlueVni) { Peers = [two.Underlay] }, new LabDomain("red", RedVni) { Peers = [three.Underlay], Overlay = 1 });
        using var blue = new RawSocket(ours.Namespace, "tap-blue");
        using var red = new RawSocket(ours.Namespace, "tap-red");
        using VxlanSender peer = new(two), otherPeer = new(three), stranger = new(three, IPAddress.Parse(Stranger));
        byte[] frame = InnerFrame.Udp(AddressFamily.InterNetwork, "intruder", source: Intruder);
        (VxlanSender From, byte[] Datagram, string Reason)[] cases =
        [
            (stranger, VxlanSender.Datagram(VxlanSender.Header(BlueVni), frame), "peer_unknown"),
            (otherPeer, VxlanSender.Datagram(VxlanSender.Header(BlueVni), frame), "peer_unknown"),
            (peer, VxlanSender.Datagram(VxlanSender.Header(RedVni), frame), "peer_unknown"),
            (peer, VxlanSender.Datagram(VxlanSender.Header(NoVni), frame), "vni_not_found"),
            (peer, VxlanSender.Datagram(VxlanSender.Header(BlueVni) & ~(1ul << 59), frame), "vxlan_invalid_header"),
            (peer, VxlanSender.Datagram(VxlanSender.Header(BlueVni), [])[..7], "vxlan_truncated"),
            (peer, [], "vxlan_truncated"),
            (peer, VxlanSender.Datagram(VxlanSender.Header(BlueVni), []), "frame_truncated"),
            (peer, VxlanSender.Datagram(VxlanSender.Header(BlueVni), frame.AsSpan(0, 13)), "frame_truncated"),
        ];
        string[] before = Stations(vtep);
        foreach ((VxlanSender from, byte[] datagram, _) in cases)
            from.Send(ours.Underlay, datagram);
        AssertCounted(vtep, cases.Select(entry => entry.Reason));

        byte[] welcome = InnerFrame.Udp(AddressFamily.InterNetwork, "welcome");
        Assert.That(blue.Receive(_ => true, 1, 0.3).Count + red.Receive(_ => true, 1, 0.3).Count, Is.Zero, "delivered");
        Assert.That(Stations(vtep), Is.EquivalentTo(before), "learned");
        peer.Send(ours.Underlay, VxlanSender.Datagram(VxlanSender.Header(BlueVni), welcome));
        Assert.That(blue.CountCopies(welcome, expected: 1), Is.EqualTo(1), "a peer's frame afterwards");
    }

    [TestCase(AddressFamily.InterNetwork, false, "right zero")]
    [TestCase(AddressFamily.InterNetworkV6, false, "right")]
    [TestCase(AddressFamily.InterNetworkV6, true, "right zero")]
    public void OuterChecksum_WrongIsNeverDelivered_ZeroWhereItMayBe(AddressFamily underlay, bool acceptZero, string delivered)
    {
        using var lab = Lab.Switched(underlay, hosts: 2);
        (LabHost ours, LabHost far) = (lab.Hosts[0], lab.Hosts[1]);
        JsonObject configuration = VtepRun.Configuration($"{ours.Underlay}", VtepRun.Domain("blue", BlueVni, $"{far.Underlay}"));
        configuration["underlay"]!["acceptZeroChecksumIPv6"] = acceptZero;
        using var daemon = new VtepRun(ours.Namespace, configuration);
        daemon.Start();
        using var tap = new RawSocket(ours.Namespace, "tap-blue");
        using var wire = new RawSocket(far.Namespace, "eth0");
        foreach (string checksum in (string[])["wrong", "right", "wrong", "zero", "wrong"])
            wire.Send(HandMadePacket.Vxlan(far, ours, VxlanSender.Datagram(VxlanSender.Header(BlueVni), InnerFrame.Udp(AddressFamily.InterNetwork, checksum)), checksum));

        static bool Wanted(byte[] frame) => InnerFrame.Text(frame) is "right" or "wrong" or "zero";
        List<byte[]> frames = [.. tap.Receive(Wanted, delivered.Split(' ').Length, seconds: 3), .. tap.Receive(Wanted, int.MaxValue, seconds: 0.3)];
        Assert.That(string.Join(' ', frames.Select(frame => InnerFrame.Text(frame))), Is.EqualTo(delivered));
        daemon.Stop();
    }

    private static string[] Stations(VtepProcess vtep) =>
        [.. vtep.Show("fdb").AsArray().Select(entry => $"{entry!["vni"]} {entry["mac"]} {entry["kind"]} {entry["port"] ?? entry["vtep"]}")];

    private static void AssertCounted(VtepProcess vtep, IEnumerable<string> reasons)
    {
        string[] expected = [.. reasons.CountBy(reason => reason).Select(entry => $"{entry.Key} {entry.Value}").Order()];
        string[] Counted() =>
        [
            .. vtep.Show("counters")["drops"]!.AsObject()
                .Where(drop => expected.Any(entry => entry.StartsWith(drop.Key + " ", StringComparison.Ordinal)))
                .Select(drop => $"{drop.Key} {drop.Value}").Order(),
        ];
        Wait.Until("every datagram is counted", () => Counted().SequenceEqual(expected), 3, () => $"Counted: {string.Join(", ", Counted())}");
    }
}
