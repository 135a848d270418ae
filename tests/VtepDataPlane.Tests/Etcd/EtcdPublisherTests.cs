// This node's records in the store, against a scripted etcd: how they get there, and that they stay whatever happens.

using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Etcd.Wire;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Etcd;

[TestFixture]
public sealed class EtcdPublisherTests
{
    private const string SelfValue = """{"v":1,"name":"one","vtep":[{"ip":"198.18.0.1","port":4789}],"instance":"6f1c2d3e-0000-4000-8000-000000000001"}""";

    [Test]
    public async Task TheNodesOwnRecord_GoesFirst_WithNameAndInstance_AndEverythingIsOnOneLease()
    {
        await using PublisherBench bench = await PublisherBench.MakeAsync(options => options with { Name = "one" });
        bench.Own.Set(PublisherBench.Station(1));
        bench.Own.Set(PublisherBench.Self);
        bench.Run();

        await bench.InStoreAsync(store => store.All.Count == 2);

        KeyValue self = bench.Etcd.Store.Get(PublisherBench.SelfKey)!;
        KeyValue station = bench.Etcd.Store.Get(PublisherBench.Key(1))!;
        Assert.That(self.Value.ToStringUtf8(), Is.EqualTo(SelfValue));
        Assert.That(self.CreateRevision, Is.LessThan(station.CreateRevision));
        Assert.That(bench.Etcd.Store.Leases, Is.EqualTo(new Dictionary<long, long> { [self.Lease] = 60 }));
        Assert.That(station.Lease, Is.EqualTo(self.Lease));
    }

    [Test]
    public async Task AThousandChangesAtOnce_AreTenTransactions()
    {
        await using PublisherBench bench = await PublisherBench.StartAsync();
        await bench.InStoreAsync(store => store.All.Count == 1);
        int before = bench.Etcd.Calls("Txn");
        bench.Etcd.Hang["Txn"] = true;
        bench.Own.Set(PublisherBench.Station(0));
        await bench.UntilAsync(() => bench.Etcd.Calls("Txn") > before);
        for (int i = 1; i < 1000; i++)
            bench.Own.Set(PublisherBench.Station(i));
        bench.Etcd.Hang.Clear();
        bench.Etcd.DropConnections();

        await bench.InStoreAsync(store => store.All.Count == 1001);

        Assert.That(bench.Etcd.Calls("Txn") - before, Is.InRange(9, 11));
        Assert.That(bench.Etcd.Txns.Max(txn => txn.Success.Count), Is.EqualTo(120));
    }

    [Test]
    public async Task AHundredChangesOfOneKey_WhileATransactionIsOnItsWay_AreOnePutMore()
    {
        await using PublisherBench bench = await PublisherBench.StartAsync();
        await bench.InStoreAsync(store => store.All.Count == 1);
        using var go = new ManualResetEventSlim();
        bench.Etcd.Refuse = method =>
        {
            if (method == "Txn")
                go.Wait();
            return null;
        };
        int before = bench.Etcd.Calls("Txn");
        bench.Own.Set(PublisherBench.Station(1));
        await bench.UntilAsync(() => bench.Etcd.Calls("Txn") > before);
        for (uint sequence = 1; sequence <= 100; sequence++)
            bench.Own.Set(PublisherBench.Station(1, sequence));
        go.Set();

        await bench.InStoreAsync(store => store.Get(PublisherBench.Key(1))?.Value.ToStringUtf8() == """{"seq":100,"sticky":false}""");

        Assert.That(bench.Etcd.Store.Get(PublisherBench.Key(1))!.Version, Is.EqualTo(2));
        Assert.That(bench.Etcd.Calls("Txn") - before, Is.EqualTo(2));
    }

    [Test]
    public async Task ARemovedRecord_IsDeleted()
    {
        await using PublisherBench bench = await PublisherBench.StartAsync();
        bench.Own.Set(PublisherBench.Station(1));
        await bench.InStoreAsync(store => store.All.Count == 2);

        bench.Own.Remove(PublisherBench.Station(1).Key);

        await bench.InStoreAsync(store => store.Get(PublisherBench.Key(1)) is null);
    }

