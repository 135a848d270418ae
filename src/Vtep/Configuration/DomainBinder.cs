// One bridge domain of the file: its ports, its discovery, its static FDB entries and its encapsulation policy, whose keys
// stand in the domain itself ("ttl", "dscp", "df", "ecn", "reservedBits", "innerVlan").

using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>Binds elements of <c>bridgeDomains</c>.</summary>
internal sealed class DomainBinder(ConfigProblems problems, ushort defaultPort)
{
    private static readonly string[] s_keys =
    [
        "name", "vni", "ports", "discovery", "learning", "ageing", "fdbLimit", "fdb",
        "ttl", "dscp", "df", "ecn", "reservedBits", "innerVlan",
    ];

    private static readonly string[] s_controllerKeys =
    [
        "name", "mode", "suppressNeighbors", "learnFromPeers", "floodUnknown", "lookupsPerSecond", "lookupTimeout", "positiveSeconds",
        "negativeSeconds",
    ];

    private static readonly ControllerDiscovery s_controller = new() { Controller = "" };
    private static readonly EncapsulationPolicy s_policy = new();
    private static readonly StaticDiscovery s_noPeers = new() { Peers = [] };
    private static readonly BridgeDomainConfig s_defaults = new() { Name = "", Vni = default, Discovery = s_noPeers };

    public BridgeDomainConfig Bind(ConfigNode node)
    {
        if (ConfigObject.Open(node, problems, s_keys) is not { } domain)
            return Placeholder(node);
        return new BridgeDomainConfig
        {
            Name = problems.Text(domain.Required("name", "\"blue\""), "blue") ?? "",
            Vni = new Vni(problems.Integer(domain.Required("vni", "100"), VtepConfigRules.VniRange, 0)),
            Ports = [.. problems.List(domain.Optional("ports"), "{ \"tap\": \"tap-blue\" }").Select(BindPort)],
            Discovery = BindDiscovery(domain.Required("discovery", "{ \"static\": { \"peers\": [ \"198.18.0.2\" ] } }")),
            Learning = problems.Boolean(domain.Optional("learning"), s_defaults.Learning),
            Ageing = problems.Integer(domain.Optional("ageing"), VtepConfigRules.Ageing, s_defaults.Ageing),
            FdbLimit = problems.Integer(domain.Optional("fdbLimit"), VtepConfigRules.FdbLimit, s_defaults.FdbLimit),
            Fdb = [.. problems.List(domain.Optional("fdb"), "{ \"mac\": ..., \"vtep\": ... }").Select(BindFdbEntry)],
            Encapsulation = BindPolicy(domain),
        };
    }

    private BridgeDomainConfig Placeholder(ConfigNode node)
    {
        problems.MarkBad(node.PathOf("name"));
        problems.MarkBad(node.PathOf("vni"));
        return s_defaults;
    }

    private PortConfig BindPort(ConfigNode node)
    {
        if (ConfigObject.Open(node, problems, "tap", "mtu", "mac", "bridge", "addresses") is not { } port)
        {
            problems.MarkBad(node.PathOf("tap"));
            return new PortConfig { Tap = "" };
        }

        ConfigNode? mtu = port.Optional("mtu");
        ConfigNode? bridge = port.Optional("bridge");
        return new PortConfig
        {
            Tap = problems.Text(port.Required("tap", "\"tap-blue\""), "tap-blue") ?? "",
            Mtu = mtu is null ? null : problems.Integer(mtu, VtepConfigRules.Mtu, VtepConfigRules.MinIPv6Mtu),
            Mac = problems.Mac(port.Optional("mac")),
            Bridge = bridge is null ? null : problems.Text(bridge, "br0") ?? "",
            Addresses = [.. problems.List(port.Optional("addresses"), "\"198.19.0.1/24\"").Select(problems.InterfaceAddress)],
        };
    }

    private DiscoveryConfig BindDiscovery(ConfigNode? node)
    {
        if (node is null || ConfigObject.Open(node, problems, "static", "multicast", "controller") is not { } discovery)
            return s_noPeers;
        ConfigNode? peers = node.Member("static");
        ConfigNode? multicast = node.Member("multicast");
        ConfigNode? controller = node.Member("controller");
        int kinds = (peers is null ? 0 : 1) + (multicast is null ? 0 : 1) + (controller is null ? 0 : 1);
        if (kinds != 1 && !discovery.HasUnknownKeys)
            problems.Add(node, "exactly one kind of discovery must be there; write \"static\", \"multicast\" or \"controller\"");

        // All are read also when only one may be there: what is wrong inside them is wrong anyway.
        DiscoveryConfig bound = peers is null ? s_noPeers : BindStatic(peers);
        bound = multicast is null ? bound : BindMulticast(multicast);
        return controller is null ? bound : BindController(controller);
    }

