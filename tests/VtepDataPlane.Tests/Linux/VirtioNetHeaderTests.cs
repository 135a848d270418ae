// The ten bytes before a TAP frame, to the byte, and what is refused in them.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Tap;

namespace VtepDataPlane.Tests.Linux;

internal sealed class VirtioNetHeaderTests
{
    [Test]
    public void APlainFrame_HasTenZeros() => AssertHeader("00000000000000000000", default);

    [Test]
    public void AnUnfinishedChecksum_IsWrittenLittleEndian() =>
        AssertHeader("01000000000022001000", new OffloadInfo { NeedsChecksum = true, ChecksumStart = 34, ChecksumOffset = 16 });

    [Test]
    public void ASuperFrame_CarriesSegmentSizeAndHeaderLength() => AssertHeader(
        "0184420078053600" + "1000",
        new OffloadInfo { NeedsChecksum = true, TcpEcn = true, Gso = GsoType.TcpIPv6, HeaderLength = 66, GsoSize = 1400, ChecksumStart = 54, ChecksumOffset = 16 });

    [TestCase("01000000000022001000", 52, true)] // csum_start 34 + csum_offset 16 + 2 = 52
    [TestCase("01000000000022001000", 51, false)]
    [TestCase("0100000000" + "00FFFFFFFF", 65535, false)]
    [TestCase("00800000000000000000", 100, false)] // ECN without TCP
    [TestCase("00010000780500000000", 100, false)] // GSO without checksum
    [TestCase("01010000000022001000", 100, false)] // gso_size 0
    [TestCase("0101650078" + "0522001000", 100, false)] // hdr_len 101
    [TestCase("01010000780522001000", 100, true)]
    [TestCase("01050000780522000600", 100, true)]
    [TestCase("01850000780522000600", 100, false)] // ECN with UDP
    [TestCase("01030000780522000600", 100, false)] // UFO
    [TestCase("01250000780522000600", 100, false)] // tunnel
    [TestCase("02000000000000000000", 100, true)] // DATA_VALID alone
    public void TryRead_RefusesWhatLiesAboutTheFrame(string hex, int frameLength, bool expected) =>
        Assert.That(VirtioNetHeader.TryRead(Convert.FromHexString(hex), frameLength, out _), Is.EqualTo(expected));

    [Test]
    public void TryRead_OfAnything_GivesOffsetsWithinTheFrame() =>
        Gen.Select(Gen.Byte.Array[VirtioNetHeader.Size], Gen.Int[0, 65_535]).Sample((header, length) =>
        {
            if (!VirtioNetHeader.TryRead(header, length, out OffloadInfo offload))
                return;
            if (offload.NeedsChecksum)
                Assert.That(offload.ChecksumStart + offload.ChecksumOffset + 2, Is.LessThanOrEqualTo(length));
            if (offload.IsSuperFrame)
                Assert.That(offload is { NeedsChecksum: true, GsoSize: > 0 } && offload.HeaderLength <= length);
        });

    private static void AssertHeader(string hex, OffloadInfo offload)
    {
        var header = new byte[VirtioNetHeader.Size];
        header.AsSpan().Fill(0xA5);
        VirtioNetHeader.Write(header, offload);

        Assert.That(Convert.ToHexString(header), Is.EqualTo(hex));
        Assert.That(VirtioNetHeader.TryRead(header, 1500, out OffloadInfo read));
        Assert.That(read, Is.EqualTo(offload));
    }
}
