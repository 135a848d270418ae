// The reading side against an etcd that does what real ones do at the worst moment. One test for each trap.

using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Etcd;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Tests.Etcd;

public sealed class ReaderTests
{
    private const string P = RunningDirectory.Prefix;
    private const string Ingress = """{"flood":"ingress"}""";
    private const string Station = """{"seq":0,"sticky":false}""";

    private FakeEtcd _etcd = null!;

    [SetUp]
    public async Task Start() => _etcd = await FakeEtcd.StartAsync();

    [TearDown]
    public async Task End() => await _etcd.DisposeAsync();

    private static string Flood(string node) => $"{P}/n/{node}/vni/100";

    private static string Mac(string node, int last) => $"{P}/s/{node}/mac/100/02:00:00:00:00:{last:x2}";

    private RunningDirectory Run(EtcdTimings? timings = null, DirectoryScope? scope = null) =>
        new(RunningDirectory.Options(_etcd), timings ?? RunningDirectory.Quick, scope);

    [Test]
    public async Task First_EverythingIsRead_ThenChangesFollowFromTheNextRevision()
    {
        _etcd.Store.Put(Flood("a"), Ingress);
        await using RunningDirectory run = Run();
        await run.ConnectedAsync();
        _etcd.Store.Put(Mac("a", 1), Station);
        _etcd.Store.Delete(Flood("a"));
        await run.UntilAsync(() => run.Table is ["a 02:00:00:00:00:01"], "the change");

        Assert.That(run.Told[0], Is.EqualTo(new DirectoryStatus(DirectoryState.Connecting)));
        Assert.That(run.Snapshots.Single(), Has.Property("Revision").EqualTo(2).And.Property("Cause").EqualTo("start"));
        Assert.That(_etcd.Watches.Single().StartRevision, Is.EqualTo(3));
        Assert.That(_etcd.Headers["Watch"].GetValue("hasleader"), Is.EqualTo("true"), "the member must end the watch when it loses its leader");
    }

    [Test]
    public async Task WithoutStations_OnlyTheNodesTreeIsReadAndWatched()
    {
        _etcd.Store.Put(Flood("a"), Ingress);
        _etcd.Store.Put(Mac("a", 1), Station);
        await using RunningDirectory run = Run(scope: new DirectoryScope(Stations: false));
        await run.ConnectedAsync();

        Assert.That(run.Table, Is.EqualTo(new[] { "a" }));
        Assert.That(_etcd.Ranges.Select(range => range.Key.ToStringUtf8()).Where(key => !key.Contains("/me/")), Is.All.EqualTo($"{P}/n/"));
        Assert.That(_etcd.Watches.Select(watch => (watch.Key.ToStringUtf8(), watch.RangeEnd.ToStringUtf8())), Is.All.EqualTo(($"{P}/n/", $"{P}/n0")));
    }

    [Test]
    public async Task AChangedScope_IsReadAnewAtOnce()
    {
        _etcd.Store.Put(Mac("a", 1), Station);
        await using RunningDirectory run = Run(scope: new DirectoryScope(Stations: false));
        await run.ConnectedAsync();
        run.Directory.Require(new DirectoryScope(Stations: true));
        await run.UntilAsync(() => run.Table.Length == 1, "the stations");

        Assert.That(run.Causes, Is.EqualTo(new[] { "start", "required" }));
    }

    [Test]
    public async Task ManyRecords_AreReadInPages_AllOfOneRevision()
    {
        for (int i = 0; i < 6000; i++)
            _etcd.Store.Put($"{P}/n/node-{i:d4}/vni/100", Ingress);
        await using RunningDirectory run = Run();
        await run.ConnectedAsync();

        Assert.That(run.Snapshots.Single().Records, Has.Count.EqualTo(6000));
        RangeRequest[] pages = [.. _etcd.Ranges.Where(range => range.RangeEnd.ToStringUtf8() == $"{P}0")];
        Assert.That(pages, Has.Length.EqualTo(2));
        Assert.That(pages[1].Revision, Is.EqualTo(run.Snapshots[0].Revision), "the second page is of the first one's revision");
    }

