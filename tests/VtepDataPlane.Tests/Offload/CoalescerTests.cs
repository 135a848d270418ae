// The rules of coalescing one by one, and golden bytes. "0 1 | 2" reads: frames 0 and 1 go out as one, then frame 2.

using System.Buffers.Binary;
using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Offload;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Offload.Coalescing;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Offload;

internal sealed class CoalescerTests
{
    private const int IPv4 = 14;
    private const int IPv6 = 14;
    private const int Tcp4 = 34;
    private const int Size = 100;

    private static readonly MacAddress s_macC = MacAddress.Parse("02:00:00:00:00:0c");

    [Test]
    public void TcpSegments_BecomeTheseBytes()
    {
        byte[][] segments =
        [
            Hex("""
                02000000000b 02000000000a 0800
                45 03 003c fffe 4000 40 06 ac92 c6120101 c6120102
                2710 4e20 fffffff8 000007d0 80 50 01f6 f6e7 0000 0101080a 11111111 22222222
                0001020304050607
                """),
            Hex("""
                02000000000b 02000000000a 0800
                45 03 003c ffff 4000 40 06 ac91 c6120101 c6120102
                2710 4e20 00000000 000007d0 80 50 01f6 d6c0 0000 0101080a 11111111 22222222
                08090a0b0c0d0e0f
                """),
            Hex("""
                02000000000b 02000000000a 0800
                45 03 0039 0000 4000 40 06 ac94 c6120101 c6120102
                2710 4e20 00000008 000007d0 80 58 01f6 ccbf 0000 0101080a 11111111 22222222
                1011121314
                """),
        ];
        List<Written> written = Run([.. segments]);

        // total length 0x49 and the header checksum for it; PSH; the folded pseudo-header sum: c612 + 0101 + c612 + 0102 + 6 + 0x35
        Assert.That(written, Has.Count.EqualTo(1));
        Assert.That(written[0].Bytes, Is.EqualTo(Hex(
            """
            02000000000b 02000000000a 0800
            45 03 0049 fffe 4000 40 06 ac85 c6120101 c6120102
            2710 4e20 fffffff8 000007d0 80 58 01f6 8e63 0000 0101080a 11111111 22222222
            0001020304050607 08090a0b0c0d0e0f 1011121314
            """)));
        Assert.That(written[0].Offload, Is.EqualTo(new OffloadInfo
        {
            NeedsChecksum = true,
            Gso = GsoType.TcpIPv4,
            GsoSize = 8,
            HeaderLength = 66,
            ChecksumStart = 34,
            ChecksumOffset = 16,
        }));
    }

    [Test]
    public void UdpDatagrams_BecomeTheseBytes()
    {
        List<Written> written = Run(
            Udp(sourceIp: IPv6A, destinationIp: IPv6B, vlans: [7], payload: Hex("00010203")),
            Udp(sourceIp: IPv6A, destinationIp: IPv6B, vlans: [7], payload: Hex("0405")));

        // payload length and UDP length 14; the folded pseudo-header sum: fd00 + 1 + fd00 + 2 + 0x11 + 14
        Assert.That(written, Has.Count.EqualTo(1));
        Assert.That(written[0].Bytes, Is.EqualTo(Hex(
            """
            02000000000b 02000000000a 8100 0007 86dd
            60000000 000e 11 40 fd000000000000000000000000000001 fd000000000000000000000000000002
            2710 4e20 000e fa23
            00010203 0405
            """)));
        Assert.That(written[0].Offload, Is.EqualTo(new OffloadInfo
        {
            NeedsChecksum = true,
            Gso = GsoType.Udp,
            GsoSize = 4,
            HeaderLength = 66,
            ChecksumStart = 58,
            ChecksumOffset = 6,
        }));
    }

    [Test]
    public void ASingleFrame_StaysAsItIs()
    {
        byte[] frame = Tcp(flags: TcpFlags.Ack);
        List<Written> written = Run([frame]);
        Assert.That(written.Single().Bytes, Is.SameAs(frame));
        Assert.That(written.Single().Offload, Is.EqualTo(default(OffloadInfo)));
    }

    // --- same headers ---

