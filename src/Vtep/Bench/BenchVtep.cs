// A whole VTEP in memory: a lane, a domain, a port, a peer, and an FDB that has learned every station. What the benchmarks time is one
// batch through the lane, as a worker serves it.

using VtepDataPlane.Diagnostics;
using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Bench;

/// <summary>A VTEP to be measured. One thread.</summary>
internal sealed class BenchVtep : IDisposable
{
    // about 8 million frames a second, so that entries are refreshed as often as on a busy lane
    private const int BatchesOfAMillisecond = 8192 / FrameBatch.DefaultCapacity;

    private static readonly Vni s_vni = new(100);
    private static readonly VtepEndpoint s_peer = new(InetAddress.Parse("198.18.0.2"), 4789);
    private static readonly VtepEndpoint s_sender = s_peer with { Port = 50_000 };

    private readonly BenchHost _host = new();
    private readonly FrameBatch _batch = new();
    private readonly Vtep _vtep;
    private readonly Lane _lane;
    private readonly int _stationsOfASide;
    private long _batches;

    /// <summary>Makes it learn so many stations, a power of two, half of them local; gives it traffic of small frames.</summary>
    public BenchVtep(int stations)
    {
        _stationsOfASide = stations / 2;
        _vtep = new Vtep(Config(stations), _host, seed: 0x1234_5678, nowMilliseconds: 0);
        _lane = _vtep.Lanes[0];
        Use(Frames(BenchFrames.MinimumSize));
        for (int learned = 0; learned < _stationsOfASide; learned += FrameBatch.DefaultCapacity)
        {
            Encapsulate();
            Decapsulate();
        }
    }

    /// <summary>What became of all frames so far.</summary>
    public CounterSnapshot Counters => _vtep.Counters();

    /// <summary>Plain frames of so many bytes, for both directions.</summary>
    public (BenchTraffic Port, BenchTraffic Underlay) Frames(int size) =>
        (BenchFrames.FromPort(_stationsOfASide, size), BenchFrames.FromUnderlay(_stationsOfASide, size, s_vni, s_sender));

    /// <summary>64 KB of TCP at once, for both directions.</summary>
    public (BenchTraffic Port, BenchTraffic Underlay) SuperFrames() =>
        (BenchFrames.SuperFrames(_stationsOfASide), BenchFrames.SegmentTrains(_stationsOfASide, s_vni, s_sender));

    /// <summary>What comes in from now on.</summary>
    public void Use((BenchTraffic Port, BenchTraffic Underlay) traffic)
    {
        _host.PortQueue.Traffic = traffic.Port;
        _host.UnderlayQueue.Traffic = traffic.Underlay;
    }

    /// <summary>A batch from port to wire: learn, look up, encapsulate. Returns its frames.</summary>
    public int Encapsulate() => _lane.ServePort(_host.Port!, Now());

    /// <summary>A batch from wire to port: admit, take off the header, learn, look up. Returns its frames.</summary>
    public int Decapsulate() => _lane.ServeUnderlay(_host.UnderlayQueue, Now());

    /// <summary>What of both is the benchmark's own: filling the batch.</summary>
    public int ReceiveOnly() => _host.PortQueue.Receive(_batch);

    public void Dispose() => _vtep.Dispose();

    private long Now() => _batches++ / BatchesOfAMillisecond;

    private static VtepConfig Config(int stations) => new()
    {
        Workers = 1,
        Underlay = new UnderlayConfig { Local = InetAddress.Parse("198.18.0.1") },
        BridgeDomains =
        [
            new BridgeDomainConfig
            {
                Name = "bench",
                Vni = s_vni,
                FdbLimit = stations,
                Ports = [new PortConfig { Tap = "bench" }],
                Discovery = new StaticDiscovery { Peers = [s_peer] },
            },
        ],
    };
}
