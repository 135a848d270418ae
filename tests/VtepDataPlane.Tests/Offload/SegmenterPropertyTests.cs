// The Segmenter on frames nobody thought of: against straightforward code where the super-frame is right, against guard pages
// where nothing is. All buffers end or begin at a page that can't be accessed.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Offload;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Offload;

public sealed class SegmenterPropertyTests
{
    private static readonly Gen<byte[]> s_tcp =
        from v6 in Gen.Bool
        from payload in Gen.Byte.Array[1, 4000]
        from options in Gen.Int[0, 10].SelectMany(words => Gen.Byte.Array[4 * words])
        from flags in Gen.Byte
        from sequence in Gen.UInt
        from vlans in Gen.Int[0, 4095].Array[0, 2]
        from tos in Gen.Byte
        from identification in Gen.Int[0, 0xFFFF]
        from urgent in Gen.UShort
        select WithUrgentPointer(
            Tcp(
                sourceIp: v6 ? IPv6A : IPv4A, destinationIp: v6 ? IPv6B : IPv4B, payload: payload, options: options, flags: (TcpFlags)flags,
                sequence: sequence, vlans: vlans, tos: tos, identification: identification),
            urgent);

    private static readonly Gen<byte[]> s_udp =
        from v6 in Gen.Bool
        from payload in Gen.Byte.Array[1, 4000]
        from vlans in Gen.Int[0, 4095].Array[0, 2]
        from tos in Gen.Byte
        from port in Gen.UShort
        select Udp(
            sourceIp: v6 ? IPv6A : IPv4A, destinationIp: v6 ? IPv6B : IPv4B, payload: payload, vlans: vlans, tos: tos, sourcePort: port);

    private static readonly Gen<OffloadInfo> s_anyOffload =
        from bits in Gen.Byte
        from gso in Gen.Byte
        from fields in Gen.UShort.Array[5]
        select new OffloadInfo
        {
            NeedsChecksum = (bits & 7) != 0,
            TcpEcn = (bits & 8) != 0,
            Gso = (GsoType)(gso % 8),
            HeaderLength = fields[0],
            GsoSize = fields[1],
            ChecksumStart = fields[2],
            ChecksumOffset = fields[3],
        };

    private static readonly Gen<byte[]> s_superFrame = Gen.OneOf(s_tcp, s_udp);

    private GuardedBuffer _frame = null!;
    private GuardedBuffer _header = null!;

    [SetUp]
    public void MapBuffers()
    {
        _frame = new GuardedBuffer(FrameBatch.DefaultRoom);
        _header = new GuardedBuffer(Segmenter.MaximumHeaderLength);
    }

    [TearDown]
    public void UnmapBuffers()
    {
        _frame.Dispose();
        _header.Dispose();
    }

    [Test]
    public void TheSegments_AreThoseMadeByTheBook() =>
        Gen.Select(s_superFrame, Gen.Int[1, 1500]).Sample((frame, gsoSize) =>
            Assert.That(SuperFrames.Cut(frame, gsoSize), Is.EqualTo(SuperFrames.CutByTheBook(frame, gsoSize))));

    [Test]
    public void EverySegment_IsAFrameWithARightChecksum_AndTheyHoldThePayloadInOrder() =>
        Gen.Select(s_superFrame, Gen.Int[1, 1500]).Sample((frame, gsoSize) =>
        {
            OffloadInfo offload = SuperFrames.Describe(frame, gsoSize);
            List<byte[]> segments = SuperFrames.Cut(frame, offload);
            Assert.That(segments.SelectMany(segment => segment[offload.HeaderLength..]), Is.EqualTo(frame[offload.HeaderLength..]));
            Assert.That(segments, Has.Count.EqualTo(SuperFrame.Segments(frame.Length, offload)));
            Assert.That(segments.Max(segment => segment.Length), Is.EqualTo(SuperFrame.LongestSegment(frame.Length, offload)));
            foreach (byte[] segment in segments)
            {
                Assert.That(FrameHeaders.Parse(segment, out FrameHeaders headers), Is.EqualTo(FrameFault.None));
                Assert.That(TransportChecksum.IsValid(segment, headers));
                Assert.That(headers.NetworkOffset + headers.NetworkLength, Is.EqualTo(segment.Length));
            }
        });

    [Test]
    public void ALargeSuperFrame_BetweenGuardPages_IsCutAsByTheBook([Values(1, 536, 1447, 1448, 8948, 65_535)] int gsoSize, [Values] bool atEnd)
    {
        byte[] bytes = Tcp(payload: Pattern(65_000), options: Hex("0101080a 11111111 22222222"));
        Span<byte> frame = atEnd ? _frame.Last(bytes) : _frame.First(bytes);
        List<byte[]> expected = SuperFrames.CutByTheBook(bytes, gsoSize);
        Assert.That(Segmenter.TryCreate(frame, SuperFrames.Describe(bytes, gsoSize), out Segmenter segmenter));
        Assert.That(segmenter.Count, Is.EqualTo(expected.Count));
        Span<byte> header = atEnd ? _header.Last(segmenter.HeaderLength) : _header.First(segmenter.HeaderLength);
        for (int i = 0; i < segmenter.Count; i++)
        {
            segmenter.WriteHeader(i, header);
            Assert.That(header.SequenceEqual(expected[i].AsSpan(0, segmenter.HeaderLength)), $"segment {i}");
        }
    }

