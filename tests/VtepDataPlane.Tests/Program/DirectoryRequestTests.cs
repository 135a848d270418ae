// What `vtep directory add` and `del` ask for, and which records that means.

using NUnit.Framework;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class DirectoryRequestTests
{
    private static readonly Vni s_vni = new(100);
    private static readonly MacAddress s_mac = MacAddress.Parse("02:00:5e:10:00:09");
    private static readonly InetAddress s_address = InetAddress.Parse("198.19.0.9");

    [Test]
    public void Additions_AreTheRecordsThatWereNamed()
    {
        var endpoint = new VtepEndpoint(InetAddress.Parse("198.18.0.9"), 4789);

        Assert.That(Added(new DirectoryRequest("h9", Vtep: "198.18.0.9")), Is.EqualTo(new DirectoryRecord[] { new VtepRecord("h9", endpoint, default) }));
        Assert.That(Added(new DirectoryRequest("h9", Vtep: "[fd00::9]:8472")), Is.EqualTo(new DirectoryRecord[]
        {
            new VtepRecord("h9", default, new VtepEndpoint(InetAddress.Parse("fd00::9"), 8472)),
        }));
        Assert.That(Added(new DirectoryRequest("h9", Vni: s_vni)), Is.EqualTo(new DirectoryRecord[] { new FloodRecord("h9", s_vni) }));
        Assert.That(Added(new DirectoryRequest("h9", Vtep: "198.18.0.9", Vni: s_vni, Mac: s_mac, Ip: "198.19.0.9", Sticky: true)), Is.EqualTo(new DirectoryRecord[]
        {
            new VtepRecord("h9", endpoint, default),
            new MacRecord("h9", s_vni, s_mac, 0, true),
            new NeighborRecord("h9", s_vni, s_address, s_mac),
        }));
    }

    [Test]
    public void Removals_AreTheKeysThatWereNamed()
    {
        Assert.That(Removed(new DirectoryRequest("h9", Vtep: "any")), Is.EqualTo(new[] { new RecordKey(RecordKind.Vtep, "h9") }));
        Assert.That(Removed(new DirectoryRequest("h9", Vni: s_vni)), Is.EqualTo(new[] { new RecordKey(RecordKind.Flood, "h9", s_vni) }));
        Assert.That(Removed(new DirectoryRequest("h9", Vni: s_vni, Ip: "198.19.0.9")), Is.EqualTo(new[]
        {
            new RecordKey(RecordKind.Neighbor, "h9", s_vni, default, s_address),
        }));
        Assert.That(Removed(new DirectoryRequest("h9", Vni: s_vni, Mac: s_mac, Ip: "198.19.0.9")), Is.EqualTo(new[]
        {
            new RecordKey(RecordKind.Neighbor, "h9", s_vni, default, s_address),
            new RecordKey(RecordKind.Mac, "h9", s_vni, s_mac),
        }));
    }

    public static IEnumerable<TestCaseData> Senseless()
    {
        yield return Case(new("a/b", Vtep: "198.18.0.9"), "'a/b' is no node id; use 1 to 64 letters, digits, dots, hyphens and underscores, like h1.");
        yield return Case(new("h9"), "Say what is meant: the node's VTEP, with --vtep, or a domain, with --vni.");
        yield return Case(new("h9", Vtep: "x\u001b"),
            "'x\\u001b' is no VTEP; write an address, like 198.18.0.2 or fd00::2, or with a port 198.18.0.2:8472 or [fd00::2]:8472.");
        yield return Case(new("h9", Vtep: "239.1.1.1"), "239.1.1.1 is not a host's address; give a unicast one.");
        yield return Case(new("h9", Vtep: "198.18.0.9", Mac: s_mac), "A station is in a domain: give its VNI too, with --vni.");
        yield return Case(new("h9", Vni: s_vni, Ip: "198.19.0.9"), "An address is at a station: give its MAC too, with --mac.");
        yield return Case(new("h9", Vni: s_vni, Sticky: true), "Only a station can be sticky: give its MAC, with --mac.");
        yield return Case(new("h9", Vni: s_vni, Mac: MacAddress.Broadcast), "ff:ff:ff:ff:ff:ff is no station's address; use a unicast one, like 02:00:5e:10:00:01.");
        yield return Case(new("h9", Vni: s_vni, Mac: s_mac, Ip: "x"), "'x' is no IPv4 or IPv6 address; write it like 198.19.0.2.");
        yield return Case(new("h9", Vni: s_vni, Mac: s_mac, Ip: "::1"), "::1 is not a host's address; give a unicast one.");
    }

    [TestCaseSource(nameof(Senseless))]
    public void RequestThatMakesNoSense_IsExplained(object request, string sentence)
    {
        Assert.That(((DirectoryRequest)request).Additions(4789, out string whyNot), Is.Null);
        Assert.That(whyNot, Is.EqualTo(sentence));
    }

    [Test]
    public void Controller_IsTheOnlyOne_OrTheOneThatIsNamed()
    {
        ControllerConfig[] two = [new() { Name = "a", Node = "h1" }, new() { Name = "b", Node = "h1" }];

        Assert.That(Find([two[0]], null), Is.EqualTo(("a", "")));
        Assert.That(Find(two, "b"), Is.EqualTo(("b", "")));
        Assert.That(Find(two, null), Is.EqualTo(((string?)null, "There are several controllers; say which one is meant with --controller: a, b.")));
        Assert.That(Find(two, "c"), Is.EqualTo(((string?)null, "There is no controller 'c'; the controllers are a, b.")));
        Assert.That(Find([], "c"), Is.EqualTo(((string?)null, "There is no controller; describe one in \"controllers\" of the configuration.")));
    }

    private static TestCaseData Case(DirectoryRequest request, string sentence) => new TestCaseData(request, sentence).SetArgDisplayNames(sentence);

    private static (string?, string) Find(ControllerConfig[] controllers, string? wanted)
    {
        DirectoryApi.TryFind(controllers, wanted, out string? name, out string whyNot);
        return (name, whyNot);
    }

    private static IEnumerable<DirectoryRecord?>? Added(DirectoryRequest request) => request.Additions(4789, out _)?.Select(change => change.Record);

    private static IEnumerable<RecordKey>? Removed(DirectoryRequest request)
    {
        IReadOnlyList<DirectoryChange>? changes = request.Removals(out _);
        Assert.That(changes!.All(change => change.Record is null));
        return changes!.Select(change => change.Key);
    }
}
