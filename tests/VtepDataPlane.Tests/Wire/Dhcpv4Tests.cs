// What is read of DHCP replies.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Wire;

public sealed class Dhcpv4Tests
{
    private const int OptionsAt = 240;

    private static byte[] Ack => NeighborFrames.DhcpMessage(MacA, IPv4A, DhcpReply.Ack);

    [Test]
    public void Acknowledgement_SaysWhoHasWhatAddress()
    {
        Assert.That(DhcpReply.TryParse(Ack, out DhcpReply reply), Is.True);
        Assert.That(reply, Is.EqualTo(new DhcpReply(5, InetAddress.Parse(IPv4A), MacA)));
    }

    [Test]
    public void AnyReply_IsReadAsItWasWritten() => Gen.Select(Gen.UInt, Gen.ULong, Gen.Byte[1, 255]).Sample(static (address, mac, type) =>
    {
        InetAddress your = InetAddress.FromIPv4(address);
        byte[] message = NeighborFrames.DhcpMessage(new MacAddress(mac & 0xFFFF_FFFF_FFFF), your.ToString(), type);
        return DhcpReply.TryParse(message, out DhcpReply reply)
            && reply == new DhcpReply(type, your, new MacAddress(mac & 0xFFFF_FFFF_FFFF));
    });

    [TestCase(0, 1, TestName = "a request")]
    [TestCase(1, 6, TestName = "not Ethernet")]
    [TestCase(2, 16, TestName = "another length of address")]
    [TestCase(236, 0, TestName = "BOOTP without the cookie")]
    [TestCase(OptionsAt + 2, 200, TestName = "an option that runs over the end")]
    [TestCase(OptionsAt + 8, 2, TestName = "a message type of two bytes")]
    [TestCase(OptionsAt, 255, TestName = "no message type")]
    public void OtherMessages_AreNone(int offset, int value)
    {
        byte[] message = Ack;
        message[offset] = (byte)value;
        Assert.That(DhcpReply.TryParse(message, out _), Is.False);
    }

    [Test]
    public void MessageCutShort_IsNone_UnlessItIsBetweenTwoOptions()
    {
        int[] whole = [.. Enumerable.Range(0, Ack.Length).Where(length => DhcpReply.TryParse(Ack.AsSpan(0, length), out _))];
        Assert.That(whole, Is.EqualTo(new[] { OptionsAt + 10, OptionsAt + 16 }));
    }

    [Test]
    public void AnyBytes_NeverThrow_AndAreNotReadBeyond()
    {
        using var memory = new GuardedBuffer(512);
        int parsed = 0;
        Gen.Select(Gen.Select(Gen.Int[0, 24], Gen.Byte).Array[0, 4], Gen.Int[200, 300], Gen.Byte.Array[0, 40]).Sample(
            (changes, length, more) =>
            {
                byte[] message = [.. Ack, .. more];
                foreach ((int offset, byte value) in changes)
                    message[offset < 4 ? offset : OptionsAt + offset - 8] = value;
                foreach (ReadOnlySpan<byte> bytes in new Both(memory, message.AsSpan(0, Math.Min(length, message.Length))))
                    parsed += DhcpReply.TryParse(bytes, out _) ? 1 : 0;
            },
            iter: 20_000, threads: 1);
        Assert.That(parsed, Is.GreaterThan(100), "some get through");
    }
}
