// One controller as this VTEP takes part in it: the records it wants published, the reconciler that turns what the store says into the tables, the
// source once there is one, and the questions of lookup domains.
//
// Threads. The source runs on tasks of its own (RunAsync, answers to questions); what it says is put into a bounded channel and a queue, and the control
// loop is woken. Everything else happens in the control loop, under the facade's lock. A source that throws, which it must not, brings its exception
// into the control loop: a VTEP whose directory is dead in silence would be worse than one that ends.

using System.Collections.Concurrent;
using System.Threading.Channels;
using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Wire;

namespace VtepDataPlane;

/// <summary>A controller, from its source to the tables. Control loop only, but for the pump.</summary>
internal sealed class ControllerSession : IDisposable
{
    /// <summary>Events of the source that may wait for the control loop; then the source waits.</summary>
    private const int EventRoom = 64;

    private readonly IDirectoryTarget _target;
    private readonly Action _wake;
    private readonly Channel<DirectoryEvent> _events = Channel.CreateBounded<DirectoryEvent>(EventRoom);
    private readonly ConcurrentQueue<(LookupKey Key, LookupResult Result)> _answers = new();
    private readonly HashSet<(Vni Vni, MacAddress Mac)> _stations = [];
    private readonly CancellationTokenSource _stop = new();
    private IReadOnlyDictionary<Vni, ControllerDiscovery> _domains = new Dictionary<Vni, ControllerDiscovery>();
    private MissDesk? _desk;
    private Task _pump = Task.CompletedTask;
    private Exception? _failure;

    public ControllerSession(ControllerConfig config, InetAddress local, ushort port, IDirectoryTarget target, Action wake)
    {
        Config = config;
        _target = target;
        _wake = wake;
        Reconciler = new Reconciler(config, local, port, Own, target);
    }

    public ControllerConfig Config { get; }

    /// <summary>What this node wants in the store.</summary>
    public LocalRecords Own { get; } = new();

    public Reconciler Reconciler { get; }

    /// <summary>The source; null until it is attached.</summary>
    public IDirectory? Directory { get; private set; }

    /// <summary>Domains it is served for.</summary>
    public IReadOnlyDictionary<Vni, ControllerDiscovery> Domains => _domains;

    /// <summary>Starts reading a source.</summary>
    public void Attach(IDirectory directory, TimeProvider time)
    {
        Directory = directory;
        _desk = new MissDesk(directory, time, Answer, (_, failure) => Fail(failure));
        directory.Require(Scope());
        _pump = Task.Run(PumpAsync);
    }

    /// <summary>The domains it is served for from now on.</summary>
    public void Configure(IReadOnlyDictionary<Vni, ControllerDiscovery> domains, long nowMilliseconds)
    {
        bool isSame = domains.Count == _domains.Count && domains.All(domain => _domains.GetValueOrDefault(domain.Key) == domain.Value);
        _domains = domains;
        if (isSame)
            return;
        Reconciler.Configure(domains, nowMilliseconds);
        _stations.RemoveWhere(station => !domains.ContainsKey(station.Vni));
        Directory?.Require(Scope());
    }

    /// <summary>A station is behind one of our ports.</summary>
    public void StationSeen(Vni vni, MacAddress mac, long nowMilliseconds)
    {
        _stations.Add((vni, mac));
        Reconciler.StationSeen(vni, mac, nowMilliseconds);
    }

    /// <summary>A station is behind one of our ports, as a walk through the FDB shows.</summary>
    public void StationFound(Vni vni, MacAddress mac, long nowMilliseconds)
    {
        if (!_stations.Contains((vni, mac)))
            StationSeen(vni, mac, nowMilliseconds);
    }

    /// <summary>A lane misses a station or an address.</summary>
    public void Ask(int lane, in MissKey miss, Vni vni, Action<int, MissKey, MissAnswer, long> tell)
    {
        if (_desk is { } desk && Directory!.Capabilities.HasFlag(DirectoryCapabilities.Lookup) && LookupOf(vni) is { } discovery)
            desk.Ask(lane, miss, vni, discovery);
        else
            tell(lane, miss, MissAnswer.NoAnswer, 0);
    }

    /// <summary>A frame says that a station is elsewhere than the store said: it is asked again, where nothing else would tell.</summary>
    public void Doubt(Vni vni, MacAddress mac) => AskAgain(new LookupKey(vni, mac));

