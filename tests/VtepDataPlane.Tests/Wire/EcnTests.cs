using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Wire;

public sealed class EcnTests
{
    // RFC 6040 figure 4; rows inner, columns outer, both as numbers: Not-ECT 0, ECT(1) 1, ECT(0) 2, CE 3; -1: drop
    private static readonly int[,] s_decapsulation =
    {
        { 0, 0, 0, -1 },
        { 1, 1, 1, 3 },
        { 2, 1, 2, 3 },
        { 3, 3, 3, 3 },
    };

    [Test]
    public void Decapsulation_IsTheTableOfTheRfc([Range(0, 3)] int inner, [Range(0, 3)] int outer, [Values(0, 0xB8)] int dscp)
    {
        int expected = s_decapsulation[inner, outer];
        bool isKept = Ecn.TryDecapsulate((byte)(dscp | inner), (byte)(dscp | outer), out byte result);
        Assert.That(isKept, Is.EqualTo(expected >= 0));
        if (isKept)
            Assert.That(result, Is.EqualTo(expected));
    }

    [TestCase(0, 0, 0)]
    [TestCase(1, 1, 1)]
    [TestCase(2, 2, 2)]
    [TestCase(3, 3, 2)]
    public void Encapsulation_Copies_ButMayHideCongestion(int inner, int rfc, int kernel)
    {
        Assert.That(Ecn.Encapsulate((byte)(0xB8 | inner), congestionAsEct0: false), Is.EqualTo(rfc));
        Assert.That(Ecn.Encapsulate((byte)(0xB8 | inner), congestionAsEct0: true), Is.EqualTo(kernel));
    }

    [Test]
    public void Set_GivesTheFrameThatWasSentWithTheseBits() => Gen.Select(Gen.Byte, Gen.Byte, Gen.Bool, Gen.Bool).Sample(
        static (before, ecn, isIPv6, tagged) =>
        {
            (string from, string to) = isIPv6 ? (TestFrames.IPv6A, TestFrames.IPv6B) : (TestFrames.IPv4A, TestFrames.IPv4B);
            byte after = (byte)((before & 0xFC) | (ecn & 3));
            byte[] frame = TestFrames.Udp(sourceIp: from, destinationIp: to, tos: before, vlans: tagged ? [5] : null);
            FrameHeaders.Parse(frame, out FrameHeaders headers);
            Ecn.Set(frame, headers, ecn);
            Assert.That(
                frame, Is.EqualTo(TestFrames.Udp(sourceIp: from, destinationIp: to, tos: after, vlans: tagged ? [5] : null)));
        });

    [Test]
    public void Set_LeavesAWrongHeaderChecksumWrong()
    {
        byte[] frame = TestFrames.Udp(tos: 2);
        frame[24] ^= 1;
        FrameHeaders.Parse(frame, out FrameHeaders headers);
        Ecn.Set(frame, headers, Ecn.Ce);
        Assert.That(TestFrames.SumOf(frame.AsSpan(14, 20)), Is.Not.EqualTo(0xFFFF));
    }

    [Test]
    public void Set_LeavesWhatIsNotIpAlone()
    {
        byte[] frame = TestFrames.Arp();
        FrameHeaders.Parse(frame, out FrameHeaders headers);
        Ecn.Set(frame, headers, Ecn.Ce);
        Assert.That(frame, Is.EqualTo(TestFrames.Arp()));
    }
}