    [Test]
    public void Segments_AreMerged_ForBothFamilies_WithAndWithoutTags(
        [Values(IPv4A, IPv6A)] string source, [Values(0, 1, 2)] int tags, [Values] bool tcp, [Values(0, 12, 40)] int options)
    {
        string destination = source == IPv4A ? IPv4B : IPv6B;
        int[] vlans = [.. Enumerable.Range(5, tags)];
        byte[] Frame(int i) => tcp
            ? Tcp(sourceIp: source, destinationIp: destination, vlans: vlans, options: new byte[options], sequence: (uint)(i * Size), payload: Pattern(Size), flags: TcpFlags.Ack)
            : Udp(sourceIp: source, destinationIp: destination, vlans: vlans, payload: Pattern(Size));
        Assert.That(Groups(Frame(0), Frame(1), Frame(2)), Is.EqualTo("0 1 2"));
    }

    [Test]
    public void OtherMacs_AreNotMerged()
    {
        Assert.That(Groups(Segment(0), Tcp(source: s_macC, sequence: Sequence(1), payload: Pattern(Size))), Is.EqualTo("0 | 1"));
        Assert.That(Groups(Segment(0), Tcp(destination: s_macC, sequence: Sequence(1), payload: Pattern(Size))), Is.EqualTo("0 | 1"));
    }

    [TestCase(new int[0], new[] { 5 })]
    [TestCase(new[] { 5 }, new[] { 6 })]
    [TestCase(new[] { 5 }, new[] { 5 + 0x2000 })]
    [TestCase(new[] { 5, 6 }, new[] { 5, 7 })]
    [TestCase(new[] { 5, 6 }, new[] { 4, 6 })]
    public void OtherVlanTags_AreNotMerged(int[] first, int[] second) =>
        Assert.That(Groups(
            Tcp(vlans: first, sequence: Sequence(0), payload: Pattern(Size), flags: TcpFlags.Ack),
            Tcp(vlans: second, sequence: Sequence(1), payload: Pattern(Size), flags: TcpFlags.Ack)), Is.EqualTo("0 | 1"));

    [Test]
    public void OtherAddressesOrPorts_AreNotMerged()
    {
        byte[] first = Segment(0);
        Assert.That(Groups(first, Tcp(sourceIp: "198.18.1.9", sequence: Sequence(1), payload: Pattern(Size))), Is.EqualTo("0 | 1"));
        Assert.That(Groups(first, Tcp(destinationIp: "198.18.1.9", sequence: Sequence(1), payload: Pattern(Size))), Is.EqualTo("0 | 1"));
        Assert.That(Groups(first, Tcp(sourcePort: 9, sequence: Sequence(1), payload: Pattern(Size))), Is.EqualTo("0 | 1"));
        Assert.That(Groups(first, Tcp(destinationPort: 9, sequence: Sequence(1), payload: Pattern(Size))), Is.EqualTo("0 | 1"));
    }

    [Test]
    public void OtherDscpOrEcn_AreNotMerged([Values(1, 2, 3, 4, 0x80)] int tos, [Values(IPv4A, IPv6A)] string source)
    {
        string destination = source == IPv4A ? IPv4B : IPv6B;
        Assert.That(Groups(
            Udp(sourceIp: source, destinationIp: destination), Udp(sourceIp: source, destinationIp: destination, tos: (byte)tos)), Is.EqualTo("0 | 1"));
    }

    [Test]
    public void OtherTtl_IsNotMerged([Values(IPv4A, IPv6A)] string source)
    {
        string destination = source == IPv4A ? IPv4B : IPv6B;
        Assert.That(Groups(
            Udp(sourceIp: source, destinationIp: destination), Udp(sourceIp: source, destinationIp: destination, ttl: 63)), Is.EqualTo("0 | 1"));
    }

    [Test]
    public void OtherFlowLabel_IsNotMerged()
    {
        byte[] other = Udp(sourceIp: IPv6A, destinationIp: IPv6B);
        other[IPv6 + 3] = 1;
        Assert.That(Groups(Udp(sourceIp: IPv6A, destinationIp: IPv6B), other), Is.EqualTo("0 | 1"));
    }

    [Test]
    public void OtherDf_IsNotMerged() =>
        Assert.That(Groups(Segment(0, df: true, id: 1), Segment(1, df: false, id: 2)), Is.EqualTo("0 | 1"));

    // --- the shape of the IP packet ---

