using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Wire;

public sealed class FrameHeadersTests
{
    [Test]
    public void UdpOverIPv4_IsRead()
    {
        FrameHeaders headers = Parse(TestFrames.Udp(tos: 0xB9, ttl: 17));
        Assert.That((headers.Destination, headers.Source), Is.EqualTo((TestFrames.MacB, TestFrames.MacA)));
        Assert.That((headers.EtherType, headers.VlanTags, headers.NetworkOffset), Is.EqualTo((EtherType.IPv4, 0, 14)));
        Assert.That((headers.IpVersion, headers.Protocol, headers.TransportOffset), Is.EqualTo((4, IpProtocol.Udp, 34)));
        Assert.That((headers.NetworkLength, headers.TransportLength), Is.EqualTo((60, 40)));
        Assert.That((headers.TrafficClass, headers.HopLimit), Is.EqualTo((0xB9, 17)));
        Assert.That((headers.DontFragment, headers.IsFragment, headers.IsIp), Is.EqualTo((true, false, true)));
    }

    [Test]
    public void TcpOverIPv6_IsRead()
    {
        FrameHeaders headers = Parse(TestFrames.Tcp(sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B, tos: 0xB9, ttl: 17));
        Assert.That((headers.EtherType, headers.IpVersion, headers.Protocol), Is.EqualTo((EtherType.IPv6, 6, IpProtocol.Tcp)));
        Assert.That((headers.NetworkLength, headers.TransportOffset, headers.TransportLength), Is.EqualTo((92, 54, 52)));
        Assert.That((headers.TrafficClass, headers.HopLimit), Is.EqualTo((0xB9, 17)));
        Assert.That((headers.DontFragment, headers.IsFragment), Is.EqualTo((false, false)));
    }

    [Test]
    public void Arp_IsNotIp()
    {
        FrameHeaders headers = Parse(TestFrames.Arp());
        Assert.That(headers.Destination, Is.EqualTo(MacAddress.Broadcast));
        Assert.That((headers.EtherType, headers.NetworkOffset, headers.IsIp), Is.EqualTo((EtherType.Arp, 14, false)));
        Assert.That((headers.TransportOffset, headers.NetworkLength, headers.TransportLength), Is.EqualTo((0, 0, 0)));
    }

    [TestCase(new[] { 5 }, 18)]
    [TestCase(new[] { 5, 6 }, 22)]
    public void VlanTags_AreWalked(int[] vlans, int networkOffset)
    {
        FrameHeaders headers = Parse(TestFrames.Udp(vlans: vlans));
        Assert.That((headers.VlanTags, headers.NetworkOffset), Is.EqualTo((vlans.Length, networkOffset)));
        Assert.That((headers.EtherType, headers.TransportOffset), Is.EqualTo((EtherType.IPv4, networkOffset + 20)));
    }

    [TestCase(new[] { 1, 2, 3 }, EtherType.Vlan)]
    [TestCase(new[] { 1, 2, 3, 4 }, EtherType.ServiceVlan)]
    public void VlanTags_BeyondTwo_AreNotLookedBehind(int[] vlans, int etherType)
    {
        FrameHeaders headers = Parse(TestFrames.Udp(vlans: vlans));
        Assert.That((headers.VlanTags, headers.NetworkOffset), Is.EqualTo((2, 22)));
        Assert.That((headers.EtherType, headers.IsIp, headers.TransportOffset), Is.EqualTo((etherType, false, 0)));
    }

    [TestCase(null, 14)]
    [TestCase(new[] { 5 }, 18)]
    [TestCase(new[] { 5, 6 }, 22)]
    public void EthernetHeader_CutShort_IsTruncated(int[]? vlans, int size)
    {
        byte[] frame = TestFrames.Ethernet(0x88B5, [], vlans: vlans);
        Assert.That(frame, Has.Length.EqualTo(size));
        for (int length = 0; length < size; length++)
        {
            FrameFault fault = FrameHeaders.Parse(frame.AsSpan(0, length), out FrameHeaders headers);
            Assert.That(fault, Is.EqualTo(FrameFault.Truncated), $"{length} bytes");
            Assert.That(headers, Is.EqualTo(default(FrameHeaders)));
        }

        Assert.That(FrameHeaders.Parse(frame, out _), Is.EqualTo(FrameFault.None));
    }