    [Test]
    public async Task ATransactionOfWhichNobodyKnowsWhetherItHappened_IsWrittenAgain()
    {
        await using PublisherBench bench = await PublisherBench.StartAsync();
        await bench.InStoreAsync(store => store.All.Count == 1);
        int left = 3;
        bench.Etcd.Refuse = method => method == "Txn" && Interlocked.Decrement(ref left) >= 0 ? FakeErrors.NoLeader : null;

        bench.Own.Set(PublisherBench.Station(1));

        await bench.InStoreAsync(store => store.All.Count == 2);
        Assert.That(bench.Own.Due, Is.Zero);
        await bench.UntilAsync(() => bench.Told is [.., null]);
        Assert.That(bench.Told.Select(status => status?.State), Is.EqualTo(new DirectoryState?[] { DirectoryState.Degraded, null }));
    }

    [Test]
    public async Task AWriteTheLeaseOfWhichIsGone_GetsAnotherLease_AndEverythingIsPutOnIt()
    {
        await using PublisherBench bench = await PublisherBench.StartAsync();
        bench.Own.Set(PublisherBench.Station(1));
        await bench.InStoreAsync(store => store.All.Count == 2);
        bench.Etcd.Store.EndLease(bench.Etcd.Store.Leases.Single().Key);

        bench.Own.Set(PublisherBench.Station(2));

        await bench.InStoreAsync(store => store.All.Count == 3);
        long lease = bench.Etcd.Store.Leases.Single().Key;
        Assert.That(bench.Etcd.Store.All.Keys.Select(key => bench.Etcd.Store.Get(key)!.Lease), Is.All.EqualTo(lease));
        Assert.That(bench.Told, Is.Empty, "that a lease ended is no trouble of the operator's");
    }

    [Test]
    public async Task WhoMayNotWrite_IsToldWhichRoleToGrant_AndTriesSlowly()
    {
        await using PublisherBench bench = await PublisherBench.MakeAsync();
        bench.Etcd.Refuse = method => method == "Txn" ? FakeErrors.PermissionDenied : null;
        bench.Own.Set(PublisherBench.Self);
        bench.Run();
        await bench.UntilAsync(() => bench.Told.Count > 0);

        DirectoryStatus told = bench.Told[0]!;
        Assert.That(told.State, Is.EqualTo(DirectoryState.Refused));
        Assert.That(told.Problem, Does.StartWith("This node's records can't be published: ").And.Contain("'/p/n/h1/' and '/p/s/h1/'"));
        Assert.That(told.BackoffMilliseconds, Is.GreaterThanOrEqualTo(25));

        bench.Etcd.Refuse = _ => null;
        await bench.InStoreAsync(store => store.All.Count == 1);
        await bench.UntilAsync(() => bench.Told.Count == 2);
        Assert.That(bench.Told[1], Is.Null);
    }

    [Test]
    public async Task AnIdThatAnotherNodeUses_PublishesNothing_AndSaysWhose_UntilItIsFree()
    {
        var store = new FakeStore();
        store.Put(PublisherBench.SelfKey, """{"v":1,"vtep":[{"ip":"198.18.0.99","port":4789}],"instance":"11111111-0000-4000-8000-000000000001"}""");
        await using PublisherBench bench = await PublisherBench.MakeAsync(store: store, grace: TimeSpan.Zero);
        store.Put(PublisherBench.Key(9), """{"seq":0,"sticky":false}""");
        bench.Own.Set(PublisherBench.Self);
        bench.Own.Set(PublisherBench.Station(1));
        bench.Run();

        await bench.UntilAsync(() => bench.Told.Count > 0 && bench.Etcd.Calls("Range") > 3);

        Assert.That(bench.Told, Has.Count.EqualTo(1), "told once, however often it is tried");
        Assert.That(bench.Told[0]!.State, Is.EqualTo(DirectoryState.Refused));
        Assert.That(bench.Told[0]!.Problem, Does.StartWith("Node id h1 is used by the VTEP at 198.18.0.99:4789: nothing of this node is published.")
            .And.Contain("'vtep release'"));
        Assert.That(store.All.Keys, Is.EqualTo(new[] { PublisherBench.SelfKey, PublisherBench.Key(9) }), "nothing of the other's is touched");

        store.Delete(PublisherBench.SelfKey);
        await bench.InStoreAsync(_ => store.Get(PublisherBench.Key(1)) is not null && store.All[PublisherBench.SelfKey].Contains(PublisherBench.Instance.ToString()));
    }

