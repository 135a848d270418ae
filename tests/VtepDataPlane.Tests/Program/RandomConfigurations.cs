// Configurations for properties: any valid one, and pairs that are near each other, as a file before and after somebody edited it.

using System.Net;
using CsCheck;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Discovery;
using VtepDataPlane.Etcd;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

/// <summary>Makes configurations in which nothing is wrong.</summary>
internal sealed class RandomConfigurations
{
    public const string Socket = "/run/vtep/vtep.sock";

    private static readonly int[] s_vnis = [0, 7, 100, 200, 300, 16_777_215];
    private static readonly string[] s_names = ["blue", "ä", "<'&+\">", "a b", "😀"];
    private readonly Random _random;
    private readonly bool _isIPv6;
    private readonly ushort _port;

    private RandomConfigurations(int seed)
    {
        _random = new Random(seed);
        _isIPv6 = Chance(3);
        _port = Chance(3) ? (ushort)8472 : (ushort)4789;
    }

    /// <summary>Any.</summary>
    public static Gen<DaemonConfig> Any { get; } = Gen.Int[0, int.MaxValue].Select(seed => new RandomConfigurations(seed).Make());

    /// <summary>One, and what somebody made of it.</summary>
    public static Gen<(DaemonConfig Now, DaemonConfig Next)> Pair { get; } = Gen.Int[0, int.MaxValue].Select(seed => new RandomConfigurations(seed).MakePair());

    /// <summary>The address of the VTEP with that number; ours is 1.</summary>
    public InetAddress Address(int number) => InetAddress.Parse(_isIPv6 ? $"fd00::{number}" : $"198.18.0.{number}");

    private (DaemonConfig Now, DaemonConfig Next) MakePair()
    {
        DaemonConfig now = Make();
        DaemonConfig other = Make() with { Sources = now.Sources, Http = now.Http, Dashboard = now.Dashboard, Otlp = now.Otlp };
        BridgeDomainConfig[] mixed = [.. now.Vtep.BridgeDomains.Select(Edited).Concat(other.Vtep.BridgeDomains).OrderBy(_ => Chance(4) ? _random.Next() : 0)];
        VtepConfig vtep = now.Vtep with { BridgeDomains = Fitting(mixed, now.Vtep.Controllers) };
        DaemonConfig next = now with { Vtep = vtep };
        return (now, Chance(4) ? Pinned(next) : next);
    }

    private DaemonConfig Pinned(DaemonConfig config) => _random.Next(5) switch
    {
        0 => config with { Vtep = config.Vtep with { Workers = config.Vtep.Workers + 1 } },
        1 => config with { Vtep = config.Vtep with { FdbCapacity = config.Vtep.FdbCapacity + 1 } },
        2 => config with { Vtep = config.Vtep with { Underlay = config.Vtep.Underlay with { LearnedPeerAgeing = 77 } } },
        3 => config with { ControlSocket = "/run/other.sock" },
        _ => config with { Sources = [.. config.Sources.Reverse()], Vtep = config.Vtep with { Controllers = [.. config.Vtep.Controllers.Reverse()] } },
    };

    private DaemonConfig Make()
    {
        ControllerSource[] sources = [.. Enumerable.Range(0, _random.Next(3)).Select(MakeSource)];
        ControllerConfig[] controllers = [.. sources.Select(source => source.Config)];
        BridgeDomainConfig[] domains = [.. s_vnis.OrderBy(_ => _random.Next()).Take(_random.Next(5)).Select(vni => MakeDomain(vni, controllers))];
        var vtep = new VtepConfig
        {
            Workers = Chance(2) ? 1 : 2,
            FdbCapacity = 4096,
            Underlay = MakeUnderlay(),
            Controllers = controllers,
            BridgeDomains = Fitting(domains, controllers),
        };
        IPEndPoint? http = Chance(2) ? new IPEndPoint(_isIPv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, _random.Next(1, 65_536)) : null;
        return new DaemonConfig(vtep, Socket)
        {
            Sources = sources,
            Http = http,
            Dashboard = http is not null && Chance(2),
            Otlp = Chance(2) ? new Uri("http://127.0.0.1:4317") : null,
        };
    }

