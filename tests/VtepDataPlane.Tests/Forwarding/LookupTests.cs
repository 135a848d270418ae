// A frame to a station nobody knows, in a domain whose controller can be asked: it waits, the question is asked once, and what becomes of the frame
// follows from the answer. After every step the books say how many frames are in work: those that wait, and no others.

using NUnit.Framework;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Tests.Offload;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Forwarding.LookupDomain;
using static VtepDataPlane.Tests.Network.TestNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Forwarding;

internal sealed class LookupTests
{
    private static readonly MacAddress s_macC = MacAddress.Parse("02:00:00:00:00:0c");

    private readonly MemoryNetwork _wire = new() { Recording = [] };
    private MemoryUnderlay _underlay = null!;
    private MemoryPort _p1 = null!;
    private MemoryPort _p2 = null!;
    private LookupDomain _domain = null!;
    private long _now;

    [SetUp]
    public void Open() => Open(Floods);

    private void Open(ControllerPolicy policy, int lanes = 1)
    {
        _now = 1_000_000;
        _wire.Recording!.Clear();
        _underlay = new MemoryUnderlay(_wire, InetAddress.Parse("198.18.0.1"), 4789, lanes);
        _p1 = new MemoryPort("p1", lanes);
        _p2 = new MemoryPort("p2", lanes);
        _domain = new LookupDomain([_p1, _p2], _underlay.Queue, policy, lanes);
    }

    [Test]
    public void AFrameToAStationNobodyKnows_Waits_AndTheControllerIsAskedOnce()
    {
        Receive(_p1, Numbered(1), Numbered(2), Numbered(3));

        Assert.That(_domain.Questions(), Is.EqualTo(new[] { KeyOf(MacB) }));
        AssertSent(toVtep: [], toPort2: []);
        AssertInWork(3);
        Assert.That(_domain.Lanes[0].HasHeld);
    }

    [Test]
    public void FoundIt_TheFramesGoWhereItIs_InTheOrderInWhichTheyCame()
    {
        Receive(_p1, Numbered(1), Numbered(2), Numbered(3));
        _domain.Know(MacB);

        Assert.That(_domain.Answer(KeyOf(MacB), MissAnswer.Found, _now), Is.EqualTo(3));

        AssertSent(toVtep: [Numbered(1), Numbered(2), Numbered(3)], toPort2: []);
        AssertInWork(0);
        Assert.That(_domain.Lanes[0].HasHeld, Is.False);
        Assert.That(_domain.Counters().Replicated, Is.Zero, "nothing was flooded");
    }

    [Test]
    public void FoundBehindAPortMeanwhile_TheFramesGoThere()
    {
        Receive(_p1, Numbered(1));
        Receive(_p2, Udp(MacB, MacA));

        _domain.Answer(KeyOf(MacB), MissAnswer.NotFound, _now);

        AssertSent(toVtep: [], toPort2: [Numbered(1)]);
    }

    [TestCase(MissAnswer.NotFound)]
    [TestCase(MissAnswer.NoAnswer)]
    [TestCase(MissAnswer.Found)]
    public void StillUnknown_TheFramesAreFlooded_AndNotAskedForAgain(MissAnswer answer)
    {
        Receive(_p1, Numbered(1), Numbered(2));
        _domain.Questions();

        _domain.Answer(KeyOf(MacB), answer, _now);

        AssertSent(toVtep: [Numbered(1), Numbered(2)], toPort2: [Numbered(1), Numbered(2)]);
        Assert.That(_domain.Questions(), Is.Empty);
        AssertInWork(0);
    }

    [TestCase(MissAnswer.NotFound, DropReason.StationUnknown)]
    [TestCase(MissAnswer.NoAnswer, DropReason.LookupUnanswered)]
    [TestCase(MissAnswer.Found, DropReason.StationUnknown)]
    public void StillUnknown_WhereNothingUnknownIsFlooded_TheFramesAreDropped(MissAnswer answer, DropReason reason)
    {
        Open(Drops);
        Receive(_p1, Numbered(1), Numbered(2));

        _domain.Answer(KeyOf(MacB), answer, _now);

        AssertSent(toVtep: [], toPort2: []);
        Assert.That(_domain.Counters().Drops, Is.EqualTo(new Dictionary<DropReason, long> { [reason] = 2 }));
        AssertInWork(0);
    }

