// How the VTEP is, for whoever collects metrics in this process (System.Diagnostics.Metrics): counters of frames and drops by domain, peer, port,
// direction and reason, the FDB, the paths. Nothing is counted here: lanes count with plain stores, and their counters are summed when
// somebody looks. So what nobody looks at costs nothing, and looking costs the lanes nothing. The number of series is bounded (SeriesBudget);
// what is folded into "other" is told by vtep.folded_series. Names and units as OpenTelemetry has them; a Prometheus exposition makes
// vtep_peer_io_bytes_total of vtep.peer.io. Controllers have a meter of their own (DirectoryMetrics). Any thread.

using System.Diagnostics.Metrics;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Underlay;

namespace VtepDataPlane.Diagnostics;

/// <summary>The meter of a VTEP.</summary>
internal sealed class VtepMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "VtepDataPlane";

    private const string Prefix = "vtep.";
    private const string Frame = "{frame}";

    private static readonly (PathState State, string Name)[] s_states = [(PathState.Ok, "ok"), (PathState.NoRoute, "no-route"), (PathState.Loop, "loop")];

    private readonly Meter _meter;
    private readonly Fdb _fdb;
    private readonly RemoteVteps _vteps;
    private readonly Forwarder _forwarder;
    private readonly OrderedDomains _domains;
    private readonly List<(string Metric, Func<int> Count)> _folded = [];

    /// <param name="scope">The meter's scope, by which listeners tell the meters of one VTEP from another's.</param>
    /// <param name="fdb">The stations.</param>
    /// <param name="vteps">The peers.</param>
    /// <param name="forwarder">Has the published state.</param>
    /// <param name="lanes">Where frames are counted.</param>
    /// <param name="closed">What domains and ports that are gone had counted.</param>
    /// <param name="books">Reads the books.</param>
    public VtepMetrics(object scope, Fdb fdb, RemoteVteps vteps, Forwarder forwarder, Lane[] lanes, ClosedMeters closed, Func<CounterSnapshot> books)
    {
        (_fdb, _vteps, _forwarder, _domains) = (fdb, vteps, forwarder, new OrderedDomains(forwarder));
        _meter = new Meter(new MeterOptions(MeterName) { Scope = scope });
        AddTraffic(lanes);
        AddPorts(lanes.Length, closed);
        AddBooks(books);
        var drops = new DropSeries(_domains, lanes, closed);
        Counter("drops", Frame, "Frames and copies dropped.", drops.Read, () => drops.Folded);
        AddDomains(closed);
        AddPeers();
        Gauge("local_address.present", null, "1: our VTEP address is on this host; 0: it is not, and nothing is sent.", () => forwarder.State.IsLocalAddressPresent ? 1 : 0);
        Gauge("workers", "{worker}", "Threads that forward.", () => lanes.Length);
        Gauge("domains", "{domain}", "Bridge domains.", () => _domains.Read().Count);
        Gauge("fdb.capacity", "{entry}", "Entries the FDB has room for.", () => fdb.Capacity);
        Gauges("folded_series", "{series}", "Series that are summed into others, because their number is bounded.", ReadFolded);
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private void AddTraffic(Lane[] lanes)
    {
        var frames = new PairSeries(_vteps, _forwarder, lanes, traffic => (traffic.TxFrames, traffic.RxFrames));
        var bytes = new PairSeries(_vteps, _forwarder, lanes, traffic => (traffic.TxBytes, traffic.RxBytes));
        Counter("peer.frames", Frame, "Frames sent to and accepted from VTEPs and groups.", frames.Read, () => frames.Folded);
        Counter("peer.io", "By", "Bytes of these, VXLAN header included.", bytes.Read, () => bytes.Folded);
    }

    private void AddPorts(int lanes, ClosedMeters closed)
    {
        var frames = new PortSeries(_domains, lanes, closed, totals => (totals.Sent, totals.Received));
        var bytes = new PortSeries(_domains, lanes, closed, totals => (totals.SentBytes, totals.ReceivedBytes));
        Counter("port.frames", Frame, "Frames written to and read from ports.", frames.Read, () => frames.Folded);
        Counter("port.io", "By", "Bytes of these.", bytes.Read, () => bytes.Folded);
        Gauges("ports", "{port}", "Ports by state.", () =>
        {
            int[] up = [.. _domains.Read().SelectMany(domain => domain.Ports).Select(port => port.Device.IsUp ? 1 : 0)];
            return [new(up.Sum(), Tag("state", "up")), new(up.Length - up.Sum(), Tag("state", "down"))];
        });
    }

    private void AddBooks(Func<CounterSnapshot> books)
    {
        Counter("frames.received", Frame, "Frames received by all queues.", () => [new(books().Received)]);
        Counter("frames.replicated", Frame, "Further copies made by flooding.", () => [new(books().Replicated)]);
        Counter("frames.originated", Frame, "Frames of our own making.", () => [new(books().Originated)]);
        Counter("frames.segmented", Frame, "Frames that cutting super-frames up made more.", () => [new(books().Segmented)]);
        Counter("frames.sent", Frame, "Frames sent by all queues.", () => [new(books().Sent)]);
        Counter("frames.coalesced", Frame, "Frames that putting super-frames together made fewer.", () => [new(books().Coalesced)]);
    }

    private void AddDomains(ClosedMeters closed)
    {
        var moves = new DomainSeries(_domains, () => closed.Learning.Moves, lane => lane.Moves);
        var hits = new DomainSeries(_domains, () => closed.Learning.LearnLimitHits, lane => lane.LearnLimitHits);
        Counter("fdb.moves", "{move}", "Stations seen to move.", moves.Read, () => moves.Folded);
        Counter("fdb.learn_limit_hits", Frame, "Frames whose source was not learned because a limit was reached.", hits.Read, () => hits.Folded);
        Gauges("fdb.entries", "{entry}", "FDB entries, all kinds.", () => ReadDomains(domain => _fdb.CountOf(domain.Index)));
        Gauges("fdb.limit", "{entry}", "Entries a domain may learn.", () => ReadDomains(domain => domain.FdbLimit));
    }

    private void AddPeers()
    {
        Gauges("peers", "{vtep}", "VTEPs by the state of the path to them.", ReadStates);
        Gauges("peer.path_mtu", "By", "Largest outer packet the path to a VTEP carries; 0: there is no route.", () =>
            [.. KnownVteps().Take(SeriesBudget.Peers).Select(vtep => new Measurement<long>(vtep.PathMtu, Tag("peer", vtep.Endpoint.ToString())))]);
        _folded.Add((Prefix + "peer.path_mtu", () => Math.Max(0, KnownVteps().Count - SeriesBudget.Peers)));
    }

    private List<Measurement<long>> ReadStates()
    {
        List<RemoteVtep> known = KnownVteps();
        return [.. s_states.Select(state => new Measurement<long>(known.Count(vtep => vtep.State == state.State), Tag("state", state.Name)))];
    }

    private List<RemoteVtep> KnownVteps()
    {
        var known = new List<RemoteVtep>();
        foreach (RemoteVtep vtep in _vteps)
            known.Add(vtep);
        return known;
    }

    // the same domains each time, as long as there are the same
    private List<Measurement<long>> ReadDomains(Func<BridgeDomain, long> value)
    {
        IReadOnlyList<BridgeDomain> domains = _domains.Read();
        List<Measurement<long>> shown =
            [.. domains.Take(SeriesBudget.Domains).Select(domain => new Measurement<long>(value(domain), Tag("vni", domain.Vni.ToString())))];
        if (domains.Count > SeriesBudget.Domains)
            shown.Add(new Measurement<long>(domains.Skip(SeriesBudget.Domains).Sum(value), Tag("vni", SeriesBudget.Other)));
        return shown;
    }

    private List<Measurement<long>> ReadFolded() =>
        [.. _folded.Select(folded => new Measurement<long>(folded.Count(), Tag("metric", folded.Metric)))];

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    private void Counter(string name, string unit, string description, Func<IEnumerable<Measurement<long>>> read, Func<int>? folded = null)
    {
        _meter.CreateObservableCounter(Prefix + name, read, unit, description);
        if (folded is not null)
            _folded.Add((Prefix + name, folded));
    }

    private void Gauge(string name, string? unit, string description, Func<long> read) => _meter.CreateObservableGauge(Prefix + name, read, unit, description);

    private void Gauges(string name, string unit, string description, Func<IEnumerable<Measurement<long>>> read) =>
        _meter.CreateObservableGauge(Prefix + name, read, unit, description);
}
