// What is taken for a super-frame and what isn't: the metadata is held against the frame, lie by lie.

using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Offload;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Offload;

public sealed class SuperFrameTests
{
    private static readonly byte[] s_tcp = Tcp(payload: Pattern(5000), checksum: TestChecksum.Partial);
    private static readonly byte[] s_tcp6 = Tcp(sourceIp: IPv6A, destinationIp: IPv6B, payload: Pattern(5000), checksum: TestChecksum.Partial);
    private static readonly byte[] s_udp = Udp(payload: Pattern(5000), checksum: TestChecksum.Partial);

    // the hint says what the kernel happened to have in its linear part
    [TestCase(0)]
    [TestCase(54)]
    [TestCase(200)]
    public void TheHeaderLength_IsFound_WhateverTheHintSays(int hint)
    {
        OffloadInfo offload = SuperFrames.Describe(s_tcp, 1000);
        offload.HeaderLength = (ushort)hint;
        Assert.That(IsRight(s_tcp, ref offload));
        Assert.That(offload.HeaderLength, Is.EqualTo(54));
    }

    [TestCase(20, 0, 74)]
    [TestCase(40, 2, 102)]
    public void TheHeaderLength_CountsTcpOptionsAndTagsIn(int options, int tags, int expected)
    {
        byte[] frame = Tcp(payload: Pattern(100), options: new byte[options], vlans: [.. Enumerable.Repeat(5, tags)]);
        OffloadInfo offload = SuperFrames.Describe(frame, 10);
        offload.HeaderLength = 0;
        Assert.That(IsRight(frame, ref offload));
        Assert.That(offload.HeaderLength, Is.EqualTo(expected));
    }

    [Test]
    public void SegmentsAndTheLongestOne_FollowFromTheSize()
    {
        OffloadInfo offload = SuperFrames.Describe(s_tcp, 1000);
        Assert.That(SuperFrame.Segments(54 + 5000, offload), Is.EqualTo(5));
        Assert.That(SuperFrame.Segments(54 + 5001, offload), Is.EqualTo(6));
        Assert.That(SuperFrame.LongestSegment(54 + 5000, offload), Is.EqualTo(1054));
        Assert.That(SuperFrame.LongestSegment(54 + 900, offload), Is.EqualTo(954));
        Assert.That(SuperFrame.Segments(1500, default), Is.EqualTo(1));
        Assert.That(SuperFrame.LongestSegment(1500, default), Is.EqualTo(1500));
    }

    [Test]
    public void ASegmentSizeOfZero_IsALie() => AssertRefused(s_tcp, (ref OffloadInfo offload) => offload.GsoSize = 0);

    [Test]
    public void AHeaderLengthPastTheEnd_IsALie() =>
        AssertRefused(s_tcp, (ref OffloadInfo offload) => offload.HeaderLength = (ushort)(s_tcp.Length + 1));

    [TestCase(5039, 16)]
    [TestCase(65_535, 16)]
    [TestCase(34, 65_535)]
    [TestCase(65_535, 65_535)]
    public void AChecksumOutsideTheFrame_IsALie(int start, int offset) => AssertRefused(s_tcp, (ref OffloadInfo offload) =>
    {
        offload.ChecksumStart = (ushort)start;
        offload.ChecksumOffset = (ushort)offset;
    });

    [TestCase(33, 16)]
    [TestCase(35, 16)]
    [TestCase(0, 50)]
    [TestCase(34, 6)]
    [TestCase(34, 0)]
    public void AChecksumElsewhereThanTcpHasIt_IsALie(int start, int offset) => AssertRefused(s_tcp, (ref OffloadInfo offload) =>
    {
        offload.ChecksumStart = (ushort)start;
        offload.ChecksumOffset = (ushort)offset;
    });

    [Test]
    public void AFinishedChecksum_IsALie() => AssertRefused(s_tcp, (ref OffloadInfo offload) => offload.NeedsChecksum = false);

    [TestCase(2)]
    [TestCase(3)] // UFO: IP fragments of one datagram
    [TestCase(6)]
    [TestCase(0x20)]
    public void AnUnknownKind_IsALie(int kind) => AssertRefused(s_tcp, (ref OffloadInfo offload) => offload.Gso = (GsoType)kind);