    [Test]
    public void NotFound_IsRemembered_UntilItsTimeIsOver()
    {
        Open(Drops);
        Receive(_p1, Numbered(1));
        _domain.Questions();
        _domain.Answer(KeyOf(MacB), MissAnswer.NotFound, _now, until: _now + 5000);

        _now += 4999;
        Receive(_p1, Numbered(2));
        Assert.That(_domain.Questions(), Is.Empty);
        Assert.That(_domain.Counters().Drops[DropReason.StationUnknown], Is.EqualTo(2));

        _now += 1;
        Receive(_p1, Numbered(3));
        Assert.That(_domain.Questions(), Is.EqualTo(new[] { KeyOf(MacB) }));
        AssertInWork(1);
    }

    [Test]
    public void NotFound_AndKnownLater_FramesPass()
    {
        Receive(_p1, Numbered(1));
        _domain.Answer(KeyOf(MacB), MissAnswer.NotFound, _now, until: _now + 5000);
        Receive(_p1, Numbered(2));
        AssertSent(toVtep: [Numbered(1), Numbered(2)], toPort2: [Numbered(1), Numbered(2)]);

        _domain.Know(MacB);
        Receive(_p1, Numbered(3));
        AssertSent(toVtep: [Numbered(3)], toPort2: []);
    }

    [Test]
    public void NoAnswer_IsNotRemembered()
    {
        Receive(_p1, Numbered(1));
        _domain.Questions();
        _domain.Answer(KeyOf(MacB), MissAnswer.NoAnswer, _now);

        Receive(_p1, Numbered(2));

        Assert.That(_domain.Questions(), Is.EqualTo(new[] { KeyOf(MacB) }));
    }

    [Test]
    public void GroupsAndBroadcast_AreFlooded_NobodyIsAsked()
    {
        byte[] multicast = Udp(MacA, MacAddress.Parse("01:00:5e:01:01:01"));
        byte[] toNobody = Udp(MacA, MacAddress.Zero);
        Receive(_p1, Arp(MacA), multicast, toNobody);

        AssertSent(toVtep: [Arp(MacA), multicast, toNobody], toPort2: [Arp(MacA), multicast, toNobody]);
        Assert.That(_domain.Questions(), Is.Empty);
    }

    [Test]
    public void FramesFromTheUnderlay_NeverWait()
    {
        byte[] frame = Udp(MacB, s_macC);
        _wire.Send(new MemoryDatagram(
            new VtepEndpoint(InetAddress.Parse("198.18.0.2"), 50_000), new OuterHeader { Remote = new(InetAddress.Parse("198.18.0.1"), 4789) }, Vxlan(100, frame)));
        _wire.Deliver();
        _domain.Lanes[0].ServeUnderlay(_underlay.Queue(0), _now);

        Assert.That(_p1.TakeAll().Select(taken => taken.Bytes), Is.EqualTo(new[] { frame }));
        Assert.That(_domain.Questions(), Is.Empty);
        AssertInWork(0);
    }

    [Test]
    public void ADomainThatOnlyWatches_Floods()
    {
        _domain.Publish(Floods with { LooksUp = false });
        Receive(_p1, Numbered(1));

        AssertSent(toVtep: [Numbered(1)], toPort2: [Numbered(1)]);
        Assert.That(_domain.Questions(), Is.Empty);
    }

    [Test]
    public void ANinthFrame_FindsNoRoom_AndGoesByThePolicy()
    {
        byte[][] frames = [.. Enumerable.Range(1, 9).Select(Numbered)];
        Receive(_p1, frames);
        AssertSent(toVtep: [frames[8]], toPort2: [frames[8]]);
        AssertInWork(8);

        Open(Drops);
        Receive(_p1, frames);
        Assert.That(_domain.Counters().Drops, Is.EqualTo(new Dictionary<DropReason, long> { [DropReason.LookupLimit] = 1 }));
        AssertInWork(8);
    }

    [Test]
    public void FramesOfTwoPorts_WaitForOneAnswer_AndOneIsClosedMeanwhile()
    {
        byte[] fromPort2 = Udp(s_macC, MacB);
        Receive(_p1, Numbered(1));
        Receive(_p2, fromPort2);
        Assert.That(_domain.Questions(), Is.EqualTo(new[] { KeyOf(MacB) }));
        _domain.Close(_domain.Ports[0]);
        AssertInWork(2);

        _domain.Know(MacB);
        _domain.Answer(KeyOf(MacB), MissAnswer.Found, _now);

        AssertSent(toVtep: [fromPort2], toPort2: []);
        Assert.That(_domain.Counters().Drops, Is.EqualTo(new Dictionary<DropReason, long> { [DropReason.PortGone] = 1 }));
        AssertInWork(0);
    }

