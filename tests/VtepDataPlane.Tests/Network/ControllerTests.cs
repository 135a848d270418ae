// Whole VTEPs that know each other from a store: what they publish, how they reach each other, who is let in, and what they do without the store.

using NUnit.Framework;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Network.ControlledNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Network;

public sealed class ControllerTests
{
    private static readonly MacAddress s_macC = MacAddress.Parse("02:00:00:00:00:0c");

    [Test]
    public void AStation_IsPublished_AndTold()
    {
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two();
        network.Say(b, "b1", Arp(MacB, IPv4B, IPv4A));
        Assert.That(network.Claims(MacB), Is.EqualTo(new[] { "h2 0" }));
        Assert.That(a.Fdb(), Is.EqualTo(new[] { $"100 {MacB} directory 198.18.0.2" }));
        Assert.That(Neighbors(a), Is.EqualTo(new[] { $"100 {IPv4B} {MacB}" }));
        Assert.That(Neighbors(b), Is.EqualTo(new[] { $"100 {IPv4B} {MacB} local" }));
    }

    [Test]
    public void TheFirstFrame_BetweenKnownStations_GoesToOneVtepOnly()
    {
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two();
        Node c = network.Add(3, Domain("c1"));
        network.Sync();
        network.Say(b, "b1", Arp(MacB, IPv4B, IPv4A));
        network.Say(a, "a1", Arp(MacA));
        c.Port("c1").TakeAll();
        b.Port("b1").TakeAll();
        network.Wire.TakeDatagrams();

        network.Say(a, "a1", Udp(MacA, MacB));

        Assert.That(network.Wire.TakeDatagrams().Single().Outer.Remote.Address.ToString(), Is.EqualTo("198.18.0.2"));
        Assert.That(b.Port("b1").TakeAll(), Has.Count.EqualTo(1));
        Assert.That(c.Port("c1").TakeAll(), Is.Empty);
    }

    [Test]
    public void AnArpRequest_ForAKnownAddress_IsAnsweredAtOnce()
    {
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two();
        network.Say(b, "b1", Arp(MacB, IPv4B, IPv4A));
        network.Wire.TakeDatagrams();
        a.Port("a1").TakeAll();

        a.Port("a1").Inject(Arp(MacA, IPv4A, IPv4B));
        network.Wire.Run();

        Assert.That(a.Port("a1").TakeAll().Single().Bytes[..42], Is.EqualTo(Arp(MacB, IPv4B, IPv4A, targetMac: MacA)[..42]));
        Assert.That(network.Wire.TakeDatagrams(), Is.Empty);
        Assert.That(a.Drops(DropReason.NeighborAnswered), Is.EqualTo(1));
    }

    [Test]
    public void AMacThatMoves_IsClaimedHigher_AndTheLoserWithdraws()
    {
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two();
        Node c = network.Add(3, Domain("c1"));
        network.Sync();
        network.Say(b, "b1", Arp(s_macC));
        Assert.That(c.Fdb(), Is.EqualTo(new[] { $"100 {s_macC} directory 198.18.0.2" }));

        network.Say(c, "c1", Arp(s_macC));

        Assert.That(network.Claims(s_macC), Is.EqualTo(new[] { "h3 1" }));
        Assert.That(c.Fdb(), Is.EqualTo(new[] { $"100 {s_macC} local c1" }), "who hears it knows better than the store");
        Assert.That(b.Fdb(), Is.EqualTo(new[] { $"100 {s_macC} directory 198.18.0.3" }));
        c.Port("c1").TakeAll();
        b.Port("b1").TakeAll();
        network.Say(a, "a1", Udp(MacA, s_macC));
        Assert.That((c.Port("c1").TakeAll().Count, b.Port("b1").TakeAll().Count), Is.EqualTo((1, 0)));
    }

