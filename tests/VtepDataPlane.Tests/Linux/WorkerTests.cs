// A worker's promises, on event descriptors instead of devices: it serves what is ready, all of it in turn, nothing that was taken
// away, and says so when it fails.

using NUnit.Framework;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Linux.Workers;
using VtepDataPlane.Ports;
using VtepDataPlane.Tests.Forwarding;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Linux;

internal sealed class WorkerTests
{
    private readonly List<EventFd> _events = [];
    private readonly List<Exception> _fatal = [];
    private readonly MemoryPort _port = new("p1", lanes: 1);
    private LookupDomain _domain = null!;
    private WorkerSet _workers = null!;

    [SetUp]
    public void StartOne()
    {
        _fatal.Clear();
        _workers = new WorkerSet(1);
        _domain = new LookupDomain([_port], _ => new RepeatingQueue(), LookupDomain.Floods);
        _workers.Start(_domain.Lanes, _fatal.Add); // the sources below don't touch the lane
    }

    [TearDown]
    public void StopIt()
    {
        _workers.Dispose();
        _events.ForEach(e => e.Dispose());
        _events.Clear();
    }

    [Test]
    public void AReadySource_IsServed_OnTheWorkersThread()
    {
        string? thread = null;
        Source source = Add(_ => thread = Thread.CurrentThread.Name);

        source.Event.Signal();

        Assert.That(source.Served.Wait(5000));
        Assert.That(thread, Is.EqualTo("vtep-lane-0"));
    }

    [Test]
    public void SourcesThatAreAlwaysReady_TakeTurns()
    {
        using var enough = new ManualResetEventSlim();
        var counts = new int[3];
        bool areAllReady = false;
        for (int i = 0; i < counts.Length; i++)
        {
            int me = i;
            Source source = Add(_ => Count(me), clears: false);
            source.Event.Signal();
        }

        Volatile.Write(ref areAllReady, true);
        Assert.That(enough.Wait(5000));
        _workers.Stop();
        Assert.That(counts.Min(), Is.GreaterThanOrEqualTo(counts.Max() / 2));

        void Count(int source)
        {
            if (Volatile.Read(ref areAllReady) && ++counts[source] == 1000)
                enough.Set();
        }
    }

    [Test]
    public void ARemovedSource_IsServedNoMore_OnceTheWorkerIsQuiescent()
    {
        int count = 0;
        Source source = Add(_ => count++, clears: false);
        source.Event.Signal();
        Assert.That(source.Served.Wait(5000));

        _workers[0].Remove(source);
        _workers[0].Remove(source);
        _workers.Quiesce();

        int before = Volatile.Read(ref count);
        _workers.Quiesce();
        Assert.That(Volatile.Read(ref count), Is.EqualTo(before));
    }

    [Test]
    public void ASourceThatIsGone_IsPolledNoMore()
    {
        int count = 0;
        Source source = Add(_ => count++, clears: false, stays: false);
        source.Event.Signal();
        Assert.That(source.Served.Wait(5000));

        _workers.Quiesce();
        _workers.Quiesce();
        Assert.That(count, Is.EqualTo(1));
    }

    [Test]
    public void Quiesce_WaitsForTheBatchInWork()
    {
        using var entered = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        bool hasLeft = false;
        Source source = Add(_ =>
        {
            entered.Set();
            leave.Wait(5000);
            Volatile.Write(ref hasLeft, true);
        });
        source.Event.Signal();
        Assert.That(entered.Wait(5000));
        Task quiescing = Task.Run(_workers.Quiesce);

        Assert.That(quiescing.Wait(50), Is.False);
        leave.Set();
        Assert.That(quiescing.Wait(5000));
        Assert.That(Volatile.Read(ref hasLeft));
    }

    [Test]
    public void ManySources_ComeAndGo()
    {
        for (int round = 0; round < 3; round++)
        {
            Source[] sources = [.. Enumerable.Range(0, 300).Select(_ => Add(_ => { }))];
            foreach (Source source in sources)
                source.Event.Signal();
            foreach (Source source in sources)
                Assert.That(source.Served.Wait(5000));
            foreach (Source source in sources)
                _workers[0].Remove(source);
        }
    }

    [Test]
    public void AnAnswer_IsTakenUp_WhenTheWorkerIsWoken()
    {
        Lane lane = _domain.Lanes[0];
        Source source = Add(now => lane.ServePort(_domain.Ports[0], now));
        _port.Inject(Udp(MacA, MacB));
        source.Event.Signal();
        Assert.That(source.Served.Wait(5000));
        Assert.That(lane.HasHeld);

        lane.Answer(LookupDomain.KeyOf(MacB), MissAnswer.NoAnswer, 0);
        _workers.Wake(0);

        Assert.That(SpinWait.SpinUntil(() => !lane.HasHeld, 5000));
    }

    [Test]
    public void AnException_IsHandedOn_AndNobodyWaitsForTheDeadWorker()
    {
        Source source = Add(_ => throw new InvalidOperationException("a bug"));

        source.Event.Signal();
        _workers.Quiesce();
        _workers.Stop();

        Assert.That(_fatal.Select(e => e.Message), Is.EqualTo(new[] { "a bug" }));
        _workers.Quiesce();
    }

    private Source Add(Action<long> serve, bool clears = true, bool stays = true)
    {
        var source = new Source(new EventFd(), serve, clears, stays);
        _events.Add(source.Event);
        _workers[0].Add(source);
        return source;
    }

    private sealed class Source(EventFd @event, Action<long> serve, bool clears, bool stays) : PollSource(@event.Descriptor)
    {
        public EventFd Event { get; } = @event;

        public ManualResetEventSlim Served { get; } = new();

        public override bool Serve(Lane lane, long nowMilliseconds)
        {
            if (clears)
                Event.Clear();
            serve(nowMilliseconds);
            Served.Set();
            return stays;
        }
    }
}