    private UnderlayConfig MakeUnderlay()
    {
        bool byInterface = !_isIPv6 && Chance(2);
        return new UnderlayConfig
        {
            Local = byInterface ? null : Address(1),
            Interface = byInterface ? "eth0" : null,
            Port = _port,
            UdpChecksum = Chance(2),
            AcceptZeroChecksumIPv6 = Chance(2),
            LearnedPeerLimit = 1 + _random.Next(100),
            LearnedPeerAgeing = 1 + _random.Next(31_536_000),
        };
    }

    private ControllerSource MakeSource(int number)
    {
        var config = new ControllerConfig
        {
            Name = $"c-{number}_",
            Node = Chance(2) ? "h-1.a_b" : "h1",
            AllowedVteps = Chance(2) ? [] : [InetPrefix.Of(InetAddress.Parse("198.18.0.0"), 15), InetPrefix.Of(InetAddress.Parse("fd00::"), 8)],
        };
        if (Chance(3))
            return new FileSource(config, $"/etc/vtep/directory ä{number}.json");
        bool hasLogin = Chance(2), hasKey = Chance(2);
        return new EtcdSource(config, new EtcdOptions
        {
            Endpoints = [new Uri("https://198.18.0.100:2379"), new Uri($"https://[fd00::{number}]"), new Uri("https://etcd.example:443/")],
            Prefix = "/vtep/v1/l-a.b_",
            Node = config.Node,
            LeaseSeconds = 5 + _random.Next(86_396),
            User = hasLogin ? "h1" : null,
            PasswordFile = hasLogin ? "/etc/vtep/pass word" : null,
            CaFile = Chance(2) ? "/ca.pem" : null,
            CertificateFile = hasKey ? "/c.pem" : null,
            KeyFile = hasKey ? "/k.pem" : null,
            CacheFile = Chance(2) ? null : $"/var/lib/vtep/{number}.cache",
            KeepOnStop = Chance(2),
        });
    }

    private BridgeDomainConfig MakeDomain(int vni, ControllerConfig[] controllers)
    {
        PortConfig[] ports = [.. Enumerable.Range(0, 8).OrderBy(_ => _random.Next()).Take(_random.Next(4)).Select(MakePort)];
        return new BridgeDomainConfig
        {
            Name = $"{s_names[_random.Next(s_names.Length)]}{vni}",
            Vni = new Vni(vni),
            Ports = ports,
            Discovery = MakeDiscovery(controllers),
            Learning = !Chance(4),
            Ageing = Chance(3) ? 0 : 300,
            FdbLimit = 1 + _random.Next(10_000),
            Fdb = [.. Enumerable.Range(0, _random.Next(3)).Select(i => MakeEntry(i, ports))],
            Encapsulation = MakePolicy(),
        };
    }

    private PortConfig MakePort(int number) => new()
    {
        Tap = $"t{number}",
        Mtu = Chance(2) ? null : 1280 + _random.Next(200),
        Mac = Chance(2) ? null : new MacAddress((ulong)(0x0200_0000_1000 + number)),
        Bridge = Chance(3) ? "br0" : null,
        Addresses = Chance(3) ? [new InterfaceAddress(InetAddress.Parse($"198.19.{number}.1"), 24), new InterfaceAddress(InetAddress.Parse($"fd00:19:{number}::1"), 64)] : [],
    };

