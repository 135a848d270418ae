// Events: what is told, and that no subscriber, whatever it does, holds anything up.

using NUnit.Framework;
using VtepDataPlane.Diagnostics.Events;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Tests.Network;
using VtepDataPlane.Underlay;
using static VtepDataPlane.Tests.Embedding.EmbeddedVtep;

namespace VtepDataPlane.Tests.Embedding;

internal sealed class SubscriberTests
{
    private readonly List<string> _told = [];
    private MemoryPort _p1 = null!;
    private MemoryPort _p2 = null!;
    private InProcessVtep _vtep = null!;

    [SetUp]
    public async Task StartWithTwoPorts()
    {
        (_p1, _p2) = (new MemoryPort("p1"), new MemoryPort("p2"));
        _told.Clear();
        _vtep = InProcessVtep.Start(Config("192.0.2.1", Domain(Blue)), new MemoryNetwork { IsLive = true });
        await _vtep.AddPortAsync(Blue, _p1);
        await _vtep.AddPortAsync(Blue, _p2);
    }

    [TearDown]
    public async Task Stop() => await _vtep.DisposeAsync();

    [Test]
    public async Task WhatHappensToTheFdb_IsTold_InOrder()
    {
        using VtepSubscription subscription = _vtep.Vtep.SubscribeFdb(Tell);
        _p1.Inject(Broadcast(1));
        await _p2.ReceiveAsync(Soon);
        Eventually.Holds("the first is told", () => Told.Length == 1); // what lanes and the control loop tell comes by two ways
        _p2.Inject(Broadcast(1));
        await _p1.ReceiveAsync(Soon);
        Eventually.Holds("the move is told", () => Told.Length == 2);
        _vtep.AddFdb(Blue, MacOf(1), "p1");
        _vtep.DeleteFdb(Blue, MacOf(1));
        _vtep.AddFdb(Blue, MacOf(3), Peer("192.0.2.9"));
        await _vtep.RemoveDomainAsync(Blue);
        Eventually.Holds("all is told", () => Told.Length == 6);

        Assert.That(Told, Is.EqualTo(new[]
        {
            "Learned 100 02:00:00:00:00:01 local:  -> port p1",
            "Moved 100 02:00:00:00:00:01 local: port p1 -> port p2",
            "Added 100 02:00:00:00:00:01 static: port p2 -> port p1",
            "Deleted 100 02:00:00:00:00:01 static: port p1 -> ",
            "Added 100 02:00:00:00:00:03 static:  -> 192.0.2.9",
            "Deleted 100 02:00:00:00:00:03 static: 192.0.2.9 -> ",
        }));
        Assert.That(subscription.Delivered, Is.EqualTo(6));
        Assert.That(subscription.Lost, Is.Zero);
    }

    [Test]
    public void WhatIsLearnedFromPeers_AndWhatAges_IsTold()
    {
        using var network = new TestNetwork();
        Node a = network.Add("198.18.0.1", TestNetwork.Domain(100, ["a1"], ["198.18.0.2"]));
        Node b = network.Add("198.18.0.2", TestNetwork.Domain(100, ["b1"], ["198.18.0.1"]));
        using VtepSubscription subscription = b.Vtep.SubscribeFdb(Tell);
        a.Port("a1").Inject(Broadcast(1));
        network.Run();
        network.Wait(301);
        Eventually.Holds("both are told", () => Told.Length == 2);

        Assert.That(Told, Is.EqualTo(new[]
        {
            "Learned 100 02:00:00:00:00:01 remote:  -> 198.18.0.1",
            "Aged 100 02:00:00:00:00:01 remote: 198.18.0.1 -> ",
        }));
    }

    [Test]
    public void Drops_AreTold_WithTheirHeaders()
    {
        var drops = new List<DropEvent>();
        using VtepSubscription subscription = _vtep.Vtep.SubscribeDrops(drops.Add);
        _p2.IsUp = false;
        _p1.Inject(Broadcast(1, length: 1000));
        Eventually.Holds("it is told", () => subscription.Delivered == 1);
        _p1.Inject(new byte[20]);
        Eventually.Holds("the second is told", () => subscription.Delivered == 2);

        Assert.That(drops[0] with { Bytes = default, Time = default }, Is.EqualTo(new DropEvent(
            DropReason.PortDown, Blue, IsFromUnderlay: false, "p1", "p2", Remote: null, Frames: 1, Length: 1000, default, default)));
        Assert.That(drops[0].Bytes.ToArray(), Is.EqualTo(Broadcast(1, 1000)[..DropEvent.Headers]));
        Assert.That(drops[0].Time, Is.EqualTo(TimeProvider.System.GetUtcNow()).Within(TimeSpan.FromMinutes(1)));
        Assert.That(drops[1].Reason, Is.EqualTo(DropReason.SourceMacInvalid));
    }