    [Test]
    public async Task TenMegabytesOfJunk_AreRejectedValueByValue_AndTheRestIsAllThere()
    {
        ByteString megabyte = ByteString.CopyFrom(new byte[1 << 20]);
        for (int i = 0; i < 10; i++)
            _etcd.Store.Put($"{P}/n/junk{i}/self", megabyte);
        for (int i = 0; i < 10; i++)
            _etcd.Store.Put($"{P}/s/junk{i}/mac/100/02:00:00:00:00:01", ByteString.CopyFrom(new byte[512 << 10]));
        _etcd.Store.Put(Flood("a"), Ingress);
        _etcd.Store.Put($"{P}/x", "none of ours");
        _etcd.Store.Put(Flood("b"), "{");
        await using RunningDirectory run = Run();
        await run.ConnectedAsync();

        DirectorySnapshot read = run.Snapshots.Single();
        Assert.That(read.Records, Is.EqualTo(new DirectoryRecord[] { new FloodRecord("a", new(100)) }));
        Assert.That(read.Rejected.CountBy(wrong => wrong.Reason), Is.EquivalentTo(new Dictionary<RejectReason, int>
        {
            [RejectReason.ValueTooLarge] = 20,
            [RejectReason.KeyUnknown] = 1,
            [RejectReason.ValueMalformed] = 1,
        }));
    }

    [Test]
    public async Task APageTooLargeForAnAnswer_IsReadInSmallerOnes()
    {
        ByteString value = ByteString.CopyFrom(new byte[1 << 20]);
        for (int i = 0; i < 20; i++)
            _etcd.Store.Put($"{P}/n/junk{i:d2}/self", value);
        _etcd.Store.Put(Flood("z"), Ingress);
        await using RunningDirectory run = Run();
        await run.ConnectedAsync();

        Assert.That(run.Table, Is.EqualTo(new[] { "z" }));
        Assert.That(run.Snapshots.Single().Rejected, Has.Count.EqualTo(20));
    }

