// The outer packet around a datagram, byte for byte.

using NUnit.Framework;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Wire;

public sealed class OuterPacketTests
{
    private static string Hex(string source, string destination, byte trafficClass, byte hopLimit, bool dontFragment, bool checksum) =>
        Convert.ToHexStringLower(OuterPacket.Write(
            InetAddress.Parse(source), 0xC001, InetAddress.Parse(destination), 4789, trafficClass, hopLimit, dontFragment, checksum, [8, 0, 0, 0, 0, 0, 100, 0]));

    [Test]
    public void IPv4() => Assert.That(Hex("198.18.0.1", "198.18.0.2", 0x28, 64, dontFragment: true, checksum: false), Is.EqualTo(
        "45280024000040004011" + "ae79" + "c6120001c6120002" + "c00112b5" + "0010" + "0000" + "0800000000006400"));

    [Test]
    public void IPv4_WithoutDf_WithChecksum() => Assert.That(Hex("198.18.0.1", "198.18.0.2", 0, 7, dontFragment: false, checksum: true), Is.EqualTo(
        "45000024000000000711" + "27a2" + "c6120001c6120002" + "c00112b5" + "0010" + "34ef" + "0800000000006400"));

    [Test]
    public void IPv6_AlwaysHasAChecksum() => Assert.That(Hex("fd00::1", "fd00::2", 0xB9, 64, dontFragment: false, checksum: false), Is.EqualTo(
        "6b9000000010" + "1140" + "fd000000000000000000000000000001" + "fd000000000000000000000000000002" + "c00112b5" + "0010" + "c712" + "0800000000006400"));

    [TestCase("198.18.0.1", "198.18.0.2")]
    [TestCase("fd00::1", "fd00::2")]
    public void EveryChecksum_IsRight(string source, string destination)
    {
        var random = new Random(1);
        for (int i = 0; i < 200; i++)
        {
            var payload = new byte[random.Next(64)];
            random.NextBytes(payload);
            InetAddress from = InetAddress.Parse(source), to = InetAddress.Parse(destination);
            byte[] packet = OuterPacket.Write(from, (ushort)random.Next(65536), to, 4789, 0, 64, dontFragment: true, checksum: true, payload);
            int udp = packet.Length - 8 - payload.Length;
            ulong sum = InternetChecksum.PseudoHeader(from, to, IpProtocol.Udp, 8 + payload.Length) + InternetChecksum.Sum(packet.AsSpan(udp));
            Assert.That(InternetChecksum.Fold(sum), Is.EqualTo(0xFFFF));
            if (to.IsIPv4)
                Assert.That(InternetChecksum.Compute(packet.AsSpan(0, 20)), Is.Zero);
        }
    }

    [Test]
    public void TwoFamilies_AreRefused() => Assert.That(() => Hex("198.18.0.1", "fd00::2", 0, 64, dontFragment: true, checksum: true), Throws.ArgumentException);
}
