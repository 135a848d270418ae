// The cache on disk: what it gives back, what it refuses, and that no damage to it does any.

using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Etcd;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Etcd;

[TestFixture]
public sealed class DirectoryCacheTests
{
    private static readonly Vni s_vni = new(100);
    private static readonly MacAddress s_mac = MacAddress.Parse("02:00:5e:10:00:01");
    private static readonly VtepRecord s_vtep = new("h2", new VtepEndpoint(InetAddress.Parse("198.18.0.2"), 4789), default) { Name = "two" };
    private static readonly MacRecord s_station = new("h2", s_vni, s_mac, 7);

    private string _directory = "";
    private string _path = "";

    [SetUp]
    public void MakeDirectory()
    {
        _directory = Directory.CreateTempSubdirectory("vtep-cache-").FullName;
        _path = Path.Combine(_directory, "lab.cache");
    }

    [TearDown]
    public void RemoveDirectory() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task WhatWasTold_IsThereAfterARestart_AsASnapshotFromACache()
    {
        DirectoryCache cache = Cache();
        cache.Note(new DirectorySnapshot(10, [s_vtep, s_station, new FloodRecord("h2", s_vni)], []));
        cache.Note(new DirectoryDelta(12, [new(s_station.Key, s_station with { Sequence = 8 }), new(new FloodRecord("h2", s_vni).Key, null)], []));
        Assert.That(await cache.SaveAsync(), Is.Null);

        DirectorySnapshot? loaded = Cache().Load(out string? problem);

        Assert.That(problem, Is.Null);
        Assert.That((loaded!.Revision, loaded.IsFromCache), Is.EqualTo((12L, true)));
        Assert.That(loaded.Records, Is.EquivalentTo(new DirectoryRecord[] { s_vtep, s_station with { Sequence = 8 } }));
    }

    [Test]
    public async Task ARecordWhoseNewValueIsRejected_IsNotKept()
    {
        DirectoryCache cache = Cache();
        cache.Note(new DirectorySnapshot(10, [s_vtep, s_station], []));
        cache.Note(new DirectoryDelta(11, [], [new RejectedRecord("x", RejectReason.ValueMalformed, "x", s_station.Key)]));
        await cache.SaveAsync();

        Assert.That(Cache().Load(out _)!.Records, Is.EqualTo(new DirectoryRecord[] { s_vtep }));
    }

