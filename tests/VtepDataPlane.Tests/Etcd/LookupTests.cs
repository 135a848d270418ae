// Questions to the store: one transaction of point reads over the nodes that serve the domain.

using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Etcd;

public sealed class LookupTests
{
    private const string P = RunningDirectory.Prefix;
    private static readonly MacAddress s_mac = MacAddress.Parse("02:00:00:00:00:07");
    private static readonly LookupKey s_station = new(new Vni(100), s_mac);

    private FakeEtcd _etcd = null!;

    [SetUp]
    public async Task Start() => _etcd = await FakeEtcd.StartAsync();

    [TearDown]
    public async Task End() => await _etcd.DisposeAsync();

    private async Task<RunningDirectory> RunAsync(params string[] nodes)
    {
        foreach (string node in nodes)
            _etcd.Store.Put($"{P}/n/{node}/vni/100", """{"flood":"ingress"}""");
        var run = new RunningDirectory(RunningDirectory.Options(_etcd), RunningDirectory.Quick, new DirectoryScope(Stations: false));
        await run.ConnectedAsync();
        return run;
    }

    [Test]
    public async Task AStation_IsAskedForAtEveryNodeOfItsDomain_InOneTransaction()
    {
        await using RunningDirectory run = await RunAsync("a", "b", "c");
        _etcd.Store.Put($"{P}/n/d/vni/200", """{"flood":"ingress"}""");
        _etcd.Store.Put($"{P}/s/b/mac/100/02:00:00:00:00:07", """{"seq":3,"sticky":false}""");
        _etcd.Store.Put($"{P}/s/c/mac/100/02:00:00:00:00:07", "junk");
        await run.UntilAsync(() => run.Table.Contains("d"), "the node of another domain");
        _etcd.Txns.Clear();
        LookupResult found = await run.Directory.LookupAsync(s_station, default);

        Assert.That(found.Outcome, Is.EqualTo(LookupOutcome.Found));
        Assert.That(found.Records, Is.EqualTo(new DirectoryRecord[] { new MacRecord("b", new Vni(100), s_mac, 3) }));
        Assert.That(_etcd.Txns.Single().Success.Select(op => op.RequestRange.Key.ToStringUtf8()), Is.EquivalentTo(new[]
        {
            $"{P}/s/a/mac/100/02:00:00:00:00:07", $"{P}/s/b/mac/100/02:00:00:00:00:07", $"{P}/s/c/mac/100/02:00:00:00:00:07",
        }));
    }

    [Test]
    public async Task AnAddress_IsAskedForByAddress()
    {
        await using RunningDirectory run = await RunAsync("a");
        _etcd.Store.Put($"{P}/s/a/ip/100/10.0.0.7", """{"mac":"02:00:00:00:00:07","seq":0,"router":false}""");
        InetAddress address = InetAddress.Parse("10.0.0.7");
        LookupResult found = await run.Directory.LookupAsync(new LookupKey(new Vni(100), default, address), default);

        Assert.That(found.Records, Is.EqualTo(new DirectoryRecord[] { new NeighborRecord("a", new Vni(100), address, s_mac) }));
    }

    [Test]
    public async Task NotFound_IsSaidByTheStoreOnly_AndNoAnswerWhenItIsAway()
    {
        await using RunningDirectory run = await RunAsync("a");
        Assert.That(await run.Directory.LookupAsync(s_station, default), Is.SameAs(LookupResult.NotFound));
        Assert.That(await run.Directory.LookupAsync(new LookupKey(new Vni(999), s_mac), default), Is.SameAs(LookupResult.NotFound), "nobody serves it");

        _etcd.Refuse = _ => FakeErrors.NoLeader;
        Assert.That(await run.Directory.LookupAsync(s_station, default), Is.SameAs(LookupResult.NoAnswer));
        _etcd.DropConnections();
        await run.UntilAsync(() => Ask(run, 999) == LookupResult.NoAnswer, "who knows who serves it");
    }

    private static LookupResult Ask(RunningDirectory run, int vni) =>
        run.Directory.LookupAsync(new LookupKey(new Vni(vni), s_mac), default).AsTask().GetAwaiter().GetResult();

    [Test]
    public async Task ALargeDomain_IsAskedInTransactionsThatEtcdTakes()
    {
        await using RunningDirectory run = await RunAsync([.. Enumerable.Range(0, 300).Select(i => $"node-{i}")]);
        _etcd.Store.Put($"{P}/s/node-299/mac/100/02:00:00:00:00:07", """{"seq":0,"sticky":false}""");
        _etcd.Txns.Clear();
        LookupResult found = await run.Directory.LookupAsync(s_station, default);

        Assert.That(found.Records.Single().Owner, Is.EqualTo("node-299"));
        Assert.That(_etcd.Txns.Select(txn => txn.Success.Count).Order(), Is.EqualTo(new[] { 44, 128, 128 }));
    }

    [Test]
    public async Task ANodeThatLeavesTheDomain_IsAskedNoMore()
    {
        await using RunningDirectory run = await RunAsync("a", "b");
        _etcd.Store.Delete($"{P}/n/a/vni/100");
        await run.UntilAsync(() => run.Table is ["b"], "the node is gone");
        _etcd.Txns.Clear();
        await run.Directory.LookupAsync(s_station, default);

        Assert.That(_etcd.Txns.Single().Success.Select(op => op.RequestRange.Key.ToStringUtf8()), Is.EqualTo(new[] { $"{P}/s/b/mac/100/02:00:00:00:00:07" }));
    }

    [Test]
    public async Task AQuestion_EndsWhenItIsCalledOff()
    {
        await using RunningDirectory run = await RunAsync("a");
        _etcd.Hang["Txn"] = true;
        using var late = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));

        Assert.That(async () => await run.Directory.LookupAsync(s_station, late.Token), Throws.InstanceOf<OperationCanceledException>());
    }
}
