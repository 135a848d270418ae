// Multicast discovery: joins counted over domains, one datagram to the group, VTEPs learned from what they send, bounded and ageing.

using NUnit.Framework;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Network.TestNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Network;

public sealed class MulticastTests
{
    private const string A = "198.18.0.1", B = "198.18.0.2", C = "198.18.0.3";

    [TestCase("198.18.0.1", "198.18.0.2", "239.1.1.1")]
    [TestCase("fd00::a", "fd00::b", "ff05::100")]
    public void AnArpExchange_IsOneMulticast_ThenUnicast(string first, string second, string group)
    {
        using var network = new TestNetwork();
        Node a = network.Add(first, MulticastDomain(100, ["a1"], group));
        Node b = network.Add(second, MulticastDomain(100, ["b1"], group));
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        b.Port("b1").Inject(Arp(MacB, targetMac: MacA));
        network.Run();
        a.Port("a1").Inject(Udp(MacA, MacB));
        network.Run();

        IReadOnlyList<MemoryDatagram> datagrams = network.TakeDatagrams();
        Assert.That(datagrams.Select(d => d.Outer.Remote.Address.ToString()), Is.EqualTo(new[] { group, first, second }));
        Assert.That(datagrams[0].Outer.HopLimit, Is.EqualTo(1), "to the group, TTL 1");
        Assert.That(datagrams[0].Outer.InterfaceIndex, Is.Not.Zero);
        Assert.That(datagrams[1].Outer.HopLimit, Is.EqualTo(64));
        Assert.That(a.Vtep.Peers(network.Now).Single().Kind, Is.EqualTo("learned"));
        Assert.That(b.Port("b1").TakeAll(), Has.Count.EqualTo(2));
    }

    [Test]
    public void AGroup_IsJoinedOnceForAllItsDomains_AndLeftAfterTheLast()
    {
        using var network = new TestNetwork();
        BridgeDomainConfig[] domains = [.. Enumerable.Range(1, 20).Select(vni => MulticastDomain(vni, [$"t{vni}"]))];
        Node a = network.Add(A, domains);
        MemoryUnderlay underlay = a.Host.Underlay!;
        Assert.That(underlay.Groups, Has.Count.EqualTo(1));

        VtepConfig config = a.Vtep.Config;
        a.Vtep.Apply(config with { BridgeDomains = [domains[3]] }, network.Now);
        Assert.That(underlay.Groups, Has.Count.EqualTo(1));
        a.Vtep.Apply(config with { BridgeDomains = [MulticastDomain(4, ["t4"], "239.1.1.2")] }, network.Now);
        Assert.That(underlay.Groups.Single().Group.ToString(), Is.EqualTo("239.1.1.2"));
        a.Vtep.Apply(config with { BridgeDomains = [Domain(4, ["t4"], [B])] }, network.Now);
        Assert.That(underlay.Groups, Is.Empty);
    }

