// Rules about access ports: TAP devices, the rights they take, bridges, and MTUs.

using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Linux.Tap;
using VtepDataPlane.Ports;

namespace VtepDataPlane.Linux.Inspection;

internal static partial class HostRules
{
    private const string TunKind = "tun";

    private static IEnumerable<HostFinding> Tap(VtepConfig config, HostFacts facts)
    {
        foreach ((PortConfig port, string path) in ConfigPlaces.Ports(config))
        {
            if (facts.Link(port.Tap) is not { } link || facts.IsOurs(port.Tap))
                continue;
            if (link.Kind != TunKind)
                yield return HostFinding.Error("tap", port.Tap, path + ".tap", TapTrouble.OtherKind(link));
            else if (link.Tun is { IsTap: false })
                yield return HostFinding.Error("tap", port.Tap, path + ".tap", TapTrouble.NoTap);
            else if (facts.BusyTaps.Contains(port.Tap))
                yield return Held("tap", port.Tap, path + ".tap", TapTrouble.Busy, facts);
        }
    }

    // Held by a vtep we may not ask is no trouble, if it is the one that runs this configuration.
    private static HostFinding Held(string id, string? subject, string path, Trouble trouble, HostFacts facts) => facts.MayBeRunning
        ? HostFinding.Warning(id, subject, path, trouble with { Remedy = "ask as root: it may be by the vtep of this host, which this user may not ask" })
        : HostFinding.Error(id, subject, path, trouble);

    private static IEnumerable<HostFinding> Rights(VtepConfig config, HostFacts facts)
    {
        // The rights of a vtep that runs aren't ours.
        if (facts.Rights.MayAdministerNetwork || facts.Running is not null)
            return [];
        return ConfigPlaces.Ports(config).SelectMany(port => RightsOver(port, facts));
    }

    private static IEnumerable<HostFinding> RightsOver(PlacedPort placed, HostFacts facts)
    {
        (PortConfig port, string path) = placed;
        if (facts.Link(port.Tap) is not { } link)
        {
            var trouble = TapTrouble.NoRightToCreate(port.Tap);
            return [HostFinding.Error("rights", port.Tap, path + ".tap", trouble with { What = $"there is no '{port.Tap}', and {trouble.What}" })];
        }

        if (link is not { Kind: TunKind, Tun: { IsTap: true } tun })
            return []; // said by the rule above
        return IsOthers(tun, facts.Rights) ? [HostFinding.Error("rights", port.Tap, path + ".tap", TapTrouble.OtherOwner(port.Tap))]
            : SetUp(placed, link, facts);
    }

    /// <summary>tun_not_capable in drivers/net/tun.c.</summary>
    private static bool IsOthers(TunInfo tun, HostRights rights) =>
        (tun.Owner is { } owner && owner != rights.UserId) || (tun.Group is { } group && !rights.Groups.Contains(group));

    // As TapPort does it: what sends frames astray is an error, what only keeps them is a warning.
    private static IEnumerable<HostFinding> SetUp(PlacedPort placed, LinkInfo link, HostFacts facts)
    {
        (PortConfig port, string path) = placed;
        if (port.Mac is { } mac && mac != link.Mac)
            yield return HostFinding.Error("rights", port.Tap, path + ".mac", Unsettable($"the MAC of '{port.Tap}' is {link.Mac}", $"link set dev {port.Tap} address {mac}"));
        if (port.Bridge is { } bridge && facts.Link(bridge) is { Kind: "bridge" } master && master.Index != link.Master)
            yield return HostFinding.Error("rights", port.Tap, path + ".bridge", Unsettable($"'{port.Tap}' isn't attached to '{bridge}'", $"link set dev {port.Tap} master {bridge}"));
        for (int i = 0; i < port.Addresses.Count; i++)
        {
            InterfaceAddress address = port.Addresses[i];
            if (!facts.Addresses.Any(a => a.Index == link.Index && a.Address == address.Address && a.PrefixLength == address.PrefixLength))
                yield return HostFinding.Error("rights", port.Tap, $"{path}.addresses[{i}]", Unsettable($"'{port.Tap}' doesn't have {address}", $"address add {address} dev {port.Tap}"));
        }

        if (port.Mtu is { } mtu && mtu != link.Mtu)
            yield return HostFinding.Warning("rights", port.Tap, path + ".mtu", Unsettable($"the MTU of '{port.Tap}' is {link.Mtu}", $"link set dev {port.Tap} mtu {mtu}"));
        if (!link.IsUp)
            yield return HostFinding.Warning("rights", port.Tap, path + ".tap", Unsettable($"'{port.Tap}' is down", $"link set dev {port.Tap} up"));
    }