    [Test]
    public void AKindThatIsNotTheFramesProtocol_IsALie()
    {
        AssertRefused(s_tcp, (ref OffloadInfo offload) => offload.Gso = GsoType.TcpIPv6);
        AssertRefused(s_tcp6, (ref OffloadInfo offload) => offload.Gso = GsoType.TcpIPv4);
        AssertRefused(s_tcp, (ref OffloadInfo offload) => (offload.Gso, offload.ChecksumOffset) = (GsoType.Udp, 6));
        AssertRefused(s_udp, (ref OffloadInfo offload) => (offload.Gso, offload.ChecksumOffset) = (GsoType.TcpIPv4, 16));
    }

    [Test]
    public void EcnOfTcp_OnUdpOrOnAPlainFrame_IsALie()
    {
        AssertRefused(s_udp, (ref OffloadInfo offload) => offload.TcpEcn = true);
        AssertRefused(s_tcp, (ref OffloadInfo offload) => (offload.TcpEcn, offload.Gso) = (true, GsoType.None));
    }

    [TestCase(0)]
    [TestCase(60)]
    [TestCase(5039)]
    [TestCase(5041)]
    public void AnIPLengthThatIsNotTheFrames_IsALie(int length)
    {
        byte[] frame = [.. s_tcp];
        (frame[16], frame[17]) = ((byte)(length >> 8), (byte)length);
        AssertRefused(frame, (ref OffloadInfo _) => { });
    }

    [Test]
    public void PaddingBehindTheIPPacket_IsALie() => AssertRefused([.. s_tcp, 0], (ref OffloadInfo _) => { });

    [TestCase(0)]
    [TestCase(7)]
    [TestCase(5007)]
    [TestCase(5009)]
    public void AUdpLengthThatIsNotTheDatagrams_IsALie(int length)
    {
        byte[] frame = [.. s_udp];
        (frame[38], frame[39]) = ((byte)(length >> 8), (byte)length);
        AssertRefused(frame, (ref OffloadInfo _) => { });
    }

    [TestCase(0x40)] // 16 bytes
    [TestCase(0x00)]
    public void ATcpDataOffsetBelowTheHeader_IsALie(int dataOffset)
    {
        byte[] frame = [.. s_tcp];
        frame[46] = (byte)dataOffset;
        AssertRefused(frame, (ref OffloadInfo _) => { });
    }

    [Test]
    public void ATcpDataOffsetPastTheEnd_IsALie()
    {
        byte[] frame = Tcp(payload: Pattern(10));
        frame[46] = 0xF0;
        AssertRefused(frame, (ref OffloadInfo offload) => offload.HeaderLength = 0);
    }

    [Test]
    public void NoPayload_IsALie()
    {
        AssertRefused(Tcp(payload: []), (ref OffloadInfo _) => { });
        AssertRefused(Udp(payload: []), (ref OffloadInfo _) => { });
    }

    [Test]
    public void AFragment_IsNoSuperFrame()
    {
        AssertRefused(Ip(IpProtocol.Tcp, s_tcp[34..], moreFragments: true), (ref OffloadInfo _) => { });
        AssertRefused(Ip(IpProtocol.Tcp, s_tcp[34..], fragmentOffset: 8), (ref OffloadInfo offload) =>
            offload = SuperFrames.Describe(s_tcp, 1000));
        AssertRefused(
            Ip(IpProtocol.Tcp, s_tcp6[54..], sourceIp: IPv6A, destinationIp: IPv6B, moreFragments: true), (ref OffloadInfo _) => { });
    }

    private delegate void Lie(ref OffloadInfo offload);

    private static void AssertRefused(byte[] frame, Lie lie)
    {
        OffloadInfo offload = SuperFrames.Describe(frame, 1000);
        lie(ref offload);
        OffloadInfo measured = offload;
        Assert.That(IsRight(frame, ref measured), Is.False);
        Assert.That(Segmenter.TryCreate(frame, offload, out _), Is.False);
    }

    // as the forwarder does
    private static bool IsRight(byte[] frame, ref OffloadInfo offload) =>
        offload.IsSane(frame.Length) && FrameHeaders.Parse(frame, out FrameHeaders headers) == FrameFault.None
        && SuperFrame.TryMeasure(frame, headers, ref offload);
}
