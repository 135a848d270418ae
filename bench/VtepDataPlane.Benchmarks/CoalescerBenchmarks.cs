// What coalescing costs a frame: grouping, and the super-frames' headers, without the writes it saves. Beside it the checksums of the same frames, which the
// Coalescer verifies. The frames of one batch lie one behind the other, as the kernel delivers them (UDP_GRO).

using System.Buffers.Binary;
using BenchmarkDotNet.Attributes;
using VtepDataPlane.Frames;
using VtepDataPlane.Offload;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Benchmarks;

[MemoryDiagnoser]
public class CoalescerBenchmarks
{
    private const int Segments = 44;
    private const int SegmentSize = 1400;
    private const int SmallFrames = 64;
    private const int SmallSize = 64;
    private const int Flows = 16;
    private const int Ip = 14;
    private const int Transport = Ip + Ipv4Header.Size;
    private const int TcpHeaderLength = Transport + TcpView.MinimumHeaderSize;

    private static readonly OffloadInfo s_unfinished = new() { NeedsChecksum = true, ChecksumStart = Transport, ChecksumOffset = TcpView.ChecksumOffset };

    private readonly Coalescer _coalescer = new(64);
    private readonly Batch _stream = new(Segments, SegmentSize, WriteSegment);
    private readonly Batch _unfinished = new(Segments, SegmentSize, WriteUnfinished);
    private readonly Batch _datagrams = new(SmallFrames, SmallSize, WriteDatagram);
    private readonly Batch _acks = new(SmallFrames, TcpHeaderLength, (frame, i) => WriteSegment(frame, 0));

    /// <summary>A train of 44 segments of 1400 bytes.</summary>
    [Benchmark(OperationsPerInvoke = Segments)]
    public int TcpStream() => Coalesce(_stream, default);

    /// <summary>The checksums of these segments.</summary>
    [Benchmark(OperationsPerInvoke = Segments)]
    public int TcpStreamChecksums() => Verify(_stream);

    /// <summary>The same train, but with checksums that are to be finished by the device: nothing is summed.</summary>
    [Benchmark(OperationsPerInvoke = Segments)]
    public int TcpStreamUnfinished() => Coalesce(_unfinished, s_unfinished);

    /// <summary>64 datagrams of 64 bytes, of 16 flows by turns: 16 trains.</summary>
    [Benchmark(OperationsPerInvoke = SmallFrames)]
    public int UdpOf16Flows() => Coalesce(_datagrams, default);

    /// <summary>The checksums of these datagrams.</summary>
    [Benchmark(OperationsPerInvoke = SmallFrames)]
    public int UdpOf16FlowsChecksums() => Verify(_datagrams);

    /// <summary>Acknowledgments without data, which are never merged.</summary>
    [Benchmark(OperationsPerInvoke = SmallFrames)]
    public int PureAcks() => Coalesce(_acks, default);

    private int Coalesce(Batch batch, in OffloadInfo offload)
    {
        Coalescer coalescer = _coalescer;
        coalescer.Begin(TrainKinds.All);
        for (int i = 0; i < batch.Count; i++)
            coalescer.Add(batch.Frame(i), batch.Headers[i], offload);
        int length = 0;
        for (int i = 0; i < coalescer.Trains; i++)
            length += coalescer[i].Frames > 1 ? coalescer.Finish(i, out _).Length : 0;
        return length;
    }

    private static int Verify(Batch batch)
    {
        int valid = 0;
        for (int i = 0; i < batch.Count; i++)
            valid += TransportChecksum.IsValid(batch.Frame(i), batch.Headers[i]) ? 1 : 0;
        return valid;
    }

    private static void WriteSegment(Span<byte> frame, int i)
    {
        WriteUnfinished(frame, i);
        TransportChecksum.TryComplete(frame, Transport, TcpView.ChecksumOffset);
    }

    private static void WriteUnfinished(Span<byte> frame, int i)
    {
        WriteIp(frame, IpProtocol.Tcp, i);
        Span<byte> tcp = frame[Transport..];
        BinaryPrimitives.WriteUInt32BigEndian(tcp, 0x2710_4E20);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[TcpView.SequenceNumberOffset..], (uint)(i * (frame.Length - TcpHeaderLength)));
        BinaryPrimitives.WriteUInt16BigEndian(tcp[TcpView.DataOffsetOffset..], 0x5000 | (ushort)TcpFlags.Ack);
        WritePseudoHeaderSum(frame, TcpView.ChecksumOffset);
    }

    private static void WriteDatagram(Span<byte> frame, int i)
    {
        WriteIp(frame, IpProtocol.Udp, i);
        new UdpHeader((ushort)(1000 + i % Flows), 2000, (ushort)(frame.Length - Transport), Checksum: 0).Write(frame[Transport..]);
        WritePseudoHeaderSum(frame, UdpHeader.ChecksumOffset);
        TransportChecksum.TryComplete(frame, Transport, UdpHeader.ChecksumOffset);
    }

    private static void WriteIp(Span<byte> frame, byte protocol, int i)
    {
        new Random(i).NextBytes(frame);
        frame[Transport..Math.Min(frame.Length, TcpHeaderLength)].Clear();
        Convert.FromHexString("02000000000B02000000000A0800").CopyTo(frame);
        new Ipv4Header
        {
            TotalLength = (ushort)(frame.Length - Ip),
            Identification = (ushort)i,
            DontFragment = true,
            TimeToLive = 64,
            Protocol = protocol,
            Source = InetAddress.Parse("198.18.1.1"),
            Destination = InetAddress.Parse("198.18.1.2"),
        }.Write(frame[Ip..]);
    }

    private static void WritePseudoHeaderSum(Span<byte> frame, int field)
    {
        FrameHeaders.Parse(frame, out FrameHeaders headers);
        ushort sum = InternetChecksum.Fold(InternetChecksum.PseudoHeaderSum(frame, headers, frame.Length - Transport));
        BinaryPrimitives.WriteUInt16BigEndian(frame[(Transport + field)..], sum);
    }

    private delegate void WriteFrame(Span<byte> frame, int i);

    private sealed class Batch
    {
        private readonly byte[] _bytes;
        private readonly int _size;

        public Batch(int count, int size, WriteFrame write)
        {
            _bytes = new byte[count * size];
            _size = size;
            Headers = new FrameHeaders[count];
            for (int i = 0; i < count; i++)
            {
                write(_bytes.AsSpan(i * size, size), i);
                FrameHeaders.Parse(Frame(i), out Headers[i]);
            }
        }

        public FrameHeaders[] Headers { get; }

        public int Count => Headers.Length;

        public ReadOnlySpan<byte> Frame(int i) => _bytes.AsSpan(i * _size, _size);
    }
}