    [Test]
    public void IPv4Options_AreNotMerged()
    {
        Assert.That(Groups(WithOptions(Segment(0)), WithOptions(Segment(1))), Is.EqualTo("0 | 1"));

        static byte[] WithOptions(byte[] frame)
        {
            byte[] longer = [.. frame[..Tcp4], 1, 1, 1, 1, .. frame[Tcp4..]];
            longer[IPv4] = 0x46;
            SetWord(longer, IPv4 + 2, longer.Length - IPv4);
            SetWord(longer, IPv4 + 10, 0);
            SetWord(longer, IPv4 + 10, 0xFFFF ^ SumOf(longer.AsSpan(IPv4, 24)));
            return longer;
        }
    }

    [Test]
    public void IPv6ExtensionHeaders_AreNotMerged()
    {
        byte[] frame = UdpBehindExtensions(1);
        Assert.That(Groups(frame, frame), Is.EqualTo("0 | 1"));
    }

    [Test]
    public void Fragments_AreNotMerged([Values(IPv4A, IPv6A)] string source)
    {
        string destination = source == IPv4A ? IPv4B : IPv6B;
        byte[] udp = Udp(sourceIp: source, destinationIp: destination)[(source == IPv4A ? 34 : 54)..];
        byte[] first = Ip(IpProtocol.Udp, udp, sourceIp: source, destinationIp: destination, moreFragments: true);
        byte[] second = Ip(IpProtocol.Udp, udp, sourceIp: source, destinationIp: destination, fragmentOffset: 40);
        Assert.That(Groups(first, first, second, second), Is.EqualTo("0 | 1 | 2 | 3"));
    }

    [Test]
    public void PaddedFrames_AreNotMerged()
    {
        byte[] padded = [.. Segment(1), 0, 0];
        Assert.That(Groups(Segment(0), padded, Segment(2)), Is.EqualTo("0 | 1 | 2"));
        Assert.That(Groups((byte[])[.. Segment(0), 0], Segment(1)), Is.EqualTo("0 | 1"));
    }

    [Test]
    public void WithDf_AnyIdentificationsAreMerged() =>
        Assert.That(Groups(Segment(0, id: 7), Segment(1, id: 7), Segment(2, id: 1)), Is.EqualTo("0 1 2"));

    [Test]
    public void WithoutDf_OnlySequentialIdentificationsAreMerged()
    {
        Assert.That(Groups(Segment(0, df: false, id: 0xFFFF), Segment(1, df: false, id: 0), Segment(2, df: false, id: 1)), Is.EqualTo("0 1 2"));
        Assert.That(Groups(Segment(0, df: false, id: 7), Segment(1, df: false, id: 7)), Is.EqualTo("0 | 1"));
        Assert.That(Groups(Segment(0, df: false, id: 7), Segment(1, df: false, id: 9)), Is.EqualTo("0 | 1"));
    }

    // --- TCP ---

    [TestCase(TcpFlags.Fin)]
    [TestCase(TcpFlags.Syn)]
    [TestCase(TcpFlags.Rst)]
    [TestCase(TcpFlags.Urg)]
    [TestCase(TcpFlags.Cwr)]
    public void Tcp_FinSynRstUrgAndCwr_TravelAlone_InTheirPlace(TcpFlags flag)
    {
        Assert.That(Groups(Segment(0), Segment(1), Segment(2, flags: TcpFlags.Ack | flag), Segment(3), Segment(4)), Is.EqualTo("0 1 | 2 | 3 4"));
        Assert.That(Groups(Segment(0, flags: TcpFlags.Ack | flag), Segment(1, flags: TcpFlags.Ack | flag)), Is.EqualTo("0 | 1"));
    }

    [Test]
    public void Tcp_WithoutAck_IsNotMerged() =>
        Assert.That(Groups(Segment(0, flags: TcpFlags.None), Segment(1, flags: TcpFlags.None)), Is.EqualTo("0 | 1"));

    [Test]
    public void Tcp_EceMustBeEqual()
    {
        const TcpFlags Echo = TcpFlags.Ack | TcpFlags.Ece;
        List<Written> written = Run(Segment(0, flags: Echo), Segment(1, flags: Echo), Segment(2), Segment(3));
        Assert.That(Groups(written), Is.EqualTo("0 1 | 2 3"));
        Assert.That(written.Select(train => (TcpFlags)train.Bytes[Tcp4 + 13]), Is.EqualTo([Echo, TcpFlags.Ack]));
        Assert.That(written[0].Offload.TcpEcn, Is.False, "there is no CWR");
    }

