// One frame through the data plane, either way: parse, learn the source, look the destination up, write or take off the header,
// count. Frames have many sources and destinations, so that the FDB is really searched.

using System.Buffers.Binary;
using BenchmarkDotNet.Attributes;
using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Benchmarks;

[MemoryDiagnoser]
public class ForwardingBenchmarks
{
    private const ulong LocalStations = 0x0200_0000_0000;
    private const ulong RemoteStations = 0x0200_1000_0000;
    private static readonly VtepEndpoint s_remote = new(InetAddress.Parse("198.18.0.2"), 4789);

    private readonly BenchHost _host = new();
    private Vtep? _vtep;
    private Lane? _lane;
    private long _now;

    /// <summary>Stations in the FDB, half of them local.</summary>
    [Params(1024, 65_536)]
    public int Stations { get; set; }

    /// <summary>Bytes of a frame without its checksum.</summary>
    [Params(64, 1400)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var config = new VtepConfig
        {
            Workers = 1,
            Underlay = new UnderlayConfig { Local = InetAddress.Parse("198.18.0.1") },
            BridgeDomains =
            [
                new BridgeDomainConfig
                {
                    Name = "bench",
                    Vni = new Vni(100),
                    FdbLimit = 1 << 20,
                    Ports = [new PortConfig { Tap = "bench" }],
                    Discovery = new StaticDiscovery { Peers = [s_remote] },
                },
            ],
        };
        _vtep = new Vtep(config, _host, seed: 0x1234_5678, nowMilliseconds: 0);
        _lane = _vtep.Lanes[0];
        int half = Stations / 2;
        _host.PortQueue.Frames = [.. Enumerable.Range(0, half).Select(i => Frame(LocalStations + (ulong)i, RemoteStations + (ulong)(i * 7 % half)))];
        _host.UnderlayQueue.Frames = [.. Enumerable.Range(0, half).Select(i => Vxlan(Frame(RemoteStations + (ulong)i, LocalStations + (ulong)(i * 7 % half))))];
        _host.UnderlayQueue.Source = s_remote with { Port = 50_000 };
        for (int learned = 0; learned < half; learned += FrameBatch.DefaultCapacity)
        {
            Encapsulate();
            Decapsulate();
        }
    }

    /// <summary>Port to wire: learn, look up, encapsulate.</summary>
    [Benchmark(OperationsPerInvoke = FrameBatch.DefaultCapacity)]
    public int Encapsulate() => _lane!.ServePort(_host.Port!, _now += 1);

    /// <summary>Wire to port: admit, take off the header, learn, look up.</summary>
    [Benchmark(OperationsPerInvoke = FrameBatch.DefaultCapacity)]
    public int Decapsulate() => _lane!.ServeUnderlay(_host.UnderlayQueue, _now += 1);

    /// <summary>What of it the benchmark's own queue costs: filling the batch.</summary>
    [Benchmark(OperationsPerInvoke = FrameBatch.DefaultCapacity, Baseline = true)]
    public int ReceiveOnly() => _host.PortQueue.Receive(_batch);

    private readonly FrameBatch _batch = new();

    private static byte[] Vxlan(byte[] frame) => [8, 0, 0, 0, 0, 0, 100, 0, .. frame];

    // UDP over IPv4; the transport checksum is none, as nothing here looks at it
    private byte[] Frame(ulong source, ulong destination)
    {
        byte[] frame = new byte[Size];
        new MacAddress(destination).Write(frame);
        new MacAddress(source).Write(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), 0x0800);
        Span<byte> ip = frame.AsSpan(14);
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(Size - 14));
        ip[8] = 64;
        ip[9] = 17;
        BinaryPrimitives.WriteUInt32BigEndian(ip[12..], 0xC613_0000 | (uint)(source & 0xFFFF));
        BinaryPrimitives.WriteUInt32BigEndian(ip[16..], 0xC613_0000 | (uint)(destination & 0xFFFF));
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Compute(ip[..20]));
        BinaryPrimitives.WriteUInt32BigEndian(ip[20..], 0x2710_4E20);
        BinaryPrimitives.WriteUInt16BigEndian(ip[24..], (ushort)(Size - 34));
        return frame;
    }
}
