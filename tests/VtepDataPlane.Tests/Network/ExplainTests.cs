// What explain says must be what happens: random frames of every kind, from ports and VTEPs, in domains of several kinds, are explained first and sent
// then; a capture says what became of them, the network what was sent. And asking changes nothing.

using NUnit.Framework;
using VtepDataPlane.Diagnostics.Capture;
using VtepDataPlane.Diagnostics.Explain;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Network.TestNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Network;

public sealed class ExplainTests
{
    private const string A = "198.18.0.1", B = "198.18.0.2", C = "198.18.0.3";

    private static byte[] RandomFrame(Random random)
    {
        MacAddress Station() => MacAddress.Parse($"02:00:00:00:00:{random.Next(12):x2}");
        MacAddress to = random.Next(4) switch { 0 => MacAddress.Broadcast, 1 => MacAddress.Parse("01:00:5e:00:00:01"), _ => Station() };
        MacAddress from = random.Next(20) == 0 ? MacAddress.Broadcast : Station();
        byte[] frame = random.Next(7) switch
        {
            0 => Udp(payload: new byte[random.Next(2600)], df: random.Next(2) == 0),
            1 => Tcp(payload: new byte[random.Next(1400)]),
            2 => IcmpEcho(),
            3 => Arp(),
            4 => Udp(sourceIp: IPv6A, destinationIp: IPv6B, payload: new byte[random.Next(1600)]),
            5 => Udp(vlans: [5]),
            _ => Ethernet(0x88B5, new byte[random.Next(1700)]),
        };
        to.Write(frame);
        from.Write(frame.AsSpan(6));
        return random.Next(12) == 0 ? frame[..random.Next(frame.Length)] : frame;
    }

    private static string Outcome(CaptureVerdict verdict, DropReason reason, string? port, VtepEndpoint? remote, ReadOnlySpan<byte> frame) =>
        $"{verdict} {reason} {port} {remote} {Convert.ToHexStringLower(frame)}";

    [Test]
    public void OfATousandRandomFrames_ExplainIsWhatTheCaptureSees_AndItsOuterBytesAreSent()
    {
        var random = new Random(20_261_129);
        using var network = new TestNetwork();
        network.Wire.PathMtus[InetAddress.Parse(C)] = 1300;
        Node a = network.Add(A,
            Domain(100, ["a1", "a2", "a3"], [B, C]) with { Encapsulation = new EncapsulationPolicy { InnerVlan = InnerVlanPolicy.Pass } },
            MulticastDomain(200, ["m1"]) with { Encapsulation = new EncapsulationPolicy { Ttl = 7, Dscp = 10, Ecn = EcnPolicy.Rfc6040, DontFragment = DontFragmentPolicy.Inherit } });
        using CaptureSession session = a.Vtep.StartCapture();
        int sent = 0, dropped = 0, originated = 0;
        for (int i = 0; i < 1000; i++)
        {
            network.Now += random.Next(3) == 0 ? 1000 : 0;
            byte[] frame = RandomFrame(random);
            bool isFromVtep = random.Next(3) == 0;
            int vni = random.Next(3) == 0 ? 200 : 100;
            string port = vni == 200 ? "m1" : $"a{random.Next(3) + 1}", vtep = $"198.18.0.{random.Next(2, 6)}";
            var trafficClass = (byte)random.Next(4);
            Explanation explained = a.Vtep.Explain(new FrameQuestion
            {
                Vni = new Vni(vni),
                Frame = frame,
                Port = isFromVtep ? null : port,
                From = isFromVtep ? InetAddress.Parse(vtep) : null,
                OuterTrafficClass = trafficClass,
            }, network.Now);

            network.TakeDatagrams();
            if (isFromVtep)
                network.Forge(vtep, A, Vxlan(vni, frame), trafficClass);
            else
                a.Port(port).Inject(frame);
            network.Run();
            IReadOnlyList<MemoryDatagram> datagrams = [.. network.TakeDatagrams().Skip(isFromVtep ? 1 : 0)];
            foreach (string name in new[] { "a1", "a2", "a3", "m1" })
                a.Port(name).TakeAll();

            string context = $"frame {i}, VNI {vni}, from {(isFromVtep ? vtep : port)}: {Convert.ToHexStringLower(frame)}";
            Assert.That(Seen(session, isFromVtep), Is.EqualTo(explained.Outcomes.Select(Expected)), context);
            Assert.That(datagrams.Select(Packet), Is.EqualTo(explained.Outcomes.Where(outcome => !outcome.Outer.IsEmpty).Select(outcome => Convert.ToHexStringLower(outcome.Outer.Span))), context);
            sent += explained.Outcomes.Count(outcome => outcome.Verdict == CaptureVerdict.Sent);
            dropped += explained.Outcomes.Count(outcome => outcome.Verdict == CaptureVerdict.Dropped);
            originated += explained.Outcomes.Count(outcome => outcome.Verdict == CaptureVerdict.Originated);
        }

        Assert.That(session.Lost, Is.Zero);
        Assert.That((sent > 500, dropped > 100, originated > 0), Is.EqualTo((true, true, true)), $"all kinds occur: {sent}, {dropped}, {originated}");
    }

