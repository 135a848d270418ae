// One configuration becoming another under a running VTEP: unchanged parts are untouched, all of it or nothing, and what goes takes
// its FDB entries, VTEPs and devices with it.

using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Network.TestNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Network;

public sealed class ReloadTests
{
    private const string A = "198.18.0.1", B = "198.18.0.2", C = "198.18.0.3";

    [Test]
    public void AnUnchangedDomain_KeepsItsPortsAndEntries()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]), Domain(200, ["a2"], [B]));
        MemoryPort port = a.Port("a1");
        network.Forge(B, A, Vxlan(100, Arp(MacB)));
        network.Run();
        port.Inject(Udp(MacA, MacB)); // waits while the configuration changes

        a.Vtep.Apply(a.Vtep.Config with { BridgeDomains = [Domain(300, ["a3"], [C]), Domain(100, ["a1"], [B])] }, network.Now);
        network.Run();
        Assert.That(a.Port("a1"), Is.SameAs(port));
        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacA} local a1", $"100 {MacB} remote {B}" }));
        Assert.That(a.Port("a2").IsDisposed, Is.True);
        Assert.That(a.Vtep.Domains().Select(domain => domain.Name), Is.EqualTo(new[] { "d100", "d300" }));
        Assert.That(a.Vtep.Peers(network.Now).Select(peer => peer.Endpoint.Address.ToString()), Is.EqualTo(new[] { B, C }));
    }

    [Test]
    public void APeerThatGoes_TakesItsEntriesAlong_AndIsAStrangerThen()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B, C]));
        network.Forge(B, A, Vxlan(100, Arp(MacB)));
        network.Run();
        a.Vtep.Apply(a.Vtep.Config with { BridgeDomains = [Domain(100, ["a1"], [C])] }, network.Now);
        Assert.That(a.Fdb(), Is.Empty);
        Assert.That(a.Vtep.Peers(network.Now), Has.Count.EqualTo(1));
        network.Forge(B, A, Vxlan(100, Arp(MacB)));
        network.Run();
        Assert.That(a.Drops(DropReason.PeerUnknown), Is.EqualTo(1));
    }

    [Test]
    public void APeerThatGoes_LeavesNoCountsToTheNextOneWithItsNumber()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B, C]));
        network.Forge(B, A, Vxlan(100, Arp(MacB)));
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        a.Vtep.Apply(a.Vtep.Config with { BridgeDomains = [Domain(100, ["a1"], [])] }, network.Now);
        long counted = Enumerable.Range(1, VtepConfigRules.MaxVteps).Sum(id =>
            a.Vtep.Lanes[0].Meters.Traffic(id).TxFrames + a.Vtep.Lanes[0].Meters.Traffic(id).RxBytes);
        Assert.That(counted, Is.Zero);
    }

    [Test]
    public void APortThatGoes_TakesItsEntriesAlong_AndItsNumberMayBeAnothers()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1", "a2"], [B]));
        a.Port("a2").Inject(Arp(MacA));
        network.Run();
        a.Vtep.Apply(a.Vtep.Config with { BridgeDomains = [Domain(100, ["a1", "a9"], [B])] }, network.Now);
        Assert.That(a.Fdb(), Is.Empty);
        a.Port("a1").TakeAll();
        network.Forge(B, A, Vxlan(100, Udp(MacB, MacA)));
        network.Run();
        Assert.That((a.Port("a1").Waiting, a.Port("a9").Waiting), Is.EqualTo((1, 1)), "flooded: nobody knows the MAC any more");
    }

    [Test]
    public void APortSetUpDifferently_IsOpenedAnew_AndOneThatMovesToAnotherDomainToo()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1", "a2"], [B]));
        MemoryPort before = a.Port("a1");
        BridgeDomainConfig[] next =
        [
            Domain(100, [], [B]) with { Ports = [new PortConfig { Tap = "a1", Mtu = 1300 }] },
            Domain(200, ["a2"], [B]),
        ];
        a.Vtep.Apply(a.Vtep.Config with { BridgeDomains = next }, network.Now);
        Assert.That(before.IsDisposed, Is.True);
        Assert.That(a.Port("a1").Mtu, Is.EqualTo(1300));
        a.Port("a2").Inject(Arp(MacA));
        network.Run();
        Assert.That(network.TakeDatagrams().Single().Payload[4..7], Is.EqualTo(Hex("0000c8")), "VNI 200");
    }

    [Test]
    public void WhatCannotBeOpened_LeavesEverythingAsItWas([Values("new", "a1")] string refused)
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]), Domain(200, ["a2"], [B]));
        VtepConfig before = a.Vtep.Config;
        a.Host.Refusals[refused] = "Device or resource busy (EBUSY).";
        BridgeDomainConfig[] next =
        [
            Domain(100, [], [C]) with { Ports = [new PortConfig { Tap = refused, Mtu = 1300 }] },
            Domain(300, ["a3"], [B]),
        ];

        // a port that is to be replaced is refused only the second time: then the old one must come back
        VtepException? error = refused == "a1"
            ? RefuseOnce(a, before with { BridgeDomains = next })
            : Assert.Throws<VtepException>(() => a.Vtep.Apply(before with { BridgeDomains = next }, network.Now));
        Assert.That(error!.Message, Does.Contain(refused).And.Contain("EBUSY"));
        Assert.That(a.Vtep.Config, Is.SameAs(before));
        Assert.That(a.Vtep.Domains().Select(domain => domain.Name), Is.EqualTo(new[] { "d100", "d200" }));
        if (a.Host.Ports.TryGetValue("a3", out MemoryPort? opened))
            Assert.That(opened.IsDisposed, Is.True);

        a.Host.Refusals.Clear();
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        Assert.That(network.TakeDatagrams().Single().Outer.Remote.Address.ToString(), Is.EqualTo(B));
    }

    private static VtepException? RefuseOnce(Node node, VtepConfig next)
    {
        node.Host.RefuseOnce = true;
        return Assert.Throws<VtepException>(() => node.Vtep.Apply(next, node.Network.Now));
    }

    [Test]
    public void AnInvalidConfiguration_IsRefusedWithEveryReason()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        VtepException? error = Assert.Throws<VtepException>(() =>
            a.Vtep.Apply(a.Vtep.Config with { BridgeDomains = [Domain(100, ["a1"], [A]), Domain(100, ["a1"], [B])] }, network.Now));
        Assert.That(error!.Message, Does.Contain("$.bridgeDomains[0].discovery").And.Contain("$.bridgeDomains[1].vni").And.Contain("$.bridgeDomains[1].ports[0].tap"));
    }

    [Test]
    public void WhatNeedsARestart_IsRefused_NamingIt()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        VtepConfig config = a.Vtep.Config;
        (VtepConfig Next, string What)[] changes =
        [
            (config with { Workers = 2 }, "workers"),
            (config with { FdbCapacity = 5000 }, "fdb.capacity"),
            (config with { Underlay = config.Underlay with { Port = 8472 } }, "underlay"),
        ];
        foreach ((VtepConfig next, string what) in changes)
        {
            VtepException? error = Assert.Throws<VtepException>(() => a.Vtep.Apply(next, network.Now));
            Assert.That(error!.Message, Does.Contain(what).And.Contain("restart"));
        }
    }

    [Test]
    public void RuntimeEntries_SurviveAReload_AndConfiguredOnesFollowTheFile()
    {
        using var network = new TestNetwork();
        var c = new VtepEndpoint(InetAddress.Parse(C), 4789);
        MacAddress other = MacAddress.Parse("02:00:00:00:00:0c");
        Node a = network.Add(A, Domain(100, ["a1"], [B]) with { Fdb = [new StaticFdbEntry(MacB, null, "a1")] });
        Assert.That(a.Vtep.AddFdb(new Vni(100), MacA, c, null), Is.Null);
        a.Vtep.Apply(a.Vtep.Config with { BridgeDomains = [Domain(100, ["a1"], [B]) with { Fdb = [new StaticFdbEntry(other, c, null)] }] }, network.Now);
        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacA} static {C}", $"100 {other} static {C}" }));
        network.Forge(C, A, Vxlan(100, Udp(other, MacAddress.Broadcast)));
        network.Run();
        Assert.That(a.Port("a1").Waiting, Is.EqualTo(1), "a VTEP the operator named in an entry is admitted");
    }

    [Test]
    public void AConfiguredEntryThatCannotBe_IsAWarning()
    {
        using var network = new TestNetwork();
        BridgeDomainConfig domain = Domain(100, [], [B]) with
        {
            Ports = [new PortConfig { Tap = "a1", Mac = MacA }],
            Fdb = [new StaticFdbEntry(MacA, new VtepEndpoint(InetAddress.Parse(B), 4789), null)],
        };
        Node a = network.Add(A, domain);
        Assert.That(a.Vtep.Status().Warnings.Single(), Does.Contain(MacA.ToString()).And.Contain("not in force"), "the MAC is the port's own");
    }

    [Test]
    public void FdbCommands_SayWhyNot()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(100, ["a1"], [B]));
        var b = new VtepEndpoint(InetAddress.Parse(B), 4789);
        var vni = new Vni(100);
        Assert.That(a.Vtep.AddFdb(new Vni(5), MacA, b, null), Does.Contain("no bridge domain with VNI 5"));
        Assert.That(a.Vtep.AddFdb(vni, MacA, b, "a1"), Does.Contain("not both"));
        Assert.That(a.Vtep.AddFdb(vni, MacA, null, null), Does.Contain("either"));
        Assert.That(a.Vtep.AddFdb(vni, MacA, null, "a7"), Does.Contain("no port a7"));
        Assert.That(a.Vtep.AddFdb(vni, MacAddress.Broadcast, b, null), Does.Contain("group address"));
        Assert.That(a.Vtep.AddFdb(vni, MacA, null, "a1"), Is.Null);
        Assert.That(a.Vtep.AddFdb(vni, MacA, b, null), Does.Contain("already"));
        Assert.That(a.Vtep.AddFdb(vni, MacA, b, null, replace: true), Is.Null);
        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacA} static {B}" }));
        Assert.That(a.Vtep.DeleteFdb(vni, MacA), Is.Null);
        Assert.That(a.Vtep.DeleteFdb(vni, MacA), Does.Contain("no entry"));
    }

    [Test]
    public void TenThousandDomains_AreAppliedAndRemovedAgain()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(1, ["t1"], [B]));
        VtepConfig small = a.Vtep.Config;
        BridgeDomainConfig[] many = [.. Enumerable.Range(1, 10_000).Select(vni => Domain(vni, [$"t{vni}"], [B, C]))];
        a.Vtep.Apply(small with { BridgeDomains = many }, network.Now);
        Assert.That(a.Vtep.Status().BridgeDomains, Is.EqualTo(10_000));
        a.Port("t9999").Inject(Arp(MacA));
        network.Run();
        Assert.That(network.TakeDatagrams(), Has.Count.EqualTo(2));
        a.Vtep.Apply(small, network.Now);
        Assert.That(a.Host.Ports.Values.Count(port => !port.IsDisposed), Is.EqualTo(1));
    }
}
