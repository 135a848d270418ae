// Socket addresses and control messages, to the byte, as a 64-bit little-endian kernel has them.

using System.Runtime.InteropServices;
using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Udp;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Linux;

internal sealed class SocketBytesTests
{
    private static readonly InetAddress s_v4 = InetAddress.Parse("198.18.0.2");
    private static readonly InetAddress s_v6 = InetAddress.Parse("fd00:18::2");

    [Test]
    public void Ipv4Address_IsSixteenBytes()
    {
        byte[] bytes = Filled(SocketAddress.Size);
        Assert.That(SocketAddress.Write(bytes, s_v4, 4789), Is.EqualTo(16));
        Assert.That(Convert.ToHexString(bytes, 0, 16), Is.EqualTo("020012B5C61200020000000000000000"));
        Assert.That(SocketAddress.Read(bytes), Is.EqualTo(new VtepEndpoint(s_v4, 4789)));
    }

    [Test]
    public void Ipv6Address_IsTwentyEightBytes()
    {
        byte[] bytes = Filled(SocketAddress.Size);
        Assert.That(SocketAddress.Write(bytes, s_v6, 4789, scope: 3), Is.EqualTo(28));
        Assert.That(Convert.ToHexString(bytes), Is.EqualTo("0A0012B500000000FD00001800000000000000000000000203000000"));
        Assert.That(SocketAddress.Read(bytes), Is.EqualTo(new VtepEndpoint(s_v6, 4789)));
    }

    [Test]
    public void AnotherFamily_IsNoAddress() => Assert.That(SocketAddress.Read(new byte[SocketAddress.Size]), Is.EqualTo(default(VtepEndpoint)));

    [Test]
    public void ADatagramLikeAnyOther_NeedsNoControlMessage()
    {
        byte[] bytes = Filled(ControlMessages.SendSize);
        Assert.That(ControlMessages.Write(bytes, new OuterHeader { Remote = new VtepEndpoint(s_v4, 4789) }, s_v4), Is.Zero);
    }

    // 64 towards a VTEP and 1 towards a group are what the sockets do by themselves
    [TestCase("198.18.0.2", 64, false)]
    [TestCase("198.18.0.2", 1, true)]
    [TestCase("fd00:18::2", 64, false)]
    [TestCase("239.1.1.1", 1, false)]
    [TestCase("239.1.1.1", 64, true)]
    [TestCase("ff05::1", 1, false)]
    [TestCase("ff05::1", 64, true)]
    public void AHopLimit_TravelsOnlyWhereItDiffersFromTheSockets(string remote, byte hopLimit, bool travels)
    {
        byte[] bytes = Filled(ControlMessages.SendSize);
        var outer = new OuterHeader { Remote = new VtepEndpoint(InetAddress.Parse(remote), 4789), HopLimit = hopLimit };
        Assert.That(ControlMessages.Write(bytes, outer, s_v4), Is.EqualTo(travels ? 24 : 0));
    }

    [Test]
    public void Ipv4ControlMessages_AreTtl_Tos_AndPacketInfo()
    {
        byte[] bytes = Filled(ControlMessages.SendSize);
        var outer = new OuterHeader { Remote = new VtepEndpoint(s_v4, 4789), HopLimit = 7, TrafficClass = 0xBA, InterfaceIndex = 3 };
        int length = ControlMessages.Write(bytes, outer, InetAddress.Parse("198.18.0.1"));

        Assert.That(Convert.ToHexString(bytes, 0, length), Is.EqualTo(
            "1400000000000000" + "00000000" + "02000000" + "07000000" + "00000000"      // IP_TTL 7
            + "1400000000000000" + "00000000" + "01000000" + "BA000000" + "00000000"    // IP_TOS 0xBA
            + "1C00000000000000" + "00000000" + "08000000" + "03000000" + "C6120001" + "00000000" + "00000000")); // IP_PKTINFO
    }

