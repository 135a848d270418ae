// The rules of segmentation one by one, and golden bytes for one super-frame.

using System.Buffers.Binary;
using NUnit.Framework;
using VtepDataPlane.Offload;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Offload;

internal sealed class SegmenterTests
{
    private const int IPv4 = 14;
    private const int Tcp4 = 34;
    private const int Udp4 = 34;
    private const TcpFlags Data = TcpFlags.Ack;

    // no operation twice, then the timestamps 0x11111111 and 0x22222222
    private static readonly byte[] s_timestamps = Hex("01 01 08 0a 11111111 22222222");

    [Test]
    public void ATcpSuperFrame_IsCutIntoTheseBytes()
    {
        // wraps the identification and the sequence number; CE in IP; CWR, ECE, ACK, PSH and FIN; timestamps; a short last segment
        byte[] superFrame = Hex(
            """
            02000000000b 02000000000a 0800
            45 03 0049 fffe 4000 40 06 0000 c6120101 c6120102
            2710 4e20 fffffff8 000007d0 80 d9 01f6 0000 0000 0101080a 11111111 22222222
            0001020304050607 08090a0b0c0d0e0f 1011121314
            """);
        string[] expected =
        [
            """
            02000000000b 02000000000a 0800
            45 03 003c fffe 4000 40 06 ac92 c6120101 c6120102
            2710 4e20 fffffff8 000007d0 80 d0 01f6 f667 0000 0101080a 11111111 22222222
            0001020304050607
            """,
            """
            02000000000b 02000000000a 0800
            45 03 003c ffff 4000 40 06 ac91 c6120101 c6120102
            2710 4e20 00000000 000007d0 80 50 01f6 d6c0 0000 0101080a 11111111 22222222
            08090a0b0c0d0e0f
            """,
            """
            02000000000b 02000000000a 0800
            45 03 0039 0000 4000 40 06 ac94 c6120101 c6120102
            2710 4e20 00000008 000007d0 80 59 01f6 ccbe 0000 0101080a 11111111 22222222
            1011121314
            """,
        ];
        Assert.That(SuperFrames.Cut(superFrame, 8), Is.EqualTo(expected.Select(Hex)));
    }

