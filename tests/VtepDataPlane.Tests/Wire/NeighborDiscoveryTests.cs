// Neighbour discovery byte for byte, what is to be discarded, and anything at all.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Wire;

public sealed class NeighborDiscoveryTests
{
    private const int HopLimitAt = 7, CodeAt = 41, ChecksumAt = 42, TargetAt = 48, OptionAt = 64, OptionLengthAt = 65;

    private static readonly Gen<InetAddress> s_host = Gen.Select(Gen.ULong, Gen.ULong)
        .Select(static (high, low) => InetAddress.FromIPv6(high & 0x3FFF_FFFF_FFFF_FFFF | 0x2000_0000_0000_0000, low));
    private static readonly Gen<MacAddress> s_macOrNone =
        Gen.ULong.Select(static value => value % 4 == 0 ? default : new MacAddress((value & 0xFCFF_FFFF_FFFF) | 0x0200_0000_0000));

    private static NeighborSolicitation Solicitation => new(
        InetAddress.Parse(IPv6A), InetAddress.Parse("ff02::1:ff00:2"), InetAddress.Parse(IPv6B), MacA);

    private static NeighborAdvertisement Advertisement => new(
        InetAddress.Parse(IPv6B), InetAddress.Parse(IPv6A), InetAddress.Parse(IPv6B), MacB, IsRouter: true, IsSolicited: true, IsOverride: true);

    [Test]
    public void Solicitation_IsGolden() => Assert.That(Bytes(Solicitation), Is.EqualTo(Hex("""
        6000 0000 0020 3A FF FD000000000000000000000000000001 FF0200000000000000000001FF000002
        87 00 7D8E 00000000 FD000000000000000000000000000002 01 01 02000000000A
        """)));

    [Test]
    public void Advertisement_IsGolden() => Assert.That(Bytes(Advertisement), Is.EqualTo(Hex("""
        6000 0000 0020 3A FF FD000000000000000000000000000002 FD000000000000000000000000000001
        88 00 9C90 E0000000 FD000000000000000000000000000002 02 01 02000000000B
        """)));

    [Test]
    public void Solicitation_IsWhatAnotherWriterWrites() => Assert.That(
        Bytes(Solicitation),
        Is.EqualTo(NeighborFrames.Solicitation(MacA, IPv6A, IPv6B)[14..]));

    [Test]
    public void Solicitation_RoundTrips() => Gen.Select(s_host, s_host, s_host, s_macOrNone).Sample(static (source, destination, target, mac) =>
    {
        var message = new NeighborSolicitation(source, destination, target, mac);
        return NeighborSolicitation.TryParse(Bytes(message), out NeighborSolicitation parsed) && parsed == message
            && !NeighborAdvertisement.TryParse(Bytes(message), out _);
    });

    [Test]
    public void Advertisement_RoundTrips() => Gen.Select(s_host, s_host, s_host, s_macOrNone, Gen.Int[0, 7]).Sample(
        static (source, destination, target, mac, flags) =>
        {
            var message = new NeighborAdvertisement(source, destination, target, mac, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0);
            return NeighborAdvertisement.TryParse(Bytes(message), out NeighborAdvertisement parsed) && parsed == message
                && !NeighborSolicitation.TryParse(Bytes(message), out _);
        });

    [Test]
    public void Padding_IsNotPartOfTheMessage() =>
        Assert.That(NeighborSolicitation.TryParse([.. Bytes(Solicitation), 0, 0, 0], out _), Is.True);

    // RFC 4861 sections 7.1.1 and 7.1.2, with the checksum right unless it is what is wrong
    [TestCase(HopLimitAt, 254, TestName = "a router has passed it on")]
    [TestCase(CodeAt, 1, TestName = "a code")]
    [TestCase(TargetAt, 0xFF, TestName = "a multicast target")]
    [TestCase(OptionLengthAt, 0, TestName = "an option of length 0")]
    [TestCase(OptionLengthAt, 2, TestName = "an option that runs over the end")]
    [TestCase(OptionAt + 2, 0x03, TestName = "a link-layer address that is a group")]
    [TestCase(40, 137, TestName = "another type")]
    public void MessageToDiscard_IsNone(int offset, int value)
    {
        byte[] solicitation = Bytes(Solicitation), advertisement = Bytes(Advertisement);
        solicitation[offset] = advertisement[offset] = (byte)value;
        Assert.That(NeighborSolicitation.TryParse(Repaired(solicitation), out _), Is.False);
        Assert.That(NeighborAdvertisement.TryParse(Repaired(advertisement), out _), Is.False);
    }

