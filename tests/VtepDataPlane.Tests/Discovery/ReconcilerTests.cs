// Records to tables: peers, stations, neighbours; what is told, how much of it, in which order.

using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using static VtepDataPlane.Tests.Discovery.TestDirectory;

namespace VtepDataPlane.Tests.Discovery;

public sealed class ReconcilerTests
{
    [Test]
    public void TheNode_PublishesItsVtepAndItsDomains()
    {
        var directory = new TestDirectory();
        Assert.That(directory.Own.All(), Is.EquivalentTo(new DirectoryRecord[] { Host(250) with { Owner = Us }, Floods(0), Floods(0, Vni200) }));
    }

    [Test]
    public void Peers_AreThoseWhoFlood_AndThoseWhoHaveAStation()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Host(1), Host(2), Host(3), Host(4), Host(0), Floods(0), Floods(1), Station(2, 7), Address(3, "198.19.0.1", 8), Floods(4, Vni200));
        Assert.That(directory.Target.Admitted, Is.EqualTo(new[] { "198.18.0.1", "198.18.0.2", "198.18.0.3" }));
        Assert.That(directory.Target.Flood, Is.EqualTo(new[] { "198.18.0.1" }));
        Assert.That(directory.Target.Commits, Is.EqualTo(1));
    }

    [Test]
    public void AnAddress_ImpliesItsStation()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Host(3), Address(3, "198.19.0.1", 8) with { IsRouter = true });
        Assert.That((directory.StationAt(Mac(8)), directory.NeighborAt("198.19.0.1")), Is.EqualTo(("198.18.0.3", "02:00:00:00:00:08 router")));
    }

    [Test]
    public void ARecordWithoutItsVtep_WaitsForIt()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Floods(2), Station(2, 1));
        Assert.That((directory.Target.Calls, directory.WhyOf(Station(2, 1))), Is.EqualTo((0, "no VTEP record of h2")));
        directory.Put(Host(2));
        Assert.That((directory.StationAt(Mac(1)), directory.WhyOf(Station(2, 1))), Is.EqualTo(("198.18.0.2", "only claim")));
    }

    [Test]
    public void AVtepThatChangesItsAddress_TakesItsStationsAlong()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Host(2), Floods(2), Station(2, 1), Station(2, 2), Host(3), Station(3, 3));
        int calls = directory.Target.Calls;
        directory.Put(Host(2) with { IPv4 = Endpoint(22) });
        Assert.That((directory.StationAt(Mac(1)), directory.StationAt(Mac(3))), Is.EqualTo(("198.18.0.22", "198.18.0.3")));
        Assert.That(directory.Target.Calls - calls, Is.EqualTo(3), "peers, and two stations");
        directory.Put(Host(2, name: "another name") with { IPv4 = Endpoint(22) });
        Assert.That(directory.Target.Calls - calls, Is.EqualTo(3), "a name is nothing to the data plane");
    }

    [Test]
    public void ASecondClaim_IsKept_AndHoldsWhenTheFirstGoes()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Host(2), Host(3), Station(2, 1, sequence: 1), Station(3, 1));
        Assert.That(directory.StationAt(Mac(1)), Is.EqualTo("198.18.0.2"));
        Assert.That((directory.WhyOf(Station(2, 1)), directory.WhyOf(Station(3, 1))), Is.EqualTo(("highest sequence 1", "h2 holds it: highest sequence 1")));
        directory.Delete(Station(2, 1));
        Assert.That(directory.StationAt(Mac(1)), Is.EqualTo("198.18.0.3"));
    }

    [Test]
    public void AStationTheTargetRefuses_IsOfferedAgain()
    {
        var directory = new TestDirectory();
        directory.Target.Fixed.Add((Vni100, Mac(1)));
        directory.Snapshot(Host(2), Station(2, 1));
        directory.Pass(1000);
        Assert.That(directory.StationAt(Mac(1)), Is.Null);
        directory.Target.Fixed.Clear();
        directory.Pass(1000);
        Assert.That(directory.StationAt(Mac(1)), Is.EqualTo("198.18.0.2"));
        int calls = directory.Target.Calls;
        directory.Pass(1000);
        Assert.That(directory.Target.Calls, Is.EqualTo(calls));
    }

    [Test]
    public void ADomainThatIsLeft_LeavesNothing()
    {
        var directory = new TestDirectory();
        directory.Snapshot(Host(2), Floods(2), Station(2, 1), Address(2, "198.19.0.1", 1), Floods(2, Vni200));
        directory.Seen(Mac(5));
        directory.Bound("198.19.0.5", Mac(5));
        directory.Configure(ControllerMode.Watch, Vni200);
        Assert.That(directory.Target.Stations, Is.Empty);
        Assert.That(directory.Target.Neighbors, Is.Empty);
        Assert.That(directory.Target.Admitted, Is.Empty);
        Assert.That(directory.Target.Peers[Vni200].Flood, Has.Count.EqualTo(1));
        Assert.That(directory.Own.All(), Is.EquivalentTo(new DirectoryRecord[] { Host(250) with { Owner = Us }, Floods(0, Vni200) }));
        Assert.That(directory.Status().Records["flood"], Is.EqualTo(1));
    }

    [Test]
    public void TheSameSnapshotAgain_TellsNothing()
    {
        var directory = new TestDirectory();
        DirectoryRecord[] records = [Host(2), Floods(2), Station(2, 1), Address(2, "198.19.0.1", 1)];
        directory.Snapshot(records);
        (int calls, int commits) = (directory.Target.Calls, directory.Target.Commits);
        directory.Snapshot(records);
        directory.Put(records);
        Assert.That((directory.Target.Calls, directory.Target.Commits), Is.EqualTo((calls, commits)));
    }

    [Test]
    public void ManyRecords_CostACallEach_AndAChangeOfOneCostsOne()
    {
        const int Hosts = DirectoryTable.MaxVteps;
        var directory = new TestDirectory();
        DirectoryRecord[] records =
        [
            .. Enumerable.Range(0, Hosts).SelectMany(i => new DirectoryRecord[] { WideHost(i), new FloodRecord($"n{i}", Vni100) }),
            .. Enumerable.Range(0, 100_000).Select(i => new MacRecord($"n{i % Hosts}", Vni100, Mac(i + 1))),
        ];
        directory.Snapshot(records);
        Assert.That((directory.Target.Stations.Count, directory.Target.Peers[Vni100].Flood.Count), Is.EqualTo((100_000, Hosts)));
        Assert.That(directory.Target.Calls, Is.EqualTo(100_001));
        directory.Put(new MacRecord("n7", Vni100, Mac(1), 1));
        Assert.That(directory.Target.Calls, Is.EqualTo(100_002));
        directory.Put(WideHost(7) with { IPv4 = Endpoint(99) });
        Assert.That(directory.Target.Calls, Is.InRange(100_002 + 25, 100_002 + 27), "its own stations and the peers");
    }

    [Test]
    public void LimitsHold_AndSaySo()
    {
        var directory = new TestDirectory();
        directory.Snapshot([.. Enumerable.Range(0, DirectoryTable.MaxVteps + 3).Select(WideHost), .. Enumerable.Range(1, DirectoryTable.MaxRecordsPerOwner + 1).Select(i => Station(2, i))]);
        Assert.That(directory.Status().Records, Is.EqualTo(new Dictionary<string, int>
        {
            ["vtep"] = 4096,
            ["flood"] = 0,
            ["mac"] = 131_072,
            ["neighbor"] = 0,
            ["prefix"] = 0,
        }));
        Assert.That(directory.Status().Rejected, Is.EquivalentTo(new Dictionary<string, long> { ["limit"] = 3, ["ownerLimit"] = 1 }));
    }

    [Test]
    public void AnotherNodeWithOurId_IsToldOf_AndNotFought()
    {
        var directory = new TestDirectory();
        IReadOnlyList<DirectoryRecord> own = directory.Own.All();
        directory.Snapshot(Host(7) with { Owner = Us, Instance = new Guid(7, 7, 7, [1, 2, 3, 4, 5, 6, 7, 8]) });
        Assert.That(directory.Reconciler.Warnings(0), Is.EqualTo(new[] { "Another node at 198.18.0.7:4789 uses our id 'h0' in controller 'store'; give each node an id of its own." }));
        Assert.That(directory.Own.All(), Is.EquivalentTo(own));
        Assert.That(directory.Status().Rejected, Does.ContainKey("ownerIsUs"));
        directory.Put(Host(250) with { Owner = Us, Instance = new Guid(8, 7, 7, [1, 2, 3, 4, 5, 6, 7, 8]) });
        Assert.That(directory.Reconciler.Warnings(0), Is.Empty);
    }

    [Test]
    public void AStoreThatNamesNoOtherVtep_IsWorthAWarning_After30Seconds()
    {
        const string Alone = "The store of controller 'store' was read completely and names no other VTEP that is believed. If this node isn't the only one, see "
            + "whether the others have the same store and prefix, and what vtep show directory says is rejected.";
        var directory = new TestDirectory();
        directory.Apply(new DirectoryStatus(DirectoryState.Connected));
        directory.Pass(60_000);
        Assert.That(directory.Reconciler.Warnings(directory.Now), Is.Empty, "it has told nothing yet");
        directory.Snapshot();
        directory.Pass(29_999);
        Assert.That(directory.Reconciler.Warnings(directory.Now), Is.Empty);
        directory.Pass(1);
        Assert.That(directory.Reconciler.Warnings(directory.Now), Is.EqualTo(new[] { Alone }));
        directory.Put(Host(2));
        Assert.That(directory.Reconciler.Warnings(directory.Now), Is.Empty);
    }

    [Test]
    public void Status_TellsStateRevisionAgesAndCauses()
    {
        var directory = new TestDirectory();
        Assert.That(directory.Status(), Has.Property("State").EqualTo("connecting").And.Property("LastEventSeconds").Null);
        directory.Apply(new DirectoryStatus(DirectoryState.Connected));
        directory.Snapshot(Host(2), Floods(2));
        directory.Apply(new DirectorySnapshot(20, [Host(2), Floods(2)], [], Cause: "compacted"));
        directory.Now += 5000;
        directory.Apply(new DirectoryStatus(DirectoryState.Degraded, "no answer\u001b[2J", 250));
        directory.Now += 3000;
        ControllerSnapshot status = directory.Status();
        Assert.That((status.State, status.StateSeconds, status.LastEventSeconds, status.Revision, status.BackoffMilliseconds), Is.EqualTo(("degraded", 3L, (long?)8, 20L, 250)));
        Assert.That(status.Resyncs, Is.EquivalentTo(new Dictionary<string, long> { ["start"] = 1, ["compacted"] = 1 }));
        Assert.That((status.Published, status.PublishPending), Is.EqualTo((3, 3)));
        Assert.That(directory.Reconciler.Warnings(directory.Now).Single(), Does.EndWith("no answer\\u001b[2J"));
        Assert.That(directory.StationAt(Mac(1)) is null && directory.Target.Admitted.Any(), "peers stay while the store is away");
    }

    private static VtepRecord WideHost(int i) =>
        new($"n{i}", new VtepDataPlane.Frames.VtepEndpoint(VtepDataPlane.Wire.InetAddress.FromIPv4((uint)((198 << 24) | (19 << 16) | i)), 4789), default);
}
