// Domains whose stations are looked up.

using NUnit.Framework;
using VtepDataPlane.Discovery;
using static VtepDataPlane.Tests.Discovery.TestDirectory;

namespace VtepDataPlane.Tests.Discovery;

public sealed class LookupTests
{
    private static TestDirectory Started()
    {
        var directory = new TestDirectory(ControllerMode.Lookup);
        directory.Snapshot(Host(2), Host(3), Floods(2), Station(2, 50));
        return directory;
    }

    [Test]
    public void StationsInSnapshots_ArePassedOver() => Assert.That(Started().Target.Stations, Is.Empty);

    [Test]
    public void AnAnswer_IsGoodForAMinute_AndAskedForAgainOnceAtFourFifths()
    {
        TestDirectory directory = Started();
        directory.LookedUp(Key(1), Station(2, 1));
        Assert.That(directory.StationAt(Mac(1)), Is.EqualTo("198.18.0.2"));
        directory.Pass(47_999);
        Assert.That(directory.Reconciler.TakeExpiring(directory.Now), Is.Empty);
        directory.Pass(1);
        Assert.That(directory.Reconciler.TakeExpiring(directory.Now), Is.EqualTo(new[] { Key(1) }));
        Assert.That(directory.Reconciler.TakeExpiring(directory.Now), Is.Empty);
        directory.Pass(11_999);
        Assert.That(directory.StationAt(Mac(1)), Is.EqualTo("198.18.0.2"));
        directory.Pass(1);
        Assert.That(directory.StationAt(Mac(1)), Is.Null);
    }

    [Test]
    public void AnAnswerAskedForAgain_GoesOn()
    {
        TestDirectory directory = Started();
        directory.LookedUp(Key(1), Station(2, 1));
        directory.Pass(50_000);
        directory.LookedUp(Key(1), Station(3, 1, sequence: 1));
        directory.Pass(50_000);
        Assert.That(directory.StationAt(Mac(1)), Is.EqualTo("198.18.0.3"));
        Assert.That(directory.Status().Records["mac"], Is.EqualTo(1), "the old claim is gone");
    }

    [Test]
    public void NotFound_DropsWhatWasKnown_AndNoAnswerKeepsIt()
    {
        TestDirectory directory = Started();
        directory.LookedUp(Key(1), Station(2, 1));
        directory.Pass(50_000);
        directory.Reconciler.LookedUp(Key(1), LookupResult.NoAnswer, directory.Now);
        directory.Pass(50_000);
        Assert.That(directory.StationAt(Mac(1)), Is.EqualTo("198.18.0.2"));
        directory.LookedUp(Key(1));
        Assert.That(directory.StationAt(Mac(1)), Is.Null);
    }

    [Test]
    public void AnAddressFound_GivesItsStationToo()
    {
        TestDirectory directory = Started();
        directory.LookedUp(Key("198.19.0.1"), Address(3, "198.19.0.1", 1, sequence: 2));
        Assert.That((directory.StationAt(Mac(1)), directory.NeighborAt("198.19.0.1")), Is.EqualTo(("198.18.0.3", "02:00:00:00:00:01")));
        Assert.That(directory.Target.Admitted, Is.EqualTo(new[] { "198.18.0.2", "198.18.0.3" }), "it may send, though it wants no floods");
        directory.LookedUp(Key("198.19.0.1"));
        Assert.That((directory.StationAt(Mac(1)), directory.NeighborAt("198.19.0.1")), Is.EqualTo(((string?)null, (string?)null)));
    }

    [Test]
    public void AnAnswerToAnotherQuestion_OrWithABadRecord_IsNotTaken()
    {
        TestDirectory directory = Started();
        directory.LookedUp(Key(1), Station(2, 9), Station(2, 1) with { Owner = "a b" });
        Assert.That(directory.Target.Stations, Is.Empty);
        Assert.That(directory.Status().Rejected, Does.ContainKey("ownerInvalid"));
    }

    [Test]
    public void AStationOfOurs_IsClaimedFirst_AskedFor_AndRaisedAboveAnOlderClaim()
    {
        TestDirectory directory = Started();
        directory.Seen(Mac(1));
        Assert.That(directory.Published(Mac(1)), Is.EqualTo(0));
        Assert.That(directory.Reconciler.TakeExpiring(directory.Now), Is.EqualTo(new[] { Key(1) }));
        Assert.That(directory.Reconciler.TakeExpiring(directory.Now), Is.Empty);
        directory.LookedUp(Key(1), Station(2, 1, sequence: 6));
        Assert.That((directory.Published(Mac(1)), directory.StationAt(Mac(1))), Is.EqualTo(((uint?)7, (string?)null)));
    }

    [Test]
    public void AStationThatIsntHereAnyMore_IsGivenUpToAHigherClaim()
    {
        TestDirectory directory = Started();
        directory.Seen(Mac(1));
        directory.Target.Locals.Clear();
        directory.LookedUp(Key(1), Station(2, 1, sequence: 1));
        Assert.That((directory.Published(Mac(1)), directory.StationAt(Mac(1))), Is.EqualTo(((uint?)null, "198.18.0.2")));
    }

    [Test]
    public void AStoreThatIsAway_IsAskedForOurStationAgain_ButNotAtOnce()
    {
        TestDirectory directory = Started();
        directory.Seen(Mac(1));
        directory.Reconciler.TakeExpiring(directory.Now);
        directory.Reconciler.LookedUp(Key(1), LookupResult.NoAnswer, directory.Now);
        directory.Pass(47_999);
        Assert.That(directory.Reconciler.TakeExpiring(directory.Now), Is.Empty);
        directory.Pass(1);
        Assert.That(directory.Reconciler.TakeExpiring(directory.Now), Is.EqualTo(new[] { Key(1) }));
    }

    [Test]
    public void AWatchedDomain_TakesNoAnswers()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Host(2));
        directory.LookedUp(Key(1), Station(2, 1));
        Assert.That(directory.Target.Stations, Is.Empty);
    }

    [Test]
    public void AChangeOfMode_ForgetsWhatWasKnownInTheOldWay()
    {
        TestDirectory directory = Started();
        directory.LookedUp(Key(1), Station(2, 1));
        directory.Configure(ControllerMode.Watch, Vni100, Vni200);
        Assert.That(directory.Target.Stations, Is.Empty);
        directory.Snapshot(Host(2), Floods(2), Station(2, 50));
        Assert.That(directory.StationAt(Mac(50)), Is.EqualTo("198.18.0.2"));
        Assert.That(directory.Reconciler.TakeExpiring(directory.Now + 1_000_000), Is.Empty);
    }
}
