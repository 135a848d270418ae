// The frame path allocates nothing: every hot method, measured by the runtime's own count of bytes allocated on this thread, with
// queues that don't allocate either.

using NUnit.Framework;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Network.TestNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Forwarding;

public sealed class AllocationTests
{
    private const string A = "198.18.0.1", B = "198.18.0.2", C = "198.18.0.3";
    private const int Windows = 4, Rounds = 100;

    private static IEnumerable<TestCaseData> PortFrames() =>
    [
        Named("unicast to a VTEP", Udp(MacA, MacB)),
        Named("IPv6 unicast to a VTEP", Udp(MacA, MacB, IPv6A, IPv6B)),
        Named("broadcast to ports and VTEPs", Arp(MacA)),
        Named("unknown unicast", Udp(MacA, MacAddress.Parse("02:00:00:00:00:77"))),
        Named("dropped, source is a group", Udp(MacAddress.Broadcast, MacB)),
        Named("oversize, answered", Udp(MacA, MacB, payload: Pattern(1800))),
        Named("malformed", Udp(MacA, MacB)[..30]),
    ];

    private static IEnumerable<TestCaseData> Datagrams() =>
    [
        Named("unicast to a port", Vxlan(100, Udp(MacB, MacA))),
        Named("broadcast", Vxlan(100, Arp(MacB))),
        Named("a partial checksum", Vxlan(100, Tcp(MacB, MacA, checksum: TestChecksum.Partial))),
        Named("a TCP super-frame", Vxlan(100, Tcp(MacB, MacA, payload: Pattern(30_000), checksum: TestChecksum.Partial))),
        Named("an unknown VNI", Vxlan(5, Udp(MacB, MacA))),
        Named("truncated", Hex("0800")),
    ];

    private static TestCaseData Named(string name, byte[] bytes) => new TestCaseData(bytes).SetArgDisplayNames(name);

    [TestCaseSource(nameof(PortFrames))]
    public void FromPort_AllocatesNothing(byte[] frame) => AssertNoAllocation(frame, fromUnderlay: false);

    [TestCaseSource(nameof(Datagrams))]
    public void FromUnderlay_AllocatesNothing(byte[] datagram) => AssertNoAllocation(datagram, fromUnderlay: true);

    [Test]
    public void ALearningStation_AllocatesNothing()
    {
        // each frame a new source: the FDB's insert path, then its limit
        AssertNoAllocation(Udp(MacA, MacB), fromUnderlay: false, (frame, i) => frame[11] = (byte)i);
    }

    private static IEnumerable<TestCaseData> NeighborMessages() =>
    [
        Named("a request, answered", Arp()),
        Named("a solicitation, answered", NeighborFrames.Solicitation(MacA, IPv6A, IPv6B)),
        Named("a request, flooded", Arp(targetIp: "198.18.1.77")),
        Named("an advertisement", NeighborFrames.Advertisement(MacA, IPv6A, 2)),
        Named("a lease", NeighborFrames.Dhcp(MacB, MacA, IPv4A)),
        Named("data", Udp(MacA, MacB)),
    ];

    [TestCaseSource(nameof(NeighborMessages))]
    public void Neighbours_AreAnsweredAndHeardWithoutAllocation(byte[] frame)
    {
        using var bench = new ControllerBench(new RepeatingHost(), A, ["a1", "a2"], B, C);
        bench.Tell(MacB, peer: 0);
        bench.Tell(IPv4B, MacB);
        bench.Tell(IPv6B, MacB);
        byte[] datagram = Vxlan(100, frame);
        long leanest = LeanestWindow(_ => { }, round =>
        {
            Serve(bench.Lane, bench.Port(0), frame, round);
            Serve(bench.Lane, (RepeatingQueue)bench.Lane.Underlay, datagram, round);
        });
        Assert.That(leanest, Is.Zero);
    }

    private static void AssertNoAllocation(byte[] bytes, bool fromUnderlay, Action<byte[], int>? vary = null)
    {
        var host = new RepeatingHost();
        using var vtep = new Vtep(Config(), host, seed: 42, nowMilliseconds: 0);
        Lane lane = vtep.Lanes[0];
        long leanest = LeanestWindow(round => vary?.Invoke(bytes, round), round =>
        {
            if (fromUnderlay)
                Serve(lane, host.Underlay, bytes, round);
            else
                Serve(lane, host.Ports[0], bytes, round);
        });
        Assert.That(leanest, Is.Zero);
        Assert.That(vtep.Counters().Received, Is.EqualTo(Windows * Rounds * RepeatingQueue.Batch));
        Assert.That(vtep.Counters().Unaccounted, Is.Zero);
    }