    private StaticDiscovery BindStatic(ConfigNode node)
    {
        if (ConfigObject.Open(node, problems, "peers") is not { } fixedPeers)
            return s_noPeers;
        IReadOnlyList<ConfigNode> peers = problems.List(fixedPeers.Required("peers", "[ \"198.18.0.2\" ]"), "\"198.18.0.2\"");
        return new StaticDiscovery { Peers = [.. peers.Select(peer => problems.Endpoint(peer, defaultPort))] };
    }

    private DiscoveryConfig BindMulticast(ConfigNode node)
    {
        if (ConfigObject.Open(node, problems, "group", "interface", "ttl") is not { } multicast)
            return s_noPeers;
        InetAddress group = problems.Address(multicast.Required("group", "\"239.1.1.200\""), "239.1.1.200") ?? default;
        string device = problems.Text(multicast.Required("interface", "\"eth0\""), "eth0") ?? "";
        return new MulticastDiscovery
        {
            Group = new MulticastGroup(group, device),
            Ttl = (byte)problems.Integer(multicast.Optional("ttl"), VtepConfigRules.Ttl, 1),
        };
    }

    private DiscoveryConfig BindController(ConfigNode node)
    {
        if (ConfigObject.Open(node, problems, s_controllerKeys) is not { } controller)
            return s_noPeers;
        return new ControllerDiscovery
        {
            Controller = problems.Text(controller.Required("name", "\"main\""), "main") ?? "",
            Mode = problems.Choice(controller.Optional("mode"), s_controller.Mode, ConfigWords.Mode),
            SuppressNeighbors = problems.Boolean(controller.Optional("suppressNeighbors"), s_controller.SuppressNeighbors),
            LearnFromPeers = problems.Boolean(controller.Optional("learnFromPeers"), s_controller.LearnFromPeers),
            FloodUnknown = problems.Boolean(controller.Optional("floodUnknown"), s_controller.FloodUnknown),
            LookupsPerSecond = problems.Integer(controller.Optional("lookupsPerSecond"), VtepConfigRules.LookupsPerSecond, s_controller.LookupsPerSecond),
            LookupTimeout = problems.Integer(controller.Optional("lookupTimeout"), VtepConfigRules.LookupTimeout, s_controller.LookupTimeout),
            PositiveSeconds = problems.Integer(controller.Optional("positiveSeconds"), VtepConfigRules.PositiveSeconds, s_controller.PositiveSeconds),
            NegativeSeconds = problems.Integer(controller.Optional("negativeSeconds"), VtepConfigRules.NegativeSeconds, s_controller.NegativeSeconds),
        };
    }

    private StaticFdbEntry BindFdbEntry(ConfigNode node)
    {
        if (ConfigObject.Open(node, problems, "mac", "vtep", "port") is not { } entry)
        {
            problems.MarkBad(node.PathOf("mac"));
            return new StaticFdbEntry(MacAddress.Zero, null, null);
        }

        MacAddress mac = problems.Mac(entry.Required("mac", "\"02:00:5e:10:00:01\"")) ?? MacAddress.Zero;
        ConfigNode? vtep = entry.Optional("vtep");
        ConfigNode? port = entry.Optional("port");
        VtepEndpoint? remote = vtep is null ? null : problems.Endpoint(vtep, defaultPort);
        return new StaticFdbEntry(mac, remote, port is null ? null : problems.Text(port, "tap-blue") ?? "");
    }

    private EncapsulationPolicy BindPolicy(ConfigObject domain) => new()
    {
        Ttl = problems.NumberOrInherit(domain.Optional("ttl"), VtepConfigRules.Ttl, s_policy.Ttl),
        Dscp = problems.NumberOrInherit(domain.Optional("dscp"), VtepConfigRules.Dscp, s_policy.Dscp),
        DontFragment = problems.Choice(domain.Optional("df"), s_policy.DontFragment, ConfigWords.DontFragment),
        Ecn = problems.Choice(domain.Optional("ecn"), s_policy.Ecn, ConfigWords.Ecn),
        ReservedBits = problems.Choice(domain.Optional("reservedBits"), s_policy.ReservedBits, ConfigWords.ReservedBits),
        InnerVlan = problems.Choice(domain.Optional("innerVlan"), s_policy.InnerVlan, ConfigWords.InnerVlan),
    };
}
