// The domains of two configurations, compared the way DomainTable and PortChange make one from the other, see ConfigPlan.

using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Configuration;

/// <summary>Compares the domains of two configurations.</summary>
internal sealed class DomainComparison
{
    private const string Forgotten = "the stations behind it are forgotten";
    private const string NoPorts = "it has no ports";
    private const string AnotherOrder = "in another order";

    private readonly List<DomainPlan> _changed = [];
    private readonly Dictionary<string, BridgeDomainConfig> _portsNow;
    private readonly Dictionary<string, BridgeDomainConfig> _portsNext;
    private readonly ushort _portNow;
    private readonly ushort _portNext;

    public DomainComparison(VtepConfig now, VtepConfig next)
    {
        _portNow = now.Underlay.Port;
        _portNext = next.Underlay.Port;
        _portsNow = ByTap(now);
        _portsNext = ByTap(next);
        Dictionary<Vni, BridgeDomainConfig> before = now.BridgeDomains.ToDictionary(domain => domain.Vni);
        foreach (BridgeDomainConfig domain in next.BridgeDomains)
        {
            if (before.Remove(domain.Vni, out BridgeDomainConfig? old))
                Change(old, domain);
            else
                Add(domain);
        }

        foreach (BridgeDomainConfig domain in now.BridgeDomains.Where(domain => before.ContainsKey(domain.Vni)))
            Remove(domain);
    }

    /// <summary>Domains that come, go or change: those that stay in the new order, then those that go.</summary>
    public IReadOnlyList<DomainPlan> Changed => _changed;

    /// <summary>Domains that stay as they are.</summary>
    public int Unchanged { get; private set; }

    private static Dictionary<string, BridgeDomainConfig> ByTap(VtepConfig config) =>
        config.BridgeDomains.SelectMany(domain => domain.Ports, (domain, port) => (port.Tap, domain)).ToDictionary(entry => entry.Tap, entry => entry.domain);

    private void Add(BridgeDomainConfig domain)
    {
        PlanChange[] moved = [.. domain.Ports.Where(port => _portsNow.ContainsKey(port.Tap)).Select(port => Arrival(port))];
        _changed.Add(new DomainPlan(PlanAction.Add, domain.Name, domain.Vni.Value,
            $"{Spelling.Count(domain.Ports.Count, "port")}, {Discovery(domain.Discovery)}", [], moved));
    }

    private void Remove(BridgeDomainConfig domain)
    {
        PlanChange[] moved = [.. domain.Ports.Where(port => _portsNext.ContainsKey(port.Tap)).Select(port => Departure(port))];
        string ports = domain.Ports.Count == 0 ? NoPorts : $"{Spelling.Count(domain.Ports.Count, "port")} {(domain.Ports.Count == 1 ? "closes" : "close")}";
        _changed.Add(new DomainPlan(PlanAction.Remove, domain.Name, domain.Vni.Value, ports, [.. domain.Ports.Select(port => port.Tap)], moved));
    }

    private void Change(BridgeDomainConfig now, BridgeDomainConfig next)
    {
        if (now.Equals(next))
        {
            Unchanged++;
            return;
        }

        string[] closed = [.. now.Ports.Where(port => !next.Ports.Contains(port)).Select(port => port.Tap)];
        PlanChange[] changes = [.. Settings(now, next), .. Ports(now, next), .. Peers(now, next), .. Fdb(now, next)];
        if (changes.Length == 0)
            Unchanged++; // static FDB entries have no order, and a peer without a port follows the underlay's
        else
            _changed.Add(new DomainPlan(PlanAction.Change, now.Name, now.Vni.Value, PortsOf(now, closed.Length), closed, changes));
    }

    private static string PortsOf(BridgeDomainConfig domain, int closed) => domain.Ports.Count == 0 ? NoPorts
        : closed == 0 ? "its ports stay open" : $"{closed} of {Spelling.Count(domain.Ports.Count, "port")} {(closed == 1 ? "closes" : "close")}";

