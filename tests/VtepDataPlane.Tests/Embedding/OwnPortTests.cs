// Ports of a program's own that are wrong: each is out of service with a reason, and nothing else is touched.

using NUnit.Framework;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using static VtepDataPlane.Tests.Embedding.EmbeddedVtep;

namespace VtepDataPlane.Tests.Embedding;

internal sealed class OwnPortTests
{
    private MemoryPort _p1 = null!;
    private MemoryPort _p2 = null!;
    private BrokenPort _own = null!;
    private readonly List<VtepFault> _faults = [];
    private InProcessVtep _vtep = null!;

    [SetUp]
    public async Task StartWithThreePorts()
    {
        (_p1, _p2, _own) = (new MemoryPort("p1"), new MemoryPort("p2"), new BrokenPort("own"));
        _faults.Clear();
        _vtep = InProcessVtep.Start(Config("192.0.2.1", Domain(Blue)), new MemoryNetwork { IsLive = true });
        _vtep.Vtep.SubscribeFaults(_faults.Add);
        await _vtep.AddPortAsync(Blue, _p1);
        await _vtep.AddPortAsync(Blue, _p2);
        await _vtep.AddPortAsync(Blue, _own);
    }

    [TearDown]
    public async Task Stop()
    {
        Assert.That(_vtep.Vtep.Counters().Unaccounted, Is.Zero);
        await _vtep.DisposeAsync();
        Assert.That(_own.Disposed, Is.EqualTo(1));
    }

    [Test]
    public async Task AnOwnPort_CarriesFrames_LikeAnyOther()
    {
        _own.Inject(Broadcast(1));
        Assert.That((await _p1.ReceiveAsync(Soon)).Bytes, Is.EqualTo(Broadcast(1)));
        Assert.That(_vtep.Vtep.Ports().Select(port => port.Name), Is.EqualTo(new[] { "own", "p1", "p2" }));
        Assert.That(_vtep.Vtep.Status().Warnings, Is.Empty);
    }

    [TestCase("Send")]
    [TestCase("Flush")]
    public async Task AQueueThatThrows_WhenFramesAreSent_IsOutOfService_AndTheirDropsAreCounted(string member)
    {
        _own.Throws = member;
        for (int i = 0; i < 3; i++)
            await ExpectOthersWork();
        Assert.That(Drops(DropReason.PortError), Is.EqualTo(6), "3 broadcasts of p1, 3 of p2");
        ExpectOutOfService($"its {member} threw InvalidOperationException: this port is broken.");
    }

    [Test]
    public async Task AQueueThatThrows_WhenAskedForFrames_IsOutOfService_AndWhatItHadTakenIsCounted()
    {
        _own.Throws = "Receive";
        _own.Inject(Broadcast(9));
        Eventually.Holds("it is out of service", () => _vtep.Vtep.Status().Warnings.Count == 1);
        await ExpectOthersWork();
        Assert.That(Drops(DropReason.PortError), Is.EqualTo(3), "the frame it lost, and two broadcasts");
        ExpectOutOfService("its Receive threw InvalidOperationException: this port is broken.");
    }

    [TestCase(1000, 0, "its Receive returned 1000 with 0 frames in a batch of 64")]
    [TestCase(-1, 0, "its Receive returned -1 with 0 frames in a batch of 64")]
    [TestCase(65, 65, "its Receive returned 65 with 65 frames in a batch of 64")]
    [TestCase(0, 3, "its Receive returned 0 with 3 frames in a batch of 64")]
    public async Task AReceive_ThatCountsWrong_TakesThePortOutOfService(int returned, int count, string clause)
    {
        _own.Receives = batch =>
        {
            batch.Count = count;
            return returned;
        };
        _own.Inject(Broadcast(9));
        Eventually.Holds("it is out of service", () => _vtep.Vtep.Status().Warnings.Count == 1);
        await ExpectOthersWork();
        ExpectOutOfService(clause);
    }

    [TestCase(-1, 60)]
    [TestCase(128, int.MaxValue)]
    [TestCase(int.MaxValue, 60)]
    [TestCase(0, 60, Description = "no room for a VXLAN header")]
    [TestCase(128, -60)]
    public async Task AReceive_ThatSaysAFrameIsOutsideItsSlot_TakesThePortOutOfService(int offset, int length)
    {
        _own.Receives = batch =>
        {
            ref FrameInfo info = ref batch.Reset(0, 60);
            info.Offset = offset;
            info.Length = length;
            return batch.Count = 1;
        };
        _own.Inject(Broadcast(9));
        Eventually.Holds("it is out of service", () => _vtep.Vtep.Status().Warnings.Count == 1);
        await ExpectOthersWork();
        ExpectOutOfService("its Receive put frame 0 of a batch outside its slot");
    }