    [Test]
    public void IPv4_EveryTotalLengthIsItsSegments()
    {
        Assert.That(SuperFrames.Cut(Tcp(payload: Pattern(2500)), 1000).Select(Total), Is.EqualTo([1040, 1040, 540]));
        Assert.That(SuperFrames.Cut(Udp(payload: Pattern(2500)), 1000).Select(Total), Is.EqualTo([1028, 1028, 528]));

        static int Total(byte[] segment) => Word(segment, IPv4 + 2);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void IPv4_TheIdentificationCountsUp_AlsoWithDF(bool df)
    {
        List<byte[]> segments = SuperFrames.Cut(Tcp(payload: Pattern(30), df: df, identification: 0xFFFE), 10);
        Assert.That(segments.Select(segment => Word(segment, IPv4 + 4)), Is.EqualTo([0xFFFE, 0xFFFF, 0]));
        Assert.That(segments.Select(segment => Word(segment, IPv4 + 6)), Is.All.EqualTo(df ? 0x4000 : 0));
    }

    [Test]
    public void IPv4_HeaderChecksumsAreRight_AlsoOverOptions()
    {
        byte[] plain = Tcp(payload: Pattern(30));
        byte[] options = Hex("94040000 01010101");
        byte[] withOptions = [.. plain[..Tcp4], .. options, .. plain[Tcp4..]];
        withOptions[IPv4] = 0x47;
        SetWord(withOptions, IPv4 + 2, withOptions.Length - IPv4);
        foreach (byte[] segment in SuperFrames.Cut(plain, 10))
            Assert.That(SumOf(segment.AsSpan(IPv4, 20)), Is.EqualTo(0xFFFF));
        foreach (byte[] segment in SuperFrames.Cut(withOptions, 10))
        {
            Assert.That(SumOf(segment.AsSpan(IPv4, 28)), Is.EqualTo(0xFFFF));
            Assert.That(segment[Tcp4..(Tcp4 + 8)], Is.EqualTo(options));
            AssertTransportIsRight(segment);
        }
    }

    [Test]
    public void IPv6_ThePayloadLengthCountsExtensionHeadersIn()
    {
        byte[] plain = SuperFrames.Cut(Tcp(sourceIp: IPv6A, destinationIp: IPv6B, payload: Pattern(25)), 10)[0];
        Assert.That(Word(plain, IPv4 + 4), Is.EqualTo(20 + 10));

        byte[] tcp = Tcp(sourceIp: IPv6A, destinationIp: IPv6B, payload: Pattern(25))[54..];
        byte[] frame = Ip(0, Extension(60, Extension(IpProtocol.Tcp, tcp, size: 16)), sourceIp: IPv6A, destinationIp: IPv6B);
        List<byte[]> segments = SuperFrames.Cut(frame, 10);
        Assert.That(segments.Select(segment => Word(segment, IPv4 + 4)), Is.EqualTo([24 + 20 + 10, 24 + 20 + 10, 24 + 20 + 5]));
        Assert.That(segments.Select(segment => segment[54..78]), Is.All.EqualTo(frame[54..78]));
        foreach (byte[] segment in segments)
            AssertTransportIsRight(segment);
    }

    [Test]
    public void Ecn_IsTheSameInAllSegments([Values(0, 1, 2, 3)] int ecn, [Values(IPv4A, IPv6A)] string source)
    {
        string destination = source == IPv4A ? IPv4B : IPv6B;
        List<byte[]> segments = SuperFrames.Cut(Tcp(sourceIp: source, destinationIp: destination, payload: Pattern(30), tos: (byte)(0xB8 | ecn)), 10);
        Assert.That(segments.Select(segment => Parse(segment).TrafficClass), Is.All.EqualTo(0xB8 | ecn));
    }

    [Test]
    public void Tcp_TheSequenceNumberMovesOnBySegmentSize_AndWraps()
    {
        List<byte[]> segments = SuperFrames.Cut(Tcp(payload: Pattern(25), sequence: 0xFFFF_FFFA), 10);
        Assert.That(segments.Select(segment => View(segment).SequenceNumber), Is.EqualTo(new uint[] { 0xFFFF_FFFA, 4, 14 }));
    }

    [Test]
    public void Tcp_CwrStandsOnTheFirstSegmentOnly_WhateverTheMetadataSays([Values] bool ecn)
    {
        byte[] frame = Tcp(payload: Pattern(30), flags: Data | TcpFlags.Cwr);
        List<byte[]> segments = SuperFrames.Cut(frame, SuperFrames.Describe(frame, 10, ecn));
        Assert.That(segments.Select(Flags), Is.EqualTo([Data | TcpFlags.Cwr, Data, Data]));
    }

    [Test]
    public void Tcp_FinAndPshStandOnTheLastSegmentOnly()
    {
        List<byte[]> segments = SuperFrames.Cut(Tcp(payload: Pattern(30), flags: Data | TcpFlags.Fin | TcpFlags.Psh), 10);
        Assert.That(segments.Select(Flags), Is.EqualTo([Data, Data, Data | TcpFlags.Fin | TcpFlags.Psh]));
    }

    [Test]
    public void Tcp_EceAndAllOtherFlagsStandOnAllSegments([Values(TcpFlags.Ece, TcpFlags.Rst, TcpFlags.Syn, TcpFlags.None)] TcpFlags flag) =>
        Assert.That(SuperFrames.Cut(Tcp(payload: Pattern(30), flags: Data | flag), 10).Select(Flags), Is.All.EqualTo(Data | flag));

    // 12 bytes of 30 are urgent: all of the first segment, two bytes of the second
    [Test]
    public void Tcp_TheUrgentPointerCountsFromItsSegment_AndUrgEndsWithTheUrgentData()
    {
        byte[] frame = Tcp(payload: Pattern(30), flags: Data | TcpFlags.Urg);
        SetWord(frame, Tcp4 + 18, 12);
        List<byte[]> segments = SuperFrames.Cut(frame, 10);
        Assert.That(segments.Select(segment => (Flags(segment), (int)View(segment).UrgentPointer)),
            Is.EqualTo([(Data | TcpFlags.Urg, 12), (Data | TcpFlags.Urg, 2), (Data, 0)]));
        foreach (byte[] segment in segments)
            AssertTransportIsRight(segment);
    }

    [Test]
    public void Tcp_WindowAcknowledgmentAndOptionsAreCopied()
    {
        List<byte[]> segments = SuperFrames.Cut(Tcp(payload: Pattern(30), acknowledgment: 0x8765_4321, window: 0xABCD, options: s_timestamps), 10);
        foreach (byte[] segment in segments)
        {
            Assert.That(View(segment).AcknowledgmentNumber, Is.EqualTo(0x8765_4321));
            Assert.That(View(segment).Window, Is.EqualTo(0xABCD));
            Assert.That(View(segment).Options.ToArray(), Is.EqualTo(s_timestamps));
            Assert.That(View(segment).SourcePort, Is.EqualTo(10000));
            Assert.That(View(segment).DestinationPort, Is.EqualTo(20000));
        }
    }

    [Test]
    public void Checksums_AreRight_WithOddAndEvenSegmentSizes(
        [Values(1, 7, 63, 64, 65, 999, 1000)] int gsoSize, [Values(IPv4A, IPv6A)] string source, [Values] bool tcp)
    {
        string destination = source == IPv4A ? IPv4B : IPv6B;
        byte[] frame = tcp
            ? Tcp(sourceIp: source, destinationIp: destination, payload: Pattern(2 * gsoSize + 1), options: s_timestamps)
            : Udp(sourceIp: source, destinationIp: destination, payload: Pattern(2 * gsoSize + 1));
        foreach (byte[] segment in SuperFrames.Cut(frame, gsoSize))
            AssertTransportIsRight(segment);
    }

    [Test]
    public void Checksums_DoNotDependOnWhatStoodInTheField([Values] TestChecksum stood)
    {
        List<byte[]> expected = SuperFrames.Cut(Tcp(payload: Pattern(25), checksum: TestChecksum.Partial), 10);
        Assert.That(SuperFrames.Cut(Tcp(payload: Pattern(25), checksum: stood), 10), Is.EqualTo(expected));
    }

    [Test]
    public void Udp_TheLengthIsItsSegments() =>
        Assert.That(SuperFrames.Cut(Udp(payload: Pattern(25)), 10).Select(segment => Word(segment, Udp4 + 4)), Is.EqualTo([18, 18, 13]));

    [Test]
    public void Udp_AChecksumOfZeroIsWrittenAsAllOnes()
    {
        // the first two bytes of payload make up what the sum lacks
        byte[] frame = Udp(payload: new byte[10]);
        byte[] segment = SuperFrames.Cut(frame, 10)[0];
        SetWord(frame, Udp4 + 8, Word(segment, Udp4 + 6));
        Assert.That(Word(SuperFrames.Cut(frame, 10)[0], Udp4 + 6), Is.EqualTo(0xFFFF));
    }

    [TestCase(new[] { 5 }, 18)]
    [TestCase(new[] { 5, 7 }, 22)]
    public void VlanTags_StayInFront(int[] vlans, int network)
    {
        byte[] frame = Tcp(payload: Pattern(2500), vlans: vlans, identification: 9);
        List<byte[]> segments = SuperFrames.Cut(frame, 1000);
        Assert.That(segments.Select(segment => segment[..network]), Is.All.EqualTo(frame[..network]));
        Assert.That(segments.Select(segment => segment[network..]), Is.EqualTo(SuperFrames.Cut(Tcp(payload: Pattern(2500), identification: 9), 1000).Select(s => s[14..])));
    }

    [TestCase(10, 10, 1)]
    [TestCase(9, 10, 1)]
    [TestCase(11, 10, 2)]
    [TestCase(20, 10, 2)]
    [TestCase(21, 10, 3)]
    public void TheLastSegment_HasWhatIsLeft(int payload, int gsoSize, int count)
    {
        List<byte[]> segments = SuperFrames.Cut(Tcp(payload: Pattern(payload)), gsoSize);
        Assert.That(segments, Has.Count.EqualTo(count));
        Assert.That(segments.SelectMany(segment => segment[54..]), Is.EqualTo(Pattern(payload)));
        Assert.That(segments[^1], Has.Length.EqualTo(54 + payload - (count - 1) * gsoSize));
    }

    // as for a frame with a finished checksum: both ends of the flags are on it
    [Test]
    public void ASuperFrameOfOneSegment_IsThatSegment()
    {
        byte[] frame = Tcp(payload: Pattern(25), flags: Data | TcpFlags.Psh | TcpFlags.Fin | TcpFlags.Cwr, identification: 77);
        Assert.That(SuperFrames.Cut(frame, 1000), Is.EqualTo([frame]));
    }

    [Test]
    public void Headers_MayBeWrittenInAnyOrder_AndTheSuperFrameStaysAsItIs()
    {
        byte[] frame = Tcp(payload: Pattern(95), checksum: TestChecksum.Partial);
        byte[] before = [.. frame];
        List<byte[]> inOrder = SuperFrames.Cut(frame, 10);
        Assert.That(Segmenter.TryCreate(frame, SuperFrames.Describe(frame, 10), out Segmenter segmenter));
        byte[] header = new byte[Segmenter.MaximumHeaderLength];
        for (int i = segmenter.Count - 1; i >= 0; i--)
        {
            segmenter.WriteHeader(i, header);
            Assert.That(header[..segmenter.HeaderLength], Is.EqualTo(inOrder[i][..segmenter.HeaderLength]));
        }

        Assert.That(frame, Is.EqualTo(before));
    }

    [Test]
    public void HeadersLongerThanTheMaximum_AreNotCut()
    {
        byte[] tcp = Tcp(sourceIp: IPv6A, destinationIp: IPv6B, payload: Pattern(25))[54..];
        byte[] fits = Ip(60, Extension(IpProtocol.Tcp, tcp, size: 160), sourceIp: IPv6A, destinationIp: IPv6B);
        byte[] tooLong = Ip(60, Extension(IpProtocol.Tcp, tcp, size: 168), sourceIp: IPv6A, destinationIp: IPv6B);
        Assert.That(Segmenter.TryCreate(fits, SuperFrames.Describe(fits, 10), out Segmenter segmenter));
        Assert.That(segmenter.HeaderLength, Is.EqualTo(234).And.LessThanOrEqualTo(Segmenter.MaximumHeaderLength));
        Assert.That(Segmenter.TryCreate(tooLong, SuperFrames.Describe(tooLong, 10), out _), Is.False);
    }

    [Test]
    public void APlainFrame_IsNotCut()
    {
        Assert.That(Segmenter.TryCreate(Tcp(), default, out _), Is.False);
        Assert.That(Segmenter.TryCreate(Tcp(), new() { NeedsChecksum = true, ChecksumStart = 34, ChecksumOffset = 16 }, out _), Is.False);
    }

    [Test]
    public void NothingIsAllocated()
    {
        byte[] frame = Tcp(payload: Pattern(60_000), options: s_timestamps);
        byte[] header = new byte[Segmenter.MaximumHeaderLength];
        var offload = SuperFrames.Describe(frame, 1448);
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool made = Segmenter.TryCreate(frame, offload, out Segmenter segmenter);
        for (int i = 0; i < segmenter.Count; i++)
            segmenter.WriteHeader(i, header);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(made && segmenter.Count == 42);
    }

    private static void AssertTransportIsRight(byte[] segment) =>
        Assert.That(TransportChecksum.IsValid(segment, Parse(segment)), Convert.ToHexString(segment));

    private static FrameHeaders Parse(byte[] frame)
    {
        Assert.That(FrameHeaders.Parse(frame, out FrameHeaders headers), Is.EqualTo(FrameFault.None));
        return headers;
    }

    private static TcpView View(byte[] frame)
    {
        Assert.That(TcpView.TryParse(frame.AsSpan(Parse(frame).TransportOffset), out TcpView view));
        return view;
    }

    private static TcpFlags Flags(byte[] segment) => View(segment).Flags;

    private static int Word(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(offset));

    private static void SetWord(byte[] bytes, int offset, int value) => BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(offset), (ushort)value);
}
