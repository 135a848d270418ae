using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Wire;

public sealed class TransportChecksumTests
{
    private static readonly (string From, string To)[] s_families =
        [(TestFrames.IPv4A, TestFrames.IPv4B), (TestFrames.IPv6A, TestFrames.IPv6B)];

    private delegate byte[] Builder(string from, string to, byte[] payload, TestChecksum checksum, int[]? vlans);

    private static readonly Builder[] s_builders =
    [
        static (from, to, payload, checksum, vlans) =>
            TestFrames.Udp(sourceIp: from, destinationIp: to, payload: payload, checksum: checksum, vlans: vlans),
        static (from, to, payload, checksum, vlans) =>
            TestFrames.Tcp(sourceIp: from, destinationIp: to, payload: payload, checksum: checksum, vlans: vlans),
    ];

    [Test]
    public void PartialChecksum_IsRecognizedAndCompleted_ToTheRightOne()
    {
        Gen<byte[]> payloads = Gen.Byte.Array[1, 300];
        Gen.Select(payloads, Gen.Int[0, 1], Gen.Int[0, 1], Gen.Bool).Sample(static (payload, family, builder, tagged) =>
        {
            (string from, string to) = s_families[family];
            int[]? vlans = tagged ? [9] : null;
            byte[] frame = s_builders[builder](from, to, payload, TestChecksum.Partial, vlans);
            byte[] right = s_builders[builder](from, to, payload, TestChecksum.Right, vlans);
            FrameHeaders headers = Parse(frame);
            Assert.That(TransportChecksum.IsPartial(frame, headers, out ushort start, out ushort offset), Is.True);
            Assert.That((start, offset), Is.EqualTo((headers.TransportOffset, builder == 0 ? 6 : 16)));
            Assert.That(TransportChecksum.TryComplete(frame, start, offset), Is.True);
            Assert.That(frame, Is.EqualTo(right));
            Assert.That(TransportChecksum.IsValid(frame, headers), Is.True);
        });
    }

    [Test]
    public void FinishedChecksum_IsNotPartial([Values(TestChecksum.Right, TestChecksum.Wrong, TestChecksum.Zero)] TestChecksum checksum)
    {
        foreach ((string from, string to) in s_families)
        {
            foreach (Builder builder in s_builders)
            {
                byte[] frame = builder(from, to, TestFrames.Pattern(40), checksum, null);
                Assert.That(TransportChecksum.IsPartial(frame, Parse(frame), out ushort start, out ushort offset), Is.False);
                Assert.That((start, offset), Is.EqualTo((0, 0)));
            }
        }
    }

    [Test]
    public void SuperFrame_WithPartialChecksum_IsRecognized()
    {
        byte[] frame = TestFrames.Tcp(payload: new byte[65_000], checksum: TestChecksum.Partial);
        Assert.That(TransportChecksum.IsPartial(frame, Parse(frame), out ushort start, out ushort offset), Is.True);
        Assert.That((start, offset), Is.EqualTo((34, 16)));
    }

    [Test]
    public void Fragment_IsNeitherPartialNorValid()
    {
        foreach ((string from, string to) in s_families)
        {
            byte[] whole = TestFrames.Udp(sourceIp: from, destinationIp: to, checksum: TestChecksum.Partial);
            byte[] udp = whole[Parse(whole).TransportOffset..];
            byte[] frame = TestFrames.Ip(17, udp, sourceIp: from, destinationIp: to, moreFragments: true);
            Assert.That(TransportChecksum.IsPartial(frame, Parse(frame), out _, out _), Is.False);
            Assert.That(TransportChecksum.IsValid(frame, Parse(frame)), Is.False);
        }
    }

    [Test]
    public void OtherProtocols_AreNeitherPartialNorValid()
    {
        foreach (byte[] frame in (ReadOnlySpan<byte[]>)[TestFrames.Arp(), TestFrames.IcmpEcho(), TestFrames.Ip(47, new byte[40])])
        {
            Assert.That(TransportChecksum.IsPartial(frame, Parse(frame), out _, out _), Is.False);
            Assert.That(TransportChecksum.IsValid(frame, Parse(frame)), Is.False);
        }
    }

