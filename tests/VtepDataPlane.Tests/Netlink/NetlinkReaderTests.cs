// Reading netlink: golden bytes, and bytes that lie.

using System.Buffers.Binary;
using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Linux.Netlink;

namespace VtepDataPlane.Tests.Netlink;

internal sealed class NetlinkReaderTests
{
    [Test]
    public void Messages_OfOneDatagram_ComeInOrder()
    {
        byte[] datagram = Convert.FromHexString(
            "15000000" + "1000" + "0200" + "07000000" + "00000000" + "AABBCCDDEE" + "000000" // 21 bytes and padding
            + "10000000" + "0300" + "1200" + "08000000" + "2A000000");
        var messages = new NetlinkMessages(datagram);

        Assert.That(messages.TryNext(out NetlinkMessage first), Is.True);
        Assert.That((first.Type, first.Flags, first.Sequence), Is.EqualTo(((ushort)16, (ushort)2, 7u)));
        Assert.That(Convert.ToHexString(first.Payload), Is.EqualTo("AABBCCDDEE"));
        Assert.That(messages.TryNext(out NetlinkMessage second), Is.True);
        Assert.That((second.Type, second.Flags, second.Sequence, second.Payload.Length), Is.EqualTo(((ushort)3, (ushort)0x12, 8u, 0)));
        Assert.That(messages.TryNext(out _), Is.False);
    }

    [TestCase("0F000000" + "1000" + "0200" + "07000000" + "00000000", TestName = "Messages_ShorterThanTheirHeader_End")]
    [TestCase("11000000" + "1000" + "0200" + "07000000" + "00000000", TestName = "Messages_LongerThanTheDatagram_End")]
    [TestCase("FFFFFFFF" + "1000" + "0200" + "07000000" + "00000000", TestName = "Messages_OfNegativeLength_End")]
    [TestCase("00000000" + "1000" + "0200" + "07000000" + "00000000", TestName = "Messages_OfNoLength_End")]
    [TestCase("10000000" + "1000" + "0200" + "07000000" + "000000", TestName = "Messages_InAHeaderCutOff_End")]
    [TestCase("", TestName = "Messages_OfNothing_End")]
    public void Messages_WhoseLengthLies_End(string hex) =>
        Assert.That(new NetlinkMessages(Convert.FromHexString(hex)).TryNext(out _), Is.False);

    [Test]
    public void Attributes_ComeInOrder_WithoutTheNestedBit()
    {
        byte[] bytes = Convert.FromHexString("0700" + "0300" + "6C6F00" + "00" + "0800" + "0480" + "DC050000");
        var attributes = new NetlinkAttributes(bytes);

        Assert.That(attributes.TryNext(out NetlinkAttribute name), Is.True);
        Assert.That((name.Type, name.AsString), Is.EqualTo((3, "lo")));
        Assert.That(attributes.TryNext(out NetlinkAttribute mtu), Is.True);
        Assert.That((mtu.Type, mtu.AsUInt32), Is.EqualTo((4, 1500u)));
        Assert.That(attributes.TryNext(out _), Is.False);
    }

    [TestCase("0300" + "0400" + "DC050000", TestName = "Attributes_ShorterThanTheirHeader_End")]
    [TestCase("0900" + "0400" + "DC050000", TestName = "Attributes_LongerThanWhatIsThere_End")]
    [TestCase("0000" + "0400" + "DC050000", TestName = "Attributes_OfNoLength_End")]
    [TestCase("0800" + "04", TestName = "Attributes_InAHeaderCutOff_End")]
    public void Attributes_WhoseLengthLies_End(string hex) =>
        Assert.That(new NetlinkAttributes(Convert.FromHexString(hex)).TryNext(out _), Is.False);

    [TestCase("0700" + "0400" + "DC0500", 0u, TestName = "AsUInt32_OfThreeBytes_IsZero")]
    [TestCase("0400" + "0400", 0u, TestName = "AsUInt32_OfNoBytes_IsZero")]
    [TestCase("0A00" + "0400" + "DC0500000000", 1500u, TestName = "AsUInt32_OfSixBytes_IsTheFirstFour")]
    public void AsUInt32_NeverReadsBeyondTheValue(string hex, uint expected) =>
        Assert.That(new NetlinkAttributes(Convert.FromHexString(hex)).Find(4).AsUInt32, Is.EqualTo(expected));