    [Test]
    public void Tcp_PshEndsATrain_AndIsTheSuperFrames()
    {
        List<Written> written = Run(Segment(0), Segment(1, flags: TcpFlags.Ack | TcpFlags.Psh), Segment(2), Segment(3));
        Assert.That(Groups(written), Is.EqualTo("0 1 | 2 3"));
        Assert.That(written.Select(train => (TcpFlags)train.Bytes[Tcp4 + 13]), Is.EqualTo([TcpFlags.Ack | TcpFlags.Psh, TcpFlags.Ack]));
        Assert.That(Groups(Segment(0, flags: TcpFlags.Ack | TcpFlags.Psh), Segment(1)), Is.EqualTo("0 | 1"), "not even one can follow");
    }

    [Test]
    public void Tcp_OtherAcknowledgmentWindowUrgentPointerOrReservedBits_AreNotMerged()
    {
        Assert.That(Groups(Segment(0), Tcp(sequence: Sequence(1), payload: Pattern(Size), flags: TcpFlags.Ack, acknowledgment: 2001)), Is.EqualTo("0 | 1"));
        Assert.That(Groups(Segment(0), Tcp(sequence: Sequence(1), payload: Pattern(Size), flags: TcpFlags.Ack, window: 501)), Is.EqualTo("0 | 1"));
        Assert.That(Groups(Segment(0), Changed(Segment(1), Tcp4 + 18, 0, 1)), Is.EqualTo("0 | 1"));
        Assert.That(Groups(Segment(0), Changed(Segment(1), Tcp4 + 12, 0x51, 0x10)), Is.EqualTo("0 | 1"));
    }

    [Test]
    public void Tcp_OtherOptions_AreNotMerged()
    {
        Assert.That(Groups(Segment(0, options: Hex("0101080a 00000001 00000002")), Segment(1, options: Hex("0101080a 00000001 00000003"))), Is.EqualTo("0 | 1"));
        Assert.That(Groups(Segment(0, options: Hex("01010101")), Segment(1)), Is.EqualTo("0 | 1"));
        Assert.That(Groups(Segment(0, options: Hex("0101080a 00000001 00000002")), Segment(1, options: Hex("0101080a 00000001 00000002"))), Is.EqualTo("0 1"));
    }

    [Test]
    public void Tcp_OnlyTheNextSequenceNumberIsMerged()
    {
        Assert.That(Groups(Segment(0), Segment(2), Segment(3)), Is.EqualTo("0 | 1 2"), "lost");
        Assert.That(Groups(Segment(1), Segment(0), Segment(1)), Is.EqualTo("0 | 1 2"), "out of order");
        Assert.That(Groups(Segment(0), Segment(0)), Is.EqualTo("0 | 1"), "sent again");
        Assert.That(Groups(Tcp(sequence: 0xFFFF_FFF0, payload: Pattern(32), flags: TcpFlags.Ack), Tcp(sequence: 16, payload: Pattern(32), flags: TcpFlags.Ack)), Is.EqualTo("0 1"), "wraps");
    }

    [Test]
    public void Tcp_APureAck_IsNotMerged_AndKeepsItsPlace()
    {
        byte[] ack = Tcp(sequence: Sequence(2), payload: [], flags: TcpFlags.Ack);
        Assert.That(Groups(Segment(0), Segment(1), ack, Segment(2), Segment(3)), Is.EqualTo("0 1 | 2 | 3 4"));
        Assert.That(Groups(ack, ack), Is.EqualTo("0 | 1"));
    }

    [Test]
    public void Tcp_APureAckOfTheOtherDirection_ClosesNothing()
    {
        byte[] ack = Tcp(source: MacB, destination: MacA, sourceIp: IPv4B, destinationIp: IPv4A, sourcePort: 20000, destinationPort: 10000, payload: [], flags: TcpFlags.Ack);
        Assert.That(Groups(Segment(0), ack, Segment(1), ack, Segment(2)), Is.EqualTo("0 2 4 | 1 | 3"));
    }

    [Test]
    public void Tcp_PayloadBelowTheKernelsFloor_StartsNoTrain()
    {
        Assert.That(Groups(Data(1000, 7), Data(1007, 7)), Is.EqualTo("0 | 1"));
        Assert.That(Groups(Data(1000, 8), Data(1008, 8), Data(1016, 1)), Is.EqualTo("0 1 2"));
    }

    // --- sizes ---

