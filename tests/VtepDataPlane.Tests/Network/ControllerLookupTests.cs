// Domains that ask the store when a frame needs a station, with whole VTEPs and a store in memory.

using NUnit.Framework;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;
using static VtepDataPlane.Tests.Network.ControlledNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Network;

public sealed class ControllerLookupTests
{
    private static byte[] Numbered(int i) => Ethernet(0x88B5, [(byte)i, .. Pattern(45)], MacA, MacB);

    private static bool Knows(Node node, int vtep) => node.Fdb().Contains($"100 {MacB} directory {Address(vtep)}");

    [Test]
    public void HeldFrames_ArriveInOrder_ForOneQuestion()
    {
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two(tap => Lookup(tap));
        network.Say(a, "a1", Arp(MacA)); // a claim in a domain that looks up is a question of its own
        network.Say(b, "b1", Arp(MacB));
        network.Pass(2);
        network.Until(() => StatusOf(a).Lookups == network.Store.Lookups - StatusOf(b).Lookups);
        Assert.That(Knows(a, 2), Is.False, "not before it is needed");
        b.Port("b1").TakeAll();
        network.Wire.TakeDatagrams();
        long asked = StatusOf(a).Lookups;

        for (int i = 0; i < 5; i++)
            a.Port("a1").Inject(Numbered(i));
        network.Until(() => Knows(a, 2));
        network.Step();

        Assert.That(b.Port("b1").TakeAll().Select(frame => frame.Bytes[14]), Is.EqualTo(new byte[] { 0, 1, 2, 3, 4 }));
        Assert.That(network.Wire.TakeDatagrams(), Has.Count.EqualTo(5));
        Assert.That(StatusOf(a).Lookups - asked, Is.EqualTo(1));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void AStationNobodyKnows_IsFloodedOrDropped_AndNotAskedForAgainAtOnce(bool floods)
    {
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two(tap => Lookup(tap, floods));
        a.Port("a1").Inject(Numbered(0));
        network.Until(() => floods ? b.Port("b1").TakeAll().Count == 1 : a.Drops(DropReason.StationUnknown) == 1);
        long asked = network.Store.Lookups;
        a.Port("a1").Inject(Numbered(1));
        network.Wire.Run();
        Assert.That(floods ? b.Port("b1").TakeAll().Count : a.Drops(DropReason.StationUnknown), Is.EqualTo(floods ? 1 : 2));
        Assert.That(network.Store.Lookups, Is.EqualTo(asked));
    }

    [Test]
    public void AnAnswer_IsRenewedWhileItIsNeeded_FollowsTheStore_AndIsGoneWithTheStation()
    {
        using var network = new ControlledNetwork();
        Node a = network.Add(1, Lookup("a1", positive: 10));
        network.Store.Put(Host(7), new FloodRecord("h7", Vni100), new MacRecord("h7", Vni100, MacB, 0));
        network.Store.Put(Host(8), new FloodRecord("h8", Vni100));
        network.Sync();
        a.Port("a1").Inject(Numbered(0));
        network.Until(() => Knows(a, 7));

        network.Store.Put(new MacRecord("h8", Vni100, MacB, 1));
        network.Pass(9);
        network.Until(() => Knows(a, 8));

        network.Store.Delete(new MacRecord("h8", Vni100, MacB, 1).Key, new MacRecord("h7", Vni100, MacB, 0).Key);
        network.Pass(9);
        network.Until(() => a.Fdb() is [var only] && only == $"100 {MacA} local a1");
    }

    [Test]
    public void WhileTheStoreIsAway_AnAnswerIsKeptAlive()
    {
        using var network = new ControlledNetwork();
        Node a = network.Add(1, Lookup("a1", positive: 10));
        network.Store.Put(Host(7), new FloodRecord("h7", Vni100), new MacRecord("h7", Vni100, MacB, 0));
        network.Sync();
        a.Port("a1").Inject(Numbered(0));
        network.Until(() => Knows(a, 7));
        network.Store.GoAway();
        for (int second = 0; second < 30; second++)
        {
            network.Pass(1);
            network.Until(() => StatusOf(a).Lookups == StatusOf(a).LookupsFound + StatusOf(a).LookupsUnanswered); // none is on its way
        }

        Assert.That(StatusOf(a).LookupsUnanswered, Is.GreaterThanOrEqualTo(3));
        Assert.That(Knows(a, 7), Is.True);
    }

    [Test]
    public void AFrameFromElsewhere_HasTheStationAskedForAgain()
    {
        using var network = new ControlledNetwork();
        Node a = network.Add(1, Lookup("a1"));
        network.Store.Put(Host(7), new FloodRecord("h7", Vni100), new MacRecord("h7", Vni100, MacB, 0));
        network.Store.Put(Host(8), new FloodRecord("h8", Vni100));
        network.Sync();
        a.Port("a1").Inject(Numbered(0));
        network.Until(() => Knows(a, 7));

        network.Store.Put(new MacRecord("h8", Vni100, MacB, 1));
        network.Wire.Forge(Address(8), Address(1), TestNetwork.Vxlan(100, Udp(MacB, MacA)));
        network.Until(() => Knows(a, 8));
    }

    [Test]
    public void QuestionsOfADomainThatIsGone_AskForNothing_AndItsFramesAreCounted()
    {
        using var network = new ControlledNetwork();
        Node a = network.Add(1, Lookup("a1"));
        network.Sync();
        long asked = network.Store.Lookups;
        a.Port("a1").Inject(Numbered(0));
        a.Host.Run(a.Vtep, network.Wire.Now);
        a.Vtep.Apply(a.Vtep.Config with { BridgeDomains = [] }, network.Wire.Now);
        network.Step();
        Assert.That(a.Drops(DropReason.PortGone), Is.EqualTo(1), "at once, not when the question has become too old");
        Assert.That(network.Store.Lookups, Is.EqualTo(asked));
    }

    [Test]
    public void QuestionsOfADomainThatIsStaticNow_AreFloodedAtOnce()
    {
        using var network = new ControlledNetwork();
        Node a = network.Add(1, Lookup("a1"));
        network.Sync();
        network.Wire.TakeDatagrams();
        a.Port("a1").Inject(Numbered(0));
        a.Host.Run(a.Vtep, network.Wire.Now);
        a.Vtep.Apply(a.Vtep.Config with { BridgeDomains = [TestNetwork.Domain(100, ["a1"], [Address(9)])] }, network.Wire.Now);
        network.Step();
        Assert.That(network.Wire.TakeDatagrams().Single().Outer.Remote.Address.ToString(), Is.EqualTo(Address(9)));
    }

    [Test]
    public void FramesHeldAtTheEnd_AreCounted()
    {
        var network = new ControlledNetwork { Source = directory => new SlowDirectory(directory) };
        Node a = network.Add(1, Lookup("a1"));
        network.Until(() => StatusOf(a).State == "connected");
        a.Port("a1").Inject(Numbered(0));
        a.Port("a1").Inject(Numbered(1));
        network.Step();
        a.Vtep.Dispose();
        Assert.That(a.Vtep.Counters().Unaccounted, Is.Zero);
        Assert.That(a.Drops(DropReason.PortGone), Is.EqualTo(2));
    }
}