    [Test]
    public async Task AValueThatBecomesJunk_TakesItsOwnRecordAway_AndIsNoEmptySnapshot()
    {
        _etcd.Store.Put(Flood("a"), Ingress);
        _etcd.Store.Put(Flood("b"), Ingress);
        await using RunningDirectory run = Run();
        await run.ConnectedAsync();
        _etcd.Store.Put(Flood("a"), "[[[[[[[[");
        await run.UntilAsync(() => run.Told.OfType<DirectoryDelta>().Any(), "the delta");

        Assert.That(run.Table, Is.EqualTo(new[] { "b" }));
        RejectedRecord wrong = run.Told.OfType<DirectoryDelta>().Single().Rejected.Single();
        Assert.That((wrong.Name, wrong.Reason, wrong.Means!.Value.Owner), Is.EqualTo((Flood("a"), RejectReason.ValueMalformed, "a")));
        Assert.That(run.Snapshots, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task AfterADroppedConnection_TheWatchGoesOnFromWhereItWas()
    {
        await using RunningDirectory run = Run();
        await run.ConnectedAsync();
        _etcd.Store.Put(Flood("a"), Ingress);
        await run.UntilAsync(() => run.Table is ["a"], "the first change");
        _etcd.DropConnections();
        _etcd.Store.Put(Flood("b"), Ingress);
        await run.UntilAsync(() => run.Table is ["a", "b"], "the change while the connection was gone");

        Assert.That(run.Causes, Is.EqualTo(new[] { "start" }), "nothing was missed, so nothing is read anew");
        Assert.That(_etcd.Watches.Select(watch => watch.StartRevision), Is.EqualTo(new long[] { 2, 3 }));
    }

    [Test]
    public async Task AWatchThatTheServerEndsWithoutAnError_IsOpenedAgain()
    {
        _etcd.EndWatchAfter = 1;
        await using RunningDirectory run = Run();
        for (int i = 0; i < 3; i++)
        {
            await run.ConnectedAsync();
            _etcd.Store.Put(Mac("a", i), Station);
            int known = i + 1;
            await run.UntilAsync(() => run.Table.Length == known, "the change");
            await run.UntilAsync(() => run.Told.OfType<DirectoryStatus>().Count(status => status.State == DirectoryState.Degraded) >= known, "the end");
        }

        Assert.That(run.Status.Problem ?? "has ended the stream", Does.Contain("has ended the stream"));
    }

    [Test]
    public async Task CompactedWhileWeWereAway_EverythingIsReadAnew()
    {
        _etcd.Store.Put(Flood("a"), Ingress);
        await using RunningDirectory run = Run();
        await run.ConnectedAsync();
        _etcd.Refuse = _ => FakeErrors.NoLeader;
        _etcd.DropConnections();
        await run.UntilAsync(() => run.Status.State == DirectoryState.Degraded, "degraded");
        _etcd.Store.Delete(Flood("a"));
        _etcd.Store.Put(Flood("b"), Ingress);
        _etcd.Store.Compact(_etcd.Store.Revision);
        _etcd.Refuse = _ => null;
        await run.UntilAsync(() => _etcd.Watches.Count == 3, "the watch after the second reading");

        Assert.That(run.Table, Is.EqualTo(new[] { "b" }));
        Assert.That(run.Causes, Is.EqualTo(new[] { "start", "compacted" }));
        Assert.That(_etcd.Watches.Select(watch => watch.StartRevision), Is.EqualTo(new long[] { 3, 3, 5 }),
            "the cancelled watch's header has revision 0: no cursor comes from it");
    }

    [Test]
    public async Task AStoreRestoredToALowerRevision_IsReadAnew_InsteadOfWatchedInSilence()
    {
        for (int i = 0; i < 10; i++)
            _etcd.Store.Put(Flood("a"), Ingress);
        await using RunningDirectory run = Run();
        await run.ConnectedAsync();
        _etcd.Store.RestoreTo(5);
        _etcd.DropConnections();
        await run.UntilAsync(() => run.Causes is ["start", "restored"], "the second reading");
        await run.ConnectedAsync();
        _etcd.Store.Put(Flood("b"), Ingress);
        await run.UntilAsync(() => run.Table is ["a", "b"], "a change after the restore");

        Assert.That(run.Snapshots[1].Revision, Is.EqualTo(5));
    }

    [Test]
    public async Task AnotherCluster_IsReadAnew()
    {
        _etcd.Store.Put(Flood("a"), Ingress);
        await using RunningDirectory run = Run();
        await run.ConnectedAsync();
        _etcd.Store.ClusterId = 0xC2;
        _etcd.DropConnections();
        await run.UntilAsync(() => run.Causes is ["start", "cluster changed"], "the second reading");
    }

    [Test]
    public async Task AWatchRefusedUnderTheIdMinusOne_IsToldAsRefused_AndTriedSlowly()
    {
        _etcd.AnswerWatch = _ => FakeWatch.Refused("etcdserver: permission denied");
        await using RunningDirectory run = Run();
        await run.UntilAsync(() => run.Status.State == DirectoryState.Refused, "refused");

        Assert.That(run.Status.Problem, Does.Contain("doesn't let us watch: etcdserver: permission denied. Grant"));
        Assert.That(run.Status.BackoffMilliseconds, Is.InRange(150, 300));
        Assert.That(run.Snapshots, Has.Count.EqualTo(1), "what could be read is there");
        _etcd.AnswerWatch = _ => null;
        await run.ConnectedAsync();
    }

    [Test]
    public async Task PermissionDenied_IsToldWithItsRemedy_AndNeverAnEmptySnapshot()
    {
        _etcd.Refuse = _ => FakeErrors.PermissionDenied;
        await using RunningDirectory run = Run();
        await run.UntilAsync(() => run.Status.State == DirectoryState.Refused, "refused");

        Assert.That(run.Status.Problem, Is.EqualTo($"etcd at http://{_etcd.Endpoint.Authority} denies us: etcdserver: permission denied. "
            + "Grant the node's user read on the prefix, and write on its own keys."));
        Assert.That(run.Snapshots, Is.Empty);
    }

    [Test]
    public async Task NoLeader_EndsTheWatch_AndItComesBack()
    {
        var header = new ResponseHeader { ClusterId = 0xC1, Revision = 1 };
        await using RunningDirectory run = Run();
        await run.ConnectedAsync();
        _etcd.AnswerWatch = _ => new WatchResponse { Header = header, Created = true, Canceled = true, CancelReason = "etcdserver: no leader" };
        _etcd.DropConnections();
        await run.UntilAsync(() => run.Status is { State: DirectoryState.Degraded, Problem: { } problem } && problem.Contains("no leader"), "no leader");
        _etcd.AnswerWatch = _ => null;
        await run.ConnectedAsync();
        Assert.That(run.Causes, Is.EqualTo(new[] { "start" }));
    }

    [Test]
    public async Task EventsThatComeTwice_AreToldOnce()
    {
        _etcd.Repeat = true;
        await using RunningDirectory run = Run();
        await run.ConnectedAsync();
        _etcd.Store.Put(Flood("a"), Ingress);
        _etcd.Store.Delete(Flood("a"));
        _etcd.Store.Put(Flood("b"), Ingress);
        await run.UntilAsync(() => run.Table is ["b"], "the last change");

        Assert.That(run.Told.OfType<DirectoryDelta>().Select(delta => delta.Revision), Is.Ordered.And.Unique);
    }

    [Test]
    public async Task AResponseInFragments_IsOneDelta()
    {
        _etcd.Fragments = 3;
        await using RunningDirectory run = Run();
        await run.ConnectedAsync();
        var batch = new TxnRequest();
        for (int i = 0; i < 9; i++)
            batch.Success.Add(new RequestOp { RequestPut = new PutRequest { Key = ByteString.CopyFromUtf8(Mac("a", i)), Value = ByteString.CopyFromUtf8(Station) } });
        _etcd.Store.Txn(batch);
        await run.UntilAsync(() => run.Table.Length == 9, "all");

        Assert.That(run.Told.OfType<DirectoryDelta>().Single().Changes, Has.Count.EqualTo(9), "a revision is never taken in part");
    }

    [Test]
    public async Task AWatchThatSaysNothing_IsAskedForASignOfLife_AndLeftWhenThereIsNone()
    {
        EtcdTimings timings = RunningDirectory.Quick with { Idle = TimeSpan.FromMilliseconds(50), Answer = TimeSpan.FromMilliseconds(200) };
        await using RunningDirectory run = Run(timings);
        await run.ConnectedAsync();
        _etcd.Store.Put(Flood("a"), Ingress);
        await run.UntilAsync(() => run.Table is ["a"], "the first change");
        _etcd.WatchIsMute = true;
        await run.UntilAsync(() => run.Status.State == DirectoryState.Degraded, "degraded");
        Assert.That(run.Status.Problem, Does.Contain("didn't answer within 0.2 s"));

        _etcd.Store.Put(Flood("b"), Ingress);
        _etcd.WatchIsMute = false;
        await run.UntilAsync(() => run.Table is ["a", "b"], "the change nobody told");
    }

    [Test]
    public async Task AQuietWatchThatAnswers_IsKept()
    {
        EtcdTimings timings = RunningDirectory.Quick with { Idle = TimeSpan.FromMilliseconds(10), Answer = TimeSpan.FromSeconds(5) };
        await using RunningDirectory run = Run(timings);
        await run.ConnectedAsync();
        await run.UntilAsync(() => _etcd.ProgressAsked >= 5, "five questions");

        Assert.That(_etcd.Watches, Has.Count.EqualTo(1));
        Assert.That(run.Status.State, Is.EqualTo(DirectoryState.Connected));
    }

    [Test]
    public async Task ChangesTheWatchNeverTold_AreFoundByTheAudit()
    {
        _etcd.Store.Put(Flood("a"), Ingress);
        _etcd.Store.Put(Flood("b"), Ingress);
        await using RunningDirectory run = Run(RunningDirectory.Quick with { Audit = TimeSpan.FromMilliseconds(150) });
        await run.ConnectedAsync();
        _etcd.Store.LoseSilently(Flood("a"));
        await run.UntilAsync(() => run.Table is ["b"], "the audit");

        Assert.That(run.Causes[^1], Is.EqualTo("audit"));
        Assert.That(run.Told.OfType<DirectoryStatus>().Select(status => status.State), Has.None.EqualTo(DirectoryState.Degraded));
    }

    [Test]
    public async Task AStoreThatNeverAnswers_IsToldAsAway_AfterTheTimeForACall()
    {
        _etcd.Hang["Range"] = true;
        await using RunningDirectory run = Run(RunningDirectory.Quick with { Call = TimeSpan.FromMilliseconds(100) });
        await run.UntilAsync(() => run.Status.State == DirectoryState.Degraded, "degraded");
        Assert.That(run.Status.Problem, Does.Contain("didn't answer within 0.1 s"));

        _etcd.Hang.Clear();
        await run.ConnectedAsync();
    }

    [Test]
    public async Task AWatchThatIsNeverConfirmed_IsGivenUp()
    {
        _etcd.Hang["Watch"] = true;
        await using RunningDirectory run = Run(RunningDirectory.Quick with { Answer = TimeSpan.FromMilliseconds(100) });
        await run.UntilAsync(() => run.Status.State == DirectoryState.Degraded, "degraded");

        _etcd.Hang.Clear();
        await run.ConnectedAsync();
    }

    [Test]
    public async Task AMemberThatIsDown_IsLeftForTheNext()
    {
        FakeEtcd second = await FakeEtcd.StartAsync(store: _etcd.Store);
        await using FakeEtcd theSecond = second;
        await using var run = new RunningDirectory(RunningDirectory.Options(_etcd, second), RunningDirectory.Quick);
        await run.ConnectedAsync();
        await _etcd.DisposeAsync();
        await run.UntilAsync(() => second.Watches.Count == 1, "the second member");
        second.Store.Put(Flood("a"), Ingress);
        await run.UntilAsync(() => run.Table is ["a"], "a change by the second member");
    }

    [TestCase("refused")]
    [TestCase("away")]
    [TestCase("compacted")]
    [TestCase("ended")]
    [TestCase("canceled")]
    public async Task WhateverGoesWrongForever_AttemptsStayFew(string how)
    {
        EtcdTimings timings = RunningDirectory.Quick with
        {
            FirstPause = TimeSpan.FromMilliseconds(50),
            LongestPause = TimeSpan.FromMilliseconds(200),
            RefusedPause = TimeSpan.FromMilliseconds(200),
        };
        _etcd.Refuse = method => (how, method) switch
        {
            ("refused", _) => FakeErrors.PermissionDenied,
            ("away", _) => FakeErrors.NoLeader,
            ("compacted", "Range") => FakeErrors.Compacted,
            _ => null,
        };
        if (how == "ended")
            _etcd.EndWatchAfter = 0;
        if (how == "canceled")
            _etcd.AnswerWatch = _ => new WatchResponse { Created = true, Canceled = true, CompactRevision = 7 };
        await using RunningDirectory run = Run(timings);
        var second = Stopwatch.StartNew();
        await run.UntilAsync(() => second.ElapsedMilliseconds > 500, "half a second");

        // pauses of at least 25, 50, 100, 100 ... ms: seven rounds of two calls of the reader, two of the publisher
        Assert.That(_etcd.AllCalls, Is.InRange(3, 28));
    }

    [Test]
    public async Task ReadAsync_ReadsEverythingOnce_AndIsNullWhenThereIsNoAnswer()
    {
        _etcd.Store.Put(Flood("a"), Ingress);
        await using var directory = new EtcdDirectory(RunningDirectory.Options(_etcd), RunningDirectory.Quick, TimeProvider.System, new Random(1));
        Assert.That((await directory.ReadAsync(default))!.Records, Has.Count.EqualTo(1));

        _etcd.Refuse = _ => new RpcException(new Status(StatusCode.Unavailable, "etcdserver: request timed out"));
        Assert.That(await directory.ReadAsync(default), Is.Null);
    }
}
