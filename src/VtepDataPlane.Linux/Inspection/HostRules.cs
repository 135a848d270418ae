// What a host must be for a configuration: each rule looks at one thing and gives what is wrong with it; a thing with nothing wrong
// gives one line that says what is right. What would make the daemon's start fail now is an error, what only hurts is a warning.
//
// Pure functions of the configuration and the facts. What the vtep that already runs this configuration holds isn't held by a stranger,
// and its rights aren't ours: of its ports and its socket only what it can't have settled is judged.

using VtepDataPlane.Linux.Tap;
using VtepDataPlane.Linux.Udp;

namespace VtepDataPlane.Linux.Inspection;

/// <summary>The rules.</summary>
internal static partial class HostRules
{
    private static readonly Rule[] s_rules =
    [
        new("rights", Rights, RightsAreEnough),
        new("module", Module, (_, _) => "/dev/net/tun can be opened; the kernel's vxlan module isn't needed"),
        new("local", Local, (_, facts) => $"{facts.Local.Address} is an address of this host"),
        new("port", Port, PortIsFree),
        new("vxlan", Vxlan, (config, _) => $"no vxlan device of the kernel has a VNI of ours on UDP port {config.Underlay.Port}"),
        new("tap", Tap, (config, _) => $"{Count(config.BridgeDomains.Sum(domain => domain.Ports.Count), "TAP device")}: none is taken"),
        new("bridge", Bridge, (_, _) => "every bridge that ports name is there"),
        new("route", Route, (_, facts) => $"{Count(facts.Routes.Count, "VTEP")} named, a route to each"),
        new("group", Group, (_, _) => "every group's interface is up and does multicast"),
        new("mtu", Mtu, (_, _) => "every port's packets fit into the path to each of its VTEPs"),
        new("buffers", Buffers, BuffersAreLarge),
        new("offloads", Offloads, (_, facts) => $"Linux {facts.Kernel.ToString(2)} has UDP_SEGMENT, UDP_GRO and TAP devices with TSO and USO"),
        new("files", Files, (_, facts) => $"{facts.OpenFiles} files may be open"),
        new("clock", Clock, ClockIsRight),
        new("conntrack", Conntrack, ConntrackHasRoom),
    ];

    /// <summary>All findings, in the order of the rules.</summary>
    public static IReadOnlyList<HostFinding> Judge(VtepConfig config, HostFacts facts)
    {
        var all = new List<HostFinding>();
        foreach (Rule rule in s_rules)
        {
            List<HostFinding> wrong = [.. rule.Wrong(config, facts)];
            all.AddRange(wrong.Count > 0 ? wrong : [HostFinding.Ok(rule.Id, rule.Right(config, facts))]);
        }

        return all;
    }

    private static IEnumerable<HostFinding> Module(VtepConfig config, HostFacts facts)
    {
        if (facts.TunError < 0)
        {
            string? first = ConfigPlaces.Ports(config).Select(port => port.Path + ".tap").FirstOrDefault();
            yield return HostFinding.Error("module", null, first, TapTrouble.ControlFile(-facts.TunError));
        }
    }

    private static IEnumerable<HostFinding> Buffers(VtepConfig config, HostFacts facts)
    {
        if (facts.Sockets.ReceiveBuffer < UdpSocket.ReceiveBuffer)
            yield return BufferTooSmall("receive", facts.Sockets.ReceiveBuffer, UdpSocket.ReceiveBuffer, "net.core.rmem_max");
        if (facts.Sockets.SendBuffer < UdpSocket.SendBuffer)
            yield return BufferTooSmall("send", facts.Sockets.SendBuffer, UdpSocket.SendBuffer, "net.core.wmem_max");
    }

    private static HostFinding BufferTooSmall(string what, int granted, int wanted, string setting) => HostFinding.Warning("buffers", null, null, new(
        $"sockets get a {what} buffer of {granted} bytes where {wanted} are asked for: bursts are lost",
        $"'sysctl -w {setting}={wanted}', or run with CAP_NET_ADMIN"));

    private static string BuffersAreLarge(VtepConfig config, HostFacts facts) =>
        $"sockets get {facts.Sockets.ReceiveBuffer >> 20} MiB to receive and {facts.Sockets.SendBuffer >> 20} MiB to send";