    private DiscoveryConfig MakeDiscovery(ControllerConfig[] controllers) => _random.Next(controllers.Length == 0 ? 4 : 5) switch
    {
        0 => new MulticastDiscovery
        {
            Group = new MulticastGroup(InetAddress.Parse(_isIPv6 ? $"ff05::{1 + _random.Next(3)}" : $"239.1.1.{1 + _random.Next(3)}"), "eth1"),
            Ttl = (byte)(1 + _random.Next(255)),
        },
        4 => new ControllerDiscovery
        {
            Controller = controllers[_random.Next(controllers.Length)].Name,
            SuppressNeighbors = Chance(2),
            LearnFromPeers = Chance(2),
            FloodUnknown = Chance(2),
            LookupsPerSecond = 1 + _random.Next(100_000),
            LookupTimeout = 10 + _random.Next(4_991),
            PositiveSeconds = 1 + _random.Next(86_400),
            NegativeSeconds = 1 + _random.Next(3_600),
        },
        _ => new StaticDiscovery { Peers = [.. Enumerable.Range(2, 4).OrderBy(_ => _random.Next()).Take(_random.Next(4)).Select(Peer)] },
    };

    private VtepEndpoint Peer(int number) => new(Address(number), Chance(4) ? (ushort)9000 : _port);

    private StaticFdbEntry MakeEntry(int number, PortConfig[] ports)
    {
        var mac = new MacAddress((ulong)(0x0200_0000_2000 + number));
        return ports.Length > 0 && Chance(2) ? new StaticFdbEntry(mac, null, ports[_random.Next(ports.Length)].Tap) : new StaticFdbEntry(mac, Peer(2 + _random.Next(5)), null);
    }

    private EncapsulationPolicy MakePolicy() => Chance(2) ? new() : new()
    {
        Ttl = Chance(2) ? null : (byte)(1 + _random.Next(255)),
        Dscp = Chance(2) ? null : (byte)_random.Next(64),
        DontFragment = (DontFragmentPolicy)_random.Next(3),
        Ecn = (EcnPolicy)_random.Next(2),
        ReservedBits = (ReservedBitsPolicy)_random.Next(2),
        InnerVlan = (InnerVlanPolicy)_random.Next(2),
    };

    // Half of all domains stay as they are.
    private BridgeDomainConfig Edited(BridgeDomainConfig domain) => _random.Next(16) switch
    {
        0 => domain with { Ageing = domain.Ageing + 1 },
        1 => domain with { Name = domain.Name + "x" },
        2 => domain with { Ports = [.. domain.Ports.Reverse()] },
        3 => domain with { Ports = [.. domain.Ports.Skip(1)] },
        4 => domain with { Ports = [.. domain.Ports.Select((port, i) => i == 0 ? port with { Mtu = 1290 } : port)] },
        5 when domain.Discovery is StaticDiscovery peers => domain with { Discovery = new StaticDiscovery { Peers = [.. peers.Peers.Skip(1)] } },
        6 when domain.Discovery is StaticDiscovery peers => domain with { Discovery = new StaticDiscovery { Peers = [.. peers.Peers.Reverse()] } },
        7 => domain with { Fdb = [.. domain.Fdb.Reverse().Skip(_random.Next(2))] },
        8 => domain with { Vni = new Vni(domain.Vni.Value + (domain.Vni.Value < 1000 ? 1 : -1)) },
        _ => domain,
    };

    // Each VNI, name and TAP once, and no entry behind a port that isn't there.
    private static BridgeDomainConfig[] Fitting(BridgeDomainConfig[] domains, IReadOnlyList<ControllerConfig> controllers)
    {
        var used = new HashSet<object>();
        List<BridgeDomainConfig> fitting = [];
        foreach (BridgeDomainConfig domain in domains)
        {
            bool isKnown = domain.Discovery is not ControllerDiscovery discovery || controllers.Any(controller => controller.Name == discovery.Controller);
            if (!isKnown || used.Contains(domain.Vni) || used.Contains(domain.Name))
                continue;
            used.Add(domain.Vni);
            used.Add(domain.Name);
            PortConfig[] ports = [.. domain.Ports.Where(port => used.Add((port.Tap, "tap")))];
            fitting.Add(domain with { Ports = ports, Fdb = [.. domain.Fdb.Where(entry => entry.Port is null || ports.Any(port => port.Tap == entry.Port))] });
        }

        return [.. fitting];
    }

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;
}
