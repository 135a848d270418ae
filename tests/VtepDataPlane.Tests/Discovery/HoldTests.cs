// Records the store has lost: which go at once, and which stay for how long.

using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using static VtepDataPlane.Tests.Discovery.TestDirectory;

namespace VtepDataPlane.Tests.Discovery;

public sealed class HoldTests
{
    private static DirectoryRecord[] Cluster(int hosts) => [.. Enumerable.Range(1, hosts).SelectMany(n => new DirectoryRecord[] { Host(n), Floods(n), Station(n, n) })];

    [Test]
    public void WhatASnapshotDoesntHave_StaysFiveSeconds_WhenItIsLittle()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Cluster(4));
        directory.Snapshot();
        Assert.That(directory.Status(), Has.Property("ShrinkHeld").EqualTo(0).And.Property("Stale").EqualTo(12));
        directory.Pass(4999);
        Assert.That(directory.Target.Stations, Has.Count.EqualTo(4));
        directory.Pass(1);
        Assert.That(directory.Target.Stations, Is.Empty);
        Assert.That(directory.Target.Admitted, Is.Empty);
    }

    [Test]
    public void StationASnapshotDoesntHave_GoesAtOnce_WhenItsVtepIsThere()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Cluster(2));
        directory.Snapshot([.. Cluster(1), Host(2), Floods(2)]);
        Assert.That(directory.StationAt(Mac(2)), Is.Null);
    }

    [Test]
    public void StoreThatWasEmptied_CostsNothing_WhenEveryNodePublishesAnewInTime()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Cluster(3));
        directory.Snapshot();
        directory.Pass(3000);
        directory.Put(Cluster(3));
        directory.Pass(60_000);
        Assert.That(directory.Target.Stations, Has.Count.EqualTo(3));
        Assert.That(directory.Status(), Has.Property("Stale").EqualTo(0));
    }

    [Test]
    public void ASnapshotThatLosesMostVteps_IsHeldForHalfAMinute()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Cluster(9));
        directory.Snapshot(Cluster(4));
        Assert.That(directory.Status(), Has.Property("ShrinkHeld").EqualTo(5).And.Property("Stale").EqualTo(15));
        Assert.That(directory.Reconciler.Warnings(directory.Now), Has.Exactly(1).Contains("has lost 5 VTEPs at once. They are kept for 30 s more"));
        directory.Pass(29_999);
        Assert.That(directory.StationAt(Mac(9)), Is.EqualTo("198.18.0.9"));
        directory.Pass(1);
        Assert.That(directory.StationAt(Mac(9)), Is.Null);
        Assert.That(directory.Target.Admitted.Count(), Is.EqualTo(4));
        Assert.That(directory.Status(), Has.Property("ShrinkHeld").EqualTo(0).And.Property("Stale").EqualTo(0));
    }

    [TestCase(10, 5)]
    [TestCase(4, 0)]
    public void HalfTheVteps_OrFourOfThem_MayGoAfterFiveSeconds(int before, int after)
    {
        var directory = new TestDirectory();
        directory.Snapshot(Cluster(before));
        directory.Snapshot(Cluster(after));
        directory.Pass(5000);
        Assert.That(directory.Target.Admitted.Count(), Is.EqualTo(after));
    }

    [Test]
    public void AHeldShrink_IsOverWhenTheOperatorSaysSo()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Cluster(9));
        Assert.That(directory.Reconciler.AcceptShrink(directory.Now), Is.False);
        directory.Snapshot();
        Assert.That(directory.Reconciler.AcceptShrink(directory.Now), Is.True);
        Assert.That(directory.Target.Stations, Is.Empty);
        Assert.That(directory.Target.Admitted, Is.Empty);
    }

    [Test]
    public void WhatASecondSnapshotHasAgain_IsGoodAgain_AndTheRestGoesInItsTime()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Cluster(9));
        directory.Snapshot();
        directory.Pass(10_000);
        directory.Snapshot(Cluster(7));
        Assert.That(directory.Status(), Has.Property("ShrinkHeld").EqualTo(2).And.Property("Stale").EqualTo(6));
        directory.Pass(20_000);
        Assert.That(directory.Target.Admitted.Count(), Is.EqualTo(7));
    }

    [Test]
    public void ARestartingNode_LosesNothing()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Cluster(2));
        int calls = directory.Target.Calls;
        directory.Delete(Cluster(2));
        directory.Pass(4999);
        directory.Put(Cluster(2));
        directory.Pass(100_000);
        Assert.That(directory.Target.Calls, Is.EqualTo(calls), "nothing was told, because nothing has changed");
        Assert.That(directory.Status().Stale, Is.Zero);
    }

    [Test]
    public void ADeadNode_GoesAfterFiveSeconds_WithWhatItHad()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Cluster(2));
        // One lease, told in two pieces.
        directory.Delete(Station(1, 1), Host(1));
        directory.Delete(Floods(1));
        directory.Pass(4999);
        Assert.That((directory.StationAt(Mac(1)), directory.Status().Stale), Is.EqualTo(("198.18.0.1", 3)));
        directory.Pass(1);
        Assert.That(directory.StationAt(Mac(1)), Is.Null);
        Assert.That(directory.Target.Admitted, Is.EqualTo(new[] { "198.18.0.2" }));
        Assert.That(directory.Status().Records["mac"], Is.EqualTo(1));
    }

    [Test]
    public void AStationWithdrawnByANodeThatIsThere_GoesAtOnce()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Cluster(2));
        directory.Delete(Station(1, 1), Floods(1));
        Assert.That(directory.StationAt(Mac(1)), Is.Null);
        Assert.That(directory.Target.Flood, Is.EqualTo(new[] { "198.18.0.2" }));
    }

    [Test]
    public void AHeldClaim_GivesWayToAnyThatTheStoreHas()
    {
        var directory = new TestDirectory();
        directory.Snapshot([.. Cluster(2), Station(1, 9, sequence: 5)]);
        directory.Delete([.. Cluster(1), Station(1, 9, sequence: 5)]);
        directory.Put(Station(2, 9));
        Assert.That(directory.StationAt(Mac(9)), Is.EqualTo("198.18.0.2"));
    }

    [Test]
    public void ManyVtepsDeletedAtOnce_StayAMinute()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Cluster(40));
        directory.Delete(Cluster(16));
        directory.Now += 999;
        directory.Delete([.. Cluster(17)[48..]]);
        directory.Pass(59_000);
        Assert.That(directory.Target.Stations, Has.Count.EqualTo(40));
        directory.Pass(1);
        Assert.That(directory.Target.Stations, Has.Count.EqualTo(24));
        directory.Pass(1000);
        Assert.That(directory.Target.Stations, Has.Count.EqualTo(23));
    }

    [Test]
    public void VtepsDeletedOneByOne_StayFiveSeconds()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Cluster(40));
        for (int i = 0; i < 32; i++)
        {
            directory.Delete([.. Cluster(40)[(3 * i)..(3 * i + 3)]]);
            directory.Now += 70;
        }

        directory.Pass(5000);
        Assert.That(directory.Target.Stations, Has.Count.EqualTo(8));
    }

    [Test]
    public void AValueThatBecomesJunk_IsGone_AndNoOther()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Cluster(2));
        directory.Apply(new DirectoryDelta(9, [], [new RejectedRecord("k", RejectReason.ValueMalformed, "no JSON", Station(1, 1).Key)]));
        Assert.That(directory.Target.Stations, Has.Count.EqualTo(1));
        directory.Put(Host(2) with { IPv4 = Endpoint(250) });
        Assert.That(directory.Target.Stations, Is.Empty);
        Assert.That(directory.WhyOf(Station(2, 2)), Is.EqualTo("no VTEP record of h2"));
        Assert.That(directory.Status().Rejected, Is.EquivalentTo(new Dictionary<string, long> { ["valueMalformed"] = 1, ["vtepIsOurs"] = 1 }));
    }

    [Test]
    public void ACache_IsForwardedBy_UntilTheFirstRealSnapshot()
    {
        var directory = new TestDirectory();
        directory.Cached(Cluster(3));
        Assert.That(directory.Target.Stations, Has.Count.EqualTo(3));
        Assert.That(directory.Status(), Has.Property("FromCache").True.And.Property("Stale").EqualTo(9).And.Property("LastEventSeconds").Null);
        directory.Snapshot(Cluster(2));
        Assert.That(directory.Status(), Has.Property("FromCache").False.And.Property("Stale").EqualTo(3).And.Property("LastEventSeconds").EqualTo(0));
        directory.Pass(5000);
        Assert.That(directory.Target.Stations, Has.Count.EqualTo(2));
        Assert.That(directory.Status(), Has.Property("FromCache").False.And.Property("Stale").EqualTo(0));
        directory.Cached(Cluster(3));
        Assert.That(directory.Target.Stations, Has.Count.EqualTo(2), "a cache that comes late says nothing");
    }

    [Test]
    public void ACache_NeitherPublishesNorWithdraws()
    {
        var directory = new TestDirectory();
        directory.Seen(Mac(1));
        directory.Cached([.. Cluster(3), Station(2, 1, sequence: 9), Station(0, 77, sequence: 4)]);
        Assert.That(directory.Published(Mac(1)), Is.EqualTo(0));
        Assert.That(directory.StationAt(Mac(1)), Is.Null);
        Assert.That(directory.Own.Count, Is.EqualTo(4), "VTEP, two domains, one station");
    }
}