    [Test]
    public void ValidFrames_CutShortAnywhere_AreNeverTakenForWhole()
    {
        foreach (byte[] frame in ValidFrames())
        {
            FrameHeaders whole = Parse(frame);
            for (int length = 0; length < frame.Length; length++)
            {
                FrameFault expected = length < whole.NetworkOffset
                    ? FrameFault.Truncated
                    : whole.IsIp && length < whole.NetworkOffset + whole.NetworkLength ? FrameFault.IpHeaderMalformed : FrameFault.None;
                byte[] cut = frame[..length]; // its own array: a read behind its end would throw
                Assert.That(FrameHeaders.Parse(cut, out _), Is.EqualTo(expected), $"{Convert.ToHexString(frame)} cut to {length}");
                CheckEverythingThatReads(cut);
            }
        }
    }

    [Test]
    public void EthernetPadding_IsNotPartOfThePacket()
    {
        byte[] frame = [.. TestFrames.Udp(payload: [1, 2]), .. new byte[16]];
        FrameHeaders headers = Parse(frame);
        Assert.That((headers.NetworkLength, headers.TransportLength), Is.EqualTo((30, 10)));
    }

    [TestCase("55", 0, Description = "version 5")]
    [TestCase("44", 0, Description = "IHL 4")]
    [TestCase("4F", 0, Description = "IHL 15 with 52 bytes there")]
    [TestCase("0013", 2, Description = "total length below the header's")]
    [TestCase("0035", 2, Description = "total length above what is there")]
    [TestCase("FFFF", 2, Description = "total length above what is there")]
    [TestCase("0000", 2, Description = "total length 0")]
    public void IPv4Header_ThatLies_IsMalformed(string hex, int offset)
    {
        byte[] frame = TestFrames.Udp(payload: TestFrames.Pattern(24));
        TestFrames.Hex(hex).CopyTo(frame, 14 + offset);
        Assert.That(FrameHeaders.Parse(frame, out FrameHeaders headers), Is.EqualTo(FrameFault.IpHeaderMalformed));
        Assert.That((headers.Source, headers.EtherType, headers.NetworkOffset), Is.EqualTo((TestFrames.MacA, EtherType.IPv4, 14)));
        Assert.That((headers.IsIp, headers.NetworkLength, headers.TransportOffset), Is.EqualTo((false, 0, 0)));
    }

    [TestCase("40", 0, Description = "version 4")]
    [TestCase("70", 0, Description = "version 7")]
    [TestCase("0029", 4, Description = "payload length above what is there")]
    [TestCase("FFFF", 4, Description = "payload length above what is there")]
    public void IPv6Header_ThatLies_IsMalformed(string hex, int offset)
    {
        byte[] frame = TestFrames.Udp(sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B);
        TestFrames.Hex(hex).CopyTo(frame, 14 + offset);
        Assert.That(FrameHeaders.Parse(frame, out FrameHeaders headers), Is.EqualTo(FrameFault.IpHeaderMalformed));
        Assert.That((headers.IsIp, headers.EtherType), Is.EqualTo((false, EtherType.IPv6)));
    }

    [Test]
    public void IPv6_PayloadLengthZero_IsAPacketWithoutPayload()
    {
        byte[] frame = TestFrames.Tcp(sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B);
        frame[18] = frame[19] = 0;
        FrameHeaders headers = Parse(frame);
        Assert.That((headers.IpVersion, headers.NetworkLength, headers.TransportOffset), Is.EqualTo((6, 40, 0)));
    }

    [Test]
    public void IPv4Options_AreSkipped()
    {
        byte[] udp = TestFrames.Udp()[34..];
        byte[] header = TestFrames.Hex("46 00 0040 0000 4000 40 11 0000 C6120101 C6120102 01010101");
        FrameHeaders headers = Parse(TestFrames.Ethernet(EtherType.IPv4, [.. header, .. udp]));
        Assert.That((headers.TransportOffset, headers.TransportLength), Is.EqualTo((38, 40)));
    }

    [TestCase(IpProtocol.Tcp, 20)]
    [TestCase(IpProtocol.Udp, 8)]
    [TestCase(IpProtocol.IcmpV4, 8)]
    [TestCase(IpProtocol.Sctp, 12)]
    [TestCase(47, 1)]
    public void TransportHeader_CutShort_IsUnknownButNoFault(byte protocol, int minimum)
    {
        for (int length = 0; length < 24; length++)
        {
            foreach ((string from, string to, int offset) in Families())
            {
                FrameHeaders headers = Parse(TestFrames.Ip(protocol, new byte[length], sourceIp: from, destinationIp: to));
                Assert.That(headers.TransportOffset, Is.EqualTo(length >= minimum ? offset : 0), $"{length} bytes");
                Assert.That(headers.Protocol, Is.EqualTo(protocol));
            }
        }
    }