    [Test]
    public async Task TheFile_IsItsOwnersAlone_AndNothingLiesBesideIt()
    {
        await SavedAsync();

        Assert.That(File.GetUnixFileMode(_path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(Directory.GetFiles(_directory), Is.EqualTo(new[] { _path }));
    }

    [Test]
    public async Task NothingNew_IsNotWritten()
    {
        DirectoryCache cache = await SavedAsync();
        File.Delete(_path);

        await cache.SaveAsync();
        cache.Note(new DirectoryStatus(DirectoryState.Connected));
        cache.Note(new DirectorySnapshot(1, [], [], IsFromCache: true));
        await cache.SaveAsync();

        Assert.That(File.Exists(_path), Is.False);
    }

    [Test]
    public async Task CutOffAnywhere_OrWithAnyByteChanged_ItIsNotUsed_AndSaysSo()
    {
        await SavedAsync();
        byte[] whole = await File.ReadAllBytesAsync(_path);
        for (int i = 0; i < whole.Length; i++)
        {
            byte[] changed = [.. whole];
            changed[i] ^= 0x10;
            Assert.That(Read(whole[..i]), Is.Not.Null, $"cut off at {i}");
            Assert.That(Read(changed), Is.Not.Null, $"byte {i} changed");
        }

        Assert.That(Read([.. whole, 0]), Is.EqualTo("its checksum is wrong"));
        Assert.That(Read(whole), Is.Null);
    }

    [Test]
    public async Task AnotherPrefix_AnotherVersion_AndFilesOfOthers_AreToldApart()
    {
        await SavedAsync();
        byte[] other = await File.ReadAllBytesAsync(_path);
        other[7] = (byte)'2';

        Assert.That(Read("#!/bin/sh\n# this is not a cache, it is a script\n"u8.ToArray()), Is.EqualTo("it is no cache of ours"));
        Assert.That(Read(other), Is.EqualTo("it has another version's format"));
        Assert.That(new DirectoryCache(_path, new RecordCodec(new EtcdLayout("/other")), new EtcdTimings(), TimeProvider.System).Load(out string? problem), Is.Null);
        Assert.That(problem, Does.StartWith($"The cache '{_path}' is not used: it is of another prefix."));
    }

    [Test]
    public void NoFile_IsNoProblem_AndAFileTooLargeIsNotRead()
    {
        Assert.That(Cache().Load(out string? none), Is.Null);
        Assert.That(none, Is.Null);

        using (FileStream sparse = File.Create(_path))
            sparse.SetLength((256L << 20) + 1);
        Assert.That(Cache().Load(out string? problem), Is.Null);
        Assert.That(problem, Does.Contain("more than 256 MiB"));
    }

    [Test]
    public async Task APlaceThatCantBeWritten_IsToldOnce_AndTriedAgainUntilItCan()
    {
        string missing = Path.Combine(_directory, "missing");
        var cache = new DirectoryCache(Path.Combine(missing, "lab.cache"), Codec(), new EtcdTimings { Cache = TimeSpan.FromMilliseconds(5) }, TimeProvider.System);
        cache.Note(new DirectorySnapshot(10, [s_vtep], []));
        var told = System.Threading.Channels.Channel.CreateUnbounded<string?>();
        using var stop = new CancellationTokenSource();
        Task running = cache.RunAsync(problem => told.Writer.TryWrite(problem), stop.Token);

        string? first = await told.Reader.ReadAsync(stop.Token);
        Directory.CreateDirectory(missing);
        string? second = await told.Reader.ReadAsync(stop.Token);
        await stop.CancelAsync();
        await running;

        Assert.That(first, Does.Contain("can't be written: ").And.Contain("Check the directory"));
        Assert.That(second, Is.Null);
        Assert.That(File.Exists(Path.Combine(missing, "lab.cache")), Is.True);
        Assert.That(told.Reader.TryRead(out _), Is.False);
    }

    [Test]
    public async Task ACacheThatIsNotUsed_IsNoTroubleAnyMore_WhenItIsWrittenAnew()
    {
        await File.WriteAllTextAsync(_path, "no cache at all, and long enough to be looked at");
        var cache = new DirectoryCache(_path, Codec(), new EtcdTimings { Cache = TimeSpan.FromMilliseconds(5) }, TimeProvider.System);
        cache.Load(out string? problem);
        var told = System.Threading.Channels.Channel.CreateUnbounded<string?>();
        using var stop = new CancellationTokenSource();
        Assert.That(problem, Does.Contain("is not used"));
        Assert.That(await cache.SaveAsync(), Is.EqualTo(problem), "nothing is known yet to be written");

        Task running = cache.RunAsync(trouble => told.Writer.TryWrite(trouble), stop.Token);
        cache.Note(new DirectorySnapshot(10, [s_vtep], []));

        Assert.That(await told.Reader.ReadAsync(stop.Token), Is.Null);
        await stop.CancelAsync();
        await running;
    }

    [Test]
    public async Task WhatChangedLast_IsSavedOnStop()
    {
        DirectoryCache cache = Cache(); // saves every 5 s
        using var stop = new CancellationTokenSource();
        Task running = cache.RunAsync(_ => { }, stop.Token);
        cache.Note(new DirectorySnapshot(10, [s_vtep], []));

        await stop.CancelAsync();
        await running;

        Assert.That(Cache().Load(out _)!.Records, Is.EqualTo(new DirectoryRecord[] { s_vtep }));
    }

    [Test]
    public void TheInstance_StaysTheSame_AndIsMadeAnewWhenItsFileIsDamaged()
    {
        Guid made = NodeInstance.LoadOrMake(_path, out string? problem);
        Assert.That((made == Guid.Empty, problem), Is.EqualTo((false, (string?)null)));
        Assert.That(NodeInstance.LoadOrMake(_path, out _), Is.EqualTo(made));

        File.WriteAllText(_path + ".instance", "damaged");
        Guid anew = NodeInstance.LoadOrMake(_path, out _);
        Assert.That(anew, Is.Not.EqualTo(made));
        Assert.That(NodeInstance.LoadOrMake(_path, out _), Is.EqualTo(anew));
        Assert.That(NodeInstance.LoadOrMake(Path.Combine(_directory, "missing", "x"), out string? trouble), Is.Not.EqualTo(Guid.Empty));
        Assert.That(trouble, Does.Contain("can't be kept"));
    }

    private static RecordCodec Codec() => new(new EtcdLayout("/vtep/v1/lab"));

    private DirectoryCache Cache() => new(_path, Codec(), new EtcdTimings(), TimeProvider.System);

    private async Task<DirectoryCache> SavedAsync()
    {
        DirectoryCache cache = Cache();
        cache.Note(new DirectorySnapshot(10, [s_vtep, s_station], []));
        await cache.SaveAsync();
        return cache;
    }

    private static string? Read(byte[] file) => new CacheFormat(Codec()).Read(file, out _);
}
