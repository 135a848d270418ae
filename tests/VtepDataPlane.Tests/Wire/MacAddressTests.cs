using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Wire;

public sealed class MacAddressTests
{
    private static readonly Gen<MacAddress> s_addresses = Gen.ULong.Select(static value => new MacAddress(value));

    [Test]
    public void Text_RoundTrips() => s_addresses.Sample(static mac => MacAddress.Parse(mac.ToString()) == mac);

    [Test]
    public void Bytes_RoundTrip() => s_addresses.Sample(static mac =>
    {
        byte[] bytes = new byte[MacAddress.Size];
        mac.Write(bytes);
        return MacAddress.Read(bytes) == mac;
    });

    [Test]
    public void Order_IsTheOrderOfTheText() => Gen.Select(s_addresses, s_addresses).Sample(static (a, b) =>
        Math.Sign(a.CompareTo(b)) == Math.Sign(string.CompareOrdinal(a.ToString(), b.ToString()))
        && a < b == b > a && a <= b == b >= a && a == b != (a != b));

    [Test]
    public void FirstOctet_IsTheMostSignificant()
    {
        byte[] bytes = [0x02, 0x00, 0x5E, 0x10, 0x00, 0x01];
        MacAddress mac = MacAddress.Read(bytes);
        Assert.That(mac.Value, Is.EqualTo(0x0200_5E10_0001UL));
        Assert.That(mac.ToString(), Is.EqualTo("02:00:5e:10:00:01"));
        Assert.That(new MacAddress(0xFFFF_0200_5E10_0001), Is.EqualTo(mac), "only 48 bits count");
    }

    [TestCase("02-00-5E-10-00-01")]
    [TestCase("02:00:5E:10:00:01")]
    [TestCase("02:00:5e:10:00:01")]
    public void Text_MayHaveHyphensAndCapitals(string text) =>
        Assert.That(MacAddress.Parse(text).Value, Is.EqualTo(0x0200_5E10_0001UL));

    [TestCase(null)]
    [TestCase("")]
    [TestCase("02:00:5e:10:00")]
    [TestCase("02:00:5e:10:00:01:02")]
    [TestCase("02:00:5e-10:00:01")]
    [TestCase("02005e100001")]
    [TestCase("0200.5e10.0001")]
    [TestCase("02:00:5e:10:00:0g")]
    [TestCase("02:00:5e:10:00: 1")]
    [TestCase("02:00:5e:10:00:+1")]
    [TestCase("02:00:5e:10:00:1\0")]
    [TestCase(" 2:00:5e:10:00:01")]
    [TestCase("02:00:5e:10:00:0\u0661")]
    public void Text_ThatIsNoMac_IsRefused(string? text)
    {
        Assert.That(MacAddress.TryParse(text, out MacAddress mac), Is.False);
        Assert.That(mac, Is.EqualTo(MacAddress.Zero));
        Assert.That(() => MacAddress.Parse(text!), Throws.TypeOf<FormatException>());
    }

    [TestCase("ff:ff:ff:ff:ff:ff", true, true, false)]
    [TestCase("01:00:5e:00:00:01", true, false, false)]
    [TestCase("33:33:00:00:00:01", true, false, false)]
    [TestCase("00:00:00:00:00:00", false, false, false)]
    [TestCase("00:00:00:00:00:01", false, false, true)]
    [TestCase("fe:ff:ff:ff:ff:ff", false, false, true)]
    public void Kind_IsInTheFirstOctet(string text, bool isGroup, bool isBroadcast, bool isValidSource)
    {
        MacAddress mac = MacAddress.Parse(text);
        Assert.That((mac.IsGroup, mac.IsBroadcast, mac.IsValidSource), Is.EqualTo((isGroup, isBroadcast, isValidSource)));
    }

    [TestCase("02:00:00:00:00:01", true)]
    [TestCase("00:16:3e:00:00:01", false)]
    public void LocalBit_IsTheSecondOfTheFirstOctet(string text, bool expected) =>
        Assert.That(MacAddress.Parse(text).IsLocallyAdministered, Is.EqualTo(expected));
}
