// What the inspection saw of a host, and of the configuration's objects on it: a value, so that the rules need no machine.

using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Linux.Udp;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Inspection;

/// <summary>A vtep that runs on this host with the same address and port: what it holds is nobody else's.</summary>
/// <param name="Ports">Names of its TAP devices.</param>
internal sealed record RunningVtep(IReadOnlySet<string> Ports);

/// <summary>What this process may do (capabilities(7), the effective ones) and whose it is.</summary>
/// <param name="MayAdministerNetwork">CAP_NET_ADMIN.</param>
/// <param name="MayRaiseLimits">CAP_SYS_RESOURCE.</param>
/// <param name="UserId">Effective user id.</param>
/// <param name="Groups">Effective group id and the further ones.</param>
internal sealed record HostRights(bool MayAdministerNetwork, bool MayRaiseLimits, uint UserId, IReadOnlySet<uint> Groups);

/// <summary>Why a UDP port can't be bound.</summary>
/// <param name="Error">A negated errno.</param>
/// <param name="Owner">Who holds it, a clause; null when that isn't the reason.</param>
internal sealed record PortTrouble(int Error, string? Owner);

/// <summary>The clock.</summary>
/// <param name="IsSynchronized">Null: the kernel may not be asked.</param>
/// <param name="Source">What the kernel reads time from; null: unknown.</param>
internal sealed record ClockFacts(bool? IsSynchronized, string? Source);

/// <summary>The table of connections that netfilter tracks.</summary>
/// <param name="Count">Entries.</param>
/// <param name="Max">At most.</param>
internal sealed record ConntrackFacts(long Count, long Max);

/// <summary>A host as it was at one moment. Immutable.</summary>
internal sealed record HostFacts
{
    private readonly Dictionary<string, LinkInfo> _byName = [];
    private readonly Dictionary<int, LinkInfo> _byIndex = [];

    /// <summary>The vtep that runs this configuration here; null: none, as far as is known.</summary>
    public RunningVtep? Running { get; init; }

    /// <summary>Somebody listens on the control socket whom this user may not ask: it may be a vtep that runs this configuration.</summary>
    public bool MayBeRunning { get; init; }

    /// <summary>Our VTEP address, when it can be sent from; null: it can't.</summary>
    public InetAddress? LocalPresent => Local.IsPresent ? Local.Address : null;

    internal HostRights Rights { get; init; } = new(false, false, 0, new HashSet<uint>());

    /// <summary>Opening /dev/net/tun: 0 or a negated errno.</summary>
    internal int TunError { get; init; }

    internal LocalAddress Local { get; init; }

    internal IReadOnlyList<LinkInfo> Links
    {
        get;
        init
        {
            field = value;
            _byName = value.ToDictionary(link => link.Name);
            _byIndex = value.ToDictionary(link => link.Index);
        }
    } = [];

    internal IReadOnlyList<AddressInfo> Addresses { get; init; } = [];

    /// <summary>TAP devices of the configuration that somebody has open.</summary>
    internal IReadOnlySet<string> BusyTaps { get; init; } = new HashSet<string>();

    /// <summary>The route to every VTEP that the configuration names; null: none.</summary>
    internal IReadOnlyDictionary<InetAddress, RouteInfo?> Routes { get; init; } = new Dictionary<InetAddress, RouteInfo?>();

    /// <summary>Why the underlay's port, or that of a group, can't be bound; those that can be aren't here.</summary>
    internal IReadOnlyDictionary<InetAddress, PortTrouble> PortTroubles { get; init; } = new Dictionary<InetAddress, PortTrouble>();

    internal SocketAbilities Sockets { get; init; }

    /// <summary>The hard limit of open files.</summary>
    internal ulong OpenFiles { get; init; }

    internal ClockFacts Clock { get; init; } = new(null, null);

    /// <summary>Null: connections aren't tracked here.</summary>
    internal ConntrackFacts? Conntrack { get; init; }

    internal Version Kernel { get; init; } = new();

    /// <summary>Bytes of the largest outer packet the route to a VTEP carries; 0: no route.</summary>
    public int PathMtu(in InetAddress remote)
    {
        if (Routes.GetValueOrDefault(remote) is not { } route || Link(route.InterfaceIndex) is not { } link)
            return 0;
        return route.MtuMetric > 0 ? Math.Min(route.MtuMetric, link.Mtu) : link.Mtu;
    }

    internal LinkInfo? Link(string name) => _byName.GetValueOrDefault(name);

    internal LinkInfo? Link(int index) => _byIndex.GetValueOrDefault(index);

    /// <summary>The port's device is held by the vtep that runs this configuration.</summary>
    internal bool IsOurs(string tap) => Running?.Ports.Contains(tap) == true;
}
