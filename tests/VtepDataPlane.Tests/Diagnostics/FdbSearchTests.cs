// Searching the FDB: which words fit which entries, in which order they come, and that a large table costs little.

using NUnit.Framework;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Diagnostics;

[TestFixture]
public sealed class FdbSearchTests
{
    private static readonly VtepEndpoint s_two = new(InetAddress.Parse("198.18.0.2"), 4789), s_three = new(InetAddress.Parse("198.18.0.30"), 4789);

    private readonly MemoryHost _host = new(new MemoryNetwork(), InetAddress.Parse("198.18.0.1"));
    private Vtep _vtep = null!;

    [SetUp]
    public void FillTable()
    {
        _vtep = new Vtep(
            new VtepConfig
            {
                Underlay = new UnderlayConfig { Local = InetAddress.Parse("198.18.0.1") },
                BridgeDomains =
                [
                    new BridgeDomainConfig { Name = "Blue", Vni = new Vni(100), Ports = [new PortConfig { Tap = "tap-b" }], Discovery = new StaticDiscovery { Peers = [s_two, s_three] } },
                    new BridgeDomainConfig { Name = "red30", Vni = new Vni(30), Ports = [new PortConfig { Tap = "tap-r" }], Discovery = new StaticDiscovery { Peers = [s_two] } },
                ],
            }, _host, seed: 1, nowMilliseconds: 0);
        Add(100, 0x02AA_0000_0001, s_two);
        Add(100, 0x02AA_0000_0002, s_three);
        Add(30, 0x02BB_0000_0003, s_two);
        Assert.That(_vtep.AddFdb(new Vni(30), new MacAddress(0x02BB_0000_0004), null, "tap-r"), Is.Null);
    }

    [TearDown]
    public void Close() => _vtep.Dispose();

    [TestCase("", "3 4 1 2")]
    [TestCase("02:aa", "1 2")]
    [TestCase("02-AA", "1 2")]
    [TestCase("mac:00:03", "3")]
    [TestCase("30", "3 4 2", Description = "a VNI, a domain's name, or a part of a VTEP")]
    [TestCase("vni:30", "3 4")]
    [TestCase("vni:3", "3 4", Description = "a part of the domain's name")]
    [TestCase("vni:10", "")]
    [TestCase("blue", "1 2")]
    [TestCase("port:TAP", "4")]
    [TestCase("vtep:198.18.0.3", "2")]
    [TestCase("vtep:198.18.0.2: vni:100", "1")]
    [TestCase("  blue   198.18.0.2 ", "1")]
    [TestCase("kind:static", "3 4 1 2")]
    [TestCase("kind:stat", "")]
    [TestCase("<script>", "")]
    public void Words_FindEntries_ByVniAndMac(string words, string expected)
    {
        FdbPage page = _vtep.FindFdb(0, words, most: 10);
        IEnumerable<FdbSnapshot> stations = page.Entries.Where(entry => entry.Kind != "local");
        Assert.That(string.Join(' ', stations.Select(entry => entry.Mac.Value & 0xF)), Is.EqualTo(expected));
        Assert.That((page.Total, page.Found), Is.EqualTo((_vtep.Fdb(0).Count, page.Entries.Count)));
    }

    [Test]
    public void NoMoreThanAskedFor_IsGiven_TheFirstOfAll()
    {
        FdbPage page = _vtep.FindFdb(0, "kind:static", most: 2);
        Assert.That(page.Found, Is.EqualTo(4));
        Assert.That(page.Entries.Select(entry => entry.Mac.Value & 0xF), Is.EqualTo(new[] { 3, 4 }));
        Assert.That(_vtep.FindFdb(0, "", most: 0).Entries, Is.Empty);
    }

    [Test]
    public void EveryEntry_IsTheOneOfTheWholeTable()
    {
        Assert.That(_vtep.FindFdb(5_000, "", most: 100).Entries, Is.EqualTo(_vtep.Fdb(5_000)));
    }

    [Test]
    public void AWalk_AllocatesForWhatItGives_NotForWhatItPasses()
    {
        for (ulong i = 0; i < 20_000; i++)
            Add(100, 0x02CC_0000_0000 + i, s_two);
        _ = _vtep.FindFdb(0, "02:aa", most: 10);
        long before = GC.GetAllocatedBytesForCurrentThread();
        _ = _vtep.FindFdb(0, "02:aa", most: 10);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(20_000));
    }

    private void Add(int vni, ulong mac, VtepEndpoint vtep) => Assert.That(_vtep.AddFdb(new Vni(vni), new MacAddress(mac), vtep, null), Is.Null);
}