    [Test]
    public void AShorterFrame_EndsATrain()
    {
        Assert.That(Groups(Data(0, 100), Data(100, 100), Data(200, 99), Data(299, 99), Data(398, 100)), Is.EqualTo("0 1 2 | 3 | 4"));
        Assert.That(Groups(Datagram(100), Datagram(99), Datagram(99), Datagram(1)), Is.EqualTo("0 1 | 2 3"));
    }

    [Test]
    public void ALongerFrame_NeverJoins()
    {
        Assert.That(Groups(Data(0, 100), Data(100, 101), Data(201, 101)), Is.EqualTo("0 | 1 2"));
        Assert.That(Groups(Datagram(100), Datagram(101), Datagram(101)), Is.EqualTo("0 | 1 2"));
    }

    [Test]
    public void OddSizes_AreMerged()
    {
        List<Written> written = Run(Data(0, 101), Data(101, 101), Data(202, 33));
        Assert.That(Groups(written), Is.EqualTo("0 1 2"));
        Assert.That(written[0].Cut(), Is.EqualTo([Data(0, 101), Data(101, 101, id: 1), Data(202, 33, id: 2)]));
    }

    [Test]
    public void ATrain_HasAtMost64Frames()
    {
        Noted[] frames = [.. Enumerable.Range(0, 70).Select(i => (Noted)Segment(i))];
        Assert.That(Run(frames).Select(train => train.Frames.Length), Is.EqualTo([64, 6]));
    }

    [TestCase(IPv4A, 4, 16_363)]
    [TestCase(IPv4A, 3, 16_364)]
    [TestCase(IPv6A, 4, 16_358)]
    [TestCase(IPv6A, 3, 16_359)]
    public void ATrain_IsAnIpPacketOfAtMost65535Bytes(string source, int merged, int size)
    {
        // with all options 65535 - 20 - 60 = 4 x 16363 + 3 over IPv4, 65535 - 40 - 60 = 4 x 16358 + 3 over IPv6
        string destination = source == IPv4A ? IPv4B : IPv6B;
        Noted[] frames =
        [
            .. Enumerable.Range(0, 4).Select(i => (Noted)Tcp(
                sourceIp: source, destinationIp: destination, options: new byte[40], sequence: (uint)(i * size), payload: Pattern(size), flags: TcpFlags.Ack)),
        ];
        Assert.That(Run(frames)[0].Frames, Has.Length.EqualTo(merged));
    }

    // --- UDP ---

    [Test]
    public void Udp_WithoutChecksum_IsNotMerged()
    {
        byte[] datagram = Udp(checksum: TestChecksum.Zero);
        Assert.That(Groups(datagram, datagram), Is.EqualTo("0 | 1"));
        Assert.That(Groups(Udp(), datagram, Udp()), Is.EqualTo("0 | 1 | 2"));
    }

    [Test]
    public void Udp_AnEmptyDatagram_IsNotMerged_AndKeepsItsPlace() =>
        Assert.That(Groups(Datagram(10), Datagram(0), Datagram(10), Datagram(0), Datagram(0)), Is.EqualTo("0 | 1 | 2 | 3 | 4"));

    [Test]
    public void Udp_ALengthThatIsNotIps_IsNotMerged()
    {
        byte[] liar = Ip(IpProtocol.Udp, [.. Hex("2710 4e20 000c"), .. Checksummed(Hex("2710 4e20 000c 0000 01020304")), .. Hex("01020304 0000")]);
        Assert.That(TransportChecksum.IsValid(liar, Headers(liar)), "all but its length is right");
        Assert.That(Groups(liar, liar), Is.EqualTo("0 | 1"));

        static byte[] Checksummed(byte[] udp)
        {
            byte[] pseudo = [.. Hex("c6120101 c6120102 0011"), 0, (byte)udp.Length];
            int checksum = 0xFFFF ^ SumOf([.. pseudo, .. udp]);
            return [(byte)(checksum >> 8), (byte)checksum];
        }
    }

    // --- checksums ---

    [Test]
    public void AWrongTransportChecksum_TravelsAlone_AsItIs([Values] bool tcp, [Values(0, 1, 2)] int wrong)
    {
        Noted[] frames =
        [
            .. Enumerable.Range(0, 3).Select(i => (Noted)(tcp
                ? Tcp(sequence: Sequence(i), payload: Pattern(Size), flags: TcpFlags.Ack, checksum: i == wrong ? TestChecksum.Wrong : TestChecksum.Right)
                : Udp(checksum: i == wrong ? TestChecksum.Wrong : TestChecksum.Right))),
        ];
        List<Written> written = Run(frames);
        Assert.That(Groups(written), Is.EqualTo(wrong switch { 0 => "0 | 1 2", 1 => "0 | 1 | 2", _ => "0 1 | 2" }));
        Assert.That(written.Single(train => train.Frames[0] == wrong).Bytes, Is.SameAs(frames[wrong].Bytes));
    }