    [TestCase("""{"v":1,"vtep":[{"ip":"198.18.0.1","port":4789}]}""", TestName = "AnId_IsOurs_WhenItStandsAtOurAddress")]
    [TestCase("""{"v":1,"vtep":[{"ip":"198.18.0.9","port":4789}],"instance":"6f1c2d3e-0000-4000-8000-000000000001"}""", TestName = "AnId_IsOurs_WhenItHasOurInstance")]
    [TestCase("damaged", TestName = "AnId_IsOurs_WhenItsRecordSaysNothing")]
    public async Task AnId_IsOurs(string value)
    {
        var store = new FakeStore();
        store.Put(PublisherBench.SelfKey, value);
        await using PublisherBench bench = await PublisherBench.StartAsync(store: store);

        await bench.InStoreAsync(_ => store.Get(PublisherBench.SelfKey)!.Version == 2);

        Assert.That(bench.Told, Is.Empty);
    }

    [Test]
    public async Task OurKeys_AreThereAgain_WhenSomebodyDeletesOverwritesOrSpoilsThem()
    {
        await using PublisherBench bench = await PublisherBench.StartAsync();
        bench.Own.Set(PublisherBench.Station(1));
        await bench.InStoreAsync(store => store.All.Count == 2);
        RecordKey key = PublisherBench.Station(1).Key;

        bench.Etcd.Store.Delete(PublisherBench.Key(1));
        bench.Watch(key, null);
        await bench.InStoreAsync(store => store.Get(PublisherBench.Key(1)) is not null);

        bench.Etcd.Store.Put(PublisherBench.Key(1), """{"seq":9,"sticky":true}""");
        bench.Watch(key, PublisherBench.Station(1, 9) with { Sticky = true });
        await bench.InStoreAsync(store => store.All[PublisherBench.Key(1)] == """{"seq":0,"sticky":false}""");

        bench.Etcd.Store.Put(PublisherBench.Key(1), "junk");
        bench.Publisher.Seen(new DirectoryDelta(bench.Etcd.Store.Revision, [], [new RejectedRecord("", RejectReason.ValueMalformed, "", key)]));
        await bench.InStoreAsync(store => store.All[PublisherBench.Key(1)] == """{"seq":0,"sticky":false}""");
    }

    [Test]
    public async Task WhatTheWatchTellsOfOurOwnWrites_IsNotAnswered()
    {
        await using PublisherBench bench = await PublisherBench.StartAsync();
        await bench.InStoreAsync(store => store.All.Count == 1);
        bench.Own.Set(PublisherBench.Station(1));
        await bench.InStoreAsync(store => store.All.Count == 2);
        long first = bench.Etcd.Store.Revision;
        bench.Own.Set(PublisherBench.Station(1, 1));
        await bench.InStoreAsync(store => store.Get(PublisherBench.Key(1))!.Version == 2);
        bench.Own.Set(PublisherBench.Station(2)); // when it is in, the answer to the write before has been taken
        await bench.InStoreAsync(store => store.All.Count == 3);

        bench.Publisher.Seen(new DirectoryDelta(first, [new(PublisherBench.Station(1).Key, PublisherBench.Station(1))], []));
        bench.Publisher.Seen(new DirectoryDelta(first + 1, [new(PublisherBench.Station(1).Key, PublisherBench.Station(1, 1))], []));

        Assert.That(bench.Own.Due, Is.Zero);
    }

    [Test]
    public async Task LeftOversOfAFormerLife_AreDeletedAfterTheGrace_AndNotBefore()
    {
        var store = new FakeStore();
        long lease = store.Grant(new LeaseGrantRequest { TTL = 60 }).ID;
        store.Put(PublisherBench.Key(1), """{"seq":4,"sticky":false}""", lease);
        store.Put(PublisherBench.Key(2), """{"seq":0,"sticky":false}""", lease);
        store.Put("/p/s/h1/unknown", "not ours to delete");
        store.Put("/p/s/h10/mac/100/02:00:00:00:00:07", """{"seq":0,"sticky":false}""");
        await using PublisherBench bench = await PublisherBench.StartAsync(store: store);
        bench.Own.Set(PublisherBench.Station(1, 4));
        await bench.InStoreAsync(_ => store.Get(PublisherBench.Key(1))!.Lease != lease);
        Assert.That(store.Get(PublisherBench.Key(2)), Is.Not.Null);

        bench.Time.Jump(TimeSpan.FromMinutes(10));
        bench.Publisher.Compare();

        await bench.InStoreAsync(_ => store.Get(PublisherBench.Key(2)) is null);
        Assert.That(store.All.Keys, Is.SupersetOf(new[] { PublisherBench.Key(1), "/p/s/h1/unknown", "/p/s/h10/mac/100/02:00:00:00:00:07" }));
    }

