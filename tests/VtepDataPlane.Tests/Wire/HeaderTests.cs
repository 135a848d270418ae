// Header writers byte for byte, and the views over what they write.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Wire;

public sealed class HeaderTests
{
    private delegate void Writer(Span<byte> destination);

    private static readonly Gen<MacAddress> s_mac = Gen.ULong.Select(static value => new MacAddress(value));
    private static readonly Gen<InetAddress> s_v4 = Gen.UInt.Select(static value => InetAddress.FromIPv4(value));
    private static readonly Gen<InetAddress> s_v6 = Gen.Select(Gen.ULong, Gen.ULong)
        .Select(static (high, low) => InetAddress.FromIPv6(high, low));

    [Test]
    public void EthernetHeader_IsGolden() => Expect(
        "02000000000B 02000000000A 0800",
        new EthernetHeader(TestFrames.MacB, TestFrames.MacA, EtherType.IPv4).Write);

    [Test]
    public void VlanTag_IsGolden() => Expect("88A8 B064", new VlanTag(EtherType.ServiceVlan, 0xB064).Write);

    [Test]
    public void ArpRequest_IsGolden() => Expect(
        "0001 0800 06 04 0001 02000000000A C6120101 000000000000 C6120102",
        new ArpPacket(
            ArpPacket.Request, TestFrames.MacA, InetAddress.Parse("198.18.1.1"), MacAddress.Zero, InetAddress.Parse("198.18.1.2")).Write);

    // the header in Wikipedia's article on the IPv4 header checksum, b861
    [Test]
    public void Ipv4Header_IsGolden() => Expect(
        "4500 0073 0000 4000 4011 B861 C0A80001 C0A800C7",
        new Ipv4Header
        {
            TotalLength = 0x73,
            DontFragment = true,
            TimeToLive = 64,
            Protocol = IpProtocol.Udp,
            Source = InetAddress.Parse("192.168.0.1"),
            Destination = InetAddress.Parse("192.168.0.199"),
        }.Write);

    [Test]
    public void Ipv6Header_IsGolden() => Expect(
        "6B812345 0010 11 40 FD000000000000000000000000000001 FD000000000000000000000000000002",
        new Ipv6Header
        {
            TrafficClass = 0xB8,
            FlowLabel = 0x12345,
            PayloadLength = 16,
            NextHeader = IpProtocol.Udp,
            HopLimit = 64,
            Source = InetAddress.Parse("fd00::1"),
            Destination = InetAddress.Parse("fd00::2"),
        }.Write);

    [Test]
    public void UdpHeader_IsGolden() => Expect("C001 12B5 0032 BEEF", new UdpHeader(49153, 4789, 50, 0xBEEF).Write);

    [Test]
    public void Ethernet_RoundTrips() => Gen.Select(s_mac, s_mac, Gen.UShort).Sample(static (destination, source, type) =>
    {
        byte[] frame = new byte[EthernetHeader.Size + 3];
        new EthernetHeader(destination, source, type).Write(frame);
        return EthernetView.TryParse(frame, out EthernetView view)
            && view.Destination == destination && view.Source == source && view.EtherType == type && view.Payload.Length == 3;
    });

    [Test]
    public void Vlan_RoundTrips() => Gen.UShort.Sample(static control =>
    {
        byte[] bytes = new byte[VlanTag.Size];
        new VlanTag(EtherType.Vlan, control).Write(bytes);
        return VlanTag.TryRead(bytes, out VlanTag tag) && tag.Tpid == EtherType.Vlan && tag.Control == control
            && ((tag.Priority << 13) | (tag.DropEligible ? 0x1000 : 0) | tag.Identifier) == control;
    });

    [Test]
    public void Arp_RoundTrips() => Gen.Select(Gen.UShort, s_mac, s_v4, s_mac, s_v4).Sample(static (operation, mac, ip, toMac, toIp) =>
    {
        byte[] bytes = new byte[ArpPacket.Size];
        ArpPacket packet = new(operation, mac, ip, toMac, toIp);
        packet.Write(bytes);
        return ArpPacket.TryParse(bytes, out ArpPacket read) && read == packet;
    });

