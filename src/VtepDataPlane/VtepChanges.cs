// Changes at run time, for every kind of running VTEP: each is a function of the configuration in force (IRunningVtep.EditAsync), so it says what is to
// change, not what everything is to be. What can't be done is told by name: which domain, which port, and what there is instead.

using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;

namespace VtepDataPlane;

/// <summary>
/// Adds and removes domains, ports, peers and FDB entries of a running VTEP. Any thread. A task ends when the change is in force, or with a
/// <see cref="VtepException"/> that says why it can't be; then nothing has changed.
/// </summary>
public static class VtepChanges
{
    extension(IRunningVtep vtep)
    {
        /// <summary>Makes another configuration the one in force; what is the same in both goes on undisturbed.</summary>
        public Task ApplyAsync(VtepConfig next)
        {
            ArgumentNullException.ThrowIfNull(next);
            return vtep.EditAsync(_ => next);
        }

        /// <summary>Adds a bridge domain.</summary>
        public Task AddDomainAsync(BridgeDomainConfig domain)
        {
            ArgumentNullException.ThrowIfNull(domain);
            return vtep.EditAsync(config => config.BridgeDomains.FirstOrDefault(other => other.Vni == domain.Vni) is { } taken
                ? throw new VtepException($"VNI {domain.Vni} is bridge domain {taken.Name} already: take another VNI, or remove that domain first.")
                : config with { BridgeDomains = [.. config.BridgeDomains, domain] });
        }

        /// <summary>Removes a bridge domain, with its ports.</summary>
        public Task RemoveDomainAsync(Vni vni) => vtep.EditAsync(config =>
        {
            BridgeDomainConfig gone = Domain(config, vni);
            return config with { BridgeDomains = [.. config.BridgeDomains.Where(domain => !ReferenceEquals(domain, gone))] };
        });

        /// <summary>Adds a port to a bridge domain.</summary>
        public Task AddPortAsync(Vni vni, PortConfig port)
        {
            ArgumentNullException.ThrowIfNull(port);
            return vtep.EditAsync(config => Domain(config, vni) is not null && OwnerOf(config, port.Tap) is { } owner
                ? throw new VtepException($"Port {port.Tap} is in bridge domain {owner.Name} already: remove it there first, or take another name.")
                : Edit(config, vni, domain => domain with { Ports = [.. domain.Ports, port] }));
        }

        /// <summary>Adds an open port of the program's own to a bridge domain; the VTEP closes it when it is removed.</summary>
        public Task AddPortAsync(Vni vni, IAccessPort port) => vtep.AddPortAsync(vni, PortConfig.Of(port));

        /// <summary>Removes a port from its bridge domain, and closes it.</summary>
        public Task RemovePortAsync(string name) => vtep.EditAsync(config => OwnerOf(config, name) is { } owner
            ? Edit(config, owner.Vni, domain => domain with { Ports = [.. domain.Ports.Where(port => port.Tap != name)] })
            : throw new VtepException($"There is no port {VtepConfigRules.Quote(name)}{There(config.BridgeDomains.SelectMany(domain => domain.Ports).Select(port => port.Tap))}"));

        /// <summary>Adds a peer to a bridge domain whose peers are listed (<see cref="StaticDiscovery"/>).</summary>
        public Task AddPeerAsync(Vni vni, VtepEndpoint peer) => vtep.EditAsync(config => Edit(config, vni, domain => Peers(domain).Contains(peer)
            ? throw new VtepException($"{peer} is a peer of bridge domain {domain.Name} already.")
            : domain with { Discovery = new StaticDiscovery { Peers = [.. Peers(domain), peer] } }));

        /// <summary>Removes a peer from a bridge domain whose peers are listed (<see cref="StaticDiscovery"/>), with what was learned behind it.</summary>
        public Task RemovePeerAsync(Vni vni, VtepEndpoint peer) => vtep.EditAsync(config => Edit(config, vni, domain => Peers(domain).Contains(peer)
            ? domain with { Discovery = new StaticDiscovery { Peers = [.. Peers(domain).Where(other => other != peer)] } }
            : throw new VtepException($"{peer} is no peer of bridge domain {domain.Name}{There(Peers(domain).Select(other => other.ToString()))}")));

        /// <summary>Adds a static FDB entry for a station behind another VTEP, in place of one there is. The all-zeros MAC adds the VTEP to the flood list.</summary>
        /// <exception cref="VtepException">It can't be added.</exception>
        public void AddFdb(Vni vni, MacAddress mac, VtepEndpoint behind) => ThrowIfNot(vtep.Vtep.AddFdb(vni, mac, behind, port: null, replace: !mac.IsZero));

        /// <summary>Adds a static FDB entry for a station behind one of our ports, in place of one there is.</summary>
        /// <exception cref="VtepException">It can't be added.</exception>
        public void AddFdb(Vni vni, MacAddress mac, string port)
        {
            ArgumentNullException.ThrowIfNull(port);
            ThrowIfNot(vtep.Vtep.AddFdb(vni, mac, vtep: null, port, replace: true));
        }

        /// <summary>Deletes an FDB entry. The all-zeros MAC takes <paramref name="behind"/> from the flood list.</summary>
        /// <exception cref="VtepException">It can't be deleted.</exception>
        public void DeleteFdb(Vni vni, MacAddress mac, VtepEndpoint? behind = null) => ThrowIfNot(vtep.Vtep.DeleteFdb(vni, mac, behind));
    }

    private static BridgeDomainConfig Domain(VtepConfig config, Vni vni) => config.BridgeDomains.FirstOrDefault(domain => domain.Vni == vni)
        ?? throw new VtepException($"There is no bridge domain with VNI {vni}{There(config.BridgeDomains.Select(domain => domain.Vni.ToString()))}");

    private static BridgeDomainConfig? OwnerOf(VtepConfig config, string port) =>
        config.BridgeDomains.FirstOrDefault(domain => domain.Ports.Any(other => other.Tap == port));

    private static IReadOnlyList<VtepEndpoint> Peers(BridgeDomainConfig domain) => domain.Discovery is StaticDiscovery listed ? listed.Peers
        : throw new VtepException($"The peers of bridge domain {domain.Name} are not listed but found by {(domain.Discovery is MulticastDiscovery ? "multicast" : "its controller")}: none can be added or removed.");

    private static VtepConfig Edit(VtepConfig config, Vni vni, Func<BridgeDomainConfig, BridgeDomainConfig> edit)
    {
        BridgeDomainConfig edited = Domain(config, vni);
        return config with { BridgeDomains = [.. config.BridgeDomains.Select(domain => ReferenceEquals(domain, edited) ? edit(domain) : domain)] };
    }

    // how a sentence ends that says what there isn't
    private static string There(IEnumerable<string> names)
    {
        List<string> some = [.. names.Take(8)];
        return some.Count == 0 ? ": there is none at all." : $"; there are: {string.Join(", ", some)}{(some.Count == 8 ? ", ..." : ".")}";
    }

    private static void ThrowIfNot(string? why)
    {
        if (why is not null)
            throw new VtepException(why);
    }
}
