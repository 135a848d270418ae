// The Internet checksum by vector width. A width the machine lacks is emulated, and slow.

using BenchmarkDotNet.Attributes;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Benchmarks;

[MemoryDiagnoser]
public class ChecksumBenchmarks
{
    private byte[] _payload = [];

    [Params(1400, 65_536)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _payload = new byte[Bytes];
        new Random(1).NextBytes(_payload);
    }

    /// <summary>The width the data plane chooses.</summary>
    [Benchmark(Baseline = true)]
    public ulong Chosen() => InternetChecksum.Sum(_payload);

    [Benchmark]
    public ulong Sum512() => InternetChecksum.Sum512(_payload);

    [Benchmark]
    public ulong Sum256() => InternetChecksum.Sum256(_payload);

    [Benchmark]
    public ulong Sum128() => InternetChecksum.Sum128(_payload);

    [Benchmark]
    public ulong SumScalar() => InternetChecksum.SumScalar(_payload);
}
