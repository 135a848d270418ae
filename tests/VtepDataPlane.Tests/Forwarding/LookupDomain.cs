// One domain in lookup mode, put together by hand: its lanes, two ports or more, one VTEP that may have stations and gets what is flooded. The test
// is the control loop: it reads the questions, writes the tables and answers.

using VtepDataPlane.Diagnostics;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Forwarding;

/// <summary>Lanes that serve one lookup domain.</summary>
internal sealed class LookupDomain
{
    public const int Index = 7;

    private static readonly VtepEndpoint s_remote = new(InetAddress.Parse("198.18.0.2"), 4789);

    private readonly UInt128 _seed = 0x1234_5678_9ABC_DEF0;
    private readonly Fdb _fdb;
    private readonly RemoteVteps _vteps;
    private readonly Forwarder _forwarder;
    private readonly DomainMeters _meters;
    private readonly ClosedMeters _closed = new();
    private readonly int _vtep;
    private List<AccessPort> _open;
    private ControllerPolicy? _policy;

    public LookupDomain(IEnumerable<IAccessPort> devices, Func<int, IFrameQueue> underlay, ControllerPolicy policy, int lanes = 1)
    {
        _fdb = new Fdb(4096, _seed);
        _vteps = new RemoteVteps(16, 8, _seed);
        _vtep = _vteps.Acquire(s_remote);
        _vteps.SetPath(_vtep, 1500, PathState.Ok);
        _forwarder = new Forwarder(_fdb, _vteps, new NeighborTable(), new ForwardingState([], InetAddress.Parse("198.18.0.1"), 4789, true));
        Lanes = [.. Enumerable.Range(0, lanes).Select(i => new Lane(i, _forwarder, underlay(i), _vteps.Capacity, () => { }, _seed))];
        _meters = new DomainMeters(lanes);
        Ports = [.. devices.Select((device, ordinal) => new AccessPort(device, Index, ordinal, lanes))];
        _open = [.. Ports];
        Publish(policy);
    }

    public static ControllerPolicy Floods { get; } = new(false, false, LooksUp: true, FloodsUnknown: true, LookupsPerSecond: 100_000);

    public static ControllerPolicy Drops { get; } = Floods with { FloodsUnknown = false };

    public Lane[] Lanes { get; }

    /// <summary>All, those closed included.</summary>
    public AccessPort[] Ports { get; }

    public static MissKey KeyOf(MacAddress mac) => new(Index, mac);

    public void Publish(ControllerPolicy? policy)
    {
        _policy = policy;
        Publish(new BridgeDomain
        {
            Index = Index,
            Name = "d100",
            Vni = new Vni(100),
            Ports = [.. _open],
            PortsByOrdinal = [.. Ports.Select(port => _open.Contains(port) ? port : null)],
            Flood = new FloodList { Vteps = [_vtep] },
            Admission = Admission.Listed([new(s_remote.Address, _vtep)]),
            Encapsulator = new Encapsulator(new Vni(100), new EncapsulationPolicy(), new FlowHash(_seed)),
            Policy = new EncapsulationPolicy(),
            Learning = true,
            Ageing = 0,
            FdbLimit = 1000,
            Mtu = 1450,
            Controller = policy,
            Meters = _meters,
        });
    }

    public void Close(AccessPort port)
    {
        _open.Remove(port);
        Publish(_policy);
        _closed.Add(port, Lanes.Length);
        port.Device.Dispose();
    }

    public void Remove()
    {
        Publish();
        _closed.Add(_meters);
        foreach (AccessPort port in _open)
            _closed.Add(port, Lanes.Length);
        _open = [];
    }

    /// <summary>The controller has said that the station is behind the VTEP.</summary>
    public void Know(MacAddress mac) => _fdb.TryAdd(Index, mac, new FdbTarget(FdbKind.StaticRemote, _vtep), replace: true);

    /// <summary>What a lane asked for since the last call.</summary>
    public IReadOnlyList<MissKey> Questions(int lane = 0)
    {
        var questions = new List<MissKey>();
        Lanes[lane].Events.Attend();
        while (Lanes[lane].Events.TryRead(out StationEvent seen))
        {
            if (seen.Kind is StationEventKind.MacMiss or StationEventKind.AddressMiss)
                questions.Add(new MissKey(seen.Domain, seen.Mac, seen.Address));
        }

        return questions;
    }

    public int Answer(MissKey key, MissAnswer answer, long now, long until = 0)
    {
        Lanes[0].Answer(key, answer, until);
        return Lanes[0].ServeAnswers(now);
    }

    public CounterSnapshot Counters() => new SnapshotReader(_fdb, new NeighborTable(), _vteps, _forwarder, Lanes).Counters(_closed);

    private void Publish(params BridgeDomain[] domains) =>
        _forwarder.State = new ForwardingState(domains, InetAddress.Parse("198.18.0.1"), 4789, isLocalAddressPresent: true);
}
