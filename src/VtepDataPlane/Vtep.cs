// The facade: a VTEP as a whole. It owns the tables, the lanes and the forwarding state, and is the only writer of the state:
// whatever changes it (a new configuration, the clock, the machine's links and routes) goes through one lock, never held by the
// frame path. How a change is made safe under running lanes:
//
//   1. open what is new;  2. publish a state that no longer names what goes;  3. wait until every lane has left the batch it was
//   in (grace period);  4. flush the FDB of what is gone, wait again, and only then close and free it.
//
// No I/O here but through IHostNetwork, no clock but the argument.

using VtepDataPlane.Diagnostics;
using VtepDataPlane.Diagnostics.Capture;
using VtepDataPlane.Diagnostics.Events;
using VtepDataPlane.Diagnostics.Explain;
using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane;

/// <summary>
/// A VXLAN tunnel endpoint. All members may be called from any thread: changes are let in one at a time; snapshots wait for
/// nothing, but what controllers said (<see cref="Directory"/>) for a change that is being made. Lanes are served by one thread each.
/// </summary>
public sealed partial class Vtep : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Fdb _fdb;
    private readonly RemoteVteps _vteps;
    private readonly NeighborTable _neighbors;
    private readonly Forwarder _forwarder;
    private readonly IUnderlay _underlay;
    private readonly Lane[] _lanes;
    private readonly DomainTable _domains;
    private readonly ControllerTable _controllers;
    private readonly SnapshotReader _snapshots;
    private readonly DirectoryMetrics _directoryMetrics;
    private readonly VtepMetrics _metrics;
    private long _now; // as it was told last

    /// <summary>Opens underlay and ports and applies the configuration; all or nothing.</summary>
    /// <param name="config">A configuration; <see cref="VtepConfigRules"/> must find nothing wrong with it.</param>
    /// <param name="host">The machine's edge; disposed of by the caller, after this.</param>
    /// <param name="seed">Random bits for the flow hash and the tables' hashes, from a cryptographic source.</param>
    /// <param name="nowMilliseconds">Monotonic time, as in all later calls.</param>
    /// <exception cref="VtepException">Something is wrong with the configuration or can't be opened; nothing is left open.</exception>
    public Vtep(VtepConfig config, IHostNetwork host, UInt128 seed, long nowMilliseconds)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(host);
        VtepConfigRules.ThrowIfInvalid(config);
        Config = config with { BridgeDomains = [] };
        int lanes = LaneCount(config);
        _fdb = new Fdb(config.FdbCapacity, seed);
        _vteps = new RemoteVteps(host.MaxVteps + config.Underlay.LearnedPeerLimit, config.Underlay.LearnedPeerLimit, seed);
        _underlay = host.OpenUnderlay(config.Underlay, lanes);
        _neighbors = new NeighborTable();
        _forwarder = new Forwarder(_fdb, _vteps, _neighbors, new ForwardingState([], _underlay.Local, config.Underlay.Port, _underlay.IsLocalAddressPresent));
        _lanes = [.. Enumerable.Range(0, lanes).Select(i => new Lane(i, _forwarder, _underlay.Queue(i), _vteps.Capacity, host.WakeControl, seed, host.MakeBatch()))];
        _domains = new DomainTable(host, _underlay, _fdb, _neighbors, _vteps, _forwarder, _lanes, new FlowHash(seed), config.Underlay.Port, ReportFault);
        _controllers = new ControllerTable(
            config.Controllers, host, _underlay, config.Underlay.Port, _domains, new DirectoryTarget(_domains, _fdb, _neighbors), _fdb, _forwarder, _lanes);
        _captures = new Captures(_lanes, _vteps);
        _events = new EventHub(_captures, _domains, _fdb, host.WakeControl);
        (_underlay as GuardedUnderlay)?.Guard.ReportTo(_events.Report);
        _explainer = new Lazy<Explainer>(() => new Explainer(_forwarder, _vteps, _underlay, config.Underlay));
        _snapshots = new SnapshotReader(_fdb, _neighbors, _vteps, _forwarder, _lanes);
        _directoryMetrics = new DirectoryMetrics(this, () => Volatile.Read(ref _report).Controllers);
        _metrics = new VtepMetrics(this, _fdb, _vteps, _forwarder, _lanes, _domains.Closed, Counters);
        try
        {
            ApplyNow(config, nowMilliseconds);
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <summary>The lanes, one for each worker. Fixed for the VTEP's life.</summary>
    public IReadOnlyList<Lane> Lanes => _lanes;

    /// <summary>The configuration in force. Immutable: a change puts another in its place.</summary>
    public VtepConfig Config { get; private set; }

    /// <summary>Workers a configuration asks for on this machine.</summary>
    /// <param name="config">Only Workers matters.</param>
    /// <returns>Its workers; when it gives 0, one a processor, 1 to <see cref="VtepConfig.MaxAutomaticWorkers"/>.</returns>
    public static int LaneCount(VtepConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return config.Workers > 0 ? config.Workers : Math.Min(Environment.ProcessorCount, VtepConfig.MaxAutomaticWorkers);
    }

    /// <summary>Applies the difference to another configuration: unchanged domains and ports lose no frame. All or nothing.</summary>
    /// <param name="next">The whole of it; what only a restart can change must be as it is.</param>
    /// <param name="nowMilliseconds">Monotonic time, as in all calls.</param>
    /// <exception cref="VtepException">It can't be applied; the old one is still in force.</exception>
    /// <exception cref="InvalidOperationException">It belongs to a running VTEP, whose control loop does that.</exception>
    public void Apply(VtepConfig next, long nowMilliseconds)
    {
        ThrowIfRunning();
        ApplyNow(next, nowMilliseconds);
    }

    private void ApplyNow(VtepConfig next, long nowMilliseconds)
    {
        ArgumentNullException.ThrowIfNull(next);
        VtepConfigRules.ThrowIfInvalid(next);
        lock (_gate)
        {
            ThrowIfNeedsRestart(next);
            _now = nowMilliseconds;
            _domains.Apply(next.BridgeDomains);
            _controllers.Configure(next.BridgeDomains, nowMilliseconds);
            foreach ((Vni vni, MacAddress mac) in Fixed(Config).Except(Fixed(next)))
                _controllers.Unfixed(vni, mac, nowMilliseconds);
            Config = next;
            Report();
        }
    }

    /// <summary>Ages FDB and learned VTEPs, and looks up the paths to newly learned ones. Call about once a second.</summary>
    /// <param name="nowMilliseconds">Monotonic time, as in all calls.</param>
    /// <exception cref="InvalidOperationException">It belongs to a running VTEP, whose control loop does that.</exception>
    public void Tick(long nowMilliseconds)
    {
        ThrowIfRunning();
        TickNow(nowMilliseconds);
    }

    private void TickNow(long nowMilliseconds)
    {
        lock (_gate)
        {
            _now = nowMilliseconds;
            _events.Dispatch(nowMilliseconds);
            _domains.Age((uint)(nowMilliseconds / 1000), (uint)Config.Underlay.LearnedPeerAgeing);
            _controllers.Tick(nowMilliseconds);
            Report();
        }
    }

    /// <summary>Takes up what lanes and directories have told since. Call when <see cref="IHostNetwork.WakeControl"/> was.</summary>
    /// <param name="nowMilliseconds">Monotonic time, as in all calls.</param>
    /// <exception cref="InvalidOperationException">It belongs to a running VTEP, whose control loop does that.</exception>
    public void Attend(long nowMilliseconds)
    {
        ThrowIfRunning();
        AttendNow(nowMilliseconds);
    }

    private void AttendNow(long nowMilliseconds)
    {
        lock (_gate)
        {
            _now = nowMilliseconds;
            _events.Dispatch(nowMilliseconds);
            _controllers.Attend(nowMilliseconds);
        }
    }

    /// <summary>Reads routes, MTUs and addresses anew. Call when the machine's links, addresses or routes changed.</summary>
    /// <param name="nowMilliseconds">Monotonic time, as in all calls.</param>
    /// <exception cref="InvalidOperationException">It belongs to a running VTEP, whose control loop does that.</exception>
    public void UnderlayChanged(long nowMilliseconds)
    {
        ThrowIfRunning();
        ReadPaths();
    }

    private void ReadPaths()
    {
        lock (_gate)
            _domains.ReadPaths();
    }

    /// <summary>A port's device came, went, or changed its MTU or MAC. Call when the host knows.</summary>
    /// <param name="port">One that is served.</param>
    /// <exception cref="InvalidOperationException">It belongs to a running VTEP, whose control loop does that.</exception>
    public void PortChanged(AccessPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        ThrowIfRunning();
        FollowPort(port);
    }

    private void FollowPort(AccessPort port)
    {
        lock (_gate)
        {
            _domains.PortChanged(port);
            _controllers.FindStations(_now);
        }
    }

    /// <summary>
    /// Adds a static FDB entry at run time; it stays until it is deleted or its domain goes. The all-zeros MAC adds a VTEP to the
    /// flood list (as the kernel's default entry does).
    /// </summary>
    /// <param name="vni">The domain.</param>
    /// <param name="mac">A station, or all zeros.</param>
    /// <param name="vtep">The VTEP it is behind, or null.</param>
    /// <param name="port">The local port it is behind, or null. Exactly one of the two is given.</param>
    /// <param name="replace">Replace a static entry that is there already.</param>
    /// <returns>Null, or a sentence why not.</returns>
    public string? AddFdb(Vni vni, MacAddress mac, VtepEndpoint? vtep, string? port, bool replace = false)
    {
        lock (_gate)
        {
            string? why = _domains.AddFdb(vni, mac, vtep, port, replace);
            if (why is null && port is not null)
                _controllers.FindStations(_now);
            return why;
        }
    }

    /// <summary>Deletes an FDB entry, unless it is a port's own MAC or a controller's. The all-zeros MAC takes <paramref name="vtep"/> from the flood list.</summary>
    /// <param name="vni">The domain.</param>
    /// <param name="mac">A station, or all zeros.</param>
    /// <param name="vtep">What all zeros take from the flood list; of no effect otherwise.</param>
    /// <returns>Null, or a sentence why not.</returns>
    public string? DeleteFdb(Vni vni, MacAddress mac, VtepEndpoint? vtep = null)
    {
        lock (_gate)
        {
            string? why = _domains.DeleteFdb(vni, mac, vtep);
            if (why is null)
                _controllers.Unfixed(vni, mac, _now);
            return why;
        }
    }

    /// <summary>The VTEP as a whole: sizes of its tables, its lanes, controllers, and what is wrong with it now.</summary>
    public VtepSnapshot Status()
    {
        ControllerReport report = Controllers();
        return _snapshots.Status(report.Controllers, [.. _domains.Problems, .. FaultsNow(), .. report.Warnings.Select(warning => warning.Text)]);
    }

    /// <summary>All domains, by VNI.</summary>
    public IReadOnlyList<DomainSnapshot> Domains() => _snapshots.Domains();

    /// <summary>All ports, by name.</summary>
    public IReadOnlyList<PortSnapshot> Ports() => _snapshots.Ports();

    /// <summary>All VTEPs, by address.</summary>
    /// <param name="nowMilliseconds">Monotonic time, as in all calls.</param>
    public IReadOnlyList<PeerSnapshot> Peers(long nowMilliseconds) => _snapshots.Peers((uint)(nowMilliseconds / 1000));

    /// <summary>The FDB, by VNI and MAC; one domain's with <paramref name="vni"/>.</summary>
    /// <param name="nowMilliseconds">Monotonic time, as in all calls.</param>
    /// <param name="vni">The domain; null: all.</param>
    public IReadOnlyList<FdbSnapshot> Fdb(long nowMilliseconds, Vni? vni = null) => _snapshots.Fdb((uint)(nowMilliseconds / 1000), vni);

    /// <summary>
    /// Searches the FDB: entries that every word fits (see <see cref="FdbSearch"/>). Walks the whole table; allocates for what it gives only.
    /// </summary>
    /// <param name="nowMilliseconds">Monotonic time, as in all calls.</param>
    /// <param name="words">Words with blanks between them; none: every entry.</param>
    /// <param name="most">How many entries it gives at most, 0 or more.</param>
    public FdbPage FindFdb(long nowMilliseconds, string words, int most) => _snapshots.FindFdb((uint)(nowMilliseconds / 1000), words, most);

    /// <summary>The books: frames received, sent and dropped since the start. Queues of ports closed since are in them.</summary>
    public CounterSnapshot Counters() => _snapshots.Counters(_domains.Closed);

    /// <summary>Ends captures and subscriptions, and closes ports and underlay. Stop serving the lanes first. Not the host: that is its maker's.</summary>
    /// <exception cref="InvalidOperationException">It belongs to a running VTEP, whose control loop does that.</exception>
    public void Dispose()
    {
        ThrowIfRunning();
        Close();
    }

    private void Close()
    {
        lock (_gate)
        {
            _events.Close();
            _captures.Close();
            _metrics.Dispose();
            _directoryMetrics.Dispose();
            _controllers.Dispose();
            _domains.Dispose();
            _underlay.Dispose();
        }
    }

    private static IEnumerable<(Vni Vni, MacAddress Mac)> Fixed(VtepConfig config) =>
        config.BridgeDomains.SelectMany(domain => domain.Fdb, (domain, entry) => (domain.Vni, entry.Mac));

    private void ThrowIfNeedsRestart(VtepConfig next)
    {
        string? what = next.Underlay != Config.Underlay ? "underlay"
            : next.Workers != Config.Workers ? "workers"
            : next.FdbCapacity != Config.FdbCapacity ? "fdb.capacity"
            : !ByName(next.Controllers).SequenceEqual(ByName(Config.Controllers)) ? "controllers"
            : null;
        if (what is not null)
            throw new VtepException($"'{what}' can't be changed while running: restart to apply it, or put it back.");
    }

    private static IEnumerable<ControllerConfig> ByName(IEnumerable<ControllerConfig> controllers) =>
        controllers.OrderBy(controller => controller.Name, StringComparer.Ordinal);
}