    [Test]
    public void Fragments_AreMarked_AndOnlyTheFirstHasATransportHeader()
    {
        foreach ((string from, string to, int offset) in Families())
        {
            int fragmentHeader = offset == 34 ? 0 : 8;
            byte[] udp = TestFrames.Udp(sourceIp: from, destinationIp: to)[offset..];
            FrameHeaders first = Parse(TestFrames.Ip(17, udp, sourceIp: from, destinationIp: to, moreFragments: true));
            FrameHeaders middle = Parse(TestFrames.Ip(17, udp, sourceIp: from, destinationIp: to, fragmentOffset: 40, moreFragments: true));
            FrameHeaders last = Parse(TestFrames.Ip(17, udp, sourceIp: from, destinationIp: to, fragmentOffset: 80));
            Assert.That((first.IsFragment, first.Protocol, first.TransportOffset), Is.EqualTo((true, 17, offset + fragmentHeader)));
            Assert.That((middle.IsFragment, middle.Protocol, middle.TransportOffset), Is.EqualTo((true, 17, 0)));
            Assert.That((last.IsFragment, last.Protocol, last.TransportOffset), Is.EqualTo((true, 17, 0)));
        }
    }

    [Test]
    public void FragmentHeader_OnAWholeDatagram_IsNoFragment()
    {
        byte[] udp = TestFrames.Udp(sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B)[54..];
        byte[] payload = [.. TestFrames.Hex("11 00 0000 00000001"), .. udp];
        FrameHeaders headers = Parse(TestFrames.Ip(44, payload, sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B));
        Assert.That((headers.IsFragment, headers.Protocol, headers.TransportOffset), Is.EqualTo((false, 17, 62)));
    }

    [TestCase(0, 17, 54)]
    [TestCase(1, 17, 62)]
    [TestCase(4, 17, 86)]
    [TestCase(5, 0, 0)]
    [TestCase(9, 0, 0)]
    public void ExtensionHeaders_AreWalked_UpToFour(int count, int protocol, int transportOffset)
    {
        FrameHeaders headers = Parse(TestFrames.UdpBehindExtensions(count));
        Assert.That((headers.IpVersion, headers.Protocol, headers.TransportOffset), Is.EqualTo((6, protocol, transportOffset)));
    }

    [TestCase(0, "11 01 0104 00000000 0000000000000000", 16, Description = "hop-by-hop of 16 bytes")]
    [TestCase(60, "11 00 0104 00000000", 8, Description = "destination options")]
    [TestCase(43, "11 00 0400 00000000", 8, Description = "routing, no segments left")]
    [TestCase(43, "11 00 0401 00000000", 0, Description = "routing, one segment left")]
    [TestCase(51, "11 04 0000 00000001 00000001 000000000000000000000000", 24, Description = "authentication, in words of four bytes")]
    [TestCase(0, "11 FF 0104 00000000", 0, Description = "longer than the packet")]
    [TestCase(51, "11 FF 0000 00000001", 0, Description = "longer than the packet")]
    public void ExtensionHeader_LengthsAreItsOwn(byte type, string hex, int size)
    {
        byte[] payload = [.. TestFrames.Hex(hex), .. TestFrames.Udp()[34..]];
        FrameHeaders headers = Parse(TestFrames.Ip(type, payload, sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B));
        Assert.That((headers.Protocol, headers.TransportOffset), Is.EqualTo(size == 0 ? (0, 0) : (17, 54 + size)));
    }

    [Test]
    public void ExtensionHeader_CutShort_IsUnknownButNoFault([Range(0, 7)] int length)
    {
        FrameHeaders headers = Parse(TestFrames.Ip(60, new byte[length], sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B));
        Assert.That((headers.IpVersion, headers.Protocol, headers.TransportOffset), Is.EqualTo((6, 0, 0)));
    }

    [Test]
    public void ExtensionHeader_InPadding_IsNotRead()
    {
        byte[] frame = [.. TestFrames.Ip(60, new byte[4], sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B), .. new byte[60]];
        Assert.That(Parse(frame).TransportOffset, Is.Zero);
    }

    [Test]
    public void NoNextHeader_HasNoTransportHeader()
    {
        FrameHeaders headers = Parse(TestFrames.Ip(59, new byte[40], sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B));
        Assert.That((headers.Protocol, headers.TransportOffset), Is.EqualTo((IpProtocol.NoNextHeader, 0)));
    }

    [TestCase(65535)]
    [TestCase(65549)]
    public void LargestFrames_AreRead(int length)
    {
        byte[] frame = TestFrames.Udp(payload: new byte[length - 42]);
        FrameHeaders headers = Parse(frame);
        Assert.That((headers.NetworkLength, headers.TransportLength), Is.EqualTo((length - 14, length - 34)));
        CheckEverythingThatReads(frame);
    }

