// An underlay of a program's own: two VTEPs joined by one, and one that is wrong.

using System.Collections.Concurrent;
using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Embedding.EmbeddedVtep;

namespace VtepDataPlane.Tests.Embedding;

internal sealed class OwnUnderlayTests
{
    [Test]
    public async Task AnOwnUnderlay_CarriesFrames_BetweenVteps()
    {
        var wire = new Cable();
        await using InProcessVtep a = InProcessVtep.Start(Config("192.0.2.1", Domain(Blue, "192.0.2.2")), wire.Open);
        await using InProcessVtep b = InProcessVtep.Start(Config("192.0.2.2", Domain(Blue, "192.0.2.1")), wire.Open);
        var pa = new MemoryPort("pa");
        var pb = new MemoryPort("pb");
        await a.AddPortAsync(Blue, pa);
        await b.AddPortAsync(Blue, pb);
        pa.Inject(Broadcast(1));
        Assert.That((await pb.ReceiveAsync(Soon)).Bytes, Is.EqualTo(Broadcast(1)));
        pb.Inject(Frame(2, 1));
        Assert.That((await pa.ReceiveAsync(Soon)).Bytes, Is.EqualTo(Frame(2, 1)));
        Assert.That(b.Vtep.Counters().Unaccounted, Is.Zero);
    }

    [TestCase("Send")]
    [TestCase("Flush")]
    public async Task AnUnderlayThatThrows_IsOutOfService_AndPortsGoOn(string member)
    {
        var wire = new Cable { Throws = member };
        await using InProcessVtep a = InProcessVtep.Start(Config("192.0.2.1", Domain(Blue, "192.0.2.2")), wire.Open);
        var p1 = new MemoryPort("p1");
        var p2 = new MemoryPort("p2");
        await a.AddPortAsync(Blue, p1);
        await a.AddPortAsync(Blue, p2);
        for (int i = 0; i < 3; i++)
        {
            p1.Inject(Broadcast(1));
            Assert.That((await p2.ReceiveAsync(Soon)).Bytes, Is.EqualTo(Broadcast(1)));
        }

        Eventually.Holds("the lane has flushed", () => a.Vtep.Counters().Unaccounted == 0);
        Assert.That(a.Vtep.Counters().Drops[DropReason.TxError], Is.EqualTo(3));
        Assert.That(a.Vtep.Status().Warnings, Does.Contain(
            $"The underlay is out of service: its {member} threw InvalidOperationException: this cable is broken. Its frames are dropped as tx_error: mend it and start the VTEP anew."));
    }

    [TestCase("PathTo")]
    [TestCase("Dispose")]
    public async Task AnUnderlayThatThrows_WhenTheControlLoopCalls_EndsNothing(string member)
    {
        var wire = new Cable { Throws = member };
        await using InProcessVtep a = InProcessVtep.Start(Config("192.0.2.1", Domain(Blue, "192.0.2.2")), wire.Open);
        var p1 = new MemoryPort("p1");
        var p2 = new MemoryPort("p2");
        await a.AddPortAsync(Blue, p1);
        await a.AddPortAsync(Blue, p2);
        p1.Inject(Broadcast(1));
        Assert.That((await p2.ReceiveAsync(Soon)).Bytes, Is.EqualTo(Broadcast(1)));
    }

    [Test]
    public void AnUnderlayThatCantBeOpened_IsAMessage_AndLeavesNoThread()
    {
        VtepException? refused = Assert.Throws<VtepException>(() => InProcessVtep.Start(Config("192.0.2.1"), (_, _) => throw new TimeoutException("nobody is there")));
        Assert.That(refused!.Message, Is.EqualTo("The underlay can't be opened: TimeoutException: nobody is there"));
        Assert.That(() => InProcessVtep.Start(Config("192.0.2.1"), new MemoryNetwork()), Throws.ArgumentException);
        Assert.That(
            () => InProcessVtep.Start(Config("192.0.2.1") with { Underlay = new UnderlayConfig { Interface = "eth0" } }, new MemoryNetwork { IsLive = true }),
            Throws.TypeOf<VtepException>().With.Message.Contains("give underlay.local"));
    }

    /// <summary>Joins every VTEP that opens an end of it.</summary>
    private sealed class Cable
    {
        public ConcurrentDictionary<InetAddress, End> Ends { get; } = new();

        public string? Throws { get; init; }

        public IUnderlay Open(UnderlayConfig config, int lanes) => Ends[config.Local!.Value] = new End(this, config.Local.Value, lanes);

        public void Do(string member)
        {
            if (member == Throws)
                throw new InvalidOperationException("this cable is broken.");
        }
    }

    private sealed class End(Cable cable, InetAddress local, int lanes) : IUnderlay
    {
        private readonly EndQueue[] _queues = [.. Enumerable.Range(0, lanes).Select(_ => new EndQueue(cable, local))];
        private Action<int>? _wake;

        public InetAddress Local => local;

        public bool IsLocalAddressPresent => true;

        public IFrameQueue Queue(int lane) => _queues[lane];

        public void WakeBy(Action<int> wake) => _wake = wake;

        public void Arrive(byte[] datagram, InetAddress from)
        {
            _queues[0].Arrived.Enqueue((datagram, from));
            _wake?.Invoke(0);
        }

        public UnderlayPath PathTo(in InetAddress remote)
        {
            cable.Do(nameof(PathTo));
            return new UnderlayPath(PathStatus.Reachable, 1500, 1);
        }

        public UnderlayPath PathThrough(string interfaceName) => new(PathStatus.NoRoute, 0, 0);

        public void Join(in MulticastGroup group)
        {
        }

        public void Leave(in MulticastGroup group)
        {
        }

        public void Dispose() => cable.Do(nameof(Dispose));
    }

    private sealed class EndQueue(Cable cable, InetAddress local) : IFrameQueue
    {
        private readonly List<(byte[] Datagram, InetAddress To)> _noted = [];

        public ConcurrentQueue<(byte[] Datagram, InetAddress From)> Arrived { get; } = new();

        public QueueMeters Meters { get; } = new();

        public int Receive(FrameBatch batch)
        {
            batch.Count = 0;
            while (batch.Count < batch.Capacity && Arrived.TryDequeue(out (byte[] Datagram, InetAddress From) next))
            {
                Meters.CountReceived(next.Datagram.Length);
                batch.TryAdd(next.Datagram);
                batch[batch.Count - 1].Info.Outer.Remote = new VtepEndpoint(next.From, 50_000);
            }

            return batch.Count;
        }

        public void Send(in Frame frame)
        {
            _noted.Add((frame.Bytes.ToArray(), frame.Info.Outer.Remote.Address));
            cable.Do(nameof(Send));
        }

        public int Flush()
        {
            cable.Do(nameof(Flush));
            foreach ((byte[] datagram, InetAddress to) in _noted)
            {
                Meters.CountSent(datagram.Length);
                cable.Ends[to].Arrive(datagram, local);
            }

            int sent = _noted.Count;
            _noted.Clear();
            return sent;
        }
    }
}
