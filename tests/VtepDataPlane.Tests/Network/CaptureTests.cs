// Captures of a network in one process: what is seen of a frame, what filters let through, and what a slow or absent reader costs.

using System.Buffers;
using System.Text;
using NUnit.Framework;
using VtepDataPlane.Diagnostics.Capture;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Network.TestNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Network;

public sealed class CaptureTests
{
    private const string A = "198.18.0.1", B = "198.18.0.2", C = "198.18.0.3";

    private TestNetwork _network = null!;
    private Node _a = null!;

    [SetUp]
    public void MakeNetwork()
    {
        _network = new TestNetwork();
        _a = _network.Add(A, Domain(100, ["a1", "a2"], [B, C]));
    }

    [TearDown]
    public void DisposeNetwork() => _network.Dispose();

    private static FrameExpression Expression(string text)
    {
        Assert.That(FrameExpression.TryParse(text, out FrameExpression? expression, out string? problem), Is.True, problem);
        return expression!;
    }

    private static List<string> TakeAll(CaptureSession session)
    {
        var lines = new List<string>();
        while (session.TryRead(out CapturedFrame frame))
        {
            lines.Add($"{frame.Vni} {(frame.IsFromUnderlay ? "in" : "out")} {frame.FromPort}>{frame.ToPort} {frame.Remote?.Address} {frame.Verdict} {frame.Reason} {frame.Bytes.Length}/{frame.Length}");
        }

        return lines;
    }

    [Test]
    public void ACaptureOfDropsThatIsFull_LosesDrops_AndNothingThatIsSent()
    {
        using CaptureSession drops = _a.Vtep.StartCapture(new CaptureFilter { DropsOnly = true }, new CaptureRoom { Frames = 2, Bytes = 4096 });
        _a.Port("a1").Inject(new byte[10]);
        _a.Port("a1").Inject(new byte[10]);
        _network.Run();
        _a.Port("a1").Inject(Arp());
        _network.Run();
        Assert.That(drops.Lost, Is.Zero, "three copies, all sent");

        _a.Port("a2").IsUp = false;
        _a.Port("a1").Inject(Arp());
        _network.Run();
        Assert.That(drops.Lost, Is.EqualTo(1), "the copy that its queue dropped");
        Assert.That(TakeAll(drops), Has.Count.EqualTo(2));
    }

    [Test]
    public void ABatchOfWhichEveryDropIsLost_IsToldToTheReaderAllTheSame()
    {
        int told = 0;
        using var drops = new CaptureSession(new CaptureFilter { DropsOnly = true }, new CaptureRoom { Frames = 1, Bytes = 64 }, lanes: 1, _ => { }) { Committed = () => told++ };
        var dropped = new CaptureRecord { Verdict = CaptureVerdict.Dropped, DroppedSegments = 1 };
        for (int batch = 1; batch <= 2; batch++)
        {
            drops.Stage(lane: 0, dropped, frame: default, headers: default);
            drops.Commit(lane: 0);
            Assert.That((told, drops.Lost), Is.EqualTo((batch, batch - 1)));
        }
    }

    [Test]
    public void AFloodedFrame_IsOneRecordACopy_AllWithOneFrameId()
    {
        using CaptureSession session = _a.Vtep.StartCapture();
        byte[] arp = Arp();
        _a.Port("a1").Inject(arp);
        _network.Run();

        var ids = new HashSet<long>();
        var seen = new List<string>();
        while (session.TryRead(out CapturedFrame frame))
        {
            ids.Add(frame.FrameId);
            seen.Add($"{frame.FromPort}>{frame.ToPort ?? frame.Remote?.ToString()} {frame.Verdict}");
            Assert.That(frame.Bytes.ToArray(), Is.EqualTo(arp));
        }

        Assert.That(seen, Is.EqualTo(new[] { "a1>a2 Sent", $"a1>{B}:4789 Sent", $"a1>{C}:4789 Sent" }));
        Assert.That(ids, Has.Count.EqualTo(1));
    }

