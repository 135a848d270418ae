// A publisher beside a scripted etcd, and what its tests wait for.

using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Etcd;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Etcd;

/// <summary>Node h1 and its store.</summary>
internal sealed class PublisherBench : IAsyncDisposable
{
    public const string SelfKey = "/p/n/h1/self";
    public static readonly Guid Instance = Guid.Parse("6f1c2d3e-0000-4000-8000-000000000001");
    public static readonly VtepRecord Self = new("h1", new VtepEndpoint(InetAddress.Parse("198.18.0.1"), 4789), default);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly EtcdConnection _connection;
    private readonly List<DirectoryStatus?> _told = [];
    private Task _running = Task.CompletedTask;

    private PublisherBench(FakeEtcd etcd, EtcdOptions options, TimeSpan grace)
    {
        Etcd = etcd;
        var timings = new EtcdTimings
        {
            Call = TimeSpan.FromSeconds(2),
            FirstPause = TimeSpan.FromMilliseconds(5),
            LongestPause = TimeSpan.FromMilliseconds(20),
            RefusedPause = TimeSpan.FromMilliseconds(50),
            Grace = grace,
        };
        _connection = new EtcdConnection(options, timings, Time);
        Publisher = new EtcdPublisher(_connection, options, timings, Time, new RecordCodec(new EtcdLayout("/p")), Instance, Tell);
    }

    public FakeEtcd Etcd { get; }

    public ShiftedTime Time { get; } = new();

    public LocalRecords Own { get; } = new();

    public EtcdPublisher Publisher { get; }

    public IReadOnlyList<DirectoryStatus?> Told
    {
        get
        {
            lock (_told)
                return [.. _told];
        }
    }

    public static async Task<PublisherBench> MakeAsync(Func<EtcdOptions, EtcdOptions>? with = null, FakeStore? store = null, TimeSpan? grace = null)
    {
        FakeEtcd etcd = await FakeEtcd.StartAsync(store: store);
        var options = new EtcdOptions { Endpoints = [etcd.Endpoint], Prefix = "/p", Node = "h1", LeaseSeconds = 60 };
        return new PublisherBench(etcd, with?.Invoke(options) ?? options, grace ?? TimeSpan.FromMinutes(10));
    }

    public static async Task<PublisherBench> StartAsync(Func<EtcdOptions, EtcdOptions>? with = null, FakeStore? store = null, TimeSpan? grace = null)
    {
        PublisherBench bench = await MakeAsync(with, store, grace);
        bench.Own.Set(Self);
        bench.Run();
        return bench;
    }

    public void Run() => _running = Publisher.RunAsync(Own, _stop.Token);

    /// <summary>A station of h1.</summary>
    public static MacRecord Station(int number, uint sequence = 0) => new("h1", new Vni(100), new MacAddress(0x0200_0000_0000 + (ulong)number), sequence);

    public static string Key(int number) => $"/p/s/h1/mac/100/{Station(number).Mac}";

    /// <summary>What the store did, told as its watch would.</summary>
    public void Watch(RecordKey key, DirectoryRecord? record) => Publisher.Seen(new DirectoryDelta(Etcd.Store.Revision, [new(key, record)], []));

    public Task InStoreAsync(Func<FakeStore, bool> holds) => UntilAsync(() => holds(Etcd.Store));

    public async Task UntilAsync(Func<bool> holds)
    {
        using var late = new CancellationTokenSource(s_patience);
        while (!holds())
        {
            if (_running.IsFaulted)
                await _running;
            await Etcd.Store.Changed.WaitAsync(TimeSpan.FromMilliseconds(5)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            late.Token.ThrowIfCancellationRequested();
        }
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(s_patience);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Publisher.Dispose();
        _connection.Dispose();
        await Etcd.DisposeAsync();
        _stop.Dispose();
    }

    private void Tell(DirectoryStatus? status)
    {
        lock (_told)
            _told.Add(status);
    }
}