    private static string Expected(ExplanationOutcome outcome) =>
        Outcome(outcome.Verdict, outcome.Reason, outcome.Port, outcome.Remote, outcome.Frame.Span);

    // A capture shows the sender of what came out of the tunnel as its remote; an explanation shows where things go.
    private static List<string> Seen(CaptureSession session, bool isFromVtep)
    {
        var seen = new List<string>();
        while (session.TryRead(out CapturedFrame frame))
            seen.Add(Outcome(frame.Verdict, frame.Reason, frame.ToPort, isFromVtep || frame.ToPort is not null ? null : frame.Remote, frame.Bytes));
        return seen;
    }

    private static string Packet(MemoryDatagram datagram) => Convert.ToHexStringLower(OuterPacket.Write(
        datagram.Source.Address, datagram.Source.Port, datagram.Outer.Remote.Address, datagram.Outer.Remote.Port, datagram.Outer.TrafficClass,
        datagram.Outer.HopLimit == 0 ? (byte)64 : datagram.Outer.HopLimit, datagram.Outer.DontFragment, checksum: true, datagram.Payload));

    [Test]
    public void Asking_ChangesNothing()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1", "a2"], [B]), MulticastDomain(200, ["m1"]));
        string before = State(a, network);
        for (int i = 0; i < 3; i++)
        {
            a.Vtep.Explain(new FrameQuestion { Vni = new Vni(100), Frame = Arp(), Port = "a1" }, network.Now);
            a.Vtep.Explain(new FrameQuestion { Vni = new Vni(100), Frame = Udp(payload: new byte[1600], df: true), Port = "a2" }, network.Now);
            a.Vtep.Explain(new FrameQuestion { Vni = new Vni(100), Frame = Udp(), From = InetAddress.Parse(B) }, network.Now);
            a.Vtep.Explain(new FrameQuestion { Vni = new Vni(200), Frame = Udp(), From = InetAddress.Parse("198.18.0.77") }, network.Now);
        }

        network.Run();
        Assert.That(State(a, network), Is.EqualTo(before));
        Assert.That(network.TakeDatagrams(), Is.Empty);
        Assert.That(a.Port("a2").Waiting + a.Port("a1").Waiting + a.Port("m1").Waiting, Is.Zero);
    }

    private static string State(Node node, TestNetwork network) => string.Join('\n',
    [
        .. node.Fdb(), $"{node.Vtep.Counters()}", .. node.Vtep.Counters().Drops.Select(drop => $"{drop}"),
        .. node.Vtep.Peers(network.Now).Select(peer => $"{peer.Endpoint} {peer.TxFrames} {peer.RxFrames} {peer.IdleSeconds}"),
        .. node.Vtep.Domains().Select(domain => $"{domain.Name} {domain.FdbEntries} {domain.Moves} {domain.ToUnderlay} {domain.FromUnderlay}"),
    ]);

    [Test]
    public void TheSteps_TellTheWholeStory()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        Explanation explained = a.Vtep.Explain(new FrameQuestion { Vni = new Vni(100), Frame = Arp() }, network.Now);
        Assert.That(explained.Steps.Select(step => step.Step), Is.EqualTo(new[] { "domain", "frame", "learn", "lookup", "flood", "encapsulate", "send" }));
        Assert.That(explained.Steps[0].Text, Is.EqualTo("VNI 100 is bridge domain d100, with 1 port and 1 VTEP to flood to."));
        Assert.That(explained.Steps[2].Text, Does.Contain("is new: it would be learned behind port a1."));
        Assert.That(explained.Steps[^1].Text, Is.EqualTo($"To VTEP {B}:4789: 78 bytes, within the path's MTU of 1500."));

        explained = a.Vtep.Explain(new FrameQuestion { Vni = new Vni(100), Frame = Udp(), From = InetAddress.Parse(C) }, network.Now);
        Assert.That(explained.Steps[^1].Text, Is.EqualTo($"Dropped: peer_unknown, {C} is no VTEP of d100."));
        explained = a.Vtep.Explain(new FrameQuestion { Vni = new Vni(9), Frame = Udp(), From = InetAddress.Parse(C) }, network.Now);
        Assert.That(explained.Domain, Is.Null);
        Assert.That(explained.Outcomes.Single().Reason, Is.EqualTo(DropReason.VniNotFound));
    }

    [Test]
    public void WhereAFrameCantComeFrom_IsASentence()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]), Domain(101, [], [B]));
        Assert.That(() => a.Vtep.Explain(new FrameQuestion { Vni = new Vni(7), Frame = Udp() }, network.Now),
            Throws.TypeOf<VtepException>().With.Message.EqualTo("There is no bridge domain with VNI 7, so no port a frame could come from."));
        Assert.That(() => a.Vtep.Explain(new FrameQuestion { Vni = new Vni(100), Frame = Udp(), Port = "nope" }, network.Now),
            Throws.TypeOf<VtepException>().With.Message.EqualTo("Bridge domain d100 has no port 'nope'."));
        Assert.That(() => a.Vtep.Explain(new FrameQuestion { Vni = new Vni(101), Frame = Udp() }, network.Now),
            Throws.TypeOf<VtepException>().With.Message.EqualTo("Bridge domain d101 has no port a frame could come from: say from which VTEP it comes."));
    }
}