    [Test]
    public void TheDomainIsRemovedMeanwhile_TheFramesAreDropped_WhenTheirTimeIsOver()
    {
        Receive(_p1, Numbered(1), Numbered(2));
        _domain.Remove();
        AssertInWork(2);

        Assert.That(_domain.Lanes[0].ServeAnswers(_now += HeldFrames.LongestWait - 1), Is.Zero);
        Assert.That(_domain.Lanes[0].HasHeld);
        Assert.That(_domain.Lanes[0].ServeAnswers(_now += 1000), Is.EqualTo(2));

        Assert.That(_domain.Counters().Drops, Is.EqualTo(new Dictionary<DropReason, long> { [DropReason.PortGone] = 2 }));
        Assert.That(_domain.Lanes[0].HasHeld, Is.False);
        AssertInWork(0);
    }

    [Test]
    public void TheControllerIsTakenAwayMeanwhile_TheFramesAreFlooded()
    {
        Open(Drops);
        Receive(_p1, Numbered(1));
        _domain.Publish(policy: null);

        _domain.Answer(KeyOf(MacB), MissAnswer.NoAnswer, _now);

        AssertSent(toVtep: [Numbered(1)], toPort2: [Numbered(1)]);
    }

    [Test]
    public void AnAnswerNobodyWaitsFor_ChangesNothing()
    {
        Receive(_p1, Numbered(1));

        Assert.That(_domain.Answer(KeyOf(s_macC), MissAnswer.NotFound, _now, until: _now + 5000), Is.Zero);
        _domain.Questions();
        Receive(_p1, Udp(MacA, s_macC));

        Assert.That(_domain.Questions(), Is.EqualTo(new[] { KeyOf(s_macC) }));
        AssertInWork(2);
    }

    [Test]
    public void MoreAnswersThanQuestionsThereCanBe_AreNotKept()
    {
        Receive(_p1, Numbered(1));
        for (int i = 0; i < 5000; i++)
            _domain.Lanes[0].Answer(KeyOf(new MacAddress((ulong)(0x0200_0000_1000 + i))), MissAnswer.Found, 0);

        Assert.That(_domain.Answer(KeyOf(MacB), MissAnswer.NoAnswer, _now), Is.Zero, "its answer was one too many");
        Assert.That(_domain.Answer(KeyOf(MacB), MissAnswer.NoAnswer, _now), Is.EqualTo(1));
    }

    [Test]
    public void ASuperFrame_WaitsWhole_AndIsSentOnWhole()
    {
        byte[] frame = Tcp(MacA, MacB, payload: Pattern(60_000), checksum: TestChecksum.Partial);
        OffloadInfo offload = SuperFrames.Describe(frame, 1371);
        _p1.Inject(frame, offload);
        _domain.Lanes[0].ServePort(_domain.Ports[0], _now);
        AssertInWork(1);

        _domain.Know(MacB);
        _domain.Answer(KeyOf(MacB), MissAnswer.Found, _now);
        AssertSent(toVtep: SuperFrames.CutByTheBook(frame, 1371), toPort2: []);
        AssertInWork(0);

        byte[] other = Tcp(MacA, s_macC, payload: Pattern(5000), checksum: TestChecksum.Partial);
        _p1.Inject(other, SuperFrames.Describe(other, 1371));
        _domain.Lanes[0].ServePort(_domain.Ports[0], _now);
        Receive(_p2, Udp(s_macC, MacA));
        _p2.TakeAll();
        _domain.Answer(KeyOf(s_macC), MissAnswer.NotFound, _now);
        Assert.That(_p2.TakeAll().Single().Offload, Is.EqualTo(SuperFrames.Describe(other, 1371)), "a port takes it whole");
        AssertInWork(0);
    }

    [Test]
    public void AQuestionThatIsLost_IsNotWaitedFor()
    {
        var other = new StationEvent(StationEventKind.Seen, 1, MacA);
        for (int i = 0; i < StationEvents.Capacity; i++)
            _domain.Lanes[0].Events.Write(other);

        Receive(_p1, Numbered(1));
        AssertSent(toVtep: [Numbered(1)], toPort2: [Numbered(1)]);
        AssertInWork(0);

        _domain.Questions();
        Receive(_p1, Numbered(2));
        Assert.That(_domain.Questions(), Is.EqualTo(new[] { KeyOf(MacB) }));
        AssertInWork(1);
    }

    [Test]
    public void NoMoreQuestionsASecond_ThanAllowed_AndOfOnePortHalfOfThem()
    {
        Open(Floods with { LookupsPerSecond = 10 });
        ReceiveUnknown(_p1, first: 0, count: 20);
        Assert.That(_domain.Questions(), Has.Count.EqualTo(5), "of one port");
        ReceiveUnknown(_p2, first: 100, count: 20);
        Assert.That(_domain.Questions(), Has.Count.EqualTo(5), "the other port's");

        _now += 500;
        ReceiveUnknown(_p2, first: 200, count: 20);
        Assert.That(_domain.Questions(), Has.Count.EqualTo(2), "half a second of 5 a second");

        _domain.Close(_domain.Ports[0]);
        _now += 60_000;
        ReceiveUnknown(_p2, first: 300, count: 20);
        Assert.That(_domain.Questions(), Has.Count.EqualTo(10), "it is the only port");
    }

