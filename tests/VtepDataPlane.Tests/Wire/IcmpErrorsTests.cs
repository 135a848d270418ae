using NUnit.Framework;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Wire;

public sealed class IcmpErrorsTests
{
    private static readonly (string From, string To)[] s_families =
        [(TestFrames.IPv4A, TestFrames.IPv4B), (TestFrames.IPv6A, TestFrames.IPv6B)];

    [Test]
    public void FragmentationNeeded_IsGolden() => Expect(
        TestFrames.Udp(payload: TestFrames.Hex("DEADBEEF")),
        1450,
        """
        02000000000A 02000000000B 0800
        45C0 003C 0000 0000 40 01 EBD9 C6120102 C6120101
        03 04 8597 0000 05AA
        4500 0020 0000 4000 40 11 ACA5 C6120101 C6120102 2710 4E20 000C 5EE0 DEADBEEF
        """);

    [Test]
    public void PacketTooBig_IsGolden_AndKeepsTheVlanTag() => Expect(
        TestFrames.Udp(sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B, payload: TestFrames.Hex("DEADBEEF"), vlans: [7]),
        1430,
        """
        02000000000A 02000000000B 8100 0007 86DD
        60000000 003C 3A 40 FD000000000000000000000000000002 FD000000000000000000000000000001
        02 00 8CBF 00000596
        60000000 000C 11 40 FD000000000000000000000000000001 FD000000000000000000000000000002 2710 4E20 000C F303 DEADBEEF
        """);

    [Test]
    public void Answer_QuotesAsMuchAsItsLimitAllows()
    {
        foreach (int payload in (ReadOnlySpan<int>)[0, 100, 519, 520, 521, 1183, 1184, 1185, 1472, 60_000])
        {
            foreach ((string from, string to) in s_families)
            {
                byte[] frame = TestFrames.Udp(sourceIp: from, destinationIp: to, payload: TestFrames.Pattern(payload), vlans: [1, 2]);
                FrameHeaders headers = Parse(frame);
                (int limit, int ownHeaders) = headers.IpVersion == 4 ? (576, 28) : (1280, 48);
                byte[] answer = Answer(frame, 1400);
                FrameHeaders read = Parse(answer);
                int quoted = Math.Min(headers.NetworkLength, limit - ownHeaders);
                Assert.That((read.VlanTags, read.NetworkLength), Is.EqualTo((2, ownHeaders + quoted)));
                Assert.That(answer[(22 + ownHeaders)..], Is.EqualTo(frame[22..(22 + quoted)]));
                Assert.That((read.HopLimit, read.DontFragment, read.IsFragment), Is.EqualTo((64, false, false)));
                CheckChecksums(answer, read);
            }
        }
    }

    [Test]
    public void Answer_ToPaddedFrame_DoesNotQuoteThePadding()
    {
        byte[] frame = [.. TestFrames.Udp(payload: [1]), .. new byte[17]];
        Assert.That(Answer(frame, 1400), Has.Length.EqualTo(14 + 28 + 29));
    }

    [Test]
    public void Destination_TooSmall_IsRefused()
    {
        byte[] frame = TestFrames.Udp();
        byte[] frame6 = TestFrames.Udp(sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B);
        Assert.That(IcmpErrors.TryWriteFragmentationNeeded(frame, Parse(frame), 1400, new byte[101], out int length), Is.False);
        Assert.That(length, Is.Zero);
        Assert.That(IcmpErrors.TryWriteFragmentationNeeded(frame, Parse(frame), 1400, new byte[102], out length), Is.True);
        Assert.That(length, Is.EqualTo(102));
        Assert.That(IcmpErrors.TryWritePacketTooBig(frame6, Parse(frame6), 1400, new byte[141], out length), Is.False);
        Assert.That(length, Is.Zero);
        Assert.That(IcmpErrors.TryWritePacketTooBig(frame6, Parse(frame6), 1400, new byte[142], out length), Is.True);
        Assert.That(length, Is.EqualTo(142));
    }