    [Test]
    public void WrongChecksum_AndEveryTruncation_AreNone()
    {
        byte[] packet = Bytes(Solicitation);
        packet[ChecksumAt] ^= 1;
        Assert.That(NeighborSolicitation.TryParse(packet, out _), Is.False);
        for (int length = 0; length < packet.Length; length++)
        {
            byte[] cut = Bytes(Solicitation)[..length];
            Assert.That(NeighborSolicitation.TryParse(cut, out _), Is.False, $"{length} bytes");
            if (length < 40)
                continue;
            cut[5] = (byte)(length - 40); // the header says so too; without its option it is one again
            if (length > 43)
                cut = Repaired(cut);
            Assert.That(NeighborSolicitation.TryParse(cut, out _), Is.EqualTo(length == 64), $"{length} bytes, and said so");
        }
    }

    [Test]
    public void SearchForADuplicate_HasNoSource_AndSaysNoMac()
    {
        var search = new NeighborSolicitation(InetAddress.Parse("::"), InetAddress.Parse("ff02::1:ff00:2"), InetAddress.Parse(IPv6B), default);
        Assert.That(NeighborSolicitation.TryParse(Bytes(search), out NeighborSolicitation parsed), Is.True);
        Assert.That(parsed, Is.EqualTo(search));
        Assert.That(NeighborSolicitation.TryParse(Bytes(search with { SourceMac = MacA }), out _), Is.False);
        Assert.That(NeighborSolicitation.TryParse(Bytes(search with { Destination = InetAddress.Parse(IPv6B) }), out _), Is.False);
    }

    [Test]
    public void AnswerToEverybody_IsNone() =>
        Assert.That(NeighborAdvertisement.TryParse(Bytes(Advertisement with { Destination = InetAddress.Parse("ff02::1") }), out _), Is.False);

    [Test]
    public void OptionsNobodyKnows_AreSkipped()
    {
        // a nonce (RFC 3971) in front
        byte[] packet = [.. Bytes(Solicitation)[..64], 14, 1, 1, 2, 3, 4, 5, 6, .. Bytes(Solicitation)[64..]];
        packet[5] += 8;
        Assert.That(NeighborSolicitation.TryParse(Repaired(packet), out NeighborSolicitation parsed), Is.True);
        Assert.That(parsed, Is.EqualTo(Solicitation));
    }

    [Test]
    public void AnyBytes_NeverThrow_AndAreNotReadBeyond()
    {
        using var memory = new GuardedBuffer(256);
        byte[][] valid = [Bytes(Solicitation), Bytes(Advertisement)];
        Gen<(int, byte)[]> damage = Gen.Select(Gen.Int[0, 71], Gen.Byte).Array[0, 4];
        int parsed = 0;
        Gen.Select(Gen.Int[0, 1], damage, Gen.Byte.Array[0, 24], Gen.Int[0, 96]).Sample(
            (which, changes, more, length) =>
            {
                byte[] packet = [.. valid[which]];
                foreach ((int offset, byte value) in changes)
                    packet[offset] = value;
                packet = [.. packet, .. more];
                packet[5] = (byte)(32 + more.Length);
                packet = Repaired(packet);
                foreach (ReadOnlySpan<byte> bytes in new Both(memory, packet.AsSpan(0, Math.Min(length, packet.Length))))
                {
                    bool isOne = NeighborSolicitation.TryParse(bytes, out _) | NeighborAdvertisement.TryParse(bytes, out _) | ArpPacket.TryParse(bytes, out _);
                    parsed += isOne ? 1 : 0;
                }
            },
            iter: 20_000, threads: 1);
        Assert.That(parsed, Is.GreaterThan(100), "some get through");
    }

    private static byte[] Bytes(in NeighborSolicitation message)
    {
        byte[] bytes = new byte[message.Size];
        message.Write(bytes);
        return bytes;
    }

    private static byte[] Bytes(in NeighborAdvertisement message)
    {
        byte[] bytes = new byte[message.Size];
        message.Write(bytes);
        return bytes;
    }

    // with a right checksum
    private static byte[] Repaired(byte[] packet)
    {
        packet[ChecksumAt] = packet[ChecksumAt + 1] = 0;
        int length = packet.Length - 40;
        int sum = 0xFFFF ^ SumOf([.. packet[8..40], 0, 0, (byte)(length >> 8), (byte)length, 0, 0, 0, 58, .. packet[40..]]);
        packet[ChecksumAt] = (byte)(sum >> 8);
        packet[ChecksumAt + 1] = (byte)sum;
        return packet;
    }
}
