using System.Net;
using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Wire;

public sealed class InetAddressTests
{
    private static readonly Gen<InetAddress> s_v4 = Gen.UInt.Select(static value => InetAddress.FromIPv4(value));

    // sparse words make runs of zeros, where the text forms differ
    private static readonly Gen<ulong> s_half = Gen.OneOf(Gen.ULong, Gen.Const(0UL), Gen.UShort.Select(static value => (ulong)value << 16));

    private static readonly Gen<InetAddress> s_v6 = Gen.Select(s_half, s_half)
        .Select(static (high, low) => InetAddress.FromIPv6(high, low))
        .Where(static address => !address.ToIPAddress().IsIPv4MappedToIPv6);

    private static readonly Gen<InetAddress> s_any = Gen.OneOf(s_v4, s_v6);

    [Test]
    public void Text_RoundTrips() => s_any.Sample(static address => InetAddress.Parse(address.ToString()) == address);

    [Test]
    public void FrameworkClass_RoundTrips() => s_any.Sample(static address => InetAddress.From(address.ToIPAddress()) == address);

    [Test]
    public void Bytes_RoundTrip() => s_any.Sample(static address =>
    {
        byte[] bytes = new byte[address.Size];
        address.Write(bytes);
        InetAddress read = address.IsIPv4 ? InetAddress.ReadIPv4(bytes) : InetAddress.ReadIPv6(bytes);
        return read == address && bytes.AsSpan().SequenceEqual(address.ToIPAddress().GetAddressBytes());
    });

    [Test]
    public void Equality_AndHash_Agree() => Gen.Select(s_any, s_any).Sample(static (a, b) =>
        a.Equals(b) == (a.CompareTo(b) == 0) && (!a.Equals(b) || a.GetHashCode() == b.GetHashCode()) && a == b != (a != b));

    [Test]
    public void Order_IsFamilyThenBytes() => Gen.Select(s_any, s_any).Sample(static (a, b) =>
    {
        int expected = a.Size != b.Size
            ? a.Size.CompareTo(b.Size)
            : a.ToIPAddress().GetAddressBytes().AsSpan().SequenceCompareTo(b.ToIPAddress().GetAddressBytes());
        return Math.Sign(a.CompareTo(b)) == Math.Sign(expected) && a < b == b > a && a <= b == b >= a;
    });

    [Test]
    public void IPv4_AndIPv6_WithTheSameBits_Differ() =>
        Assert.That(InetAddress.Parse("0.0.0.1"), Is.Not.EqualTo(InetAddress.Parse("::1")));

    [Test]
    public void MappedAddress_BecomesIPv4() =>
        Assert.That(InetAddress.Parse("::ffff:198.18.0.1"), Is.EqualTo(InetAddress.Parse("198.18.0.1")));

    [TestCase("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1")]
    [TestCase("fd00:0:0:0:0:0:0:0", "fd00::")]
    [TestCase("0:0:0:0:0:0:0:0", "::")]
    public void IPv6Text_IsCanonical(string text, string canonical) =>
        Assert.That(InetAddress.Parse(text).ToString(), Is.EqualTo(canonical));

    [TestCase(null)]
    [TestCase("")]
    [TestCase("1")]
    [TestCase("10.1")]
    [TestCase("10.0.1")]
    [TestCase("010.0.0.1")]
    [TestCase("0x0a.0.0.1")]
    [TestCase("1.2.3.256")]
    [TestCase("1.2.3.4.5")]
    [TestCase("1.2.3.")]
    [TestCase("1.2.3.4 ")]
    [TestCase("1.2.3.4\n")]
    [TestCase("1.2.3.4\0")]
    [TestCase("1.2.3.4:80")]
    [TestCase("198.18.0.0/15")]
    [TestCase("fe80::1%eth0")]
    [TestCase("[fd00::1]")]
    [TestCase("fd00::1::2")]
    [TestCase("fd00::12345")]
    [TestCase("fd00:0:0:0:0:0:0:0:0")]
    [TestCase("::ffff:010.0.0.1")]
    [TestCase("::ffff:1.2.3")]
    [TestCase("host")]
    public void Text_ThatIsNoAddress_IsRefused(string? text)
    {
        Assert.That(InetAddress.TryParse(text, out InetAddress address), Is.False);
        Assert.That(address.IsNone, Is.True);
        Assert.That(() => InetAddress.Parse(text!), Throws.TypeOf<FormatException>());
    }

    [TestCase("224.0.0.0", true)]
    [TestCase("239.255.255.255", true)]
    [TestCase("223.255.255.255", false)]
    [TestCase("240.0.0.0", false)]
    [TestCase("ff02::1", true)]
    [TestCase("fe80::1", false)]
    public void Multicast_IsItsPrefix(string text, bool expected)
    {
        InetAddress address = InetAddress.Parse(text);
        Assert.That(address.IsMulticast, Is.EqualTo(expected));
        Assert.That(address.IsUnicast, Is.EqualTo(!expected));
    }

    [TestCase("169.254.0.0", true)]
    [TestCase("169.254.255.255", true)]
    [TestCase("169.253.255.255", false)]
    [TestCase("fe80::", true)]
    [TestCase("febf:ffff::1", true)]
    [TestCase("fec0::1", false)]
    [TestCase("fe7f::1", false)]
    public void LinkLocal_IsItsPrefix(string text, bool expected) =>
        Assert.That(InetAddress.Parse(text).IsLinkLocal, Is.EqualTo(expected));

    [TestCase("127.0.0.1", true)]
    [TestCase("127.255.255.254", true)]
    [TestCase("128.0.0.1", false)]
    [TestCase("::1", true)]
    [TestCase("::2", false)]
    [TestCase("1::1", false)]
    public void Loopback_IsItsPrefix(string text, bool expected) =>
        Assert.That(InetAddress.Parse(text).IsLoopback, Is.EqualTo(expected));

    [TestCase("0.0.0.0")]
    [TestCase("::")]
    public void Unspecified_IsNoUnicast(string text)
    {
        InetAddress address = InetAddress.Parse(text);
        Assert.That((address.IsUnspecified, address.IsUnicast, address.IsNone), Is.EqualTo((true, false, false)));
    }

    [Test]
    public void LimitedBroadcast_IsNoUnicast()
    {
        InetAddress address = InetAddress.Parse("255.255.255.255");
        Assert.That((address.IsLimitedBroadcast, address.IsUnicast), Is.EqualTo((true, false)));
    }

    [Test]
    public void Default_IsNoAddress()
    {
        InetAddress none = default;
        Assert.That((none.IsNone, none.Size, none.IsUnicast, none.IsUnspecified), Is.EqualTo((true, 0, false, false)));
        Assert.That(none.ToString(), Is.EqualTo("none"));
        Assert.That(() => none.ToIPAddress(), Throws.InvalidOperationException);
        Assert.That(none, Is.Not.EqualTo(InetAddress.From(IPAddress.Any)));
    }
}