    [Test]
    public void AnOwnEcho_IsDropped()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, MulticastDomain(100, ["a1"]));
        network.Forge(A, A, Vxlan(100, Arp(MacB)));
        network.Run();
        Assert.That(a.Drops(DropReason.OwnEcho), Is.EqualTo(1));
        Assert.That(a.Fdb(), Is.Empty);
    }

    [Test]
    public void OnlyUnicastSources_BecomePeers_AndNoMoreThanTheLimit()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, MulticastDomain(100, ["a1"]));
        network.Forge("239.1.1.1", A, Vxlan(100, Arp(MacB)));
        network.Forge("0.0.0.0", A, Vxlan(100, Arp(MacB)));
        for (int i = 0; i < 12; i++)
            network.Forge($"198.18.1.{i + 1}", A, Vxlan(100, Arp(new MacAddress(0x0200_0000_2000UL + (ulong)i))));
        network.Run();
        Assert.That(a.Drops(DropReason.PeerUnknown), Is.EqualTo(2));
        Assert.That(a.Drops(DropReason.PeerLimit), Is.EqualTo(4));
        Assert.That(a.Vtep.Peers(network.Now), Has.Count.EqualTo(8));
        Assert.That(a.Fdb(), Has.Count.EqualTo(8));
    }

    [Test]
    public void ALearnedPeer_AgesOut_WithItsEntries_AndItsPlaceIsFreeForOthers()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, MulticastDomain(100, ["a1"]) with { Ageing = 0 });
        for (int i = 0; i < 8; i++)
            network.Forge($"198.18.1.{i + 1}", A, Vxlan(100, Arp(new MacAddress(0x0200_0000_2000UL + (ulong)i))));
        network.Run();
        network.Wait(200);
        network.Forge("198.18.1.1", A, Vxlan(100, Arp(new MacAddress(0x0200_0000_2000UL))));
        network.Run();
        network.Wait(100);
        Assert.That(a.Vtep.Peers(network.Now).Select(peer => peer.Endpoint.Address.ToString()), Is.EqualTo(new[] { "198.18.1.1" }));
        Assert.That(a.Fdb(), Has.Count.EqualTo(1), "entries behind forgotten VTEPs go with them, though these never age");
        network.Forge("198.18.2.1", A, Vxlan(100, Arp(MacB)));
        network.Run();
        Assert.That(a.Vtep.Peers(network.Now), Has.Count.EqualTo(2));
    }

    [Test]
    public void WhileTheGroupsInterfaceIsMissing_FloodedFramesAreCounted_AndFlowAgainAfter()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, MulticastDomain(100, ["a1"]));
        a.Host.Underlay!.MissingInterfaces.Add("eth0");
        a.Vtep.UnderlayChanged(network.Now);
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        Assert.That(a.Drops(DropReason.NoRoute), Is.EqualTo(1));
        a.Host.Underlay!.MissingInterfaces.Clear();
        a.Vtep.UnderlayChanged(network.Now);
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        Assert.That(network.TakeDatagrams(), Has.Count.EqualTo(1));
    }

    [Test]
    public void ALearnedPeersPath_IsLookedUp_AndItsMtuHolds()
    {
        using var network = new TestNetwork();
        network.Wire.PathMtus[InetAddress.Parse(B)] = 1300;
        Node a = network.Add(A, MulticastDomain(100, ["a1"]));
        network.Forge(B, A, Vxlan(100, Arp(MacB)));
        network.Run();
        network.Wait(1);
        PeerSnapshot peer = a.Vtep.Peers(network.Now).Single();
        Assert.That((peer.PathMtu, peer.State, peer.IdleSeconds), Is.EqualTo((1300, "ok", 1L)));
        a.Port("a1").Inject(Udp(MacA, MacB, payload: Pattern(1300)));
        network.Run();
        Assert.That(a.Drops(DropReason.PathMtuExceeded), Is.EqualTo(1));
    }

    [Test]
    public void OneDatagramToTheGroup_AndOneToEachVtepAdded()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, MulticastDomain(100, ["a1"]));
        a.Vtep.AddFdb(new Vni(100), MacAddress.Zero, new VtepEndpoint(InetAddress.Parse(C), 4789), null);
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        Assert.That(network.TakeDatagrams().Select(d => d.Outer.Remote.Address.ToString()), Is.EquivalentTo(new[] { "239.1.1.1", C }));
    }

    [Test]
    public void TwoGroups_AreTwoSegments()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, MulticastDomain(100, ["a1"], "239.1.1.1"));
        Node b = network.Add(B, MulticastDomain(100, ["b1"], "239.1.1.1"));
        Node c = network.Add(C, MulticastDomain(100, ["c1"], "239.1.1.2"));
        a.Port("a1").Inject(Arp(MacA));
        network.Run();
        Assert.That((b.Port("b1").Waiting, c.Port("c1").Waiting), Is.EqualTo((1, 0)));
    }

    [Test]
    public void ManyJoinsAndLeaves_LeaveNothingBehind()
    {
        using var network = new TestNetwork();
        Node a = network.Add(A, Domain(1, ["t1"], [B]));
        VtepConfig config = a.Vtep.Config;
        var groups = Enumerable.Range(0, 200).Select(i => MulticastDomain(1000 + i, [], $"239.2.{i / 100}.{i % 100 + 1}")).ToList();
        for (int cycle = 0; cycle < 20; cycle++)
        {
            a.Vtep.Apply(config with { BridgeDomains = [.. config.BridgeDomains, .. groups] }, network.Now);
            Assert.That(a.Host.Underlay!.Groups, Has.Count.EqualTo(200));
            a.Vtep.Apply(config, network.Now);
            Assert.That(a.Host.Underlay!.Groups, Is.Empty);
        }

        Assert.That(a.Vtep.Status().BridgeDomains, Is.EqualTo(1));
        Assert.That(config.BridgeDomains[0].Ports, Is.EqualTo(new[] { new PortConfig { Tap = "t1" } }));
        Assert.That(config.BridgeDomains[0].Discovery, Is.InstanceOf<StaticDiscovery>());
    }
}