    private static IEnumerable<HostFinding> Offloads(VtepConfig config, HostFacts facts)
    {
        const string Remedy = "use a newer kernel, 6.2 or later";
        if (!facts.Sockets.SendsTrains)
            yield return HostFinding.Warning("offloads", null, null, new("the kernel has no UDP_SEGMENT (Linux 4.18): datagrams are sent one by one", Remedy));
        if (!facts.Sockets.ReceivesTrains)
            yield return HostFinding.Warning("offloads", null, null, new("the kernel has no UDP_GRO (Linux 5.0): datagrams are received one by one", Remedy));
        if (facts.Kernel < new Version(6, 2))
            yield return HostFinding.Warning("offloads", null, null, new("TAP devices have no USO (Linux 6.2): UDP of local programs comes frame by frame", Remedy));
    }

    private static IEnumerable<HostFinding> Files(VtepConfig config, HostFacts facts)
    {
        const ulong SocketsPerLane = 33;
        const ulong Runtime = 128;
        if (facts.Rights.MayRaiseLimits || facts.Running is not null)
            yield break;
        int ports = config.BridgeDomains.Sum(domain => domain.Ports.Count);
        int lanes = Vtep.LaneCount(config);
        ulong needed = FileLimit.Needed(ports, lanes);
        ulong least = (ulong)ports + SocketsPerLane * (ulong)lanes + Runtime;
        var trouble = new Trouble(
            $"{facts.OpenFiles} files may be open, and {Count(ports, "port")} with {Count(lanes, "worker")} should have {needed}",
            "raise LimitNOFILE= in the unit ('ulimit -Hn')");
        if (facts.OpenFiles < least)
            yield return HostFinding.Error("files", null, "$.bridgeDomains", trouble);
        else if (facts.OpenFiles < needed)
            yield return HostFinding.Warning("files", null, "$.bridgeDomains", trouble);
    }

    private static IEnumerable<HostFinding> Clock(VtepConfig config, HostFacts facts)
    {
        if (facts.Clock.IsSynchronized == false)
        {
            yield return HostFinding.Warning("clock", null, null, new(
                "the clock isn't synchronized: certificates may seem invalid, and logs of several hosts don't fit together", "'timedatectl set-ntp true'"));
        }

        if (facts.Clock.Source is "hpet" or "acpi_pm" or "jiffies")
        {
            yield return HostFinding.Warning("clock", null, null, new(
                $"the kernel reads time from {facts.Clock.Source}, which is slow", "find out why it distrusts the tsc ('dmesg | grep -i tsc')"));
        }
    }

    private static string ClockIsRight(VtepConfig config, HostFacts facts) =>
        (facts.Clock.IsSynchronized is null ? "whether the clock is synchronized can't be asked" : "the clock is synchronized")
        + (facts.Clock.Source is { } source ? $", and read from {source}" : "");

    private static IEnumerable<HostFinding> Conntrack(VtepConfig config, HostFacts facts)
    {
        const int Nearly = 90;
        if (facts.Conntrack is { } table && table.Max > 0 && 100 * table.Count / table.Max >= Nearly)
        {
            yield return HostFinding.Warning("conntrack", null, null, new(
                $"netfilter tracks {table.Count} of at most {table.Max} connections: when the table is full, datagrams are dropped",
                "'sysctl -w net.netfilter.nf_conntrack_max=...', or don't track VXLAN ('udp dport 4789 notrack')"));
        }
    }

    private static string ConntrackHasRoom(VtepConfig config, HostFacts facts) =>
        facts.Conntrack is { } table ? $"netfilter tracks {table.Count} of at most {table.Max} connections" : "netfilter tracks no connections here";

    private static string Count(int number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";

    /// <summary>A rule.</summary>
    /// <param name="Id">What it looks at.</param>
    /// <param name="Wrong">What is wrong; none: nothing.</param>
    /// <param name="Right">What to say when nothing is.</param>
    private sealed record Rule(string Id, Func<VtepConfig, HostFacts, IEnumerable<HostFinding>> Wrong, Func<VtepConfig, HostFacts, string> Right);
}