    [Test]
    public void FramesOutOfTheTunnel_ShowWhoSentThem_AndEveryDropItsReason()
    {
        using CaptureSession session = _a.Vtep.StartCapture();
        byte[] udp = Udp();
        _network.Forge(B, A, Vxlan(100, udp));
        _network.Forge("198.18.0.9", A, Vxlan(100, udp));
        _network.Forge(B, A, Vxlan(555, udp));
        _network.Forge(B, A, Vxlan(100, udp)[..5]);
        _network.Forge(B, A, Vxlan(100, udp[..13]));
        _network.Forge(B, A, new byte[70_000]);
        _network.Run();

        int n = udp.Length;
        Assert.That(TakeAll(session), Is.EquivalentTo(new[]
        {
            $"100 in >a1 {B} Sent None {n}/{n}",
            $"100 in >a2 {B} Sent None {n}/{n}",
            $"100 in > 198.18.0.9 Dropped PeerUnknown {n}/{n}",
            $"555 in > {B} Dropped VniNotFound {n}/{n}",
            $" in > {B} Dropped VxlanTruncated 0/0",
            $"100 in > {B} Dropped FrameTruncated 13/13",
            " in >  Dropped DatagramTruncated 0/0",
        }));
    }

    [Test]
    public void ACopyItsQueueDrops_IsShownAsDropped_WithTheQueuesReason()
    {
        using CaptureSession everything = _a.Vtep.StartCapture();
        using CaptureSession drops = _a.Vtep.StartCapture(new CaptureFilter { DropsOnly = true });
        _a.Port("a2").IsUp = false;
        _network.Wire.Unreachable.Add(InetAddress.Parse(C));
        _a.Port("a1").Inject(Arp());
        _network.Run();

        int n = Arp().Length;
        Assert.That(TakeAll(everything), Is.EqualTo(new[]
        {
            $"100 out a1>a2  Dropped PortDown {n}/{n}", $"100 out a1> {B} Sent None {n}/{n}", $"100 out a1> {C} Dropped NoRoute {n}/{n}",
        }));
        Assert.That(TakeAll(drops), Is.EqualTo(new[] { $"100 out a1>a2  Dropped PortDown {n}/{n}", $"100 out a1> {C} Dropped NoRoute {n}/{n}" }));
    }

    [Test]
    public void AnAnswerOfTheVtep_IsOriginated_AndWhatItAnswersIsDropped()
    {
        using CaptureSession session = _a.Vtep.StartCapture();
        _network.Forge(B, A, Vxlan(100, Udp(destination: MacA, source: MacB)));
        _network.Run();
        TakeAll(session);
        _a.Port("a1").Inject(Udp(destination: MacB, source: MacA, payload: new byte[1500], df: true));
        _network.Run();

        List<string> seen = TakeAll(session);
        Assert.That(seen, Has.Count.EqualTo(2));
        Assert.That(seen, Has.Some.StartsWith("100 out >a1  Originated None"));
        Assert.That(seen, Has.Some.StartsWith($"100 out a1> {B} Dropped PathMtuExceeded"));
    }

    [TestCase(null, null, null, "", 5)]
    [TestCase(100, null, null, "", 5)]
    [TestCase(101, null, null, "", 0)]
    [TestCase(null, B, null, "", 3)]
    [TestCase(null, null, "a2", "", 2)]
    [TestCase(null, null, "a1", "", 4)]
    [TestCase(null, null, null, "arp", 3)]
    [TestCase(100, B, "a1", "udp", 1)]
    public void AFilter_LetsThroughWhatItNames(int? vni, string? peer, string? port, string expression, int expected)
    {
        using CaptureSession session = _a.Vtep.StartCapture(new CaptureFilter
        {
            Vni = vni is { } number ? new Vni(number) : null,
            Peer = peer is null ? null : InetAddress.Parse(peer),
            Port = port,
            Expression = expression.Length == 0 ? null : Expression(expression),
        });
        _a.Port("a1").Inject(Arp()); // three copies
        _network.Forge(B, A, Vxlan(100, Udp())); // two
        _network.Run();
        Assert.That(TakeAll(session), Has.Count.EqualTo(expected));
    }