    // Lists are compared one by one below; a change of the kind of discovery is said in one line.
    private IEnumerable<PlanChange> Settings(BridgeDomainConfig now, BridgeDomainConfig next)
    {
        string[] apart = ["ports", "fdb", "discovery"];
        IEnumerable<PlanChange> flat = ConfigPlan.Differences(Tree(now, _portNow), Tree(next, _portNext), "")
            .Where(change => !apart.Contains(change.What.Split('.')[0]));
        return flat.Concat(now.Discovery.GetType() == next.Discovery.GetType()
            ? ConfigPlan.Differences(Tree(now, _portNow).Member("discovery"), Tree(next, _portNext).Member("discovery"), "discovery")
                .Where(_ => now.Discovery is not StaticDiscovery)
            : [new PlanChange(PlanAction.Change, "discovery", Discovery(now.Discovery), Discovery(next.Discovery))]);
    }

    private IEnumerable<PlanChange> Ports(BridgeDomainConfig now, BridgeDomainConfig next)
    {
        Dictionary<string, PortConfig> before = now.Ports.ToDictionary(port => port.Tap);
        Dictionary<string, PortConfig> after = next.Ports.ToDictionary(port => port.Tap);
        foreach (PortConfig port in now.Ports.Where(port => !after.ContainsKey(port.Tap)))
            yield return Departure(port);
        foreach (PortConfig port in next.Ports)
        {
            if (!before.TryGetValue(port.Tap, out PortConfig? old))
                yield return Arrival(port);
            else if (!old.Equals(port))
                yield return Reopening(old, port);
        }

        if (IsReordered(now.Ports.Select(port => port.Tap), next.Ports.Select(port => port.Tap)))
            yield return new PlanChange(PlanAction.Change, "ports", Effect: AnotherOrder);
    }

    private PlanChange Departure(PortConfig port)
    {
        string effect = _portsNext.TryGetValue(port.Tap, out BridgeDomainConfig? there) ? $"moves to domain {there.Name}" : "closes";
        return new PlanChange(PlanAction.Remove, $"port {port.Tap}", Effect: $"{effect}; {Forgotten}");
    }

    private PlanChange Arrival(PortConfig port) => new(PlanAction.Add, $"port {port.Tap}",
        Effect: _portsNow.TryGetValue(port.Tap, out BridgeDomainConfig? here) ? $"comes from domain {here.Name}: closes, and opens again here" : null);

    private static PlanChange Reopening(PortConfig now, PortConfig next)
    {
        PlanChange[] settings = [.. ConfigPlan.Differences(Tree(now), Tree(next), "")];
        const string Effect = $"closes and opens again; {Forgotten}";
        return new PlanChange(PlanAction.Change, $"port {next.Tap}",
            Listed(settings.Select(setting => Setting(setting.What, setting.Now))), Listed(settings.Select(setting => Setting(setting.What, setting.Next))),
            Effect);
    }

    private static string Setting(string what, string? value) => value is null ? $"no {what}" : $"{what} {value}";

    private IEnumerable<PlanChange> Peers(BridgeDomainConfig now, BridgeDomainConfig next)
    {
        if (now.Discovery is not StaticDiscovery before || next.Discovery is not StaticDiscovery after)
            yield break;
        string[] old = [.. before.Peers.Select(peer => EndpointText.Write(peer, _portNow))];
        string[] wanted = [.. after.Peers.Select(peer => EndpointText.Write(peer, _portNext))];
        foreach (VtepEndpoint peer in before.Peers.Where(peer => !wanted.Contains(EndpointText.Write(peer, _portNow))))
            yield return new PlanChange(PlanAction.Remove, $"peer {EndpointText.Write(peer, _portNow)}", Effect: Farewell(peer, now, next));
        foreach (string peer in wanted.Except(old))
            yield return new PlanChange(PlanAction.Add, $"peer {peer}");
        if (IsReordered(old, wanted))
            yield return new PlanChange(PlanAction.Change, "peers", Effect: AnotherOrder);
    }

    private static string Farewell(VtepEndpoint peer, BridgeDomainConfig now, BridgeDomainConfig next)
    {
        HashSet<VtepEndpoint> named = Named(next);
        string then = named.Contains(peer) ? "gets no flooded frames then" : named.Any(other => other.Address == peer.Address) ? "" : "is a stranger then";
        return string.Join("; ", new[] { then, Fate(peer, now, next, "the stations behind it") }.Where(part => !string.IsNullOrEmpty(part)));
    }