    [Test]
    public void AWrongIPv4HeaderChecksum_TravelsAlone()
    {
        byte[] wrong = Segment(1);
        wrong[IPv4 + 10] ^= 1;
        Assert.That(Groups(Segment(0), wrong, Segment(2), Segment(3)), Is.EqualTo("0 | 1 | 2 3"));
    }

    [Test]
    public void UnfinishedChecksums_AreMergedAmongThemselves([Values] bool tcp)
    {
        Noted Unfinished(int i) => Noted.Partial(tcp
            ? Tcp(sequence: Sequence(i), payload: Pattern(Size), flags: TcpFlags.Ack, checksum: TestChecksum.Partial)
            : Udp(checksum: TestChecksum.Partial));
        Noted Finished(int i) => tcp ? Segment(i) : Udp();
        Assert.That(Groups(Unfinished(0), Unfinished(1), Finished(2), Finished(3), Unfinished(4)), Is.EqualTo("0 1 | 2 3 | 4"));
    }

    [Test]
    public void AnUnfinishedChecksumThatIsNoPseudoHeaderSum_TravelsAlone()
    {
        Noted wrong = Noted.Partial(Tcp(sequence: Sequence(1), payload: Pattern(Size), flags: TcpFlags.Ack, checksum: TestChecksum.Wrong));
        Assert.That(Groups(Partial(0), wrong, Partial(2)), Is.EqualTo("0 | 1 | 2"));
    }

    [Test]
    public void AnUnfinishedChecksumElsewhere_TravelsAlone()
    {
        Noted right = Partial(1);
        Noted wrong = right with { Offload = right.Offload with { ChecksumStart = (ushort)(right.Offload.ChecksumStart + 2) } };
        Assert.That(Groups(Partial(0), wrong, Partial(2)), Is.EqualTo("0 | 1 | 2"));
    }

    [Test]
    public void ASuperFrame_IsNeverMerged_AndKeepsItsPlace()
    {
        byte[] bytes = Tcp(sequence: Sequence(1), payload: Pattern(3 * Size), flags: TcpFlags.Ack, checksum: TestChecksum.Partial);
        var superFrame = new Noted(bytes, SuperFrames.Describe(bytes, Size));
        List<Written> written = Run(Partial(0), superFrame, Partial(4), Partial(5));
        Assert.That(Groups(written), Is.EqualTo("0 | 1 | 2 3"));
        Assert.That((written[1].Bytes, written[1].Offload), Is.EqualTo((bytes, superFrame.Offload)));
    }

    // --- order ---

    [Test]
    public void InterleavedFlows_AreMergedEach_InTheOrderOfTheirFirstFrames()
    {
        byte[] Of(int port, int i) => Tcp(sourcePort: port, sequence: Sequence(i), payload: Pattern(Size), flags: TcpFlags.Ack);
        Assert.That(
            Groups(Of(1, 0), Of(2, 0), Udp(), Of(1, 1), Of(2, 1), Udp(), Of(3, 0), Of(2, 2)), Is.EqualTo("0 3 | 1 4 7 | 2 5 | 6"));
    }

    [Test]
    public void AFragment_ClosesAllTrains([Values(IPv4A, IPv6A)] string source)
    {
        byte[] fragment = Ip(IpProtocol.Udp, Pattern(64), sourceIp: source, destinationIp: source == IPv4A ? IPv4B : IPv6B, fragmentOffset: 64);
        Assert.That(Groups(Segment(0), Datagram(10), fragment, Segment(1), Datagram(10), Segment(2)), Is.EqualTo("0 | 1 | 2 | 3 5 | 4"));
    }

    [Test]
    public void FramesWithoutAFlow_CloseNothing() =>
        Assert.That(Groups(Segment(0), Arp(), Segment(1), IcmpEcho(), Segment(2), new byte[5], Segment(3)), Is.EqualTo("0 2 4 6 | 1 | 3 | 5"));