    [Test]
    public void ASnapLength_KeepsTheFirstBytes_AndTellsTheWholeLength()
    {
        using CaptureSession session = _a.Vtep.StartCapture(new CaptureFilter { SnapLength = 20, Port = "a2" });
        _a.Port("a1").Inject(Arp());
        _network.Run();
        int n = Arp().Length;
        Assert.That(TakeAll(session), Is.EqualTo(new[] { $"100 out a1>a2  Sent None 20/{n}" }));
    }

    [Test]
    public void AReaderThatStopsReading_LosesCapture_AndNoFrame()
    {
        using CaptureSession session = _a.Vtep.StartCapture(room: new CaptureRoom { Frames = 8, Bytes = 4096 });
        for (int i = 0; i < 100; i++)
        {
            _a.Port("a1").Inject(Arp());
            _network.Run();
            _a.Port("a2").TakeAll();
        }

        Assert.That(_a.Vtep.Counters().Sent, Is.EqualTo(300));
        Assert.That(TakeAll(session), Has.Count.EqualTo(8));
        Assert.That(session.Lost, Is.EqualTo(292));
    }

    [Test]
    public void FiveCaptures_AreOneTooMany_AndAnEndedOneMakesRoom()
    {
        CaptureSession[] four = [.. Enumerable.Range(0, 4).Select(_ => _a.Vtep.StartCapture())];
        Assert.That(() => _a.Vtep.StartCapture(), Throws.TypeOf<VtepException>().With.Message.EqualTo("4 captures run already, as many as may: end one of them first."));
        four[1].Dispose();
        four[1].Dispose();
        using CaptureSession another = _a.Vtep.StartCapture();
        _a.Port("a1").Inject(Arp());
        _network.Run();
        Assert.That(TakeAll(another), Has.Count.EqualTo(3));
        Assert.That(TakeAll(four[0]), Has.Count.EqualTo(3));
        Assert.That(TakeAll(four[1]), Is.Empty);
        Assert.That(four[1].IsEnded, Is.True);
    }

    [Test]
    public void WhenTheLastCaptureEnds_LanesHaveNoObserver()
    {
        _a.Vtep.StartCapture().Dispose();
        _a.Port("a1").Inject(Arp());
        _network.Run();
        Lane lane = _a.Vtep.Lanes[0];
        Assert.That(lane.Observer, Is.Null);
    }

    [Test]
    public void AClosedVtep_EndsItsCaptures_AndStartsNone()
    {
        using var network = new TestNetwork();
        Node node = network.Add(B, Domain(100, ["b1"], [A]));
        CaptureSession session = node.Vtep.StartCapture();
        node.Vtep.Dispose();
        Assert.That(session.IsEnded, Is.True);
        Assert.That(() => node.Vtep.StartCapture(), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void AWrittenCapture_HasADomainsNameAndCommentsInIt()
    {
        using CaptureSession session = _a.Vtep.StartCapture();
        var output = new ArrayBufferWriter<byte>();
        var writer = new CaptureWriter(session, lanes: 1, output, "test");
        _a.Port("a1").Inject(Arp());
        _network.Forge(B, A, Vxlan(555, Udp()));
        _network.Run();
        Assert.That(writer.Write(int.MaxValue, long.MaxValue), Is.EqualTo(4));
        writer.End();
        string text = Encoding.Latin1.GetString(output.WrittenSpan);
        Assert.That(text, Does.Contain("d100").And.Contain("VNI 100").And.Contain("no domain"));
        Assert.That(text, Does.Contain($"vni=100 from=a1 to={B}:4789 verdict=sent"));
        Assert.That(text, Does.Contain("vni=555 from=198.18.0.2:50000 verdict=dropped reason=vni_not_found"));
    }
}