    [Test]
    public void OtherFamily_IsRefused()
    {
        byte[] buffer = new byte[IcmpErrors.MaximumFrame];
        byte[] v4 = TestFrames.Udp();
        byte[] v6 = TestFrames.Udp(sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B);
        byte[] arp = TestFrames.Arp();
        Assert.That(IcmpErrors.TryWriteFragmentationNeeded(v6, Parse(v6), 1400, buffer, out _), Is.False);
        Assert.That(IcmpErrors.TryWritePacketTooBig(v4, Parse(v4), 1400, buffer, out _), Is.False);
        Assert.That(IcmpErrors.TryWriteFragmentationNeeded(arp, Parse(arp), 1400, buffer, out _), Is.False);
        Assert.That(IcmpErrors.TryWritePacketTooBig(arp, Parse(arp), 1400, buffer, out _), Is.False);
    }

    [Test]
    public void OrdinaryFrames_MayBeAnswered()
    {
        foreach ((string from, string to) in s_families)
        {
            Assert.That(MayAnswer(TestFrames.Udp(sourceIp: from, destinationIp: to)), Is.True);
            Assert.That(MayAnswer(TestFrames.Tcp(sourceIp: from, destinationIp: to, vlans: [1])), Is.True);
            Assert.That(MayAnswer(TestFrames.IcmpEcho(sourceIp: from, destinationIp: to)), Is.True);
            Assert.That(MayAnswer(TestFrames.IcmpEcho(sourceIp: from, destinationIp: to, reply: true)), Is.True);
            Assert.That(MayAnswer(TestFrames.Ip(47, new byte[40], sourceIp: from, destinationIp: to)), Is.True);
        }

        Assert.That(MayAnswer(TestFrames.UdpBehindExtensions(4)), Is.True);
    }

    [Test]
    public void IPv4WithoutDf_IsNotAnswered() => Assert.That(MayAnswer(TestFrames.Udp(df: false)), Is.False);

    [Test]
    public void FramesThatAreNotIp_AreNotAnswered()
    {
        Assert.That(MayAnswer(TestFrames.Arp(destination: TestFrames.MacB)), Is.False);
        Assert.That(MayAnswer(TestFrames.Udp(vlans: [1, 2, 3])), Is.False);
    }

    [TestCase("ff:ff:ff:ff:ff:ff")]
    [TestCase("01:00:5e:00:00:01")]
    [TestCase("33:33:00:00:00:01")]
    public void GroupDestinationMac_IsNotAnswered(string mac)
    {
        Assert.That(MayAnswer(TestFrames.Udp(destination: MacAddress.Parse(mac))), Is.False);
        Assert.That(MayAnswer(TestFrames.Udp(source: MacAddress.Parse(mac))), Is.False, "nor is a group an address to answer to");
    }

    [TestCase("0.0.0.0", TestFrames.IPv4B)]
    [TestCase("127.0.0.1", TestFrames.IPv4B)]
    [TestCase("224.0.0.1", TestFrames.IPv4B)]
    [TestCase("255.255.255.255", TestFrames.IPv4B)]
    [TestCase(TestFrames.IPv4A, "239.1.1.1")]
    [TestCase(TestFrames.IPv4A, "255.255.255.255")]
    [TestCase(TestFrames.IPv4A, "0.0.0.0")]
    [TestCase("::", TestFrames.IPv6B)]
    [TestCase("::1", TestFrames.IPv6B)]
    [TestCase("ff02::1", TestFrames.IPv6B)]
    [TestCase(TestFrames.IPv6A, "ff02::1")]
    [TestCase(TestFrames.IPv6A, "::")]
    public void AddressesThatAreNoSingleHost_AreNotAnswered(string from, string to) =>
        Assert.That(MayAnswer(TestFrames.Udp(sourceIp: from, destinationIp: to)), Is.False);

    [TestCase((byte)3)]
    [TestCase((byte)4)]
    [TestCase((byte)5)]
    [TestCase((byte)11)]
    [TestCase((byte)12)]
    public void IcmpV4Errors_AreNotAnswered(byte type) => Assert.That(MayAnswer(TestFrames.IcmpEcho(type: type)), Is.False);

