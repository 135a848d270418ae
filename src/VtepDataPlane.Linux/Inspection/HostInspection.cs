// The inspection of a host for a configuration. Gather looks at the machine and changes nothing: it asks rtnetlink(7), opens and closes
// /dev/net/tun and sockets like ours, and reads a few files of /proc and /sys. Judge is a pure function of what was seen.
//
// What is asked of the kernel concerns the calling thread's network namespace and its rights. Any thread.

using System.Globalization;
using Tmds.Linux;
using VtepDataPlane.Discovery;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Linux.Tap;
using VtepDataPlane.Linux.Udp;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Inspection;

/// <summary>Looks at this host.</summary>
internal static class HostInspection
{
    private const int CAP_NET_ADMIN = 12;
    private const int CAP_SYS_RESOURCE = 24;

    /// <summary>Sees what there is.</summary>
    /// <param name="config">What it is seen for.</param>
    /// <param name="remotes">VTEPs the configuration doesn't name, whose routes are wanted as well.</param>
    /// <exception cref="VtepException">The kernel doesn't tell its links, addresses or routes.</exception>
    public static HostFacts Gather(VtepConfig config, params IEnumerable<InetAddress> remotes)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(remotes);
        using var netlink = new RtNetlink();
        LocalAddress local = LocalOf(config.Underlay, netlink);
        return new HostFacts
        {
            Rights = ReadRights(),
            TunError = TapDevice.ProbeControlFile(),
            Local = local,
            Links = netlink.GetLinks(),
            Addresses = netlink.GetAddresses(),
            BusyTaps = config.BridgeDomains.SelectMany(domain => domain.Ports).Select(port => port.Tap).Where(TapDevice.HasCarrier).ToHashSet(),
            Routes = config.BridgeDomains.SelectMany(ConfigPlaces.Remotes).Select(remote => remote.Vtep.Address).Concat(remotes).Distinct()
                .ToDictionary(remote => remote, remote => netlink.GetRoute(remote)),
            PortTroubles = local.IsPresent ? PortTroubles(config, local.Address, netlink) : new Dictionary<InetAddress, PortTrouble>(),
            Sockets = UdpSocket.Probe(local.Address.IsNone ? InetAddress.FromIPv4(1) : local.Address),
            OpenFiles = FileLimit.Hard(),
            Clock = ReadClock(),
            Conntrack = ReadConntrack(),
            Kernel = Environment.OSVersion.Version,
        };
    }

    /// <summary>The file is for another machine: this one has neither its address nor its interface. What says so, a clause; null: it may well be for this one.</summary>
    public static string? AnotherMachine(VtepConfig config, HostFacts facts)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(facts);
        bool isForeign = config.Underlay.Local is { } local ? facts.Addresses.All(address => address.Address != local)
            : config.Underlay.Interface is { } name && facts.Local.Address.IsNone && facts.Link(name) is null;
        object? what = config.Underlay.Local is { } address ? address : $"the interface '{config.Underlay.Interface}'";
        return isForeign ? $"{what} is not on this host, so what depends on the machine wasn't checked" : null;
    }

    /// <summary>Says of all that was seen whether it is right.</summary>
    public static IReadOnlyList<HostFinding> Judge(VtepConfig config, HostFacts facts)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(facts);
        return HostRules.Judge(config, facts);
    }

    /// <summary>This process may make files in a directory.</summary>
    public static bool MayWriteInto(string directory) => Libc.faccessat(directory, Libc.W_OK | Libc.X_OK) == 0;

    /// <summary>Reads rights from the text of /proc/PID/status.</summary>
    internal static HostRights ParseRights(string status)
    {
        Dictionary<string, string[]> fields = status.Split('\n').Select(line => line.Split(':', 2)).Where(field => field.Length == 2)
            .ToDictionary(field => field[0], field => field[1].Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries));
        ulong capabilities = ulong.Parse(fields["CapEff"][0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        const int Effective = 1;
        IEnumerable<string> groups = fields.GetValueOrDefault("Groups", []).Append(fields["Gid"][Effective]);
        return new HostRights(
            (capabilities >> CAP_NET_ADMIN & 1) != 0, (capabilities >> CAP_SYS_RESOURCE & 1) != 0, Number(fields["Uid"][Effective]), groups.Select(Number).ToHashSet());
    }

    private static uint Number(string text) => uint.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static HostRights ReadRights() => ParseRights(File.ReadAllText("/proc/thread-self/status"));

    private static LocalAddress LocalOf(UnderlayConfig underlay, RtNetlink netlink) =>
        underlay.Local is null && underlay.Interface is null ? default : LocalAddress.Read(underlay, netlink);

    private static Dictionary<InetAddress, PortTrouble> PortTroubles(VtepConfig config, InetAddress local, RtNetlink netlink)
    {
        ushort port = config.Underlay.Port;
        IEnumerable<InetAddress> groups = config.BridgeDomains.Select(domain => domain.Discovery).OfType<MulticastDiscovery>().Select(discovery => discovery.Group.Group);
        var troubles = new Dictionary<InetAddress, PortTrouble>();
        foreach (InetAddress address in groups.Prepend(local).Distinct())
        {
            if (UdpSocket.ProbePort(address, port) is var error and < 0)
                troubles.Add(address, new PortTrouble(error, error == -LibC.EADDRINUSE ? PortOwner.Describe(address, port, netlink) : null));
        }

        return troubles;
    }

    private static ClockFacts ReadClock()
    {
        int state = Libc.adjtimex();
        return new ClockFacts(state < 0 ? null : state != Libc.TIME_ERROR, TryRead("/sys/devices/system/clocksource/clocksource0/current_clocksource"));
    }

    private static ConntrackFacts? ReadConntrack() =>
        long.TryParse(TryRead("/proc/sys/net/netfilter/nf_conntrack_count"), CultureInfo.InvariantCulture, out long count)
        && long.TryParse(TryRead("/proc/sys/net/netfilter/nf_conntrack_max"), CultureInfo.InvariantCulture, out long max)
            ? new ConntrackFacts(count, max) : null;

    // What isn't there, or is hidden from services, is unknown.
    private static string? TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