    [Test]
    public async Task ASubscriberThatThrows_IsCalledNoMore_AndOthersAre()
    {
        using VtepSubscription throws = _vtep.Vtep.SubscribeFdb(_ => throw new FormatException("I can't read this."));
        using VtepSubscription reads = _vtep.Vtep.SubscribeFdb(Tell);
        for (int station = 1; station <= 3; station++)
        {
            _p1.Inject(Broadcast(station));
            await _p2.ReceiveAsync(Soon);
        }

        Eventually.Holds("the other has all three", () => reads.Delivered == 3);
        Eventually.Holds("it has ended", () => throws.IsEnded);
        Assert.That(throws.Failure, Is.TypeOf<FormatException>());
        Eventually.Holds("it is in the status", () => _vtep.Vtep.Status().Warnings.Count == 1);
        Assert.That(_vtep.Vtep.Status().Warnings, Is.EqualTo(new[] { "A subscriber of FDB events is called no more: it threw FormatException: I can't read this." }));
        throws.Dispose();
        Assert.That(_vtep.Vtep.Status().Warnings, Is.Empty);
    }

    [Test]
    public async Task ASubscriberThatBlocks_HoldsNobodyUp_AndIsToldWhatItLost()
    {
        using var block = new ManualResetEventSlim();
        using VtepSubscription blocks = _vtep.Vtep.SubscribeFdb(_ => block.Wait(TimeSpan.FromSeconds(30)), room: 4);
        using VtepSubscription reads = _vtep.Vtep.SubscribeFdb(Tell);
        for (int station = 1; station <= 20; station++)
        {
            _p1.Inject(Broadcast(station));
            await _p2.ReceiveAsync(Soon);
        }

        Eventually.Holds("the other has all", () => reads.Delivered == 20);
        Assert.That(blocks.Lost, Is.InRange(15, 16)); // 4 wait, and one or none was with it when the line filled
        await _vtep.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(5));
        Assert.That(blocks.Delivered, Is.Zero);
        block.Set();
    }

    [Test]
    public void AStormOfDrops_IsLostToTheSubscriber_NotToTheLanes()
    {
        using var block = new ManualResetEventSlim();
        using VtepSubscription slow = _vtep.Vtep.SubscribeDrops(_ => block.Wait(TimeSpan.FromSeconds(30)), room: 1);
        byte[] runt = new byte[10];
        long injected = 0;
        while (slow.Lost < 10_000)
            injected += _p1.Inject(runt) ? 1 : 0;
        _p1.Inject(Broadcast(1));
        while (!_p2.TryTake(out _))
            _p1.Inject(Broadcast(1)); // the port's own line may be full of what came before
        block.Set();
        Eventually.Holds("all are counted", () => _vtep.Vtep.Counters().Drops[DropReason.FrameTruncated] == injected);
        Eventually.Holds("the books hold, of broadcasts that found their port's line full too", () => slow.Delivered + slow.Lost == Dropped(),
            () => $"{slow.Delivered} + {slow.Lost}, not {Dropped()}");

        long Dropped() => _vtep.Vtep.Counters().Drops.Values.Sum();
    }

    [Test]
    public async Task AnEndedSubscription_IsToldNothing_AndLanesHaveNoObserver()
    {
        VtepSubscription fdb = _vtep.Vtep.SubscribeFdb(Tell);
        VtepSubscription drops = _vtep.Vtep.SubscribeDrops(_ => { });
        fdb.Dispose();
        drops.Dispose();
        _p1.Inject(Broadcast(1));
        await _p2.ReceiveAsync(Soon);
        _p1.Inject(Broadcast(2));
        await _p2.ReceiveAsync(Soon);
        Assert.That(Told, Is.Empty);
        Assert.That(_vtep.Vtep.Lanes[0].Observer, Is.Null);
    }

    private string[] Told
    {
        get
        {
            lock (_told)
                return [.. _told];
        }
    }

    private void Tell(FdbEvent happened)
    {
        lock (_told)
            _told.Add($"{happened.Change} {happened.Vni} {happened.Mac} {happened.Kind}: {happened.From} -> {happened.To}");
    }
}
