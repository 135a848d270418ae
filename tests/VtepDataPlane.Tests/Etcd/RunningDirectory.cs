// A directory that runs, what it has told so far, and the table that follows from it as a reconciler would keep it.

using System.Diagnostics;
using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Etcd;

namespace VtepDataPlane.Tests.Etcd;

/// <summary>Collects events of an etcd directory.</summary>
internal sealed class RunningDirectory : IAsyncDisposable
{
    public const string Prefix = "/vtep/v1/lab";

    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<DirectoryEvent> _told = [];
    private readonly Dictionary<RecordKey, DirectoryRecord> _table = [];
    private readonly Task _running;
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RunningDirectory(EtcdOptions options, EtcdTimings timings, DirectoryScope? scope = null)
    {
        Directory = new EtcdDirectory(options, timings, TimeProvider.System, new Random(1));
        if (scope is { } wanted)
            Directory.Require(wanted);
        _running = Task.Run(CollectAsync);
    }

    /// <summary>Everything short, so that no test waits; what a test is about it sets itself.</summary>
    public static EtcdTimings Quick { get; } = new()
    {
        FirstPause = TimeSpan.FromMilliseconds(10),
        LongestPause = TimeSpan.FromMilliseconds(100),
        RefusedPause = TimeSpan.FromMilliseconds(300),
        Files = TimeSpan.Zero,
    };

    public static EtcdOptions Options(params FakeEtcd[] members) => new() { Endpoints = [.. members.Select(m => m.Endpoint)], Prefix = Prefix, Node = "me" };

    public EtcdDirectory Directory { get; }

    public LocalRecords Own { get; } = new();

    public IReadOnlyList<DirectoryEvent> Told
    {
        get
        {
            lock (_gate)
                return [.. _told];
        }
    }

    public IReadOnlyList<DirectorySnapshot> Snapshots => [.. Told.OfType<DirectorySnapshot>()];

    /// <summary>Causes of complete readings, in order.</summary>
    public string[] Causes => [.. Snapshots.Select(snapshot => snapshot.Cause)];

    /// <summary>Owners of the records that are known, in order; for stations, owner and MAC.</summary>
    public string[] Table
    {
        get
        {
            lock (_gate)
                return [.. _table.Keys.Select(key => key.Kind == RecordKind.Mac ? $"{key.Owner} {key.Mac}" : key.Owner).Order(StringComparer.Ordinal)];
        }
    }

    public DirectoryStatus Status => Told.OfType<DirectoryStatus>().LastOrDefault() ?? new DirectoryStatus(DirectoryState.Connecting);

    public Task ConnectedAsync() => UntilAsync(() => Status.State == DirectoryState.Connected, "connected");

    /// <summary>Waits for a condition that events bring about, for 10 s at most.</summary>
    public async Task UntilAsync(Func<bool> holds, string what)
    {
        long since = Stopwatch.GetTimestamp();
        while (true)
        {
            Task more;
            lock (_gate)
                more = _more.Task;
            if (holds())
                return;
            if (Stopwatch.GetElapsedTime(since) > TimeSpan.FromSeconds(10))
                Assert.Fail($"Not within 10 s: {what}. Told: {string.Join("\n", Told.TakeLast(5))}");
            await Task.WhenAny(more, Task.Delay(20));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        await Directory.DisposeAsync();
        _stop.Dispose();
    }

    private async Task CollectAsync()
    {
        try
        {
            await foreach (DirectoryEvent told in Directory.RunAsync(Own, _stop.Token))
            {
                lock (_gate)
                {
                    _told.Add(told);
                    Apply(told);
                    _more.SetResult();
                    _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // the test is over
        }
    }

    private void Apply(DirectoryEvent told)
    {
        if (told is DirectorySnapshot snapshot)
        {
            _table.Clear();
            foreach (DirectoryRecord record in snapshot.Records)
                _table[record.Key] = record;
        }

        foreach (DirectoryChange change in (told as DirectoryDelta)?.Changes ?? [])
        {
            if (change.Record is null)
                _table.Remove(change.Key);
            else
                _table[change.Key] = change.Record;
        }
    }
}