    [Test]
    public void LargestIPv6Packet_IsRead()
    {
        byte[] frame = TestFrames.Udp(sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B, payload: new byte[65535 - 8]);
        FrameHeaders headers = Parse(frame);
        Assert.That((headers.NetworkLength, headers.TransportLength), Is.EqualTo((65575, 65535)));
        CheckEverythingThatReads(frame);
    }

    [Test]
    public void RandomBytes_NeverThrow() => Gen.Byte.Array[0, 200].Sample(CheckEverythingThatReads, iter: 20_000);

    [Test]
    public void DamagedFrames_NeverThrow()
    {
        byte[][] valid = [.. ValidFrames()];
        Gen<(int, int, byte)[]> damage = Gen.Select(Gen.Int[0, 99], Gen.Int[0, 89], Gen.Byte).Array[1, 6];
        Gen.Select(Gen.Int[0, valid.Length - 1], damage, Gen.Int[0, 200]).Sample(
            (which, bytes, length) =>
            {
                byte[] frame = [.. valid[which]];
                foreach ((_, int offset, byte value) in bytes)
                    frame[offset % frame.Length] = value;
                CheckEverythingThatReads(frame[..Math.Min(length, frame.Length)]);
            },
            iter: 50_000);
    }

    private static FrameHeaders Parse(byte[] frame)
    {
        Assert.That(FrameHeaders.Parse(frame, out FrameHeaders headers), Is.EqualTo(FrameFault.None));
        return headers;
    }

    // what may be said of any frame at all, and all that reads frames by their headers
    private static void CheckEverythingThatReads(byte[] frame)
    {
        FrameFault fault = FrameHeaders.Parse(frame, out FrameHeaders headers);
        if (fault == FrameFault.Truncated)
        {
            Assert.That(frame, Has.Length.LessThan(22));
            return;
        }

        Assert.That(headers.NetworkOffset, Is.EqualTo(14 + 4 * headers.VlanTags).And.LessThanOrEqualTo(frame.Length));
        if (headers.IsIp)
        {
            Assert.That(fault, Is.EqualTo(FrameFault.None));
            Assert.That(headers.NetworkOffset + headers.NetworkLength, Is.LessThanOrEqualTo(frame.Length));
            Assert.That(headers.TransportLength, Is.InRange(0, headers.NetworkLength - 20));
        }
        else
        {
            Assert.That((headers.NetworkLength, headers.TransportOffset, headers.Protocol), Is.EqualTo((0, 0, 0)));
        }

        _ = new FlowHash(1).Compute(frame, headers);
        _ = TransportChecksum.IsValid(frame, headers);
        _ = TransportChecksum.IsPartial(frame, headers, out ushort start, out ushort offset);
        Assert.That(TransportChecksum.TryComplete([.. frame], start, offset), Is.True);
        Ecn.Set((byte[])[.. frame], headers, 3);
        byte[] answer = new byte[IcmpErrors.MaximumFrame];
        _ = IcmpErrors.MayAnswer(frame, headers);
        Assert.That(IcmpErrors.TryWriteFragmentationNeeded(frame, headers, 1450, answer, out _), Is.EqualTo(headers.IpVersion == 4));
        Assert.That(IcmpErrors.TryWritePacketTooBig(frame, headers, 1450, answer, out _), Is.EqualTo(headers.IpVersion == 6));
    }

    private static IEnumerable<(string From, string To, int TransportOffset)> Families() =>
        [(TestFrames.IPv4A, TestFrames.IPv4B, 34), (TestFrames.IPv6A, TestFrames.IPv6B, 54)];

    private static IEnumerable<byte[]> ValidFrames()
    {
        foreach ((string from, string to, _) in Families())
        {
            yield return TestFrames.Udp(sourceIp: from, destinationIp: to);
            yield return TestFrames.Tcp(sourceIp: from, destinationIp: to, vlans: [7]);
            yield return TestFrames.Tcp(sourceIp: from, destinationIp: to, checksum: TestChecksum.Partial, options: [1, 1, 1, 1]);
            yield return TestFrames.IcmpEcho(sourceIp: from, destinationIp: to, vlans: [7, 8]);
            yield return TestFrames.Ip(17, new byte[32], sourceIp: from, destinationIp: to, moreFragments: true);
            yield return TestFrames.Ip(17, new byte[32], sourceIp: from, destinationIp: to, fragmentOffset: 32);
        }

        yield return TestFrames.Arp();
        yield return TestFrames.Udp(vlans: [1, 2, 3]);
        yield return TestFrames.UdpBehindExtensions(1);
        yield return TestFrames.UdpBehindExtensions(4);
        yield return TestFrames.UdpBehindExtensions(6);
    }
}
