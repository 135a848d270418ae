// The store in memory keeps what IDirectory promises.

using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using static VtepDataPlane.Tests.Discovery.TestDirectory;

namespace VtepDataPlane.Tests.Discovery;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class MemoryDirectoryTests
{
    private readonly MemoryStore _store = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly LocalRecords _own = new();
    private MemoryDirectory _directory = null!;
    private IAsyncEnumerator<DirectoryEvent> _events = null!;

    [SetUp]
    public void Attach()
    {
        _store.Put(Host(2), Floods(2), Station(2, 1));
        _directory = new MemoryDirectory(_store, Us);
        _events = _directory.RunAsync(_own, _stop.Token).GetAsyncEnumerator();
    }

    [TearDown]
    public async Task Stop()
    {
        await _stop.CancelAsync();
        await _events.DisposeAsync();
        _stop.Dispose();
    }

    private async Task<T> Next<T>()
        where T : DirectoryEvent
    {
        Assert.That(await _events.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30)), Is.True);
        Assert.That(_events.Current, Is.TypeOf<T>());
        return (T)_events.Current;
    }

    private async Task<DirectorySnapshot> Start()
    {
        Assert.That((await Next<DirectoryStatus>()).State, Is.EqualTo(DirectoryState.Connected));
        return await Next<DirectorySnapshot>();
    }

    [Test]
    public async Task FirstComesEverything_ThenWhatChanges()
    {
        Assert.That((await Start()).Records, Is.EquivalentTo(new DirectoryRecord[] { Host(2), Floods(2), Station(2, 1) }));
        _store.Put(Station(2, 1, sequence: 1));
        Assert.That((await Next<DirectoryDelta>()).Changes, Is.EqualTo(new[] { new DirectoryChange(Station(2, 1).Key, Station(2, 1, sequence: 1)) }));
        _store.Withdraw("h2");
        Assert.That((await Next<DirectoryDelta>()).Changes.Select(change => change.Record), Is.EqualTo(new DirectoryRecord?[] { null, null, null }));
    }

    [Test]
    public async Task Junk_IsToldBesideTheGoodOnes()
    {
        await Start();
        _store.PutJunk(new RejectedRecord("k", RejectReason.ValueMalformed, "no JSON", Station(2, 1).Key));
        Assert.That((await Next<DirectoryDelta>()).Rejected, Has.Count.EqualTo(1));
        Assert.That((await _directory.ReadAsync(default))!.Records, Has.Count.EqualTo(2));
        Assert.That((await _directory.ReadAsync(default))!.Rejected, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task WhileTheStoreIsAway_NothingIsKnown_AndItIsReadAnewAfterwards()
    {
        await Start();
        _store.GoAway();
        _own.Set(Station(0, 9));
        Assert.That((await Next<DirectoryStatus>()).State, Is.EqualTo(DirectoryState.Degraded));
        Assert.That(await _directory.LookupAsync(Key(1), default), Is.EqualTo(LookupResult.NoAnswer));
        Assert.That(await _directory.ReadAsync(default), Is.Null);
        _store.Put(Station(2, 2));
        _store.ComeBack();
        DirectorySnapshot anew = await Start();
        Assert.That((anew.Cause, anew.Records.Contains(Station(2, 2))), Is.EqualTo(("stream lost", true)));
        await LocalRecordsTests.Until(() => _store.Records.Contains(Station(0, 9)));
    }

    [Test]
    public async Task OwnRecords_AreThere_AndArePutBackWhenTheStoreLosesThem_UntilTheyAreReleased()
    {
        await Start();
        _own.Set(Station(0, 9));
        await LocalRecordsTests.Until(() => _store.Records.Contains(Station(0, 9)));
        _store.Clear();
        await LocalRecordsTests.Until(() => _store.Records.Contains(Station(0, 9)));
        _store.Restore(1, [Host(3)]);
        await LocalRecordsTests.Until(() => _store.Records.Contains(Station(0, 9)));
        Assert.That(await _directory.ReleaseAsync(default), Is.Null);
        Assert.That(_store.Records, Is.EqualTo(new[] { Host(3) }));
    }

    [Test]
    public async Task ALookup_FindsAllClaims_AndIsCounted()
    {
        await Start();
        _store.Put(Station(3, 1), Address(3, "198.19.0.1", 1));
        Assert.That((await _directory.LookupAsync(Key(1), default)).Records, Is.EquivalentTo(new[] { Station(2, 1), Station(3, 1) }));
        Assert.That((await _directory.LookupAsync(Key("198.19.0.1"), default)).Records, Has.Count.EqualTo(1));
        Assert.That((await _directory.LookupAsync(Key(7), default)).Outcome, Is.EqualTo(LookupOutcome.NotFound));
        Assert.That(_store.Lookups, Is.EqualTo(3));
    }

    [Test]
    public async Task WithoutStations_OnlyNodesAreTold()
    {
        await Start();
        _directory.Require(new DirectoryScope(Stations: false));
        Assert.That((await Start()).Records, Is.EquivalentTo(new DirectoryRecord[] { Host(2), Floods(2) }));
        _store.Put(Station(2, 5));
        _store.Put(Host(3));
        Assert.That((await Next<DirectoryDelta>()).Changes.Single().Record, Is.EqualTo(Host(3)));
    }
}