    [TestCase((byte)1)]
    [TestCase((byte)2)]
    [TestCase((byte)127)]
    [TestCase((byte)137)]
    public void IcmpV6Errors_AreNotAnswered(byte type) =>
        Assert.That(MayAnswer(TestFrames.IcmpEcho(sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B, type: type)), Is.False);

    [Test]
    public void Answers_AreNotAnswered()
    {
        foreach ((string from, string to) in s_families)
            Assert.That(MayAnswer(Answer(TestFrames.Udp(sourceIp: from, destinationIp: to), 1400)), Is.False);
    }

    [Test]
    public void IcmpCutShort_IsNotAnswered()
    {
        Assert.That(MayAnswer(TestFrames.Ip(1, [8, 0, 0])), Is.False);
        Assert.That(MayAnswer(TestFrames.Ip(58, [128, 0, 0], sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B)), Is.False);
    }

    [Test]
    public void Fragments_AreAnsweredForTheFirstOnly()
    {
        byte[] first = TestFrames.Ip(17, new byte[32], moreFragments: true);
        byte[] second = TestFrames.Ip(17, new byte[32], fragmentOffset: 32);
        SetDontFragment(first);
        SetDontFragment(second);
        Assert.That(MayAnswer(first), Is.True);
        Assert.That(MayAnswer(second), Is.False);

        (string from, string to) = s_families[1];
        Assert.That(MayAnswer(TestFrames.Ip(17, new byte[32], sourceIp: from, destinationIp: to, moreFragments: true)), Is.True);
        Assert.That(MayAnswer(TestFrames.Ip(17, new byte[32], sourceIp: from, destinationIp: to, fragmentOffset: 32)), Is.False);
    }

    // DF on a fragment: senders that do path MTU discovery on their own fragments exist
    private static void SetDontFragment(byte[] frame) => frame[20] |= 0x40;

    private static void Expect(byte[] frame, int mtu, string hex)
    {
        byte[] expected = TestFrames.Hex(hex);
        byte[] buffer = new byte[expected.Length + 1];
        buffer.AsSpan().Fill(0xA5);
        FrameHeaders headers = Parse(frame);
        bool ok = headers.IpVersion == 4
            ? IcmpErrors.TryWriteFragmentationNeeded(frame, headers, mtu, buffer, out int length)
            : IcmpErrors.TryWritePacketTooBig(frame, headers, mtu, buffer, out length);
        Assert.That((ok, length), Is.EqualTo((true, expected.Length)));
        Assert.That(buffer, Is.EqualTo((byte[])[.. expected, 0xA5]));
    }

    private static byte[] Answer(byte[] frame, int mtu)
    {
        byte[] buffer = new byte[IcmpErrors.MaximumFrame];
        buffer.AsSpan().Fill(0xA5);
        FrameHeaders headers = Parse(frame);
        bool ok = headers.IpVersion == 4
            ? IcmpErrors.TryWriteFragmentationNeeded(frame, headers, mtu, buffer, out int length)
            : IcmpErrors.TryWritePacketTooBig(frame, headers, mtu, buffer, out length);
        Assert.That(ok, Is.True);
        return buffer[..length];
    }

    private static void CheckChecksums(byte[] frame, FrameHeaders headers)
    {
        ReadOnlySpan<byte> packet = frame.AsSpan(headers.NetworkOffset);
        ReadOnlySpan<byte> message = frame.AsSpan(headers.TransportOffset);
        if (headers.IpVersion == 4)
        {
            Assert.That(TestFrames.SumOf(packet[..20]), Is.EqualTo(0xFFFF));
            Assert.That(TestFrames.SumOf(message), Is.EqualTo(0xFFFF));
            return;
        }

        byte[] pseudo = [.. packet[8..40], .. TestFrames.Hex($"{message.Length:X8}"), 0, 0, 0, 58, .. message];
        Assert.That(TestFrames.SumOf(pseudo), Is.EqualTo(0xFFFF));
    }

    private static bool MayAnswer(byte[] frame) => IcmpErrors.MayAnswer(frame, Parse(frame));

    private static FrameHeaders Parse(byte[] frame)
    {
        Assert.That(FrameHeaders.Parse(frame, out FrameHeaders headers), Is.EqualTo(FrameFault.None));
        return headers;
    }
}
