using System.Globalization;
using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Wire;

public sealed class VniTests
{
    [Test]
    public void Text_RoundTrips() => Gen.Int[0, Vni.MaxValue].Sample(static value =>
        Vni.TryParse(new Vni(value).ToString(), out Vni vni) && vni.Value == value && vni == new Vni(value));

    [Test]
    public void Order_IsNumeric() => Gen.Select(Gen.Int[0, Vni.MaxValue], Gen.Int[0, Vni.MaxValue]).Sample(static (a, b) =>
        Math.Sign(new Vni(a).CompareTo(new Vni(b))) == Math.Sign(a.CompareTo(b)));

    [TestCase(-1)]
    [TestCase(int.MinValue)]
    [TestCase(16777216)]
    public void Number_ThatDoesNotFitIn24Bits_IsRefused(int value)
    {
        Assert.That(() => new Vni(value), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(Vni.TryParse(value.ToString(CultureInfo.InvariantCulture), out _), Is.False);
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase(" 1")]
    [TestCase("1 ")]
    [TestCase("+1")]
    [TestCase("1\0")]
    [TestCase("0x10")]
    [TestCase("1.0")]
    [TestCase("1,000")]
    [TestCase("99999999999999999999")]
    [TestCase("\u0661")]
    public void Text_ThatIsNoVni_IsRefused(string? text)
    {
        Assert.That(Vni.TryParse(text, out Vni vni), Is.False);
        Assert.That(vni, Is.EqualTo(default(Vni)));
    }
}