    // A window is 100 batches. What a frame allocates shows in every window; what the runtime allocates once, when it compiles
    // a method better, doesn't: so the leanest window counts.
    private static long LeanestWindow(Action<int> prepare, Action<int> serve)
    {
        long leanest = long.MaxValue;
        for (int window = 0; window < Windows; window++)
        {
            long allocated = 0;
            for (int round = window * Rounds; round < (window + 1) * Rounds; round++)
            {
                prepare(round);
                long before = GC.GetAllocatedBytesForCurrentThread();
                serve(round);
                allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            }

            leanest = Math.Min(leanest, allocated);
        }

        return leanest;
    }

    private static void Serve(Lane lane, RepeatingQueue underlay, byte[] bytes, int round)
    {
        underlay.Next = bytes;
        lane.ServeUnderlay(underlay, round * 1000L);
    }

    private static void Serve(Lane lane, AccessPort port, byte[] bytes, int round)
    {
        ((RepeatingQueue)port.Device.Queue(0)).Next = bytes;
        lane.ServePort(port, round * 1000L);
    }

    private static VtepConfig Config() => new()
    {
        Workers = 1,
        FdbCapacity = 1024,
        Underlay = new UnderlayConfig { Local = InetAddress.Parse(A) },
        BridgeDomains = [Domain(100, ["a1", "a2"], [B, C]) with { FdbLimit = 50, Fdb = [new StaticFdbEntry(MacB, new VtepEndpoint(InetAddress.Parse(B), 4789), null)] }],
    };
}

/// <summary>Receives the same frame again and again, and sends into nowhere, without allocating.</summary>
internal sealed class RepeatingQueue : IFrameQueue
{
    public const int Batch = 8;
    private int _noted;

    public byte[] Next { get; set; } = [];

    public VtepEndpoint Source { get; init; } = new(InetAddress.Parse("198.18.0.2"), 50_000);

    public QueueMeters Meters { get; } = new();

    public int Receive(FrameBatch batch)
    {
        batch.Count = 0;
        for (int i = 0; i < Batch; i++)
        {
            Meters.CountReceived(Next.Length);
            Next.CopyTo(batch.RoomOf(i));
            batch.Reset(i, Next.Length).Outer.Remote = Source;
        }

        return batch.Count = Batch;
    }

    public void Send(in Frame frame)
    {
        _noted++;
        Meters.CountSent(frame.Length);
    }

    public int Flush()
    {
        int sent = _noted;
        _noted = 0;
        return sent;
    }
}

/// <summary>A host whose queues are <see cref="RepeatingQueue"/>s.</summary>
internal sealed class RepeatingHost : IHostNetwork
{
    public List<AccessPort> Ports { get; } = [];

    public RepeatingQueue Underlay { get; } = new();

    public IUnderlay OpenUnderlay(UnderlayConfig config, int lanes) => new RepeatingUnderlay(Underlay, config.Local!.Value);

    public IAccessPort OpenPort(PortConfig config, int lanes) => new RepeatingPort(config.Tap);

    public void Serve(AccessPort port) => Ports.Add(port);

    public void Withdraw(AccessPort port) => Ports.Remove(port);

    private sealed class RepeatingPort(string name) : IAccessPort
    {
        private readonly RepeatingQueue _queue = new();

        public string Name => name;

        public MacAddress Mac => default;

        public int InterfaceIndex => 0;

        public int Mtu { get; private set; } = 1450;

        public bool IsUp => true;

        public IFrameQueue Queue(int lane) => _queue;

        public bool TrySetMtu(int mtu, out string? why)
        {
            why = null;
            Mtu = mtu;
            return true;
        }

        public void Dispose()
        {
        }
    }

    private sealed class RepeatingUnderlay(RepeatingQueue queue, InetAddress local) : IUnderlay
    {
        public InetAddress Local => local;

        public bool IsLocalAddressPresent => true;

        public IFrameQueue Queue(int lane) => queue;

        public UnderlayPath PathTo(in InetAddress remote) => new(PathStatus.Reachable, 1500, 1);

        public UnderlayPath PathThrough(string interfaceName) => new(PathStatus.Reachable, 1500, 1);

        public void Join(in MulticastGroup group)
        {
        }

        public void Leave(in MulticastGroup group)
        {
        }

        public void Dispose()
        {
        }
    }
}