    [TestCase("Mtu")]
    [TestCase("IsUp")]
    [TestCase("Mac")]
    public async Task APort_ThatThrowsWhenAsked_IsOutOfService(string member)
    {
        _own.Throws = member;
        _ = _vtep.Vtep.Ports();
        await _vtep.AddPortAsync(Blue, new MemoryPort("p4")); // the control loop asks all of them
        Eventually.Holds("it is out of service", () => _vtep.Vtep.Status().Warnings.Count == 1);
        await ExpectOthersWork();
        ExpectOutOfService($"its {member} threw InvalidOperationException: this port is broken.");
    }

    [Test]
    public async Task APort_ThatThrowsWhenItIsClosed_IsGoneAllTheSame()
    {
        _own.Throws = "Dispose";
        await _vtep.RemovePortAsync("own");
        await ExpectOthersWork();
        Eventually.Holds("it is told", () => _faults.Count == 1);
        Assert.That(_faults[0].Text, Does.StartWith("Port own is out of service: its Dispose threw"));
        Assert.That(_vtep.Vtep.Status().Warnings, Is.Empty);
    }

    [TestCase("Queue", "Port bad can't be used: its Queue threw InvalidOperationException: this port is broken.")]
    [TestCase("Mtu", "Port bad can't be used: its Mtu threw InvalidOperationException: this port is broken.")]
    public async Task APort_ThatThrowsWhenItIsAdded_IsNot_AndStaysTheProgramsOwn(string member, string message)
    {
        var bad = new BrokenPort("bad") { Throws = member };
        VtepException? refused = await Assert.ThrowsAsync<VtepException>(() => _vtep.AddPortAsync(Blue, bad));
        Assert.That(refused!.Message, Is.EqualTo(message));
        Assert.That(bad.Disposed, Is.Zero);
        Assert.That(_vtep.Vtep.Ports(), Has.Count.EqualTo(3));
        bad.Throws = null;
        await _vtep.AddPortAsync(Blue, bad);
        Assert.That(_vtep.Vtep.Ports(), Has.Count.EqualTo(4));
    }

    [Test]
    public async Task ABrokenPort_ThatIsMendedRemovedAndAddedAgain_Works()
    {
        _own.Throws = "Flush";
        await ExpectOthersWork();
        await _vtep.RemovePortAsync("own");
        var mended = new BrokenPort("own");
        await _vtep.AddPortAsync(Blue, mended);
        mended.Inject(Broadcast(7));
        Assert.That((await _p1.ReceiveAsync(Soon)).Bytes, Is.EqualTo(Broadcast(7)));
        Assert.That(_vtep.Vtep.Status().Warnings, Is.Empty);
    }

    // what the other two do for each other, a broadcast each way
    private async Task ExpectOthersWork()
    {
        _p1.Inject(Broadcast(1));
        Assert.That((await _p2.ReceiveAsync(Soon)).Bytes, Is.EqualTo(Broadcast(1)));
        _p2.Inject(Broadcast(2));
        Assert.That((await _p1.ReceiveAsync(Soon)).Bytes, Is.EqualTo(Broadcast(2)));
        Eventually.Holds("the lane has flushed", () => _vtep.Vtep.Counters().Unaccounted == 0);
    }

    private void ExpectOutOfService(string clause)
    {
        string sentence = $"Port own is out of service: {clause.TrimEnd('.')}. Its frames are dropped as port_error: mend it, remove the port and add it again.";
        VtepSnapshot status = _vtep.Vtep.Status();
        Assert.That(status.Warnings, Is.EqualTo(new[] { sentence }));
        Assert.That(_vtep.Vtep.Ports().Single(port => port.Name == "own").Up, Is.False);
        Eventually.Holds("the fault is told", () => _faults.Count == 1);
        Assert.That(_faults[0].Text, Is.EqualTo(sentence));
    }

    private long Drops(DropReason reason) => _vtep.Vtep.Counters().Drops.GetValueOrDefault(reason);
}
