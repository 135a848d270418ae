// What keeps the underlay from being opened, in words: said by whoever opens it, and beforehand by the inspection of the host.

using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Underlay;

namespace VtepDataPlane.Linux.Udp;

/// <summary>Troubles of the underlay.</summary>
internal static class UnderlayTrouble
{
    /// <summary>What to do about a port that somebody holds.</summary>
    public const string PortRemedy = "stop it, or give underlay.port another number (on every VTEP)";

    /// <summary>Why the local address can't be used at all; null when it can (perhaps after duplicate address detection).</summary>
    /// <param name="config">What is wanted.</param>
    /// <param name="found">What was found.</param>
    /// <param name="links">All links; asked only for an interface by name, also by its alternative one.</param>
    /// <param name="addresses">All addresses.</param>
    public static Trouble? Local(UnderlayConfig config, LocalAddress found, IReadOnlyList<LinkInfo> links, IReadOnlyList<AddressInfo> addresses)
    {
        if (config.Interface is { } name && found.Address.IsNone && links.All(link => link.Name != name))
            return new($"there is no interface '{name}' on this host; it has {Names(links)}", "correct underlay.interface");
        if (found.Address.IsNone)
        {
            return new($"the interface '{config.Interface}' has no global address",
                "give it one ('ip address add'), or name another in underlay.interface");
        }

        return addresses.Any(a => a.Address == found.Address) ? null
            : new($"{found.Address} is not an address of this host; it has {Addresses(addresses)}",
                "add it to an interface ('ip address add'), or correct underlay.local");
    }

    /// <summary>A group's interface isn't there.</summary>
    public static Trouble NoGroupInterface(string name) => new(
        $"there is no interface '{name}'", "correct \"interface\" of the domain's multicast discovery");

    private static string Names(IEnumerable<LinkInfo> links) => Listed(links.Select(link => $"'{link.Name}'"));

    private static string Addresses(IEnumerable<AddressInfo> addresses) =>
        Listed(addresses.Where(a => a.IsGlobal && !a.Address.IsLoopback).Select(a => a.Address.ToString()));

    private static string Listed(IEnumerable<string> items)
    {
        const int Most = 16;
        List<string> all = [.. items.Distinct()];
        string more = all.Count > Most ? $" and {all.Count - Most} more" : "";
        return all.Count == 0 ? "none" : string.Join(", ", all.Take(Most)) + more;
    }
}