    [Test]
    public void Ipv4_RoundTrips() => Gen.Select(Gen.Byte, Gen.UShort, Gen.Bool, Gen.Byte, Gen.Byte, s_v4, s_v4, Gen.Int[0, 100]).Sample(
        static (tos, id, df, ttl, protocol, source, destination, payload) =>
        {
            byte[] bytes = new byte[Ipv4Header.Size + payload + 2];
            new Ipv4Header
            {
                TrafficClass = tos,
                TotalLength = (ushort)(Ipv4Header.Size + payload),
                Identification = id,
                DontFragment = df,
                TimeToLive = ttl,
                Protocol = protocol,
                Source = source,
                Destination = destination,
            }.Write(bytes);
            return Ipv4View.TryParse(bytes, out Ipv4View view)
                && view.TrafficClass == tos && view.TotalLength == Ipv4Header.Size + payload && view.Identification == id
                && view.DontFragment == df && view.TimeToLive == ttl && view.Protocol == protocol && view.Source == source
                && view.Destination == destination && view.Payload.Length == payload && view.HeaderLength == Ipv4Header.Size
                && !view.IsFragment && TestFrames.SumOf(view.Header) == 0xFFFF;
        });

    [Test]
    public void Ipv6_RoundTrips() => Gen.Select(Gen.Byte, Gen.Int[0, 0xFFFFF], Gen.Byte, Gen.Byte, s_v6, s_v6, Gen.Int[0, 100]).Sample(
        static (trafficClass, label, next, hops, source, destination, payload) =>
        {
            byte[] bytes = new byte[Ipv6Header.Size + payload + 2];
            new Ipv6Header
            {
                TrafficClass = trafficClass,
                FlowLabel = label,
                PayloadLength = (ushort)payload,
                NextHeader = next,
                HopLimit = hops,
                Source = source,
                Destination = destination,
            }.Write(bytes);
            return Ipv6View.TryParse(bytes, out Ipv6View view)
                && view.TrafficClass == trafficClass && view.FlowLabel == label && view.PayloadLength == payload
                && view.TotalLength == Ipv6Header.Size + payload && view.NextHeader == next && view.HopLimit == hops
                && view.Source == source && view.Destination == destination && view.Payload.Length == payload;
        });

    [Test]
    public void Udp_RoundTrips() => Gen.Select(Gen.UShort, Gen.UShort, Gen.UShort, Gen.Int[0, 100]).Sample(
        static (source, destination, checksum, payload) =>
        {
            byte[] bytes = new byte[UdpHeader.Size + payload + 1];
            new UdpHeader(source, destination, (ushort)(UdpHeader.Size + payload), checksum).Write(bytes);
            return UdpView.TryParse(bytes, out UdpView view)
                && view.SourcePort == source && view.DestinationPort == destination && view.Checksum == checksum
                && view.Length == UdpHeader.Size + payload && view.Payload.Length == payload;
        });

    [Test]
    public void Tcp_IsReadFieldByField()
    {
        byte[] segment = TestFrames.Hex("2710 4E20 00000001 00000002 60 18 01F6 BEEF 0007 020405B4 AABBCC");
        Assert.That(TcpView.TryParse(segment, out TcpView view), Is.True);
        Assert.That((view.SourcePort, view.DestinationPort), Is.EqualTo((10000, 20000)));
        Assert.That((view.SequenceNumber, view.AcknowledgmentNumber), Is.EqualTo((1u, 2u)));
        Assert.That(view.HeaderLength, Is.EqualTo(24));
        Assert.That(view.Flags, Is.EqualTo(TcpFlags.Ack | TcpFlags.Psh));
        Assert.That((view.Window, view.Checksum, view.UrgentPointer), Is.EqualTo((502, 0xBEEF, 7)));
        Assert.That(view.Options.ToArray(), Is.EqualTo(TestFrames.Hex("020405B4")));
        Assert.That(view.Payload.ToArray(), Is.EqualTo(TestFrames.Hex("AABBCC")));
    }

    [Test]
    public void Tcp_DataOffsetThatLies_IsRefused([Range(0, 15)] int words)
    {
        byte[] segment = new byte[TcpView.MinimumHeaderSize + 8];
        segment[12] = (byte)(words << 4);
        Assert.That(TcpView.TryParse(segment, out _), Is.EqualTo(words is >= 5 and <= 7));
    }

