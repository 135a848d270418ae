// Which address is ours: the one the configuration names, or the first global one of an interface, IPv4 before IPv6. The table
// of addresses is the kernel's, read anew whenever it changed.
//
// Control loop only.

using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Udp;

/// <summary>The local VTEP address at one moment.</summary>
/// <param name="Address">The address; none when the interface has none.</param>
/// <param name="IsPresent">It is on this host and can be sent from.</param>
internal readonly record struct LocalAddress(InetAddress Address, bool IsPresent)
{
    /// <summary>Reads the address from the host.</summary>
    public static LocalAddress Read(UnderlayConfig config, RtNetlink netlink)
    {
        IReadOnlyList<AddressInfo> addresses = netlink.GetAddresses();
        if (config.Local is { } local)
            return new LocalAddress(local, addresses.Any(a => a.Address == local && a.IsUsable));
        int index = netlink.GetLink(config.Interface!)?.Index ?? 0;
        AddressInfo? first = addresses.Where(a => a.Index == index && a.IsGlobal && (a.Flags & AddressFlags.DadFailed) == 0)
            .OrderBy(a => a.Address.Version)
            .ThenBy(a => (a.Flags & (AddressFlags.Deprecated | AddressFlags.Secondary)) != 0) // a temporary IPv6 address is secondary
            .FirstOrDefault();
        return first is null ? default : new LocalAddress(first.Address, first.IsUsable);
    }

    /// <summary>Reads the address at start, when it must be there (an IPv6 address may still be in duplicate address detection).</summary>
    /// <exception cref="VtepException">It isn't ours, or the interface has none.</exception>
    public static LocalAddress Require(UnderlayConfig config, RtNetlink netlink)
    {
        IReadOnlyList<LinkInfo> links = config.Interface is null ? [] : netlink.GetLinks();
        LocalAddress found = Read(config, netlink);
        if (UnderlayTrouble.Local(config, found, links, netlink.GetAddresses()) is { } trouble)
            throw new VtepException($"The underlay can't be opened: {trouble.Sentences}");
        return found;
    }
}