    /// <summary>Takes up what the source has told and answered.</summary>
    public void TakeUp(long nowMilliseconds, Action<int, MissKey, MissAnswer, long> tell)
    {
        if (Volatile.Read(ref _failure) is { } failure)
            throw new InvalidOperationException($"The source of controller {Config.Name} failed, which it must not: {failure.Message}", failure);
        while (_events.Reader.TryRead(out DirectoryEvent? told))
            Reconciler.Apply(told, nowMilliseconds);
        while (_answers.TryDequeue(out (LookupKey Key, LookupResult Result) answer))
        {
            Reconciler.LookedUp(answer.Key, answer.Result, nowMilliseconds);
            long notFoundUntil = nowMilliseconds + 1000L * (_domains.GetValueOrDefault(answer.Key.Vni)?.NegativeSeconds ?? 0);
            _desk!.Tell(answer.Key, answer.Result, (lane, miss, outcome) => tell(lane, miss, outcome, notFoundUntil));
        }
    }

    /// <summary>A second has passed: stations that went are told, answers that get old are asked again.</summary>
    public void Tick(long nowMilliseconds)
    {
        foreach ((Vni vni, MacAddress mac) in _stations.Where(station => !_target.IsLocal(station.Vni, station.Mac)).ToList())
        {
            _stations.Remove((vni, mac));
            Reconciler.StationGone(vni, mac, nowMilliseconds);
        }

        Reconciler.Tick(nowMilliseconds);
        foreach (LookupKey key in Reconciler.TakeExpiring(nowMilliseconds))
            AskAgain(key);
    }

    /// <summary>What the operator fixed at a station is gone: what the controller says of it holds again.</summary>
    public void Unfixed(Vni vni, MacAddress mac, long nowMilliseconds) => Reconciler.TellAgain(vni, mac, nowMilliseconds);

    /// <summary>How the controller is.</summary>
    public ControllerSnapshot Status(long nowMilliseconds) => WhatIsPublished(Reconciler.Status(nowMilliseconds)) with
    {
        Lookups = _desk?.Asked ?? 0,
        LookupsFound = _desk?.Found ?? 0,
        LookupsUnanswered = _desk?.Unanswered ?? 0,
    };

    /// <summary>Where a complete reading of the store and the data plane differ.</summary>
    public IEnumerable<DirectoryDifference> Compare(DirectorySnapshot store) =>
        Reconciler.Compare(store).Where(difference => Publishes || difference.What != DirectoryDifference.Published);

    /// <summary>Ends the source; it withdraws what it has to.</summary>
    public void Dispose()
    {
        if (_stop.IsCancellationRequested)
            return;
        _stop.Cancel();
        _desk?.Dispose();
        _pump.GetAwaiter().GetResult();
        Directory?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _stop.Dispose();
    }

    // Nothing waits to be written to a file.
    private bool Publishes => Directory?.Capabilities.HasFlag(DirectoryCapabilities.Publish) ?? false;

    private ControllerSnapshot WhatIsPublished(ControllerSnapshot status) => Publishes ? status : status with { Published = 0, PublishPending = 0 };

    private void AskAgain(LookupKey key)
    {
        if (LookupOf(key.Vni) is { } discovery)
            _desk?.Refresh(key, discovery);
    }

    // Null when the domain isn't looked up (any more): what a lane asked may be older than the configuration.
    private ControllerDiscovery? LookupOf(Vni vni) =>
        _domains.GetValueOrDefault(vni) is { Mode: ControllerMode.Lookup } discovery ? discovery : null;

    private DirectoryScope Scope() => new(Stations: _domains.Values.Any(domain => domain.Mode == ControllerMode.Watch));

    // Ends when it is told to. Anything else is noted before the control loop is woken, so that the loop can't miss it.
    private async Task PumpAsync()
    {
        try
        {
            await foreach (DirectoryEvent told in Directory!.RunAsync(Own, _stop.Token).ConfigureAwait(false))
            {
                await _events.Writer.WriteAsync(told, _stop.Token).ConfigureAwait(false);
                _wake();
            }

            Fail(new InvalidOperationException("it ended without being told to."));
        }
#pragma warning disable CA1031 // whatever it is: the control loop ends of it
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(e);
        }
    }

    private void Answer(LookupKey key, LookupResult result)
    {
        _answers.Enqueue((key, result));
        _wake();
    }

    private void Fail(Exception failure)
    {
        if (_stop.IsCancellationRequested)
            return; // how it ends then no longer matters
        Volatile.Write(ref _failure, failure);
        _wake();
    }
}
