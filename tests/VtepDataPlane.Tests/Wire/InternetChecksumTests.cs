using System.Buffers.Binary;
using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Wire;

public sealed class InternetChecksumTests
{
    private static readonly Gen<InetAddress> s_v4 = Gen.UInt.Select(static value => InetAddress.FromIPv4(value));
    private static readonly Gen<InetAddress> s_v6 = Gen.Select(Gen.ULong, Gen.ULong)
        .Select(static (high, low) => InetAddress.FromIPv6(high, low));

    // RFC 1071 section 3
    [Test]
    public void Example_OfTheRfc()
    {
        byte[] data = TestFrames.Hex("0001 F203 F4F5 F6F7");
        Assert.That(InternetChecksum.Fold(InternetChecksum.Sum(data)), Is.EqualTo(0xDDF2));
        Assert.That(InternetChecksum.Compute(data), Is.EqualTo(0x220D));
    }

    [Test]
    public void EveryWidth_GivesTheSame_AtEveryLengthAndAlignment()
    {
        byte[] random = new byte[2048 + 64];
        new Random(1071).NextBytes(random);
        for (int length = 0; length <= 2048; length++)
        {
            CheckWidths(random.AsSpan(0, length));
            CheckWidths(random.AsSpan(1 + length % 63, length));
        }
    }

    [TestCase(0x00)]
    [TestCase(0xFF)]
    public void EveryWidth_GivesTheSame_ForUniformBytes(byte value)
    {
        byte[] data = new byte[65_535];
        data.AsSpan().Fill(value);
        foreach (int length in (int[])[0, 1, 2, 3, 63, 64, 65, 127, 128, 129, 4096, 65_534, 65_535])
            CheckWidths(data.AsSpan(0, length));
    }

    [Test]
    public void Sum_OfZeros_IsZero_AndOfNothingElse() => Gen.Byte.Array[0, 200].Sample(static data =>
        InternetChecksum.Fold(InternetChecksum.Sum(data)) == 0 == data.All(static octet => octet == 0));

    [Test]
    public void Sum_GoesOnFromPieces() => Gen.Select(Gen.Byte.Array[0, 300], Gen.Int[0, 150]).Sample(static (data, half) =>
    {
        int cut = Math.Min(2 * half, data.Length);
        ulong pieces = InternetChecksum.Sum(data.AsSpan(cut), InternetChecksum.Sum(data.AsSpan(0, cut)));
        return InternetChecksum.Fold(pieces) == TestFrames.SumOf(data);
    });

    [Test]
    public void Checksum_StoredInItsData_MakesTheChecksumZero() => Gen.Byte.Array[2, 300].Sample(static data =>
    {
        data[0] = data[1] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(data, InternetChecksum.Compute(data));
        return InternetChecksum.Compute(data) == 0;
    });

    [Test]
    public void Fold_IsTheValueModulo65535() => Gen.ULong.Sample(static sum =>
        InternetChecksum.Fold(sum) % 65535UL == sum % 65535 && InternetChecksum.Fold(sum) == 0 == (sum == 0));

    [TestCase(0xFFFF_FFFF_FFFF_FFFFUL, 0xFFFF)]
    [TestCase(0x1_0000UL, 1)]
    [TestCase(0xFFFFUL, 0xFFFF)]
    [TestCase(0UL, 0)]
    public void Fold_AtItsEdges(ulong sum, int expected) => Assert.That(InternetChecksum.Fold(sum), Is.EqualTo(expected));

    // the example of RFC 1624 section 4, where equation 2 of RFC 1141 would give FFFF
    [Test]
    public void Update_ExampleOfTheRfc() => Assert.That(InternetChecksum.Update(0xDD2F, 0x5555, 0x3285), Is.Zero);

    [Test]
    public void Update_IsAsGoodAsSummingAnew() => Gen.Select(Gen.Byte.Array[20, 20], Gen.Int[0, 9], Gen.UShort).Sample(
        static (data, word, value) =>
        {
            data[0] |= 1; // all zeros is the one input no header has, and the one where 0 and FFFF part
            Span<byte> place = data.AsSpan(2 * word);
            ushort before = InternetChecksum.Compute(data);
            ushort old = BinaryPrimitives.ReadUInt16BigEndian(place);
            BinaryPrimitives.WriteUInt16BigEndian(place, value);
            return data.All(static octet => octet == 0)
                || InternetChecksum.Update(before, old, value) == InternetChecksum.Compute(data);
        });

    [Test]
    public void PseudoHeader_OfIPv4_IsTheSumOfItsBytes() =>
        Gen.Select(s_v4, s_v4, Gen.Byte, Gen.Int[0, 65535]).Sample(static (source, destination, protocol, length) =>
        {
            byte[] bytes = new byte[12];
            source.Write(bytes);
            destination.Write(bytes.AsSpan(4));
            bytes[9] = protocol;
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(10), (ushort)length);
            return InternetChecksum.Fold(InternetChecksum.PseudoHeader(source, destination, protocol, length)) == TestFrames.SumOf(bytes);
        });

    [Test]
    public void PseudoHeader_OfIPv6_IsTheSumOfItsBytes() =>
        Gen.Select(s_v6, s_v6, Gen.Byte, Gen.Int[0, 70000]).Sample(static (source, destination, protocol, length) =>
        {
            byte[] bytes = new byte[40];
            source.Write(bytes);
            destination.Write(bytes.AsSpan(16));
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(32), length);
            bytes[39] = protocol;
            return InternetChecksum.Fold(InternetChecksum.PseudoHeader(source, destination, protocol, length)) == TestFrames.SumOf(bytes);
        });

    [Test]
    public void PseudoHeader_OfAFrame_IsThatOfItsAddresses()
    {
        (string, string)[] pairs = [("198.18.1.1", "255.255.255.254"), ("fd00::1", "fe80:ffff::2")];
        foreach ((string from, string to) in pairs)
        {
            byte[] frame = TestFrames.Udp(sourceIp: from, destinationIp: to, vlans: [3]);
            FrameHeaders.Parse(frame, out FrameHeaders headers);
            ulong expected = InternetChecksum.PseudoHeader(InetAddress.Parse(from), InetAddress.Parse(to), IpProtocol.Udp, 70_000);
            ulong actual = InternetChecksum.PseudoHeaderSum(frame, headers, 70_000);
            Assert.That(InternetChecksum.Fold(actual), Is.EqualTo(InternetChecksum.Fold(expected)));
        }
    }

    private static void CheckWidths(ReadOnlySpan<byte> data)
    {
        int expected = TestFrames.SumOf(data);
        Assert.That(InternetChecksum.Fold(InternetChecksum.SumScalar(data)), Is.EqualTo(expected), $"scalar, {data.Length} bytes");
        Assert.That(InternetChecksum.Fold(InternetChecksum.Sum128(data)), Is.EqualTo(expected), $"128 bits, {data.Length} bytes");
        Assert.That(InternetChecksum.Fold(InternetChecksum.Sum256(data)), Is.EqualTo(expected), $"256 bits, {data.Length} bytes");
        Assert.That(InternetChecksum.Fold(InternetChecksum.Sum512(data)), Is.EqualTo(expected), $"512 bits, {data.Length} bytes");
        Assert.That(InternetChecksum.Fold(InternetChecksum.Sum(data)), Is.EqualTo(expected), $"widest, {data.Length} bytes");
    }
}
