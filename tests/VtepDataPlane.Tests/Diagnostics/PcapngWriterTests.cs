// pcapng, byte for byte.

using System.Buffers;
using NUnit.Framework;
using VtepDataPlane.Diagnostics.Capture;

namespace VtepDataPlane.Tests.Diagnostics;

public sealed class PcapngWriterTests
{
    private readonly ArrayBufferWriter<byte> _output = new();

    [SetUp]
    public void Begin() => _output.Clear();

    private string Taken()
    {
        string hex = Convert.ToHexStringLower(_output.WrittenSpan);
        _output.Clear();
        return hex;
    }

    [Test]
    public void Section_Interface_Packet_Statistics_AreTheseBytes()
    {
        var writer = new PcapngWriter(_output);
        writer.WriteSection("vtep");
        Assert.That(Taken(), Is.EqualTo("0a0d0d0a" + "28000000" + "4d3c2b1a" + "0100" + "0000" + "ffffffffffffffff" + "04000400" + "76746570" + "00000000" + "28000000"));

        Assert.That(writer.AddInterface("blue", "", snapLength: 96), Is.Zero);
        Assert.That(Taken(), Is.EqualTo(
            "01000000" + "28000000" + "0100" + "0000" + "60000000" + "02000400" + "626c7565" + "09000100" + "09000000" + "00000000" + "28000000"));

        writer.WritePacket(0, 0x0000_0001_0000_0002, [1, 2, 3, 4, 5], originalLength: 64, new PacketOptions
        {
            Direction = PacketDirection.Outbound,
            PacketId = 7,
            Queue = 1,
            LostBefore = 3,
            Comment = "ok"u8,
        });
        Assert.That(Taken(), Is.EqualTo(
            "06000000" + "5c000000" + "00000000" + "01000000" + "02000000" + "05000000" + "40000000" + "0102030405000000"
            + "02000400" + "02000000" + "05000800" + "0700000000000000" + "06000400" + "01000000" + "04000800" + "0300000000000000" + "01000200" + "6f6b0000"
            + "00000000" + "5c000000"));

        writer.WriteStatistics(0, 5, received: 10, lost: 2);
        Assert.That(Taken(), Is.EqualTo(
            "05000000" + "34000000" + "00000000" + "00000000" + "05000000" + "04000800" + "0a00000000000000" + "05000800" + "0200000000000000" + "00000000" + "34000000"));
    }

    [Test]
    public void AnEmptyPacket_AndACommentThatIsTooLong_AreWritten()
    {
        var writer = new PcapngWriter(_output);
        writer.WritePacket(0, 0, [], 0, new PacketOptions { Comment = new byte[70_000] });
        Assert.That(BitConverter.ToInt32(_output.WrittenSpan[4..]), Is.EqualTo(_output.WrittenCount));
        Assert.That(_output.WrittenCount % 4, Is.Zero);
    }
}
