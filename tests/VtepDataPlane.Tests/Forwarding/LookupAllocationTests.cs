// Holding frames and letting them go allocates nothing on the lane's thread, whatever the answer. Measured as in AllocationTests.

using NUnit.Framework;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Forwarding;

internal sealed class LookupAllocationTests
{
    private const int Windows = 4;
    private const int Rounds = 100;

    private readonly byte[] _frame = Udp(MacA, MacB);
    private RepeatingQueue _queue = null!;
    private LookupDomain _domain = null!;

    [SetUp]
    public void Open() => Open(LookupDomain.Floods);

    private void Open(ControllerPolicy policy)
    {
        var host = new RepeatingHost();
        IAccessPort[] ports = [host.OpenPort(new PortConfig { Tap = "p1" }, 1), host.OpenPort(new PortConfig { Tap = "p2" }, 1)];
        _queue = (RepeatingQueue)ports[0].Queue(0);
        _queue.Next = _frame;
        _domain = new LookupDomain(ports, _ => host.Underlay, policy);
    }

    [TestCase(MissAnswer.Found)]
    [TestCase(MissAnswer.NotFound)]
    [TestCase(MissAnswer.NoAnswer)]
    public void HoldingFrames_AndLettingThemGo_AllocatesNothing(MissAnswer answer)
    {
        AssertNoAllocation(round =>
        {
            foreach (MissKey key in _domain.Questions())
                _domain.Lanes[0].Answer(key, answer, notFoundUntilMilliseconds: long.MaxValue);
        });
        Assert.That(_domain.Counters().Unaccounted, Is.Zero);
    }

    [Test]
    public void AFullTable_AllocatesNothing()
    {
        AssertNoAllocation(_ => _domain.Questions());
        Assert.That(_domain.Counters().Unaccounted, Is.EqualTo(HeldFrames.FrameCapacity));
    }

    [Test]
    public void AfterTooLongATime_LettingGo_AllocatesNothing()
    {
        AssertNoAllocation(_ => _domain.Questions(), serveAt: round => round * HeldFrames.LongestWait);
        Assert.That(_domain.Counters().Unaccounted, Is.EqualTo(RepeatingQueue.Batch), "those of the last round");
    }

    // each round another station nobody knows, then what the control loop does, which isn't counted, then the answers
    private void AssertNoAllocation(Action<int> attend, Func<int, long>? serveAt = null)
    {
        Lane lane = _domain.Lanes[0];
        long leanest = long.MaxValue;
        for (int window = 0; window < Windows; window++)
        {
            long allocated = 0;
            for (int round = window * Rounds; round < (window + 1) * Rounds; round++)
            {
                new MacAddress((ulong)(0x0200_0001_0000 + round)).Write(_frame);
                long now = serveAt?.Invoke(round) ?? round;
                long before = GC.GetAllocatedBytesForCurrentThread();
                lane.ServePort(_domain.Ports[0], now);
                allocated += GC.GetAllocatedBytesForCurrentThread() - before;
                attend(round);
                before = GC.GetAllocatedBytesForCurrentThread();
                lane.ServeAnswers(now);
                allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            }

            leanest = Math.Min(leanest, allocated);
        }

        Assert.That(leanest, Is.Zero);
        Assert.That(_domain.Counters().Received, Is.EqualTo(Windows * Rounds * RepeatingQueue.Batch));
    }
}