    // what comes from a virtual machine: a right frame, and metadata of which some is made up
    [Test]
    public void AnyMetadata_OnARightFrame_WritesNothingOutside()
    {
        int cut = 0;
        Gen.Select(s_superFrame, Gen.Int[0, 5000], s_anyOffload, Gen.Int[0, 255], Gen.Bool).Sample((frame, gsoSize, any, made, atEnd) =>
            cut += CutBetweenGuardPages(frame, Mix(SuperFrames.Describe(frame, gsoSize), any, made), atEnd), iter: 5000, threads: 1);
        Assert.That(cut, Is.InRange(500, 4500), "both kinds are met");
    }

    [Test]
    public void AnyMetadata_OnAFrameWithSomeBytesChanged_OrCutShort_WritesNothingOutside()
    {
        int cut = 0;
        Gen.Select(s_superFrame, Gen.Select(Gen.Int[0, 100], Gen.Byte).Array[0, 3], Gen.Int[0, 300], Gen.Int[0, 100], Gen.Bool).Sample(
            (frame, changes, shorter, gsoSize, atEnd) =>
            {
                OffloadInfo offload = SuperFrames.Describe(frame, gsoSize);
                foreach ((int at, byte value) in changes)
                    frame[at % frame.Length] = value;
                byte[] bytes = shorter > 100 ? frame : frame[..^Math.Min(shorter, frame.Length)];
                cut += CutBetweenGuardPages(bytes, offload, atEnd);
            }, iter: 5000, threads: 1);
        Assert.That(cut, Is.InRange(500, 4500), "both kinds are met");
    }

    [Test]
    public void AnyMetadata_OnAnyBytes_WritesNothingOutside() => Gen.Select(Gen.Byte.Array[0, 300], s_anyOffload, Gen.Bool).Sample(
        (bytes, offload, atEnd) => _ = CutBetweenGuardPages(bytes, offload, atEnd), iter: 5000, threads: 1);

    // each pair of bits that is 0 takes a field from what is made up
    private static OffloadInfo Mix(OffloadInfo right, OffloadInfo any, int made)
    {
        right.GsoSize = made % 4 == 0 ? any.GsoSize : right.GsoSize;
        right.HeaderLength = made / 4 % 4 == 0 ? any.HeaderLength : right.HeaderLength;
        (right.NeedsChecksum, right.TcpEcn, right.Gso) = made / 16 % 4 == 0
            ? (any.NeedsChecksum, any.TcpEcn, any.Gso)
            : (right.NeedsChecksum, right.TcpEcn, right.Gso);
        (right.ChecksumStart, right.ChecksumOffset) = made / 64 == 0
            ? (any.ChecksumStart, any.ChecksumOffset)
            : (right.ChecksumStart, right.ChecksumOffset);
        return right;
    }

    // whatever is taken for a super-frame must come apart into frames that cover it, with room of exactly the right size; 1 when it was
    private int CutBetweenGuardPages(byte[] bytes, OffloadInfo offload, bool atEnd)
    {
        Span<byte> frame = atEnd ? _frame.Last(bytes) : _frame.First(bytes);
        if (!Segmenter.TryCreate(frame, offload, out Segmenter segmenter))
            return 0;
        Assert.That(offload.IsSane(bytes.Length));
        Assert.That(segmenter.HeaderLength, Is.InRange(42, Segmenter.MaximumHeaderLength));
        Assert.That(segmenter.Count, Is.GreaterThan(0));
        Span<byte> header = atEnd ? _header.Last(segmenter.HeaderLength) : _header.First(segmenter.HeaderLength);
        int next = segmenter.HeaderLength;
        for (int i = 0; i < segmenter.Count; i++)
        {
            segmenter.WriteHeader(i, header);
            Assert.That(segmenter.PayloadOffset(i), Is.EqualTo(next));
            Assert.That(segmenter.PayloadLength(i), Is.InRange(1, (int)offload.GsoSize));
            next += segmenter.PayloadLength(i);
        }

        Assert.That(next, Is.EqualTo(bytes.Length));
        Assert.That(frame.SequenceEqual(bytes));
        return 1;
    }

    private static byte[] WithUrgentPointer(byte[] frame, int value)
    {
        FrameHeaders.Parse(frame, out FrameHeaders headers);
        frame[headers.TransportOffset + 18] = (byte)(value >> 8);
        frame[headers.TransportOffset + 19] = (byte)value;
        return frame;
    }
}