    [Test]
    public void Begin_ForgetsAllFrames()
    {
        var coalescer = new Coalescer(4);
        Assert.That(Groups(Run(coalescer, TrainKinds.All, [Segment(0), Segment(1)])), Is.EqualTo("0 1"));
        Assert.That(Groups(Run(coalescer, TrainKinds.All, [Segment(2), Segment(3), Segment(5)])), Is.EqualTo("0 1 | 2"));
        Assert.That(Groups(Run(coalescer, TrainKinds.All, [Segment(6)])), Is.EqualTo("0"));
        Assert.That(Groups(Run(coalescer, TrainKinds.All, [])), Is.Empty);
    }

    [Test]
    public void KindsThatAreNotWanted_StaySingle()
    {
        Noted[] frames = [Segment(0), Segment(1), Udp(), Udp()];
        var coalescer = new Coalescer(4);
        Assert.That(Groups(Run(coalescer, TrainKinds.Tcp, frames)), Is.EqualTo("0 1 | 2 | 3"));
        Assert.That(Groups(Run(coalescer, TrainKinds.Udp, frames)), Is.EqualTo("0 | 1 | 2 3"));
        Assert.That(Groups(Run(coalescer, TrainKinds.None, frames)), Is.EqualTo("0 | 1 | 2 | 3"));
    }

    [Test]
    public void AddAndFinish_AllocateNothing()
    {
        byte[][] frames = [Segment(0), Udp(), Segment(1), Arp(), Segment(2), Udp(), WrongSegment(3), Udp(sourceIp: IPv6A, destinationIp: IPv6B)];
        var coalescer = new Coalescer(64);
        int length = Fill(coalescer, frames); // compiles
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 100; round++)
            length += Fill(coalescer, frames);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(allocated, Is.Zero);
        Assert.That(length, Is.Positive);

        static byte[] WrongSegment(int i) => Tcp(sequence: Sequence(i), payload: Pattern(Size), flags: TcpFlags.Ack, checksum: TestChecksum.Wrong);
    }

    private static int Fill(Coalescer coalescer, byte[][] frames)
    {
        coalescer.Begin(TrainKinds.All);
        foreach (byte[] frame in frames)
        {
            FrameHeaders.Parse(frame, out FrameHeaders headers);
            coalescer.Add(frame, headers, default);
        }

        int length = 0;
        for (int train = 0; train < coalescer.Trains; train++)
            length += coalescer[train].Frames > 1 ? coalescer.Finish(train, out _).Length : 0;
        return length;
    }

    /// <summary>The i-th segment of a stream.</summary>
    private static byte[] Segment(int i, TcpFlags flags = TcpFlags.Ack, bool df = true, int id = 0, byte[]? options = null) =>
        Tcp(sequence: Sequence(i), payload: Pattern(Size), flags: flags, df: df, identification: id, options: options);

    private static Noted Partial(int i) =>
        Noted.Partial(Tcp(sequence: Sequence(i), payload: Pattern(Size), flags: TcpFlags.Ack, checksum: TestChecksum.Partial));

    private static byte[] Data(uint sequence, int size, int id = 0) =>
        Tcp(sequence: sequence, payload: Pattern(size), flags: TcpFlags.Ack, identification: id);

    private static byte[] Datagram(int size) => Udp(payload: Pattern(size));

    private static uint Sequence(int i) => 1000 + (uint)(i * Size);

    /// <summary>A word of the TCP header changed, its checksum made right again.</summary>
    private static byte[] Changed(byte[] frame, int offset, byte high, byte low)
    {
        byte[] changed = [.. frame];
        int even = offset & ~1;
        int before = BinaryPrimitives.ReadUInt16BigEndian(changed.AsSpan(even));
        (changed[offset], changed[offset + 1]) = (high, low);
        int after = BinaryPrimitives.ReadUInt16BigEndian(changed.AsSpan(even));
        ushort checksum = BinaryPrimitives.ReadUInt16BigEndian(changed.AsSpan(Tcp4 + 16));
        SetWord(changed, Tcp4 + 16, InternetChecksum.Update(checksum, (ushort)before, (ushort)after));
        Assert.That(TransportChecksum.IsValid(changed, Headers(changed)));
        return changed;
    }

    private static FrameHeaders Headers(byte[] frame)
    {
        FrameHeaders.Parse(frame, out FrameHeaders headers);
        return headers;
    }

    private static void SetWord(byte[] bytes, int offset, int value) => BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(offset), (ushort)value);
}
