// The lease under our keys: that it lives while we do, and that its end is never missed, whoever tells of it: the store, or the clock.

using NUnit.Framework;

namespace VtepDataPlane.Tests.Etcd;

[TestFixture]
public sealed class EtcdLeaseTests
{
    [Test]
    public async Task ALeaseTheStoreHasEnded_IsSeenByTheNextKeepAlive_AndEverythingIsPutOnANewOne()
    {
        await using PublisherBench bench = await PublisherBench.StartAsync(options => options with { LeaseSeconds = 2 });
        bench.Own.Set(PublisherBench.Station(1));
        await bench.InStoreAsync(store => store.All.Count == 2);

        bench.Etcd.Store.EndLease(bench.Etcd.Store.Leases.Single().Key);
        Assert.That(bench.Etcd.Store.All, Is.Empty);

        await bench.InStoreAsync(store => store.All.Count == 2);
        Assert.That(bench.Etcd.Calls("LeaseGrant"), Is.EqualTo(2));
    }

    [Test]
    public async Task AProcessThatWasStoppedForLongerThanItsLease_TakesItForLost_WithoutAsking()
    {
        await using PublisherBench bench = await PublisherBench.StartAsync();
        bench.Own.Set(PublisherBench.Station(1));
        await bench.InStoreAsync(store => store.All.Count == 2);
        long old = bench.Etcd.Store.Leases.Single().Key;

        bench.Time.Jump(TimeSpan.FromSeconds(61));
        bench.Own.Set(PublisherBench.Station(2)); // the first thing it does is enough to notice

        await bench.InStoreAsync(store => store.All.Count == 3 && store.All.Keys.All(key => store.Get(key)!.Lease != old));
        Assert.That(bench.Etcd.Calls("LeaseKeepAlive"), Is.Zero);
    }

    [Test]
    public async Task AStreamThatBreaks_IsOpenedAgain_AndTheLeaseStays()
    {
        await using PublisherBench bench = await PublisherBench.StartAsync(options => options with { LeaseSeconds = 2 });
        await bench.UntilAsync(() => bench.Etcd.Calls("LeaseKeepAlive") == 1);

        bench.Etcd.DropConnections();

        await bench.UntilAsync(() => bench.Etcd.Calls("LeaseKeepAlive") >= 2);
        Assert.That(bench.Etcd.Calls("LeaseGrant"), Is.EqualTo(1));
    }

    [Test]
    public async Task AKeepAliveThatIsNeverAnswered_IsAStreamThatFailed_AndTheClockEndsTheLease()
    {
        await using PublisherBench bench = await PublisherBench.StartAsync(options => options with { LeaseSeconds = 2 });
        await bench.InStoreAsync(store => store.All.Count == 1);
        bench.Etcd.Hang["LeaseKeepAlive"] = true;

        await bench.UntilAsync(() => bench.Etcd.Calls("LeaseGrant") == 2);

        Assert.That(bench.Etcd.Calls("LeaseKeepAlive"), Is.GreaterThanOrEqualTo(1));
    }
}