    [TestCase(0, false)]
    [TestCase(7, false)]
    [TestCase(8, true)]
    [TestCase(12, true)]
    [TestCase(13, false)]
    public void Udp_LengthThatLies_IsRefused(int length, bool expected)
    {
        byte[] datagram = new byte[12];
        datagram[5] = (byte)length;
        Assert.That(UdpView.TryParse(datagram, out _), Is.EqualTo(expected));
    }

    [TestCase("0006 0800 06 04")]
    [TestCase("0001 86DD 06 04")]
    [TestCase("0001 0800 08 04")]
    [TestCase("0001 0800 06 10")]
    public void Arp_ForOtherNetworks_IsNotRead(string start)
    {
        byte[] bytes = [.. TestFrames.Hex(start), .. new byte[40]];
        Assert.That(ArpPacket.TryParse(bytes, out _), Is.False);
    }

    [Test]
    public void Vlan_OtherEtherType_IsNoTag() => Assert.That(VlanTag.TryRead(TestFrames.Hex("0800 0064"), out _), Is.False);

    [Test]
    public void Ipv4_FragmentField_IsReadBitByBit()
    {
        byte[] packet = TestFrames.Hex("4500 0014 1234 2005 4011 0000 C6120101 C6120102");
        Assert.That(Ipv4View.TryParse(packet, out Ipv4View view), Is.True);
        Assert.That((view.DontFragment, view.MoreFragments, view.FragmentOffset, view.IsFragment), Is.EqualTo((false, true, 40, true)));
        Assert.That((view.Identification, view.Checksum), Is.EqualTo((0x1234, 0)));
    }

    [Test]
    public void Views_OfTruncatedBytes_AreRefused()
    {
        byte[] bytes = new byte[64];
        bytes[0] = 0x45; // IPv4; for TCP and UDP a port
        bytes[3] = 20;
        bytes[5] = 8;
        bytes[12] = 0x50;
        for (int length = 0; length < bytes.Length; length++)
        {
            ReadOnlySpan<byte> cut = bytes.AsSpan(0, length);
            Assert.That(EthernetView.TryParse(cut, out _), Is.EqualTo(length >= 14), $"Ethernet of {length}");
            Assert.That(Ipv4View.TryParse(cut, out _), Is.EqualTo(length >= 20), $"IPv4 of {length}");
            Assert.That(TcpView.TryParse(cut, out _), Is.EqualTo(length >= 20), $"TCP of {length}");
            Assert.That(UdpView.TryParse(cut, out _), Is.EqualTo(length >= 8), $"UDP of {length}");
        }

        byte[] v6 = [0x60, .. new byte[63]];
        byte[] arp = [.. TestFrames.Hex("0001 0800 0604"), .. new byte[58]];
        byte[] tag = TestFrames.Hex("8100 0064 0800");
        for (int length = 0; length < v6.Length; length++)
        {
            Assert.That(Ipv6View.TryParse(v6.AsSpan(0, length), out _), Is.EqualTo(length >= 40), $"IPv6 of {length}");
            Assert.That(ArpPacket.TryParse(arp.AsSpan(0, length), out _), Is.EqualTo(length >= 28), $"ARP of {length}");
            if (length <= tag.Length)
                Assert.That(VlanTag.TryRead(tag.AsSpan(0, length), out _), Is.EqualTo(length >= 4), $"VLAN of {length}");
        }
    }

    [Test]
    public void IcmpErrors_AreTold_FromQuestionsAndAnswers()
    {
        byte[] v4 = [.. Enumerable.Range(0, 256).Select(static i => (byte)i).Where(IcmpV4.IsError)];
        byte[] v6 = [.. Enumerable.Range(0, 256).Select(static i => (byte)i).Where(IcmpV6.IsError)];
        Assert.That(v4, Is.EqualTo((byte[])[3, 4, 5, 11, 12]));
        Assert.That(v6, Is.EqualTo((byte[])[.. Enumerable.Range(0, 128).Select(static i => (byte)i), 137]));
    }

    // one byte too many in front and behind, to see that both stay
    private static void Expect(string hex, Writer write)
    {
        byte[] expected = TestFrames.Hex(hex);
        byte[] buffer = new byte[expected.Length + 2];
        buffer.AsSpan().Fill(0xA5);
        write(buffer.AsSpan(1));
        Assert.That(buffer, Is.EqualTo((byte[])[0xA5, .. expected, 0xA5]));
    }
}
