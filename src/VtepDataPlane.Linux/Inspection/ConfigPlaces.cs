// The elements of a configuration that the rules look at, each with its JSON path.

using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;

namespace VtepDataPlane.Linux.Inspection;

/// <summary>A domain and where it stands.</summary>
internal readonly record struct PlacedDomain(BridgeDomainConfig Domain, string Path);

/// <summary>A port and where it stands.</summary>
internal readonly record struct PlacedPort(PortConfig Port, string Path);

/// <summary>A VTEP and where it is named.</summary>
internal readonly record struct PlacedVtep(VtepEndpoint Vtep, string Path);

/// <summary>Walks a configuration.</summary>
internal static class ConfigPlaces
{
    public static IEnumerable<PlacedDomain> Domains(VtepConfig config) =>
        config.BridgeDomains.Select((domain, i) => new PlacedDomain(domain, $"$.bridgeDomains[{i}]"));

    public static IEnumerable<PlacedPort> Ports(VtepConfig config) => Domains(config).SelectMany(Ports);

    public static IEnumerable<PlacedPort> Ports(PlacedDomain domain) =>
        domain.Domain.Ports.Select((port, i) => new PlacedPort(port, $"{domain.Path}.ports[{i}]"));

    /// <summary>Static peers, and VTEPs of fixed FDB entries.</summary>
    public static IEnumerable<PlacedVtep> Remotes(PlacedDomain domain) =>
        ((domain.Domain.Discovery as StaticDiscovery)?.Peers ?? []).Select((peer, i) => new PlacedVtep(peer, $"{domain.Path}.discovery.static.peers[{i}]"))
            .Concat(domain.Domain.Fdb.Select((entry, i) => (entry.Vtep, i)).Where(entry => entry.Vtep is not null)
                .Select(entry => new PlacedVtep(entry.Vtep!.Value, $"{domain.Path}.fdb[{entry.i}].vtep")));

    /// <summary>As above, where the place doesn't matter.</summary>
    public static IEnumerable<PlacedVtep> Remotes(BridgeDomainConfig domain) => Remotes(new PlacedDomain(domain, ""));
}