    [Test]
    public void AVtepWithoutARecord_IsDropped_UntilItHasOne_AndAgainWhenItsHoldIsOver()
    {
        using var network = new ControlledNetwork();
        Node a = network.Add(1, Domain("a1"));
        network.Sync();
        void Forged() => network.Wire.Forge(Address(7), Address(1), TestNetwork.Vxlan(100, Udp(MacB, MacA)));
        Forged();
        network.Step();
        Assert.That((a.Drops(DropReason.PeerUnknown), a.Port("a1").TakeAll().Count), Is.EqualTo((1, 0)));

        network.Store.Put(Host(7), new FloodRecord("h7", Vni100));
        network.Sync();
        Forged();
        network.Step();
        Assert.That((a.Drops(DropReason.PeerUnknown), a.Port("a1").TakeAll().Count), Is.EqualTo((1, 1)));

        network.Store.Withdraw("h7");
        network.Until(() => StatusOf(a).Stale > 0);
        Forged();
        network.Step();
        Assert.That((a.Drops(DropReason.PeerUnknown), a.Port("a1").TakeAll().Count), Is.EqualTo((1, 1)), "it may be restarting");
        network.Pass(6);
        network.Sync();
        Forged();
        network.Step();
        Assert.That((a.Drops(DropReason.PeerUnknown), a.Port("a1").TakeAll().Count), Is.EqualTo((2, 0)));
        Assert.That(a.Vtep.Peers(network.Wire.Now), Is.Empty);
    }

    [Test]
    public void WhileTheStoreIsAway_FramesFlow_AndWhatHappensIsPublishedAfterwards()
    {
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two();
        network.Say(b, "b1", Arp(MacB));
        network.Store.GoAway();
        network.Until(() => StatusOf(a).State == "degraded" && StatusOf(b).State == "degraded");
        a.Port("a1").TakeAll();
        b.Port("b1").TakeAll();

        a.Port("a1").Inject(Udp(MacA, MacB));
        network.Pass(100);
        Assert.That(b.Port("b1").TakeAll(), Has.Count.EqualTo(1));
        Assert.That(StatusOf(a).PublishPending, Is.GreaterThan(0));
        Assert.That(a.Vtep.Status().Warnings, Has.Exactly(1).StartsWith("Frames of controller 'store' go by the last known state"));

        network.Store.ComeBack();
        network.Sync();
        Assert.That(network.Claims(MacA), Is.EqualTo(new[] { "h1 0" }));
        Assert.That(b.Fdb(), Does.Contain($"100 {MacA} directory 198.18.0.1"));
    }

    [Test]
    public void AStoreThatIsEmptied_IsFilledAgain_AndNoFrameIsLostMeanwhile()
    {
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two();
        network.Say(b, "b1", Arp(MacB));
        network.Say(a, "a1", Arp(MacA));
        b.Port("b1").TakeAll();

        network.Store.Clear();
        for (int i = 0; i < 10; i++)
        {
            a.Port("a1").Inject(Udp(MacA, MacB));
            network.Pass(1);
            if (i == 3)
                network.Sync(); // the clock waits for the sources: they have filled the store before the 5 s are over that a VTEP stays
        }

        Assert.That(b.Port("b1").TakeAll(), Has.Count.EqualTo(10));
        Assert.That((network.Claims(MacA), network.Claims(MacB)), Is.EqualTo((new[] { "h1 0" }, new[] { "h2 0" })));
    }

    [Test]
    public void StationsThatAge_AreWithdrawnWithinTwoTicks()
    {
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two(tap => Domain(tap) with { Ageing = 10 });
        network.Say(b, "b1", Arp(MacB, IPv4B, IPv4A));
        network.Pass(9);
        network.Sync();
        Assert.That(network.Claims(MacB), Is.EqualTo(new[] { "h2 0" }));
        network.Pass(3);
        network.Sync();
        Assert.That(network.Stored("h2"), Has.Count.EqualTo(2), "itself, and its domain");
        Assert.That(a.Fdb(), Is.Empty);
        Assert.That(Neighbors(a), Is.Empty);
    }

    [Test]
    public void MoreNewStationsThanTheRingHolds_AreAllPublished()
    {
        const int Stations = 5000;
        using var network = new ControlledNetwork();
        (Node a, Node b) = network.Two(tap => Domain(tap) with { FdbLimit = 10_000 });
        for (int i = 0; i < Stations; i++)
        {
            b.Port("b1").Inject(Ethernet(0x88B5, Pattern(46), new MacAddress(0x0200_0001_0000UL + (ulong)i), MacAddress.Broadcast));
            if (i % 100 == 99)
                b.Host.Run(b.Vtep, network.Wire.Now); // and nobody attends
        }

        network.Sync();
        Assert.That(network.Store.Records.OfType<MacRecord>().Count(), Is.EqualTo(Stations));
        Assert.That(a.Fdb(), Has.Count.EqualTo(Stations));
    }
}