    // A VTEP that is named no more takes what was learned behind it along. One that is named anew in the same reload, by an entry instead of
    // as a peer or the other way round, has another number then, unless another domain names it all the while.
    private static string? Fate(VtepEndpoint vtep, BridgeDomainConfig now, BridgeDomainConfig next, string stations)
    {
        bool isPeerStill = Peers(now).Contains(vtep) && Peers(next).Contains(vtep);
        return !Named(next).Contains(vtep) ? $"{stations} are forgotten"
            : isPeerStill || now.Fdb.Any(entry => entry.Vtep == vtep && next.Fdb.Contains(entry)) ? null
            : $"{stations} may be forgotten";
    }

    private static IReadOnlyList<VtepEndpoint> Peers(BridgeDomainConfig domain) => (domain.Discovery as StaticDiscovery)?.Peers ?? [];

    // Peers, and the VTEPs of static entries, which may send as well.
    private static HashSet<VtepEndpoint> Named(BridgeDomainConfig domain) =>
        [.. Peers(domain).Concat(domain.Fdb.Select(entry => entry.Vtep).OfType<VtepEndpoint>())];

    private IEnumerable<PlanChange> Fdb(BridgeDomainConfig now, BridgeDomainConfig next)
    {
        Dictionary<MacAddress, string> before = now.Fdb.ToDictionary(entry => entry.Mac, entry => Place(entry, _portNow));
        Dictionary<MacAddress, string> after = next.Fdb.ToDictionary(entry => entry.Mac, entry => Place(entry, _portNext));
        foreach (MacAddress mac in before.Keys.Except(after.Keys))
            yield return new PlanChange(PlanAction.Remove, $"fdb {mac}", before[mac], null, Farewell(mac, now, next));
        foreach ((MacAddress mac, string place) in after)
        {
            if (!before.TryGetValue(mac, out string? old))
                yield return new PlanChange(PlanAction.Add, $"fdb {mac}", null, place);
            else if (old != place)
                yield return new PlanChange(PlanAction.Change, $"fdb {mac}", old, place, Farewell(mac, now, next));
        }
    }

    // A VTEP that only static entries name may send as well, and be learned from.
    private static string? Farewell(MacAddress mac, BridgeDomainConfig now, BridgeDomainConfig next)
    {
        bool isStatic = now.Discovery is StaticDiscovery && next.Discovery is StaticDiscovery;
        if (!isStatic || now.Fdb.First(entry => entry.Mac == mac).Vtep is not { } vtep || Peers(now).Except(Peers(next)).Contains(vtep))
            return null; // it is said of the peer
        return Fate(vtep, now, next, $"other stations behind {vtep.Address}");
    }

    private static string Place(StaticFdbEntry entry, ushort underlayPort) =>
        entry.Vtep is { } vtep ? $"VTEP {EndpointText.Write(vtep, underlayPort)}" : $"port {entry.Port}";

    // What is on both sides stands in another order.
    private static bool IsReordered(IEnumerable<string> now, IEnumerable<string> next)
    {
        string[] before = [.. now], after = [.. next];
        return !before.Intersect(after).SequenceEqual(after.Intersect(before));
    }

    private static string Discovery(DiscoveryConfig discovery) => discovery switch
    {
        StaticDiscovery fixedPeers => Spelling.Count(fixedPeers.Peers.Count, "peer"),
        MulticastDiscovery multicast => $"group {multicast.Group.Group} on {multicast.Group.Interface}",
        ControllerDiscovery controller => $"controller {controller.Controller}",
        _ => "",
    };

    private static ConfigNode Tree(BridgeDomainConfig domain, ushort underlayPort) => ConfigPlan.Tree(ConfigWriter.Write(domain, underlayPort));

    private static ConfigNode Tree(PortConfig port) => ConfigPlan.Tree(ConfigWriter.Write(port));

    private static string Listed(IEnumerable<string> words) => string.Join(", ", words);
}
