using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Wire;

public sealed class VxlanHeaderTests
{
    [TestCase(0, "08000000 00000000")]
    [TestCase(1, "08000000 00000100")]
    [TestCase(0x12345, "08000000 01234500")]
    [TestCase(0xFFFFFF, "08000000 FFFFFF00")]
    public void Header_IsGolden(int vni, string hex)
    {
        byte[] buffer = Filled(VxlanHeader.Size + 1);
        VxlanHeader.Write(buffer, new Vni(vni));
        Assert.That(buffer, Is.EqualTo((byte[])[.. TestFrames.Hex(hex), 0xA5]));
    }

    [Test]
    public void Header_RoundTrips() => Gen.Int[0, Vni.MaxValue].Sample(static value =>
    {
        byte[] buffer = Filled(VxlanHeader.Size);
        VxlanHeader.Write(buffer, new Vni(value));
        return VxlanHeader.TryRead(buffer, out VxlanHeader header) && header.HasVni && !header.HasReservedBits && header.Vni.Value == value;
    });

    [Test]
    public void Header_CutShortAnywhere_IsNotRead([Range(0, 7)] int length)
    {
        byte[] buffer = new byte[VxlanHeader.Size];
        VxlanHeader.Write(buffer, new Vni(42));
        Assert.That(VxlanHeader.TryRead(buffer.AsSpan(0, length), out VxlanHeader header), Is.False);
        Assert.That(header, Is.EqualTo(default(VxlanHeader)));
    }

    [Test]
    public void EveryBit_IsTheFlagOrTheVniOrReserved([Range(0, 63)] int bit)
    {
        byte[] buffer = new byte[VxlanHeader.Size];
        buffer[bit / 8] = (byte)(0x80 >> (bit % 8));
        bool isFlag = bit == 4;
        bool isVni = bit is >= 32 and < 56;

        Assert.That(VxlanHeader.TryRead(buffer, out VxlanHeader header), Is.True);
        Assert.That(header.HasVni, Is.EqualTo(isFlag));
        Assert.That(header.Vni.Value, Is.EqualTo(isVni ? 1 << (55 - bit) : 0));
        Assert.That(header.HasReservedBits, Is.EqualTo(!isFlag && !isVni));
    }

    [Test]
    public void Header_InFrontOfAFrame_IsRead()
    {
        byte[] datagram = [.. TestFrames.Hex("08000000 00006400"), .. TestFrames.Udp()];
        Assert.That(VxlanHeader.TryRead(datagram, out VxlanHeader header), Is.True);
        Assert.That((header.HasVni, header.Vni.Value), Is.EqualTo((true, 100)));
    }

    private static byte[] Filled(int length)
    {
        byte[] buffer = new byte[length];
        buffer.AsSpan().Fill(0xA5);
        return buffer;
    }
}
