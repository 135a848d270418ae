// The FDB by number of entries, and the pure functions every frame passes through.

using BenchmarkDotNet.Attributes;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Benchmarks;

[MemoryDiagnoser]
public class FdbBenchmarks
{
    private const int Operations = 4096;
    private readonly MacAddress[] _macs = new MacAddress[Operations];
    private Fdb? _fdb;

    [Params(1_000, 64_000, 1_000_000)]
    public int Entries { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _fdb = new Fdb(Entries, seed: 0x1234_5678);
        for (int i = 0; i < Entries; i++)
            _fdb.Learn(1, Mac(i), FdbTarget.LearnedRemote(1), 1, int.MaxValue);
        var random = new Random(1);
        for (int i = 0; i < Operations; i++)
            _macs[i] = Mac(random.Next(Entries));
    }

    /// <summary>A hit in random order.</summary>
    [Benchmark(OperationsPerInvoke = Operations)]
    public int Lookup()
    {
        int found = 0;
        foreach (MacAddress mac in _macs)
            found += _fdb!.Lookup(1, mac).Id;
        return found;
    }

    /// <summary>A source that is known since this second: nothing is written.</summary>
    [Benchmark(OperationsPerInvoke = Operations)]
    public int LearnKnown()
    {
        int result = 0;
        foreach (MacAddress mac in _macs)
            result += (int)_fdb!.Learn(1, mac, FdbTarget.LearnedRemote(1), 1, int.MaxValue);
        return result;
    }

    private static MacAddress Mac(int i) => new(0x0200_0000_0000UL + (uint)i);
}

[MemoryDiagnoser]
public class WireBenchmarks
{
    private readonly byte[] _payload = new byte[65_536];
    private readonly FlowHash _flowHash = new(0x1234_5678);
    private byte[] _frame = [];
    private FrameHeaders _headers;

    [GlobalSetup]
    public void Setup()
    {
        new Random(1).NextBytes(_payload);
        _frame = Convert.FromHexString("02000000000b02000000000a08004500003c000040004006aaaac6120101c61201022710271000000001000000025010020000000000" + new string('0', 40));
        FrameHeaders.Parse(_frame, out _headers);
    }

    [Benchmark]
    public FrameFault Parse() => FrameHeaders.Parse(_frame, out _headers);

    [Benchmark]
    public uint Hash() => _flowHash.Compute(_frame, _headers);

    [Benchmark]
    public ushort Checksum1400() => InternetChecksum.Compute(_payload.AsSpan(0, 1400));

    [Benchmark]
    public ushort Checksum64K() => InternetChecksum.Compute(_payload);
}
