// From one host in the process to another: a host writes frames into its pipe, the VTEP reads, learns, looks up and writes them into the other
// host's pipe, which that host reads. Everything on one thread, so one core does the work of all three.

using System.Buffers;
using System.IO.Pipelines;
using BenchmarkDotNet.Attributes;
using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Benchmarks;

[MemoryDiagnoser]
public class PipePortBenchmarks
{
    private readonly byte[][] _frames = new byte[FrameBatch.DefaultCapacity][];
    private readonly Pipe _direct = new(new PipeOptions(pauseWriterThreshold: 1 << 20, minimumSegmentSize: 64 * 1024));
    private Vtep? _vtep;
    private Lane? _lane;
    private AccessPort? _served;
    private IDuplexPipe? _from;
    private IDuplexPipe? _to;
    private long _batches;

    /// <summary>Bytes of a frame without its checksum.</summary>
    [Params(64, 1400)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        (PipePort from, _from) = PipePort.CreatePair("from", new PipePortOptions { PauseBytes = 1 << 20 });
        (PipePort to, _to) = PipePort.CreatePair("to", new PipePortOptions { PauseBytes = 1 << 20 });
        var host = new MemoryHost(new MemoryNetwork(seed: 1), InetAddress.Parse("198.18.0.1"));
        _vtep = new Vtep(Config(from, to), host, seed: 0x1234_5678, nowMilliseconds: 0);
        _lane = _vtep.Lanes[0];
        _served = host.Served[0];
        for (int i = 0; i < _frames.Length; i++)
            _frames[i] = Frame(Size, station: i);
        Speak(host.Served[1]);
        if (HostToHost() != FrameBatch.DefaultCapacity)
            throw new InvalidOperationException("Not every frame came through the pipes: what would be measured isn't forwarding.");
    }

    [GlobalCleanup]
    public void Cleanup() => _vtep?.Dispose();

    /// <summary>A batch from host to host. Returns its frames.</summary>
    [Benchmark(OperationsPerInvoke = FrameBatch.DefaultCapacity)]
    public int HostToHost()
    {
        Write(_from!.Output);
        while (_lane!.ServePort(_served!, ++_batches / 32) > 0)
        {
        }

        return Read(_to!.Input);
    }

    /// <summary>What of it the hosts cost: the same frames through one pipe, without a VTEP.</summary>
    [Benchmark(OperationsPerInvoke = FrameBatch.DefaultCapacity, Baseline = true)]
    public int HostsOnly()
    {
        Write(_direct.Writer);
        return Read(_direct.Reader);
    }

    private void Write(PipeWriter writer)
    {
        foreach (byte[] frame in _frames)
            FramePipe.WriteFrame(writer, frame);
        Flush(writer);
    }

    private static void Flush(PipeWriter writer)
    {
        ValueTask<FlushResult> flush = writer.FlushAsync();
        if (!flush.IsCompleted || flush.Result.IsCompleted)
            throw new InvalidOperationException("The pipe holds its writer back: a batch is more than it may hold.");
    }

    private static int Read(PipeReader reader)
    {
        int frames = 0;
        while (reader.TryRead(out ReadResult result))
        {
            ReadOnlySequence<byte> buffer = result.Buffer;
            while (FramePipe.TryReadFrame(ref buffer, out _))
                frames++;
            reader.AdvanceTo(buffer.Start, buffer.End);
        }

        return frames;
    }

    // The stations behind the second port say where they are.
    private void Speak(AccessPort port)
    {
        for (int i = 0; i < _frames.Length; i++)
        {
            byte[] frame = [.. _frames[i][6..12], .. _frames[i][..6], .. _frames[i][12..]];
            FramePipe.WriteFrame(_to!.Output, frame);
        }

        Flush(_to!.Output);
        while (_lane!.ServePort(port, nowMilliseconds: 0) > 0)
        {
        }

        Read(_from!.Input);
    }

    private static byte[] Frame(int size, int station)
    {
        byte[] frame = new byte[size];
        new MacAddress(0x02_00_00_00_00_00UL + (uint)station).Write(frame);
        new MacAddress(0x02_00_00_01_00_00UL + (uint)station).Write(frame.AsSpan(6));
        frame[12] = 0x88; // IEEE 802 local experimental EtherType 1
        frame[13] = 0xB5;
        return frame;
    }

    private static VtepConfig Config(PipePort from, PipePort to) => new()
    {
        Workers = 1,
        Underlay = new UnderlayConfig { Local = InetAddress.Parse("198.18.0.1") },
        BridgeDomains =
        [
            new BridgeDomainConfig
            {
                Name = "bench",
                Vni = new Vni(100),
                Ports = [PortConfig.Of(from), PortConfig.Of(to)],
                Discovery = new StaticDiscovery { Peers = [new VtepEndpoint(InetAddress.Parse("198.18.0.2"), 4789)] },
            },
        ],
    };
}
