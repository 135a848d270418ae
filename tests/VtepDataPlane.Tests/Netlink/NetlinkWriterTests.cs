// Writing netlink: golden bytes.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Netlink;

internal sealed class NetlinkWriterTests
{
    [Test]
    public void Request_IsWrittenWhole_AndPaddedWithZeros()
    {
        byte[] buffer = Filled(64);
        var request = new NetlinkWriter(buffer, type: 18, flags: 4);
        request.Append(16)[4] = 9;
        request.Attribute(4, 1500);
        "lo\0"u8.CopyTo(request.AppendAttribute(3, 3));

        ReadOnlySpan<byte> bytes = request.Finish(sequence: 7);

        Assert.That(Convert.ToHexString(bytes), Is.EqualTo(
            "30000000" + "1200" + "0500" + "07000000" + "00000000" // length 48, RTM_GETLINK, REQUEST | ACK, sequence, port
            + "00000000" + "09000000" + "00000000" + "00000000"    // ifinfomsg
            + "0800" + "0400" + "DC050000"
            + "0700" + "0300" + "6C6F00" + "00"));
        Assert.That(buffer[48..], Has.All.EqualTo(0xA5));
    }

    [Test]
    public void LinkChange_WritesOnlyWhatChanges()
    {
        var request = new NetlinkWriter(Filled(256), 19, 4);
        new LinkChange { Mtu = 1450, Master = 0, Mac = MacAddress.Parse("02:00:5e:10:00:01") }.WriteAttributes(ref request);

        Assert.That(Convert.ToHexString(request.Finish(1)[16..]), Is.EqualTo(
            "0800" + "0400" + "AA050000" + "0800" + "0A00" + "00000000" + "0A00" + "0100" + "02005E100001" + "0000"));
    }

    [Test]
    public void LinkChange_OfEverything_FitsInARequest()
    {
        var request = new NetlinkWriter(Filled(256), 19, 4);
        request.Append(16);
        new LinkChange
        {
            Up = true,
            Mtu = 1,
            Mac = MacAddress.Broadcast,
            Master = 2,
            TxQueueLength = 3,
            GsoMaxSegments = 4,
            GsoMaxSize = 5,
        }.WriteAttributes(ref request);

        Assert.That(request.Finish(1).Length, Is.EqualTo(16 + 16 + 5 * 8 + 12));
    }

    [TestCase(0)]
    [TestCase(4)]
    [TestCase(7)]
    public void Attribute_BeyondTheBuffer_Throws(int room)
    {
        Assert.That(
            () =>
            {
                var request = new NetlinkWriter(new byte[16 + room], 18, 0);
                request.Attribute(4, 1500);
            },
            Throws.InvalidOperationException);
    }

    [Test]
    public void WhatIsWritten_IsReadBack()
    {
        Gen.Byte.Array[0, 40].Array[0, 10].Sample(values =>
        {
            var request = new NetlinkWriter(Filled(1024), 18, 0);
            for (int i = 0; i < values.Length; i++)
                values[i].CopyTo(request.AppendAttribute((ushort)(i + 1), values[i].Length));
            var messages = new NetlinkMessages(request.Finish(3));
            if (!messages.TryNext(out NetlinkMessage message) || message.Sequence != 3 || messages.TryNext(out _))
                return false;
            NetlinkAttributes attributes = message.AttributesAfter(0);
            for (int i = 0; i < values.Length; i++)
            {
                if (!attributes.TryNext(out NetlinkAttribute attribute) || attribute.Type != i + 1 || !attribute.Value.SequenceEqual(values[i]))
                    return false;
            }

            return !attributes.TryNext(out _);
        });
    }

    private static byte[] Filled(int size)
    {
        byte[] buffer = new byte[size];
        buffer.AsSpan().Fill(0xA5);
        return buffer;
    }
}
