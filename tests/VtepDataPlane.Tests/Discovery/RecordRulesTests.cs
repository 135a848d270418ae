using NUnit.Framework;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Discovery.TestDirectory;

namespace VtepDataPlane.Tests.Discovery;

public sealed class RecordRulesTests
{
    private static readonly RecordRules s_rules = new(
        Config with { AllowedVteps = [InetPrefix.Of(InetAddress.Parse("198.18.0.0"), 16)] }, Local, vni => vni == Vni100);

    private static RejectReason? ReasonOf(DirectoryRecord record) => s_rules.Check(record)?.Reason;

    [Test]
    public void GoodRecords_AreBelieved() => Assert.That(
        new DirectoryRecord[]
        {
            Host(2), Floods(2), Station(2, 1), Address(2, "198.19.0.1", 1), Address(2, "fe80::1", 1), Station(2, 1) with { Owner = "Node_1.x-y" },
            new PrefixRecord("h2", new Vni(5000), InetAddress.Parse("0.0.0.0"), 0, default),
        }.Select(s_rules.Check), Is.All.Null);

    [TestCase("")]
    [TestCase("a/b")]
    [TestCase("a b")]
    [TestCase("h\u202e2")]
    [TestCase("é")]
    public void AnOwner_ThatIsNoNodeId_IsRejected(string owner)
    {
        Assert.That(ReasonOf(Station(2, 1) with { Owner = owner }), Is.EqualTo(RejectReason.OwnerInvalid));
        Assert.That(ReasonOf(Station(2, 1) with { Owner = new string('a', 65) }), Is.EqualTo(RejectReason.OwnerInvalid));
        Assert.That(ReasonOf(Station(2, 1) with { Owner = new string('a', 64) }), Is.Null);
    }

    [TestCase("00:00:00:00:00:00")]
    [TestCase("01:00:5e:00:00:01")]
    [TestCase("ff:ff:ff:ff:ff:ff")]
    public void AStation_ThatNoStationCanBe_IsRejected(string mac)
    {
        Assert.That(ReasonOf(Station(2, 1) with { Mac = MacAddress.Parse(mac) }), Is.EqualTo(RejectReason.MacInvalid));
        Assert.That(ReasonOf(Address(2, "198.19.0.1", 1) with { Mac = MacAddress.Parse(mac) }), Is.EqualTo(RejectReason.MacInvalid));
    }

    [TestCase("0.0.0.0")]
    [TestCase("127.0.0.1")]
    [TestCase("224.0.0.1")]
    [TestCase("255.255.255.255")]
    [TestCase("::")]
    [TestCase("::1")]
    [TestCase("ff02::1")]
    public void AnAddress_ThatIsNoHosts_IsRejected(string address)
    {
        InetAddress bad = InetAddress.Parse(address);
        var endpoint = new VtepEndpoint(bad, 4789);
        Assert.That(ReasonOf(Address(2, "198.19.0.1", 1) with { Address = bad }), Is.EqualTo(RejectReason.AddressInvalid));
        Assert.That(ReasonOf(bad.IsIPv4 ? Host(2) with { IPv4 = endpoint } : Host(2) with { IPv6 = endpoint }), Is.EqualTo(RejectReason.AddressInvalid));
    }

    [Test]
    public void AVtep_AtOurAddress_OutsideTheAllowedPrefixes_OrOfAnotherFamily_IsRejected()
    {
        Assert.That(ReasonOf(Host(250)), Is.EqualTo(RejectReason.VtepIsOurs));
        Assert.That(ReasonOf(Host(2) with { IPv4 = new VtepEndpoint(InetAddress.Parse("203.0.113.1"), 4789) }), Is.EqualTo(RejectReason.VtepNotAllowed));
        Assert.That(ReasonOf(new VtepRecord("h2", default, new VtepEndpoint(InetAddress.Parse("fd00::2"), 4789))), Is.EqualTo(RejectReason.VtepUnreachable));
        Assert.That(ReasonOf(new VtepRecord("h2", default, default)), Is.EqualTo(RejectReason.VtepUnreachable));
        Assert.That(ReasonOf(Host(2) with { IPv4 = Endpoint(2) with { Port = 0 } }), Is.EqualTo(RejectReason.AddressInvalid));
        Assert.That(ReasonOf(Host(2) with { IPv4 = new VtepEndpoint(InetAddress.Parse("fd00::2"), 4789) }), Is.EqualTo(RejectReason.AddressInvalid));
    }

    [Test]
    public void ADomainThatIsntServed_IsRejected()
    {
        Assert.That(ReasonOf(Floods(2, Vni200)), Is.EqualTo(RejectReason.VniNotServed));
        Assert.That(ReasonOf(Station(2, 1) with { Vni = Vni200 }), Is.EqualTo(RejectReason.VniNotServed));
    }

    [TestCase("10.0.0.1", 24)]
    [TestCase("10.0.0.0", 33)]
    [TestCase("224.0.0.0", 4)]
    [TestCase("127.0.0.0", 8)]
    public void APrefix_ThatIsNone_IsRejected(string network, int length) => Assert.That(
        ReasonOf(new PrefixRecord("h2", new Vni(5000), InetAddress.Parse(network), (byte)length, default)), Is.EqualTo(RejectReason.AddressInvalid));

    [Test]
    public void TheReason_IsASentenceThatSaysWhat() =>
        Assert.That(s_rules.Check(Host(250))!.Detail, Is.EqualTo("198.18.0.250 is this VTEP's own address; two nodes were given it"));

    [Test]
    public void RejectedOnes_AreCountedAll_AndKeptAFew_TheRareReasonAmongThem()
    {
        var rejected = new RejectedRecords();
        rejected.Add(new RejectedRecord("junk", RejectReason.ValueMalformed, new string('x', 5000)), 0);
        for (int i = 0; i < 1000; i++)
            rejected.Add(new RejectedRecord($"record {i}", RejectReason.VniNotServed, "not here"), i);
        rejected.Add(new RejectedRecord("record 999", RejectReason.VniNotServed, "not here"), 1000);
        Assert.That(rejected.Counts, Is.EquivalentTo(new Dictionary<string, long> { ["valueMalformed"] = 1, ["vniNotServed"] = 1001 }));
        Assert.That(rejected.Last.Count(), Is.EqualTo(64));
        Assert.That(rejected.Last.First().Record.Name, Is.EqualTo("record 999"));
        Assert.That(rejected.Last.Count(one => one.Record.Name == "record 999"), Is.EqualTo(1));
        Assert.That(rejected.Last.Last().Record, Has.Property("Name").EqualTo("junk").And.Property("Detail").Length.EqualTo(512));
    }
}
