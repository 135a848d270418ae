// The JSON of the control API as exact text: programs depend on it.

using System.Text.Json;
using NUnit.Framework;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class ControlJsonTests
{
    private static readonly InetAddress s_local = InetAddress.Parse("198.18.0.1");
    private static readonly VtepEndpoint s_peer = new(InetAddress.Parse("fd00::2"), 4789);
    private static readonly MacAddress s_mac = MacAddress.Parse("02:00:5e:10:00:01");

    [Test]
    public void Fdb_IsAnArrayOfObjects()
    {
        FdbSnapshot[] entries = [new(new Vni(100), s_mac, "local", "tap-blue", null, 3), new(new Vni(100), s_mac, "remote", null, s_peer, 0)];

        Assert.That(JsonSerializer.Serialize(entries, ControlJson.Default.IReadOnlyListFdbSnapshot), Is.EqualTo(
            """[{"vni":100,"mac":"02:00:5e:10:00:01","kind":"local","port":"tap-blue","vtep":null,"ageSeconds":3}"""
            + """,{"vni":100,"mac":"02:00:5e:10:00:01","kind":"remote","port":null,"vtep":"[fd00::2]:4789","ageSeconds":0}]"""));
    }

    [Test]
    public void Counters_HaveDropsAsAnObjectByReason()
    {
        var counters = new CounterSnapshot(10, 2, 1, 7, 9, 5, new Dictionary<DropReason, long> { [DropReason.VniNotFound] = 3 });

        Assert.That(JsonSerializer.Serialize(counters, ControlJson.Default.CounterSnapshot), Is.EqualTo(
            """{"received":10,"replicated":2,"originated":1,"segmented":7,"sent":9,"coalesced":5,"drops":{"vni_not_found":3},"unaccounted":3}"""));
    }

    [Test]
    public void Status_HasTheSnapshotsNamesInCamelCase()
    {
        var status = new VtepSnapshot(s_local, 4789, true, 2, 1, 3, 4, 5, 262_144, [], []);

        Assert.That(JsonSerializer.Serialize(status, ControlJson.Default.VtepSnapshot), Is.EqualTo(
            """{"local":"198.18.0.1","port":4789,"localAddressPresent":true,"workers":2,"bridgeDomains":1,"ports":3,"peers":4"""
            + ""","fdbEntries":5,"fdbCapacity":262144,"controllers":[],"warnings":[]}"""));
        Assert.That(JsonSerializer.Serialize(status with { Local = default }, ControlJson.Default.VtepSnapshot), Does.StartWith("""{"local":null,"""));
    }

    [Test]
    public void DomainsPortsAndPeers_HaveTheSnapshotsNamesInCamelCase()
    {
        DomainSnapshot[] domains =
        [
            new("blue", new Vni(100), "multicast", InetAddress.Parse("239.1.1.200"), ["t"], [s_peer], 1450, 1, 8192, 300, 2, 3, 4, 5, 6, 7, 8,
                new Dictionary<DropReason, long> { [DropReason.IpTunnelEcn] = 7 }),
        ];
        PortSnapshot[] ports = [new("t", new Vni(100), s_mac, 1450, true, 1, 2, 3, 4, new Dictionary<DropReason, long>())];
        PeerSnapshot[] peers = [new(s_peer, "learned", [new Vni(7)], 1500, "ok", null, 1, 2, 3, 4)];

        Assert.That(JsonSerializer.Serialize(domains, ControlJson.Default.IReadOnlyListDomainSnapshot), Is.EqualTo(
            """[{"name":"blue","vni":100,"discovery":"multicast","group":"239.1.1.200","ports":["t"],"floodList":["[fd00::2]:4789"],"mtu":1450"""
            + ""","fdbEntries":1,"fdbLimit":8192,"ageing":300,"moves":2,"learnLimitHits":3,"reservedBitsIgnored":4,"toUnderlay":5,"fromUnderlay":6,"toUnderlayBytes":7,"fromUnderlayBytes":8"""
            + ""","drops":{"ip_tunnel_ecn":7}}]"""));
        Assert.That(JsonSerializer.Serialize(ports, ControlJson.Default.IReadOnlyListPortSnapshot), Is.EqualTo(
            """[{"name":"t","vni":100,"mac":"02:00:5e:10:00:01","mtu":1450,"up":true,"rxFrames":1,"rxBytes":2,"txFrames":3,"txBytes":4,"drops":{}}]"""));
        Assert.That(JsonSerializer.Serialize(peers, ControlJson.Default.IReadOnlyListPeerSnapshot), Is.EqualTo(
            """[{"endpoint":"[fd00::2]:4789","kind":"learned","vnis":[7],"pathMtu":1500,"state":"ok","idleSeconds":null"""
            + ""","txFrames":1,"txBytes":2,"rxFrames":3,"rxBytes":4}]"""));
    }

    [Test]
    public void Snapshots_AreReadAgain()
    {
        var counters = new CounterSnapshot(10, 2, 1, 7, 9, 5, DropReasonText.All.ToArray().ToDictionary(reason => reason, reason => (long)reason));
        var status = new VtepSnapshot(default, 4789, false, 2, 1, 3, 4, 5, 6, [], ["x"]);

        CounterSnapshot readCounters = JsonSerializer.Deserialize(
            JsonSerializer.Serialize(counters, ControlJson.Default.CounterSnapshot), ControlJson.Default.CounterSnapshot)!;
        VtepSnapshot readStatus = JsonSerializer.Deserialize(
            JsonSerializer.Serialize(status, ControlJson.Default.VtepSnapshot), ControlJson.Default.VtepSnapshot)!;

        Assert.That(readCounters.Drops, Is.EqualTo(counters.Drops));
        Assert.That(readCounters.Unaccounted, Is.EqualTo(counters.Unaccounted));
        Assert.That(readStatus.Local.IsNone);
        Assert.That(readStatus.Warnings, Is.EqualTo(new[] { "x" }));
    }

    [TestCase("""{"vni":100}""")]
    [TestCase("""{"vni":100,"mac":"02:00:5e:10:00:01","colour":1}""")]
    [TestCase("""{"vni":16777216,"mac":"02:00:5e:10:00:01"}""")]
    [TestCase("""{"vni":"100","mac":"02:00:5e:10:00:01"}""")]
    [TestCase("""{"vni":100,"mac":"02:00:5e:10:00"}""")]
    [TestCase("""{"vni":100,"mac":7}""")]
    [TestCase("""{"vni":100,"mac":null}""")]
    [TestCase("""[]""")]
    [TestCase("")]
    public void RequestThatSaysNothingClear_IsRefused(string json) =>
        Assert.That(() => JsonSerializer.Deserialize(json, ControlJson.Default.FdbRequest), Throws.InstanceOf<JsonException>());
}
