using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using static VtepDataPlane.Tests.Discovery.TestDirectory;

namespace VtepDataPlane.Tests.Discovery;

public sealed class CompareTests
{
    private static IReadOnlyList<DirectoryDifference> Compare(TestDirectory directory, params DirectoryRecord[] store) =>
        directory.Reconciler.Compare(new DirectorySnapshot(9, store, []));

    [Test]
    public void AStoreThatSaysWhatTheDataPlaneDoes_DiffersInNothing()
    {
        var directory = new TestDirectory();
        DirectoryRecord[] records = [Host(2), Floods(2), Station(2, 1), Address(2, "198.19.0.1", 1)];
        directory.Snapshot(records);
        directory.Seen(Mac(5));
        directory.Bound("198.19.0.5", Mac(5));
        VtepRecord written = (VtepRecord)directory.Own.All().Single(record => record is VtepRecord) with { Name = "host 0", Mtu = 1450 };
        Assert.That(Compare(directory, [.. records, .. directory.Own.All().Where(record => record is not VtepRecord), written]), Is.Empty);
    }

    [Test]
    public void EveryTable_IsCompared()
    {
        var directory = new TestDirectory(ControllerMode.Watch);
        directory.Configure(ControllerMode.Watch, Vni100);
        directory.Snapshot(Host(2), Floods(2), Station(2, 1), Address(2, "198.19.0.1", 1));
        directory.Seen(Mac(5));
        Assert.That(Compare(directory, Host(3), Floods(3), Station(3, 1), Address(3, "198.19.0.1", 2), Floods(0), Station(0, 5, sequence: 3)), Is.EqualTo(new[]
        {
            new DirectoryDifference("store", Vni100, "flood", "198.18.0.2:4789", null, "yes"),
            new DirectoryDifference("store", Vni100, "flood", "198.18.0.3:4789", "yes", null),
            new DirectoryDifference("store", Vni100, "peer", "198.18.0.2:4789", null, "yes"),
            new DirectoryDifference("store", Vni100, "peer", "198.18.0.3:4789", "yes", null),
            new DirectoryDifference("store", Vni100, "station", "02:00:00:00:00:01", "198.18.0.3:4789", "198.18.0.2:4789"),
            new DirectoryDifference("store", Vni100, "station", "02:00:00:00:00:02", "198.18.0.3:4789", null),
            new DirectoryDifference("store", Vni100, "neighbor", "198.19.0.1", "02:00:00:00:00:02", "02:00:00:00:00:01"),
            new DirectoryDifference("store", Vni100, "published", "mac of h0 100 02:00:00:00:00:05", "sequence 3", "sequence 0"),
            new DirectoryDifference("store", null, "published", "vtep of h0", null, "198.18.0.250:4789"),
        }));
    }

    [Test]
    public void AHeldRecord_IsADifference()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Host(2), Station(2, 1));
        directory.Delete(Host(2), Station(2, 1));
        Assert.That(Compare(directory, [.. directory.Own.All()]).Select(one => one.What), Is.EqualTo(new[] { "peer", "station" }));
    }

    [Test]
    public void OfADomainThatLooksUp_OnlyPeersAreCompared()
    {
        var directory = new TestDirectory(ControllerMode.Lookup);
        directory.Snapshot(Host(2), Floods(2), Host(3));
        directory.LookedUp(Key(1), Station(3, 1));
        directory.Seen(Mac(5));
        Assert.That(Compare(directory, [Host(2), Floods(2), Host(3), .. directory.Own.All().Where(record => record is not MacRecord)]), Is.Empty);
        Assert.That(Compare(directory, [Host(2), .. directory.Own.All()]).Select(one => one.What), Is.EqualTo(new[] { "flood", "peer" }));
    }
}