    [Test]
    public void AnotherLimit_HoldsFromTheNextFrameOn()
    {
        ReceiveUnknown(_p1, first: 0, count: 100);
        Assert.That(_domain.Questions(), Has.Count.EqualTo(100));
        _domain.Publish(Floods with { LookupsPerSecond = 2 });

        ReceiveUnknown(_p1, first: 100, count: 10);
        Assert.That(_domain.Questions(), Is.Empty);
        _now += 1000;
        ReceiveUnknown(_p1, first: 200, count: 10);
        Assert.That(_domain.Questions(), Has.Count.EqualTo(1));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void MacsMadeUpAtRandom_FillTheTable_AndNeverHinderKnownTraffic(bool answered)
    {
        _domain.Know(MacB);
        for (int batch = 0; batch < 100; batch++)
        {
            ReceiveUnknown(_p1, first: 100 * batch, count: 100);
            Receive(_p1, Numbered(batch));
            IReadOnlyList<MissKey> questions = _domain.Questions();
            foreach (MissKey key in answered ? questions : [])
                _domain.Answer(key, MissAnswer.NotFound, _now, until: _now + 3_600_000);
            Assert.That(questions, Has.Count.EqualTo(answered ? 100 : batch == 0 ? 100 : batch == 1 ? 100 : batch == 2 ? 56 : 0));
        }

        Assert.That(_wire.Recording!.Select(datagram => datagram.Payload[8..]).Where(IsToB), Is.EqualTo(Enumerable.Range(0, 100).Select(Numbered)));
        AssertInWork(answered ? 0 : HeldFrames.FrameCapacity);
        Assert.That(_domain.Lanes[0].ServeAnswers(_now + 10_000), Is.EqualTo(answered ? 0 : HeldFrames.FrameCapacity));
        AssertInWork(0);

        static bool IsToB(byte[] frame) => frame.AsSpan(0, 6).SequenceEqual(Numbered(0).AsSpan(0, 6));
    }

    [Test]
    public void TwoLanes_EachHoldTheirOwn()
    {
        Open(Floods, lanes: 2);
        _p1.Inject(Numbered(1), lane: 0);
        _p1.Inject(Numbered(2), lane: 1);
        foreach (Lane lane in _domain.Lanes)
            lane.ServePort(_domain.Ports[0], _now);
        Assert.That((_domain.Questions(0), _domain.Questions(1)), Is.EqualTo((new[] { KeyOf(MacB) }, new[] { KeyOf(MacB) })));

        _domain.Know(MacB);
        _domain.Lanes[1].Answer(KeyOf(MacB), MissAnswer.Found, 0);
        Assert.That(_domain.Lanes.Select(lane => lane.ServeAnswers(_now)), Is.EqualTo(new[] { 0, 1 }));
        AssertSent(toVtep: [Numbered(2)], toPort2: []);
        AssertInWork(1);
    }

    private static byte[] Numbered(int number) => Udp(MacA, MacB, sourcePort: 1000 + number);

    private void Receive(MemoryPort port, params byte[][] frames)
    {
        foreach (byte[] frame in frames)
            Assert.That(port.Inject(frame));
        _domain.Lanes[0].ServePort(_domain.Ports.Single(candidate => candidate.Device == port), _now);
    }

    private void ReceiveUnknown(MemoryPort port, int first, int count)
    {
        Receive(port, [.. Enumerable.Range(first, count).Select(i => Udp(MacA, new MacAddress((ulong)(0x0200_0001_0000 + i))))]);
        _p1.TakeAll();
        _p2.TakeAll();
    }

    // since the last call
    private void AssertSent(IReadOnlyList<byte[]> toVtep, IReadOnlyList<byte[]> toPort2)
    {
        Assert.That(_wire.Recording!.Select(datagram => datagram.Payload), Is.EqualTo(toVtep.Select(frame => Vxlan(100, frame))));
        Assert.That(_p2.TakeAll().Select(frame => frame.Bytes), Is.EqualTo(toPort2));
        _wire.Recording!.Clear();
    }

    private void AssertInWork(int frames) => Assert.That(_domain.Counters().Unaccounted, Is.EqualTo(frames), "received, and neither sent nor dropped");
}
