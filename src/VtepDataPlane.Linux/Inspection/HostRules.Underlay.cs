// Rules about the underlay: our address and port, the kernel's own VTEPs, the ways to other VTEPs and to groups.

using VtepDataPlane.Discovery;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Linux.Udp;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Inspection;

internal static partial class HostRules
{
    private static IEnumerable<HostFinding> Local(VtepConfig config, HostFacts facts)
    {
        UnderlayConfig underlay = config.Underlay;
        if (UnderlayTrouble.Local(underlay, facts.Local, facts.Links, facts.Addresses) is { } trouble)
        {
            yield return HostFinding.Error("local", null, underlay.Interface is null ? "$.underlay.local" : "$.underlay.interface", trouble);
        }
        else if (!facts.Local.IsPresent)
        {
            yield return HostFinding.Warning("local", null, "$.underlay", new(
                $"{facts.Local.Address} can't be sent from: it is being checked for a duplicate, or has one", "find the other owner, or wait a second"));
        }
    }

    private static IEnumerable<HostFinding> Port(VtepConfig config, HostFacts facts)
    {
        if (facts.Running is not null)
            yield break;
        foreach ((InetAddress address, PortTrouble trouble) in facts.PortTroubles.OrderBy(pair => pair.Key == facts.Local.Address ? 0 : 1))
        {
            // Who holds the port of all addresses holds the groups' as well: said once.
            if (address != facts.Local.Address && facts.PortTroubles.ContainsKey(facts.Local.Address))
                continue;
            if (trouble.Owner is { } owner)
                yield return Held("port", null, "$.underlay.port", new(owner, UnderlayTrouble.PortRemedy), facts);
            else
                yield return HostFinding.Error("port", null, "$.underlay.port", new(
                    $"UDP port {config.Underlay.Port} on {address} can't be bound: {Errno.Describe(trouble.Error)}", "give underlay.port another number (on every VTEP)"));
        }
    }

    private static string PortIsFree(VtepConfig config, HostFacts facts) => facts.Running is not null
        ? $"UDP port {config.Underlay.Port} is held by the vtep that runs this configuration"
        : facts.Local.IsPresent ? $"UDP port {config.Underlay.Port} is free on {facts.Local.Address}" : $"UDP port {config.Underlay.Port} couldn't be tried without a local address";

    private static IEnumerable<HostFinding> Vxlan(VtepConfig config, HostFacts facts)
    {
        ILookup<int, LinkInfo> devices = facts.Links.Where(link => link.VxlanVni is not null && link.VxlanPort == config.Underlay.Port).ToLookup(link => link.VxlanVni!.Value);
        foreach ((BridgeDomainConfig domain, string path) in ConfigPlaces.Domains(config))
        {
            foreach (LinkInfo device in devices[domain.Vni.Value])
            {
                string then = device.IsUp ? "the segment has two VTEPs here" : "it takes the port as soon as it is set up";
                yield return HostFinding.Warning("vxlan", device.Name, path + ".vni", new(
                    $"the kernel's vxlan device '{device.Name}' has VNI {domain.Vni} on UDP port {config.Underlay.Port} too: {then}", $"'ip link delete {device.Name}', or choose another VNI"));
            }
        }
    }

    private static IEnumerable<HostFinding> Route(VtepConfig config, HostFacts facts)
    {
        Dictionary<int, string> ours = ConfigPlaces.Ports(config).Select(port => facts.Link(port.Port.Tap)).OfType<LinkInfo>().DistinctBy(link => link.Index)
            .ToDictionary(link => link.Index, link => link.Name);
        foreach ((var vtep, string path) in ConfigPlaces.Domains(config).SelectMany(ConfigPlaces.Remotes))
        {
            if (facts.Routes.TryGetValue(vtep.Address, out RouteInfo? route) && WrongWay(vtep.Address, route, ours) is { } trouble)
                yield return HostFinding.Warning("route", $"{vtep.Address}", path, trouble);
        }
    }

    private static Trouble? WrongWay(InetAddress remote, RouteInfo? route, Dictionary<int, string> ours)
    {
        if (route is null)
            return new($"there is no route to {remote}", "add one ('ip route add'), or correct the address");
        if (route.IsLocal)
            return new($"{remote} is an address of this host itself", "list the other VTEPs only");
        return ours.TryGetValue(route.InterfaceIndex, out string? port)
            ? new($"the route to {remote} leaves through our own port '{port}': nothing is sent there", "route it through the underlay's interface ('ip route add')")
            : null;
    }

    private static IEnumerable<HostFinding> Group(VtepConfig config, HostFacts facts)
    {
        foreach ((BridgeDomainConfig domain, string path) in ConfigPlaces.Domains(config))
        {
            if (domain.Discovery is not MulticastDiscovery { Group: var (group, name) })
                continue;
            string place = path + ".discovery.multicast.interface";
            if (facts.Link(name) is not { } link)
                yield return HostFinding.Error("group", name, place, UnderlayTrouble.NoGroupInterface(name));
            else if (!link.IsUp)
                yield return HostFinding.Warning("group", name, place, new($"'{name}' is down: group {group} is reached by nobody", $"'ip link set dev {name} up'"));
            else if (!link.IsMulticast)
                yield return HostFinding.Warning("group", name, place, new($"'{name}' does no multicast: group {group} is reached by nobody", $"'ip link set dev {name} multicast on'"));
        }
    }
}