    [Test]
    public async Task TheGrace_EndsByItself()
    {
        var store = new FakeStore();
        store.Put(PublisherBench.Key(2), """{"seq":0,"sticky":false}""");
        await using PublisherBench bench = await PublisherBench.StartAsync(store: store, grace: TimeSpan.FromMilliseconds(50));

        await bench.InStoreAsync(_ => store.Get(PublisherBench.Key(2)) is null && store.Get(PublisherBench.SelfKey) is not null);
    }

    [Test]
    public async Task WhatTheStoreHasLost_IsFoundByComparing()
    {
        await using PublisherBench bench = await PublisherBench.StartAsync();
        bench.Own.Set(PublisherBench.Station(1));
        await bench.InStoreAsync(store => store.All.Count == 2);
        bench.Etcd.Store.LoseSilently(PublisherBench.Key(1));
        bench.Etcd.Store.LoseSilently(PublisherBench.SelfKey);

        bench.Publisher.Compare();

        await bench.InStoreAsync(store => store.All.Count == 2);
    }

    [TestCase(false, 0)]
    [TestCase(true, 2)]
    public async Task OnStop_RecordsAreWithdrawn_UnlessTheyAreToBeKept(bool keep, int left)
    {
        await using PublisherBench bench = await PublisherBench.StartAsync(options => options with { KeepOnStop = keep });
        bench.Own.Set(PublisherBench.Station(1));
        await bench.InStoreAsync(store => store.All.Count == 2);

        await bench.StopAsync();

        Assert.That(bench.Etcd.Store.All, Has.Count.EqualTo(left));
    }

    [Test]
    public async Task Release_EmptiesThisNodesTrees_AndNothingIsPublishedAnyMore()
    {
        await using PublisherBench bench = await PublisherBench.StartAsync();
        bench.Own.Set(PublisherBench.Station(1));
        bench.Etcd.Store.Put(PublisherBench.Key(7), """{"seq":0,"sticky":false}""");
        bench.Etcd.Store.Put("/p/n/h10/self", "x");
        await bench.InStoreAsync(store => store.All.Count == 4);

        Assert.That(await bench.Publisher.ReleaseAsync(default), Is.Null);
        bench.Own.Set(PublisherBench.Station(2));
        bench.Publisher.Compare();

        Assert.That(bench.Etcd.Store.All.Keys, Is.EqualTo(new[] { "/p/n/h10/self" }));
        Assert.That(bench.Etcd.Store.Leases, Is.Empty);
        int calls = bench.Etcd.AllCalls;
        await bench.StopAsync();
        Assert.That(bench.Etcd.AllCalls, Is.EqualTo(calls));
    }

    [Test]
    public async Task ARecordByHand_HasNoLease_IsCheckedFirst_AndIsNeverThisNodes()
    {
        await using PublisherBench bench = await PublisherBench.MakeAsync();
        var flood = new FloodRecord("kernel-1", new Vni(100));
        var wrong = new MacRecord("kernel-1", new Vni(100), MacAddress.Broadcast);

        Assert.That(await bench.Publisher.WriteAsync(new(flood.Key, flood), default), Is.Null);
        Assert.That(bench.Etcd.Store.Get("/p/n/kernel-1/vni/100")!.Lease, Is.Zero);
        Assert.That(await bench.Publisher.WriteAsync(new(flood.Key, null), default), Is.Null);
        Assert.That(bench.Etcd.Store.All, Is.Empty);
        Assert.That(await bench.Publisher.WriteAsync(new(wrong.Key, wrong), default), Does.Contain("group address"));
        Assert.That(await bench.Publisher.WriteAsync(new(PublisherBench.Self.Key, PublisherBench.Self), default), Does.Contain("Name another node"));
        bench.Etcd.Refuse = _ => FakeErrors.PermissionDenied;
        Assert.That(await bench.Publisher.WriteAsync(new(flood.Key, flood), default), Does.Contain("permission denied"));
    }
}
