// One forwarder with its tables in a test's hands: a domain with a controller, without the controller. What the control loop would write is written
// by the test, what the lane tells it can be read. Conservation is asserted when it is disposed of.

using NUnit.Framework;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Forwarding;

/// <summary>A VTEP of one domain and one lane, by hand.</summary>
internal sealed class ControllerBench : IDisposable
{
    public const int Domain = 1;
    public const long Start = 1_000_000;

    private readonly IUnderlay _underlay;
    private readonly RemoteVteps _vteps = new(16, 0, 42);
    private readonly AccessPort[] _ports;
    private readonly int[] _peers;
    private readonly DomainMeters _meters = new(1);
    private readonly Forwarder _forwarder;
    private ControllerPolicy? _policy;
    private bool _learning = true;

    public ControllerBench(IHostNetwork host, string local, string[] ports, params string[] peers)
    {
        _underlay = host.OpenUnderlay(new UnderlayConfig { Local = InetAddress.Parse(local) }, 1);
        _ports = [.. ports.Select((name, i) => new AccessPort(host.OpenPort(new PortConfig { Tap = name }, 1), Domain, i, 1))];
        _peers = [.. peers.Select(peer => _vteps.Acquire(new VtepEndpoint(InetAddress.Parse(peer), 4789)))];
        foreach (int peer in _peers)
            _vteps.SetPath(peer, 1500, PathState.Ok);
        _forwarder = new Forwarder(Fdb, _vteps, Neighbors, new ForwardingState([], _underlay.Local, 4789, true));
        Lane = new Lane(0, _forwarder, _underlay.Queue(0), _vteps.Capacity, () => { }, seed: 42);
        Policy = Suppressing;
    }

    public static ControllerPolicy Suppressing { get; } = new(true, LearnsFromPeers: false, LooksUp: false, FloodsUnknown: true, LookupsPerSecond: 100);

    public Fdb Fdb { get; } = new(1024, 42);

    public NeighborTable Neighbors { get; } = new();

    public Lane Lane { get; }

    public long Now { get; set; } = Start;

    public uint Seconds => (uint)(Now / 1000);

    /// <summary>Null: a domain without a controller.</summary>
    public ControllerPolicy? Policy
    {
        get => _policy;
        set
        {
            _policy = value;
            Publish();
        }
    }

    public bool Learning
    {
        get => _learning;
        set
        {
            _learning = value;
            Publish();
        }
    }

    /// <summary>The peer's id, in the order they were named.</summary>
    public int Peer(int i) => _peers[i];

    public AccessPort Port(int i) => _ports[i];

    public MemoryPort Memory(int port) => (MemoryPort)_ports[port].Device;

    /// <summary>What the directory would say: the station is behind that peer.</summary>
    public void Tell(MacAddress mac, int peer, FdbKind kind = FdbKind.DirectoryRemote) =>
        Assert.That(Fdb.TryAdd(Domain, mac, new FdbTarget(kind, _peers[peer]), replace: false), Is.EqualTo(FdbAddResult.Added));

    /// <summary>What the directory would say: the address is at that MAC.</summary>
    public void Tell(string address, MacAddress mac, bool isRouter = false, bool isLocal = false) =>
        Neighbors.TrySet(Domain, InetAddress.Parse(address), new Neighbor(mac, isRouter, isLocal));

    /// <summary>Receives a frame at a port, and does everything that follows here.</summary>
    public void Inject(int port, byte[] frame, OffloadInfo offload = default)
    {
        Memory(port).Inject(frame, offload);
        Run();
    }

    /// <summary>Frames the VTEP sent to a port since the last call.</summary>
    public byte[][] Taken(int port) => [.. Memory(port).TakeAll().Select(frame => frame.Bytes)];

    /// <summary>Serves ports and underlay once each. Returns frames received.</summary>
    public int Run()
    {
        int received = _ports.Sum(port => Lane.ServePort(port, Now));
        return received + Lane.ServeUnderlay(_underlay.Queue(0), Now);
    }

    /// <summary>What the lane told since the last call, without misses.</summary>
    public IReadOnlyList<string> Events()
    {
        var events = new List<string>();
        Lane.Events.Attend();
        while (Lane.Events.TryRead(out StationEvent told))
        {
            if (told.Kind is not (StationEventKind.MacMiss or StationEventKind.AddressMiss))
                events.Add($"{told.Kind} {told.Mac}{(told.Address.IsNone ? "" : $" {told.Address}")}{(told.IsRouter ? " router" : "")}");
        }

        return events;
    }

    public long Drops(DropReason reason) => Totals().Drops[(int)reason];

    public void AssertConservation()
    {
        FrameTotals totals = Totals();
        long drops = 0;
        foreach (long count in totals.Drops)
            drops += count;
        Assert.That(
            totals.Sent + totals.Coalesced + drops,
            Is.EqualTo(totals.Received + totals.Segmented + Lane.Meters.Replicated + Lane.Meters.Originated));
    }

    public void Dispose()
    {
        AssertConservation();
        foreach (AccessPort port in _ports)
            port.Device.Dispose();
        _underlay.Dispose();
    }

    private FrameTotals Totals()
    {
        var totals = new FrameTotals();
        DirectedDrops.AddByReason(Lane.Meters.Drops, totals.Drops);
        _meters.AddDropsTo(totals.Drops);
        totals.Add(Lane.Underlay.Meters);
        foreach (AccessPort port in _ports)
            totals.Add(port.Lane(0).Queue.Meters);
        return totals;
    }

    private void Publish() => _forwarder.State = new ForwardingState(
        [
            new BridgeDomain
            {
                Index = Domain,
                Name = "d",
                Vni = new Vni(100),
                Ports = _ports,
                PortsByOrdinal = _ports,
                Flood = new FloodList { Vteps = _peers },
                Admission = Admission.Listed(_peers.Select(peer => KeyValuePair.Create(_vteps.EndpointOf(peer).Address, peer))),
                Encapsulator = new Encapsulator(new Vni(100), new EncapsulationPolicy(), new FlowHash(42)),
                Policy = new EncapsulationPolicy { InnerVlan = InnerVlanPolicy.Pass },
                Learning = _learning,
                Ageing = 300,
                FdbLimit = 100,
                Mtu = 1450,
                Controller = _policy,
                Meters = _meters,
            },
        ],
        _underlay.Local, 4789, isLocalAddressPresent: true);
}
