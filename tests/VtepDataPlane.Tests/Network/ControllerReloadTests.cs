// What a controller says, and what the operator changes while it runs: domains come, go and are discovered in another way, ports go, entries are fixed.
// Nothing of what was before is left, here or in the store.

using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Network.ControlledNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Network;

public sealed class ControllerReloadTests
{
    private static readonly MacAddress s_macC = MacAddress.Parse("02:00:00:00:00:0c");
    private static readonly Vni s_vni200 = new(200);

    private static void Apply(ControlledNetwork network, Node node, params BridgeDomainConfig[] domains)
    {
        node.Vtep.Apply(node.Vtep.Config with { BridgeDomains = domains }, network.Wire.Now);
        network.Step();
        network.Sync();
    }

    private static void Acquaint(ControlledNetwork network, Node a, Node b)
    {
        network.Say(b, "b1", Arp(MacB, IPv4B, IPv4A));
        network.Say(a, "a1", Arp(MacA, IPv4A, IPv4B));
        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacA} local a1", $"100 {MacB} directory 198.18.0.2" }));
    }

    [Test]
    public void ADomain_ComesAndGoes_WithAllItsRecords()
    {
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two();
        network.Store.Put(Host(7), new FloodRecord("h7", s_vni200), new MacRecord("h7", s_vni200, s_macC, 0));

        Apply(network, a, Domain("a1"), Domain("a2", vni: 200));
        network.Until(() => a.Fdb().Contains($"200 {s_macC} directory 198.18.0.7"));
        network.Say(a, "a2", Arp(MacA));
        Assert.That(network.Stored("h1"), Has.Some.EqualTo("flood of h1 200").And.Some.StartsWith("mac of h1 200"));

        Apply(network, a, Domain("a1"));
        Assert.That(network.Stored("h1"), Is.EqualTo(new[] { "flood of h1 100", "vtep of h1" }));
        Assert.That(a.Fdb(), Is.Empty);
        Assert.That(a.Vtep.Peers(network.Wire.Now).Single().Vnis, Is.EqualTo(new[] { Vni100 }));
        Assert.That(b.Fdb(), Is.Empty);

        Apply(network, a, Domain("a1"), Domain("a2", vni: 200));
        network.Until(() => a.Fdb().Contains($"200 {s_macC} directory 198.18.0.7"));
    }

    [Test]
    public void FromControllerToStatic_NothingOfTheController_IsLeft()
    {
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two();
        Acquaint(network, a, b);

        Apply(network, a, TestNetwork.Domain(100, ["a1"], ["198.18.0.9"]));

        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacA} local a1" }));
        Assert.That(Neighbors(a), Is.Empty);
        Assert.That(Flood(a), Is.EqualTo(new[] { "198.18.0.9" }));
        Assert.That(network.Stored("h1"), Is.EqualTo(new[] { RecordRules.NameOf(Host(1).Key) }));
        network.Wire.Forge(Address(2), Address(1), TestNetwork.Vxlan(100, Udp(MacB, MacA)));
        network.Step();
        Assert.That(a.Drops(DropReason.PeerUnknown), Is.EqualTo(1));
    }

    [Test]
    public void FromStaticToController_NothingOfThePeers_IsLeft_AndStationsHereArePublished()
    {
        using var network = new ControlledNetwork();
        Node a = network.Add(1, TestNetwork.Domain(100, ["a1"], ["198.18.0.9"]), TestNetwork.Domain(200, ["a2"], ["198.18.0.9"]));
        network.Sync();
        network.Wire.Forge(Address(9), Address(1), TestNetwork.Vxlan(100, Udp(MacB, MacA)));
        network.Say(a, "a1", Arp(MacA));
        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacA} local a1", $"100 {MacB} remote 198.18.0.9" }));

        Apply(network, a, Domain("a1"), TestNetwork.Domain(200, ["a2"], ["198.18.0.9"]));

        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacA} local a1" }), "its VTEP is one of VNI 200 only");
        Assert.That(Flood(a), Is.Empty);
        Assert.That(network.Claims(MacA), Is.EqualTo(new[] { "h1 0" }));
    }

    [Test]
    public void FromWatchToLookup_StationsAreForgotten_AndBack_KnownAgain()
    {
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two();
        Acquaint(network, a, b);

        Apply(network, a, Lookup("a1"));
        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacA} local a1" }));
        Assert.That(Neighbors(a), Is.EqualTo(new[] { $"100 {IPv4A} {MacA} local" }));
        Assert.That(Flood(a), Is.EqualTo(new[] { "198.18.0.2" }));
        Assert.That(network.Claims(MacA), Is.EqualTo(new[] { "h1 0" }));
        a.Port("a1").Inject(Udp(MacA, MacB));
        network.Until(() => a.Fdb().Contains($"100 {MacB} directory 198.18.0.2"));

        Apply(network, a, Domain("a1"));
        network.Until(() => Neighbors(a).Count == 2);
        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacA} local a1", $"100 {MacB} directory 198.18.0.2" }));
    }

    [Test]
    public void APortThatIsRemoved_TakesItsStationsWithIt()
    {
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two();
        Acquaint(network, a, b);
        Apply(network, b, Domain("b1") with { Ports = [new PortConfig { Tap = "b2", Mac = s_macC }] });
        network.Pass(1);
        network.Sync();
        Assert.That(network.Claims(MacB), Is.Empty);
        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacA} local a1", $"100 {s_macC} directory 198.18.0.2" }), "the new port's own MAC");
        Assert.That(Neighbors(a), Is.EqualTo(new[] { $"100 {IPv4A} {MacA} local" }));
    }

    [Test]
    public void TheOperatorsEntry_BeatsTheController_AndWhenItGoes_TheControllersIsBack()
    {
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two();
        Acquaint(network, a, b);
        var other = new VtepEndpoint(InetAddress.Parse(Address(9)), 4789);

        Assert.That(a.Vtep.DeleteFdb(Vni100, MacB), Is.EqualTo($"{MacB} in VNI 100 is told by the domain's controller: take its record out there."));
        Assert.That(a.Vtep.AddFdb(Vni100, MacB, other, null), Is.Null);
        network.Store.Put(Host(7), new FloodRecord("h7", Vni100), new MacRecord("h7", Vni100, MacB, 7));
        network.Until(() => network.Claims(MacB) is ["h7 7"] && StatusOf(a).Revision == network.Store.Revision);
        network.Pass(2);
        Assert.That(a.Fdb(), Does.Contain($"100 {MacB} static 198.18.0.9"));

        Assert.That(a.Vtep.DeleteFdb(Vni100, MacB), Is.Null);
        Assert.That(a.Fdb(), Does.Contain($"100 {MacB} directory 198.18.0.7"));
        network.Sync();
    }

    [Test]
    public void AConfiguredEntry_ThatGoes_LeavesTheControllers()
    {
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two();
        Acquaint(network, a, b);
        var entry = new StaticFdbEntry(MacB, new VtepEndpoint(InetAddress.Parse(Address(9)), 4789), null);
        a.Vtep.Apply(a.Vtep.Config with { BridgeDomains = [Domain("a1") with { Fdb = [entry] }] }, network.Wire.Now);
        Assert.That(a.Fdb(), Does.Contain($"100 {MacB} static 198.18.0.9"));
        Apply(network, a, Domain("a1"));
        Assert.That(a.Fdb(), Does.Contain($"100 {MacB} directory 198.18.0.2"));
    }

    [Test]
    public void AStationFixedAtAPort_IsPublished_UntilItIsDeleted()
    {
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two();
        Assert.That(b.Vtep.AddFdb(Vni100, s_macC, null, "b1"), Is.Null);
        network.Sync();
        Assert.That(network.Claims(s_macC), Is.EqualTo(new[] { "h2 0" }));
        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {s_macC} directory 198.18.0.2" }));
        Assert.That(b.Vtep.DeleteFdb(Vni100, s_macC), Is.Null);
        network.Pass(1);
        network.Sync();
        Assert.That(network.Claims(s_macC), Is.Empty);
    }

    [Test]
    public void AVtepThatLeavesItsOnlyDomain_AndEntersAnother_InOneChange_IsReached()
    {
        using var network = new ControlledNetwork();
        Node a = network.Add(1, Domain("a1"), Domain("a2", vni: 200));
        network.Store.Put(Host(7), new FloodRecord("h7", Vni100), new MacRecord("h7", Vni100, MacB, 0));
        network.Sync();
        network.Store.Put(new FloodRecord("h7", s_vni200), new MacRecord("h7", s_vni200, MacB, 0));
        foreach (int _ in Enumerable.Range(0, 5))
        {
            Move(network, Vni100, s_vni200);
            Assert.That(a.Fdb(), Is.EqualTo(new[] { $"200 {MacB} directory 198.18.0.7" }));
            Move(network, s_vni200, Vni100);
            Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacB} directory 198.18.0.7" }));
        }

        network.Say(a, "a1", Udp(MacA, MacB));
        Assert.That(network.Wire.TakeDatagrams().Select(datagram => $"{datagram.Outer.Remote.Address}"), Is.EqualTo(new[] { "198.18.0.7" }));
    }

    private static void Move(ControlledNetwork network, Vni from, Vni to)
    {
        DirectoryRecord[] there = [Host(7), new FloodRecord("h7", to), new MacRecord("h7", to, MacB, 0)];
        network.Store.Restore(network.Store.Revision + 1, [.. network.Store.Records.Where(record => record.Owner != "h7"), .. there]);
        network.Sync();
        Assert.That(network.Store.Records.Any(record => record.Owner == "h7" && record.Key.Vni == from), Is.False);
    }

    [Test]
    public void AVtepThatGoes_WithStationsLearnedBehindIt_TakesThemWithIt()
    {
        using var network = new ControlledNetwork();
        var learns = new ControllerDiscovery { Controller = "store", LearnFromPeers = true };
        Node a = network.Add(1, Domain("a1", learns), TestNetwork.Domain(200, ["a2"], [Address(7)]));
        network.Store.Put(Host(7), new FloodRecord("h7", Vni100));
        network.Sync();
        network.Wire.Forge(Address(7), Address(1), TestNetwork.Vxlan(100, Udp(MacB, MacA)));
        network.Step();
        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacB} remote 198.18.0.7" }));
        network.Store.Withdraw("h7");
        network.Until(() => StatusOf(a).Stale > 0);
        network.Pass(6);
        Assert.That(a.Fdb(), Is.Empty, "it is still one of VNI 200, but not of this domain");
    }
}