    [Test]
    public void OneFlippedBit_MakesAChecksumInvalid() => Gen.Select(Gen.Int[0, 1], Gen.Int[0, 1], Gen.Int[0, 40 * 8 - 1]).Sample(
        static (family, builder, bit) =>
        {
            (string from, string to) = s_families[family];
            byte[] frame = s_builders[builder](from, to, TestFrames.Pattern(33), TestChecksum.Right, null);
            FrameHeaders headers = Parse(frame);
            Assert.That(TransportChecksum.IsValid(frame, headers), Is.True);
            frame[headers.TransportOffset + bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.That(TransportChecksum.IsValid(frame, Parse(frame)), Is.False);
        });

    [TestCase(TestFrames.IPv4A, TestFrames.IPv4B, true)]
    [TestCase(TestFrames.IPv6A, TestFrames.IPv6B, false)]
    public void UdpWithoutChecksum_IsValidOverIPv4Only(string from, string to, bool expected)
    {
        byte[] frame = TestFrames.Udp(sourceIp: from, destinationIp: to, checksum: TestChecksum.Zero);
        Assert.That(TransportChecksum.IsValid(frame, Parse(frame)), Is.EqualTo(expected));
    }

    [Test]
    public void TcpWithoutChecksum_IsInvalid()
    {
        byte[] frame = TestFrames.Tcp(checksum: TestChecksum.Zero);
        Assert.That(TransportChecksum.IsValid(frame, Parse(frame)), Is.False);
    }

    // 10000 + 20000 + length and addresses sum to something; the payload word is what is missing to 0xFFFF
    [Test]
    public void UdpChecksumThatComesOutAsZero_IsStoredAsAllOnes()
    {
        byte[] frame = TestFrames.Udp(payload: [0, 0], checksum: TestChecksum.Right);
        frame[40..42].CopyTo(frame, 42); // a payload equal to the checksum brings the sum to FFFF
        byte[] partial = TestFrames.Udp(payload: frame[42..44], checksum: TestChecksum.Partial);
        Assert.That(TransportChecksum.TryComplete(partial, 34, 6), Is.True);
        Assert.That(partial[40..42], Is.EqualTo(TestFrames.Hex("FFFF")));
        Assert.That(TransportChecksum.IsValid(partial, Parse(partial)), Is.True);
    }

    [Test]
    public void PaddingThatIsNotZero_IsNotSummed()
    {
        byte[] right = TestFrames.Udp(payload: [1, 2, 3]);
        byte[] padded = [.. TestFrames.Udp(payload: [1, 2, 3], checksum: TestChecksum.Partial), .. TestFrames.Pattern(15)];
        FrameHeaders headers = Parse(padded);
        Assert.That(TransportChecksum.IsPartial(padded, headers, out ushort start, out ushort offset), Is.True);
        Assert.That(TransportChecksum.TryComplete(padded, start, offset), Is.True);
        Assert.That(padded[..right.Length], Is.EqualTo(right));
        Assert.That(padded[right.Length..], Is.EqualTo(TestFrames.Pattern(15)));
        Assert.That(TransportChecksum.IsValid(padded, headers), Is.True);
    }

    [Test]
    public void FrameThatIsNotIp_IsSummedToItsEnd()
    {
        byte[] frame = [.. TestFrames.Ethernet(0x88B5, TestFrames.Hex("1234 0000 0001"))];
        Assert.That(TransportChecksum.TryComplete(frame, 14, 2), Is.True);
        Assert.That(frame[14..], Is.EqualTo(TestFrames.Hex("1234 EDCA 0001")));
    }

    [TestCase(0, 0, true)]
    [TestCase(34, 6, true)]
    [TestCase(34, 38, true)]
    [TestCase(34, 39, false)]
    [TestCase(72, 0, true)]
    [TestCase(73, 0, false)]
    [TestCase(74, 0, false)]
    [TestCase(65535, 0, false)]
    [TestCase(0, 65535, false)]
    [TestCase(65535, 65535, false)]
    public void FieldOutsideTheFrame_IsRefusedAndNothingWritten(int start, int offset, bool expected)
    {
        byte[] frame = TestFrames.Udp();
        Assert.That(frame, Has.Length.EqualTo(74));
        byte[] before = [.. frame];
        Assert.That(TransportChecksum.TryComplete(frame, (ushort)start, (ushort)offset), Is.EqualTo(expected));
        if (!expected)
            Assert.That(frame, Is.EqualTo(before));
    }

    [Test]
    public void ChecksumOfATunnelInsideTheFrame_IsCompleted()
    {
        byte[] inner = TestFrames.Tcp(checksum: TestChecksum.Partial);
        byte[] frame = TestFrames.Udp(payload: [.. TestFrames.Hex("08000000 00000100"), .. inner], checksum: TestChecksum.Zero);
        Assert.That(TransportChecksum.TryComplete(frame, 50 + 34, 16), Is.True);
        Assert.That(frame[50..], Is.EqualTo(TestFrames.Tcp()));
    }

    private static FrameHeaders Parse(byte[] frame)
    {
        Assert.That(FrameHeaders.Parse(frame, out FrameHeaders headers), Is.EqualTo(FrameFault.None));
        return headers;
    }
}
