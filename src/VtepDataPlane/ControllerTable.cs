// The controllers of a VTEP, and what goes between them and the lanes: lanes tell of stations, misses and doubts; sessions answer. Control loop only;
// called under the facade's lock.

using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane;

/// <summary>All controllers of a VTEP.</summary>
internal sealed class ControllerTable : IDisposable
{
    private readonly Dictionary<string, ControllerSession> _sessions;
    private readonly IHostNetwork _host;
    private readonly DomainTable _domains;
    private readonly Fdb _fdb;
    private readonly Forwarder _forwarder;
    private readonly Lane[] _lanes;

    public ControllerTable(
        IReadOnlyList<ControllerConfig> controllers, IHostNetwork host, IUnderlay underlay, ushort udpPort, DomainTable domains, IDirectoryTarget target,
        Fdb fdb, Forwarder forwarder, Lane[] lanes)
    {
        _host = host;
        _domains = domains;
        _fdb = fdb;
        _forwarder = forwarder;
        _lanes = lanes;
        _sessions = controllers.ToDictionary(
            controller => controller.Name, controller => new ControllerSession(controller, underlay.Local, udpPort, target, host.WakeControl));
    }

    /// <summary>The session of that name, or null.</summary>
    public ControllerSession? Find(string name) => _sessions.GetValueOrDefault(name);

    /// <summary>All sessions.</summary>
    public IReadOnlyCollection<ControllerSession> Sessions => _sessions.Values;

    /// <summary>The domains are others now.</summary>
    public void Configure(IReadOnlyList<BridgeDomainConfig> domains, long nowMilliseconds)
    {
        foreach (ControllerSession session in _sessions.Values)
        {
            session.Configure(
                domains.Where(domain => (domain.Discovery as ControllerDiscovery)?.Controller == session.Config.Name)
                    .ToDictionary(domain => domain.Vni, domain => (ControllerDiscovery)domain.Discovery),
                nowMilliseconds);
        }

        FindStations(nowMilliseconds);
    }

    /// <summary>Takes up what lanes and sources have told.</summary>
    public void Attend(long nowMilliseconds)
    {
        bool isLost = false;
        foreach (Lane lane in _lanes)
        {
            lane.Events.Attend();
            while (lane.Events.TryRead(out StationEvent seen))
                Take(lane.Index, seen, nowMilliseconds);
            isLost |= lane.Events.TakeLost();
        }

        if (isLost)
            FindStations(nowMilliseconds);
        foreach (ControllerSession session in _sessions.Values)
            session.TakeUp(nowMilliseconds, Tell);
    }

    /// <summary>A second has passed.</summary>
    public void Tick(long nowMilliseconds)
    {
        foreach (ControllerSession session in _sessions.Values)
            session.Tick(nowMilliseconds);
        foreach (Lane lane in _lanes.Where(lane => lane.HasHeld))
            _host.WakeLane(lane.Index);
    }

    /// <summary>Looks through the FDB for stations behind our ports, the ports' own MACs among them.</summary>
    public void FindStations(long nowMilliseconds)
    {
        if (_sessions.Values.All(session => session.Domains.Count == 0))
            return;
        ForwardingState state = _forwarder.State;
        foreach (FdbEntry entry in _fdb)
        {
            if (entry.Target.IsLocal && state.ByIndex(entry.Domain) is { } domain && SessionOf(domain.Vni) is { } session)
                session.StationFound(domain.Vni, entry.Mac, nowMilliseconds);
        }
    }

    /// <summary>The operator deleted what stood at a station: the controller's entry comes back, if it has one.</summary>
    public void Unfixed(Vni vni, MacAddress mac, long nowMilliseconds) => SessionOf(vni)?.Unfixed(vni, mac, nowMilliseconds);

    /// <summary>How the controllers are, by name.</summary>
    public IReadOnlyList<ControllerSnapshot> Status(long nowMilliseconds) =>
        [.. _sessions.Values.Select(session => session.Status(nowMilliseconds)).OrderBy(controller => controller.Name, StringComparer.Ordinal)];

    public void Dispose()
    {
        foreach (ControllerSession session in _sessions.Values)
            session.Dispose();
    }

    private void Take(int lane, in StationEvent seen, long nowMilliseconds)
    {
        if (_forwarder.State.ByIndex(seen.Domain) is not { } domain || SessionOf(domain.Vni) is not { } session)
        {
            // The domain has gone, or has no controller now: frames needn't wait.
            if (seen.Kind is StationEventKind.MacMiss or StationEventKind.AddressMiss)
                Tell(lane, new MissKey(seen.Domain, seen.Mac, seen.Address), MissAnswer.NoAnswer, 0);
            return;
        }

        switch (seen.Kind)
        {
            case StationEventKind.Seen:
                session.StationSeen(domain.Vni, seen.Mac, nowMilliseconds);
                break;
            case StationEventKind.Bound:
                session.Reconciler.BindingSeen(domain.Vni, seen.Address, seen.Mac, seen.IsRouter, nowMilliseconds);
                break;
            case StationEventKind.Contradicted:
                session.Doubt(domain.Vni, seen.Mac);
                break;
            default:
                session.Ask(lane, new MissKey(seen.Domain, seen.Mac, seen.Address), domain.Vni, Tell);
                break;
        }
    }

    private ControllerSession? SessionOf(Vni vni) =>
        _domains.Find(vni)?.Config.Discovery is ControllerDiscovery controller ? _sessions.GetValueOrDefault(controller.Controller) : null;

    private void Tell(int lane, MissKey miss, MissAnswer answer, long notFoundUntil)
    {
        _lanes[lane].Answer(miss, answer, notFoundUntil);
        _host.WakeLane(lane);
    }
}
