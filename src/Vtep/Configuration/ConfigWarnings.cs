// What a configuration may say, but hardly means. The rules read values only; what is asked of the machine is asked elsewhere. A warning
// never prevents a start: somebody's set-up may need just this.
//
// Pure functions; any thread.

using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>Finds what is legal, but suspicious.</summary>
internal sealed class ConfigWarnings
{
    private readonly DaemonConfig _config;
    private readonly List<VtepConfigProblem> _found = [];
    private readonly Dictionary<InetAddress, (string Path, MulticastDiscovery Discovery)> _groups = [];
    private readonly Dictionary<InetAddress, string> _addresses = [];
    private readonly HashSet<InetAddress> _underlay;
    private readonly HashSet<string> _underlayInterfaces;

    private ConfigWarnings(DaemonConfig config)
    {
        _config = config;
        VtepConfig vtep = config.Vtep;
        _underlay = [.. vtep.BridgeDomains.SelectMany(domain => Peers(domain)).Select(peer => peer.Address)];
        if (vtep.Underlay.Local is { } local)
            _underlay.Add(local);
        _underlayInterfaces = [.. vtep.BridgeDomains.Select(domain => (domain.Discovery as MulticastDiscovery)?.Group.Interface)
            .Append(vtep.Underlay.Interface).OfType<string>()];
    }

    /// <summary>Every warning about a configuration in which nothing is wrong.</summary>
    public static IReadOnlyList<VtepConfigProblem> Of(DaemonConfig config)
    {
        var warnings = new ConfigWarnings(config);
        warnings.CheckControllers();
        for (int i = 0; i < config.Vtep.BridgeDomains.Count; i++)
            warnings.CheckDomain(config.Vtep.BridgeDomains[i], $"$.bridgeDomains[{i}]");
        return warnings._found;
    }

    private static IReadOnlyList<VtepEndpoint> Peers(BridgeDomainConfig domain) => (domain.Discovery as StaticDiscovery)?.Peers ?? [];

    private void CheckControllers()
    {
        var stores = new Dictionary<(string, string), string>();
        foreach (ControllerSource source in _config.Sources)
        {
            string path = $"$.controllers.{source.Config.Name}";
            (string, string) store = source switch
            {
                EtcdSource etcd => (string.Join(' ', etcd.Options.Endpoints.Select(endpoint => endpoint.Authority).Order(StringComparer.Ordinal)), etcd.Options.Prefix),
                FileSource file => ("", file.Path),
                _ => (path, ""),
            };
            if (!stores.TryAdd(store, path))
                Add(path, $"this is the same store as {stores[store]}; domains can share one controller");
            CheckAllowed(source.Config, $"{path}.{(source is EtcdSource ? "etcd" : "file")}.allowedVteps");
        }
    }

    private void CheckAllowed(ControllerConfig controller, string path)
    {
        if (_config.Vtep.Underlay.Local is { } local && controller.AllowedVteps.Count > 0
            && controller.AllowedVteps.All(prefix => prefix.Network.Version != local.Version))
            Add(path, $"no prefix here is IPv{local.Version} as the underlay is, so no VTEP of this controller is ever believed");
    }

    private void CheckDomain(BridgeDomainConfig domain, string path)
    {
        for (int i = 0; i < domain.Ports.Count; i++)
            CheckPort(domain.Ports[i], $"{path}.ports[{i}]");
        if (domain.Discovery is MulticastDiscovery multicast)
            CheckGroup(multicast, path + ".discovery.multicast");
        for (int i = 0; i < domain.Fdb.Count; i++)
            CheckFdb(domain, domain.Fdb[i], $"{path}.fdb[{i}]");
    }

    private void CheckPort(PortConfig port, string path)
    {
        if (port.Bridge is { } bridge && _underlayInterfaces.Contains(bridge))
            Add(path + ".bridge", $"{VtepConfigRules.Quote(bridge)} leads to the other VTEPs: what they send is flooded into the domain, and the domain's frames to them");
        for (int i = 0; i < port.Addresses.Count; i++)
            CheckAddress(port.Addresses[i], $"{path}.addresses[{i}]");
    }

    private void CheckAddress(InterfaceAddress address, string path)
    {
        if (!_addresses.TryAdd(address.Address, path))
            Add(path, $"the address {address.Address} is already at {_addresses[address.Address]}; one host hardly has it on two devices");
        var subnet = InetPrefix.Of(address.Address, address.PrefixLength);
        foreach (InetAddress outer in _underlay.Where(subnet.Contains).Order().Take(1))
        {
            string whose = outer == _config.Vtep.Underlay.Local ? "this VTEP's address" : "the peer";
            Add(path, $"{whose} {outer} is in the port's own subnet {subnet}; the way to the other VTEPs may lead into the tunnel");
        }
    }

    private void CheckGroup(MulticastDiscovery multicast, string path)
    {
        (InetAddress group, string name) = multicast.Group;
        if (IsControlBlock(group))
            Add(path + ".group", $"{group} is kept for routing protocols and goes to every port of a switch; use one of 239.0.0.0/8");
        if (_groups.TryAdd(group, (path, multicast)))
            return;
        (string first, MulticastDiscovery other) = _groups[group];
        if (other.Group.Interface != name)
            Add(path + ".interface", $"the group {group} is joined on {VtepConfigRules.Quote(other.Group.Interface)} at {first}.interface; VTEPs of one group are hardly behind two interfaces");
        if (other.Ttl != multicast.Ttl)
            Add(path + ".ttl", $"the group {group} has TTL {other.Ttl} at {first}.ttl; what one domain reaches the other may not");
    }

    // 224.0.0.0/24, the local network control block (RFC 5771 section 4), which snooping switches don't prune.
    private static bool IsControlBlock(InetAddress group) => group.IsIPv4 && group.Low >> 8 == 0xE0_0000;

    private void CheckFdb(BridgeDomainConfig domain, StaticFdbEntry entry, string path)
    {
        if (domain.Ports.Any(port => port.Mac == entry.Mac))
            Add(path + ".mac", $"{entry.Mac} is a port's own address, which wins: the entry is never in force");
        if (entry.Vtep is { } vtep && domain.Discovery is StaticDiscovery && !Peers(domain).Contains(vtep))
            Add(path + ".vtep", $"{vtep} is no peer of the domain: it gets frames for {entry.Mac} only, and none that are flooded");
    }

    private void Add(string path, string message) => _found.Add(new VtepConfigProblem(path, message));
}