    private static Trouble Unsettable(string what, string command) => new($"{what}, and changing that needs CAP_NET_ADMIN", $"set it beforehand: 'ip {command}'");

    private static string RightsAreEnough(VtepConfig config, HostFacts facts) =>
        facts.Rights.MayAdministerNetwork ? "CAP_NET_ADMIN is there: TAP devices can be made and set up"
        : facts.Running is not null ? "vtep runs, so it has what it needs"
        : "no CAP_NET_ADMIN, and none is needed: every TAP device is there and set up";

    private static IEnumerable<HostFinding> Bridge(VtepConfig config, HostFacts facts)
    {
        foreach ((PortConfig port, string path) in ConfigPlaces.Ports(config))
        {
            if (port.Bridge is not { } name)
                continue;
            if (facts.Link(name) is not { } bridge)
                yield return HostFinding.Error("bridge", port.Tap, path + ".bridge", TapTrouble.NoBridge(name));
            else if (bridge.Kind != "bridge")
                yield return HostFinding.Error("bridge", port.Tap, path + ".bridge", TapTrouble.NotABridge(bridge));
        }
    }

    private static IEnumerable<HostFinding> Mtu(VtepConfig config, HostFacts facts)
    {
        foreach (PlacedDomain domain in ConfigPlaces.Domains(config))
        {
            if (domain.Domain.Ports.Count == 0 || Narrowest(domain, facts) is not { } way)
                continue;
            foreach (PlacedPort port in ConfigPlaces.Ports(domain))
            {
                if (TooLong(port, way, facts) is { } finding)
                    yield return finding;
            }
        }
    }

    /// <summary>The way that carries least: what it is, and the MTU a port may have there.</summary>
    private static Way? Narrowest(PlacedDomain domain, HostFacts facts)
    {
        InnerVlanPolicy tags = domain.Domain.Encapsulation.InnerVlan;
        IEnumerable<Way> ways = ConfigPlaces.Remotes(domain).Select(remote => remote.Vtep.Address).Where(remote => facts.PathMtu(remote) > 0)
            .Select(remote => new Way($"the path to {remote}", Encapsulator.PortMtu(facts.PathMtu(remote), remote, tags)));
        if (domain.Domain.Discovery is MulticastDiscovery { Group: var (group, name) } && facts.Link(name) is { } link)
            ways = ways.Append(new Way($"'{name}' towards group {group}", Encapsulator.PortMtu(link.Mtu, group, tags)));
        return ways.OrderBy(way => way.Mtu).Cast<Way?>().FirstOrDefault();
    }

    private static HostFinding? TooLong(PlacedPort placed, Way way, HostFacts facts)
    {
        (PortConfig port, string path) = placed;
        string what = $"but {way.Name} carries {way.Mtu}: longer packets are dropped and answered";
        if (port.Mtu is { } mtu)
            return mtu <= way.Mtu ? null : HostFinding.Warning("mtu", port.Tap, path + ".mtu", new($"the MTU is {mtu}, {what}", $"write {way.Mtu}, or raise the MTU on the way"));

        // Without a word in the configuration the daemon sets it; unless it may not, or couldn't.
        bool isSet = facts.IsOurs(port.Tap) || !facts.Rights.MayAdministerNetwork;
        return isSet && facts.Link(port.Tap) is { Kind: TunKind } link && link.Mtu > way.Mtu
            ? HostFinding.Warning("mtu", port.Tap, path + ".tap", new($"the MTU of '{port.Tap}' is {link.Mtu}, {what}", $"'ip link set dev {port.Tap} mtu {way.Mtu}'"))
            : null;
    }

    private readonly record struct Way(string Name, int Mtu);
}