    [Test]
    public void ATrainsControlMessage_IsItsSegmentSize()
    {
        byte[] bytes = Filled(ControlMessages.SegmentSize);
        ControlMessages.WriteSegment(bytes, 1472);

        Assert.That(Convert.ToHexString(bytes), Is.EqualTo("1200000000000000" + "11000000" + "67000000" + "C005" + "000000000000")); // UDP_SEGMENT 1472
    }

    [Test]
    public void AReceivedTrain_TellsItsSegmentSize_BesideTheTrafficClass()
    {
        byte[] bytes = Convert.FromHexString(
            "1100000000000000" + "00000000" + "01000000" + "BA00000000000000"       // IP_TOS 0xBA
            + "1400000000000000" + "11000000" + "68000000" + "C0050000" + "00000000"); // UDP_GRO 1472

        Assert.That((ControlMessages.ReadSegmentSize(bytes), ControlMessages.ReadTrafficClass(bytes)), Is.EqualTo((1472, (byte)0xBA)));
        Assert.That(ControlMessages.ReadSegmentSize(bytes.AsSpan(0, 24)), Is.Zero, "no train");
    }

    [Test]
    public void Ipv6ControlMessages_AreHopLimit_TrafficClass_AndPacketInfo()
    {
        byte[] bytes = Filled(ControlMessages.SendSize);
        var outer = new OuterHeader { Remote = new VtepEndpoint(s_v6, 4789), HopLimit = 7, TrafficClass = 0xBA, InterfaceIndex = 3 };
        int length = ControlMessages.Write(bytes, outer, InetAddress.Parse("fd00:18::1"));

        Assert.That(length, Is.EqualTo(ControlMessages.SendSize));
        Assert.That(Convert.ToHexString(bytes, 0, length), Is.EqualTo(
            "1400000000000000" + "29000000" + "34000000" + "07000000" + "00000000"
            + "1400000000000000" + "29000000" + "43000000" + "BA000000" + "00000000"
            + "2400000000000000" + "29000000" + "32000000" + "FD000018000000000000000000000001" + "03000000" + "00000000"));
    }

    [TestCase("1100000000000000" + "00000000" + "01000000" + "BA00000000000000", 0xBA)] // IP_TOS, one byte
    [TestCase("1400000000000000" + "29000000" + "43000000" + "BA00000000000000", 0xBA)] // IPV6_TCLASS, an int
    [TestCase("1400000000000000" + "29000000" + "34000000" + "0700000000000000", 0)] // something else
    [TestCase("1100000000000000" + "00000000" + "01000000", 0)] // cut short
    [TestCase("FFFFFFFFFFFFFFFF" + "00000000" + "01000000" + "BA", 0)] // a length that lies
    [TestCase("0000000000000000" + "00000000" + "01000000" + "BA", 0)] // one that would never end
    [TestCase("", 0)]
    public void ReadTrafficClass_FindsItOrGivesZero(string hex, int expected) =>
        Assert.That(ControlMessages.ReadTrafficClass(Convert.FromHexString(hex)), Is.EqualTo(expected));

    [Test]
    public void Find_OfAnything_StaysWithinItsBytes() =>
        Gen.Byte.Array[0, 200].Sample(bytes => Assert.That(ControlMessages.Find(bytes, 0, 1).Length, Is.LessThanOrEqualTo(bytes.Length)));

    [Test]
    public void Find_PassesOverOtherMessages()
    {
        byte[] bytes = Convert.FromHexString("1400000000000000" + "29000000" + "34000000" + "0700000000000000" + "1100000000000000" + "00000000" + "01000000" + "2A");
        Assert.That(MemoryMarshal.Read<byte>(ControlMessages.Find(bytes, 0, 1)), Is.EqualTo(0x2A));
    }

    private static byte[] Filled(int length)
    {
        var bytes = new byte[length];
        bytes.AsSpan().Fill(0xA5);
        return bytes;
    }
}
