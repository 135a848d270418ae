// One frame through the data plane, either way: parse, learn the source, look the destination up, write or take off the header,
// count. Frames have many sources and destinations, so that the FDB is really searched.

using BenchmarkDotNet.Attributes;
using VtepDataPlane.Daemon.Bench;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Benchmarks;

[MemoryDiagnoser]
public class ForwardingBenchmarks
{
    private BenchVtep? _vtep;

    /// <summary>Stations in the FDB, half of them local.</summary>
    [Params(1024, 65_536)]
    public int Stations { get; set; }

    /// <summary>Bytes of a frame without its checksum.</summary>
    [Params(64, 1400)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _vtep = new BenchVtep(Stations);
        _vtep.Use(_vtep.Frames(Size));
    }

    [GlobalCleanup]
    public void Cleanup() => _vtep?.Dispose();

    /// <summary>Port to wire: learn, look up, encapsulate.</summary>
    [Benchmark(OperationsPerInvoke = FrameBatch.DefaultCapacity)]
    public int Encapsulate() => _vtep!.Encapsulate();

    /// <summary>Wire to port: admit, take off the header, learn, look up.</summary>
    [Benchmark(OperationsPerInvoke = FrameBatch.DefaultCapacity)]
    public int Decapsulate() => _vtep!.Decapsulate();

    /// <summary>What of it the benchmark's own queue costs: filling the batch.</summary>
    [Benchmark(OperationsPerInvoke = FrameBatch.DefaultCapacity, Baseline = true)]
    public int ReceiveOnly() => _vtep!.ReceiveOnly();
}
