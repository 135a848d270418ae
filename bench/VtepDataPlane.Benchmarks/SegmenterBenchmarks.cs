// Cutting up one super-frame as large as a TAP gives them: the headers of all its segments, payload sums included. Divide by the segments.

using BenchmarkDotNet.Attributes;
using VtepDataPlane.Frames;
using VtepDataPlane.Offload;

namespace VtepDataPlane.Benchmarks;

[MemoryDiagnoser]
public class SegmenterBenchmarks
{
    private const int HeaderLength = 66;

    private readonly byte[] _header = new byte[Segmenter.MaximumHeaderLength];
    private byte[] _frame = [];
    private OffloadInfo _offload;

    [Params(44, 7)]
    public int Segments { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        int size = Segments == 44 ? 1398 : 8898;
        _frame = new byte[HeaderLength + Segments * size];
        new Random(1).NextBytes(_frame.AsSpan(HeaderLength));
        Convert.FromHexString(
            "02000000000b02000000000a0800" + "450000000000400040060000c6120101c6120102"
            + "27104e2000000000000007d0801001f600000000" + "0101080a1111111122222222").CopyTo(_frame, 0);
        int length = _frame.Length - 14;
        (_frame[16], _frame[17]) = ((byte)(length >> 8), (byte)length);
        _offload = new OffloadInfo
        {
            Gso = GsoType.TcpIPv4,
            GsoSize = (ushort)size,
            NeedsChecksum = true,
            ChecksumStart = 34,
            ChecksumOffset = 16,
        };
    }

    [Benchmark]
    public int Cut()
    {
        if (!Segmenter.TryCreate(_frame, _offload, out Segmenter segmenter))
            throw new InvalidOperationException("The super-frame is refused.");
        for (int i = 0; i < segmenter.Count; i++)
            segmenter.WriteHeader(i, _header);
        return segmenter.Count;
    }
}
