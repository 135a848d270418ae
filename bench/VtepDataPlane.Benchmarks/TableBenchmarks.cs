// The FDB by number of entries, and the pure functions every frame passes through.

using BenchmarkDotNet.Attributes;
using VtepDataPlane.Daemon.Bench;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Benchmarks;

[MemoryDiagnoser]
public class FdbBenchmarks
{
    private BenchFdb? _fdb;

    [Params(1_000, 64_000, 1_000_000)]
    public int Entries { get; set; }

    [GlobalSetup]
    public void Setup() => _fdb = new BenchFdb(Entries);

    /// <summary>A hit in random order.</summary>
    [Benchmark(OperationsPerInvoke = BenchFdb.Operations)]
    public int Lookup() => _fdb!.Lookup();

    /// <summary>A source that is known since this second: nothing is written.</summary>
    [Benchmark(OperationsPerInvoke = BenchFdb.Operations)]
    public int LearnKnown() => _fdb!.LearnKnown();
}

[MemoryDiagnoser]
public class WireBenchmarks
{
    private readonly FlowHash _flowHash = new(0x1234_5678);
    private readonly byte[] _frame = Convert.FromHexString(
        "02000000000b02000000000a08004500003c000040004006aaaac6120101c61201022710271000000001000000025010020000000000" + new string('0', 40));

    private FrameHeaders _headers;

    [GlobalSetup]
    public void Setup() => FrameHeaders.Parse(_frame, out _headers);

    [Benchmark]
    public FrameFault Parse() => FrameHeaders.Parse(_frame, out _headers);

    [Benchmark]
    public uint Hash() => _flowHash.Compute(_frame, _headers);
}