    [Test]
    public void AsInt32_OfAHugeNumber_IsZero() =>
        Assert.That(new NetlinkAttributes(Convert.FromHexString("0800" + "0400" + "FFFFFFFF")).Find(4).AsInt32, Is.Zero);

    [Test]
    public void AsString_WithoutNul_IsTheWholeValue() =>
        Assert.That(new NetlinkAttributes(Convert.FromHexString("0600" + "0300" + "6C6F")).Find(3).AsString, Is.EqualTo("lo"));

    [Test]
    public void AttributesAfter_AStructureLongerThanTheMessage_AreNone()
    {
        var message = new NetlinkMessage(16, 0, 1, new byte[15]);

        Assert.That(message.AttributesAfter(16).TryNext(out _), Is.False);
    }

    [Test]
    public void AnyBytes_AreReadToTheEnd_WithoutAnException()
    {
        Gen.Byte.Array[0, 300].Sample(bytes => Walk(bytes, depth: 0) <= bytes.Length);
    }

    [Test]
    public void AnyBytes_BehindTrueHeaders_ParseWithoutAnException()
    {
        Gen.Select(Gen.Byte.Array[0, 200], Gen.UShort[16, 26]).Sample((payload, type) =>
        {
            var message = new NetlinkMessage(type, 2, 1, payload);
            LinkInfo? link = LinkInfo.Parse(message);
            RouteInfo? route = RouteInfo.Parse(message);
            AddressInfo? address = AddressInfo.Parse(message);
            return (link is null || link.Index > 0) && (route is null || route.NextHops.Count > 0) && (address is null || !address.Address.IsNone);
        });
    }

    [Test]
    public void Attributes_WithOneLengthThatLies_NeverReadOutsideTheirMessage()
    {
        // A row of true attributes, then one length replaced: what is read before it stays true, and nothing is invented.
        Gen.Select(Gen.Byte.Array[0, 12].Array[1, 8], Gen.Int[0, 7], Gen.UShort).Sample((values, where, lie) =>
        {
            byte[] bytes = new byte[256];
            var writer = new NetlinkWriter(bytes, 16, 0);
            int liar = where % values.Length;
            int liarOffset = 0;
            for (int i = 0; i < values.Length; i++)
            {
                if (i == liar)
                    liarOffset = writer.Finish(1).Length;
                values[i].CopyTo(writer.AppendAttribute((ushort)(i + 1), values[i].Length));
            }

            int length = writer.Finish(1).Length;
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(liarOffset), lie);
            var attributes = new NetlinkAttributes(bytes.AsSpan(16, length - 16));
            for (int i = 0; i < liar; i++)
            {
                if (!attributes.TryNext(out NetlinkAttribute honest) || honest.Type != i + 1 || !honest.Value.SequenceEqual(values[i]))
                    return false;
            }

            int rest = length - liarOffset;
            while (attributes.TryNext(out NetlinkAttribute attribute))
                rest -= 4 + attribute.Value.Length;
            return rest >= 0;
        });
    }

    /// <summary>Reads everything as everything; gives how many bytes of messages were seen.</summary>
    private static int Walk(ReadOnlySpan<byte> bytes, int depth)
    {
        int seen = 0;
        var messages = new NetlinkMessages(bytes);
        while (messages.TryNext(out NetlinkMessage message))
        {
            seen += 16 + message.Payload.Length;
            WalkAttributes(message.AttributesAfter(0), depth);
        }

        WalkAttributes(new NetlinkAttributes(bytes), depth);
        return seen;
    }

    private static void WalkAttributes(NetlinkAttributes attributes, int depth)
    {
        while (attributes.TryNext(out NetlinkAttribute attribute))
        {
            _ = attribute.AsString.Length + attribute.AsInt32;
            if (depth < 4)
                WalkAttributes(attribute.Nested, depth + 1);
        }
    }
}
