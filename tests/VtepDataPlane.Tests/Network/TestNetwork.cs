// A network of VTEPs in one process, step by step: no root, no thread, no clock but the one set here. Conservation is asserted
// when it is disposed of, so every test that uses it asserts it: frames in = sent + drops by reason. Every second VTEP is captured all the
// while, and what the capture saw must be what the counters say.

using NUnit.Framework;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Network;

/// <summary>One VTEP of the network with its in-memory host.</summary>
internal sealed record Node(Vtep Vtep, MemoryHost Host, TestNetwork Network)
{
    public MemoryPort Port(string name) => Host.Ports[name];

    public long Drops(DropReason reason) => Vtep.Counters().Drops.GetValueOrDefault(reason);

    public IReadOnlyList<string> Fdb() =>
        [.. Vtep.Fdb(Network.Now).Where(entry => entry.Kind != "local" || entry.Mac != Port(entry.Port!).Mac)
            .Select(entry => $"{entry.Vni} {entry.Mac} {entry.Kind} {entry.Port ?? entry.Vtep?.Address.ToString()}")];
}

/// <summary>VTEPs on a <see cref="MemoryNetwork"/>.</summary>
internal sealed class TestNetwork(int seed = 1) : IDisposable
{
    private readonly List<Node> _nodes = [];
    private readonly List<(Node Node, CaptureTally Tally)> _captured = [];

    public MemoryNetwork Wire { get; } = new(seed) { Recording = [] };

    public long Now { get; set; } = 1_000_000;

    /// <summary>Datagrams sent since the last call.</summary>
    public IReadOnlyList<MemoryDatagram> TakeDatagrams()
    {
        List<MemoryDatagram> datagrams = [.. Wire.Recording!];
        Wire.Recording!.Clear();
        return datagrams;
    }

    public Node Add(string address, params BridgeDomainConfig[] domains) => Add(address, 1, domains);

    public Node Add(string address, int workers, params BridgeDomainConfig[] domains) => Add(new VtepConfig
    {
        Workers = workers,
        FdbCapacity = 4096,
        Underlay = new UnderlayConfig { Local = InetAddress.Parse(address), LearnedPeerLimit = 8 },
        BridgeDomains = domains,
    });

    public Node Add(VtepConfig config)
    {
        var host = new MemoryHost(Wire, config.Underlay.Local!.Value);
        var node = new Node(new Vtep(config, host, seed: 0x1234_5678_9ABC_DEF0, Now), host, this);
        _nodes.Add(node);
        if (_nodes.Count % 2 == 0)
            _captured.Add((node, new CaptureTally(node.Vtep)));
        return node;
    }

    /// <summary>Lets everything happen that follows from what was injected.</summary>
    public void Run()
    {
        int work;
        do
        {
            work = _nodes.Sum(node => node.Host.Run(node.Vtep, Now));
            _captured.ForEach(captured => captured.Tally.Take());
            work += Wire.Deliver();
        }
        while (work > 0);
    }

    /// <summary>Lets time pass, a second at a time, with the control loop's tick.</summary>
    public void Wait(int seconds)
    {
        for (int i = 0; i < seconds; i++)
        {
            Now += 1000;
            foreach (Node node in _nodes)
                node.Vtep.Tick(Now);
        }
    }

    public static BridgeDomainConfig Domain(int vni, string[] taps, string[] peers) => new()
    {
        Name = $"d{vni}",
        Vni = new Vni(vni),
        Ports = [.. taps.Select(tap => new PortConfig { Tap = tap })],
        Discovery = new StaticDiscovery { Peers = [.. peers.Select(peer => new VtepEndpoint(InetAddress.Parse(peer), 4789))] },
    };

    public static BridgeDomainConfig MulticastDomain(int vni, string[] taps, string group = "239.1.1.1") => new()
    {
        Name = $"d{vni}",
        Vni = new Vni(vni),
        Ports = [.. taps.Select(tap => new PortConfig { Tap = tap })],
        Discovery = new MulticastDiscovery { Group = new MulticastGroup(InetAddress.Parse(group), "eth0") },
    };

    /// <summary>A datagram nobody of ours made.</summary>
    public void Forge(string source, string destination, byte[] payload, byte trafficClass = 0, ushort port = 4789)
    {
        var outer = new OuterHeader { Remote = new VtepEndpoint(InetAddress.Parse(destination), port), TrafficClass = trafficClass };
        Wire.Send(new MemoryDatagram(new VtepEndpoint(InetAddress.Parse(source), 50_000), outer, payload));
    }

    /// <summary>A VXLAN header with these first four and last bytes, then the frame.</summary>
    public static byte[] Vxlan(int vni, byte[] frame, uint flags = 0x0800_0000, byte last = 0) =>
        [(byte)(flags >> 24), (byte)(flags >> 16), (byte)(flags >> 8), (byte)flags, (byte)(vni >> 16), (byte)(vni >> 8), (byte)vni, last, .. frame];

    public void AssertConservation()
    {
        foreach (Node node in _nodes)
        {
            CounterSnapshot counters = node.Vtep.Counters();
            Assert.That(counters.Unaccounted, Is.Zero, $"{node.Host.Underlay!.Local}: {counters}, {string.Join(", ", counters.Drops)}");
        }

        foreach ((Node node, CaptureTally tally) in _captured)
            tally.AssertSawWhatWasCounted(node.Vtep.Counters());
    }

    public void Dispose()
    {
        Run();
        AssertConservation();
        foreach (Node node in _nodes)
            node.Vtep.Dispose();
    }
}
