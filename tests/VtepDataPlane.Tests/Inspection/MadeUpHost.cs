// A host that is right in everything, made of facts alone: eth0 with 198.18.0.1, a TAP device for its one domain, room and rights enough.
// Tests spoil one thing each.

using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Inspection;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Linux.Udp;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Inspection;

/// <summary>A configuration and a host for it.</summary>
internal static class MadeUpHost
{
    public const uint User = 990;

    public static readonly InetAddress Local = InetAddress.Parse("198.18.0.1");
    public static readonly InetAddress Peer = InetAddress.Parse("198.18.0.2");
    public static readonly MacAddress Mac = new(0x02005E100001);

    public static LinkInfo Eth0 => new(2, "eth0", 1500, true, true, Mac, 0, null, 0, 1000) { IsMulticast = true };

    public static LinkInfo Tap => new(3, "tap-blue", 1450, true, false, Mac, 0, "tun", 0, 1000) { Tun = new TunInfo(true, User, null) };

    public static BridgeDomainConfig Blue(params IEnumerable<string> peers) => new()
    {
        Name = "blue",
        Vni = new Vni(100),
        Ports = [new PortConfig { Tap = "tap-blue" }],
        Discovery = new StaticDiscovery { Peers = [.. peers.DefaultIfEmpty($"{Peer}").Select(peer => new VtepEndpoint(InetAddress.Parse(peer), 4789))] },
    };

    public static BridgeDomainConfig WithGroup(string device) => Blue() with
    {
        Discovery = new MulticastDiscovery { Group = new MulticastGroup(InetAddress.Parse("239.1.1.200"), device) },
    };

    public static VtepConfig Config(params IEnumerable<BridgeDomainConfig> domains) => new()
    {
        Workers = 2,
        Underlay = new UnderlayConfig { Local = Local },
        BridgeDomains = [.. domains.DefaultIfEmpty(Blue())],
    };

    /// <summary>A domain whose port is set up in another way.</summary>
    public static VtepConfig WithPort(Func<PortConfig, PortConfig> change) => Config(Blue() with { Ports = [change(Blue().Ports[0])] });

    public static HostFacts Facts() => new()
    {
        Rights = new HostRights(false, false, User, new HashSet<uint> { User }),
        Local = new LocalAddress(Local, IsPresent: true),
        Links = [Eth0, Tap],
        Addresses = [new AddressInfo(2, Local, 24, 0, AddressFlags.None)],
        Routes = new Dictionary<InetAddress, RouteInfo?> { [Peer] = Route(2) },
        Sockets = new SocketAbilities(UdpSocket.ReceiveBuffer, UdpSocket.SendBuffer, true, true),
        OpenFiles = 524_288,
        Clock = new ClockFacts(true, "tsc"),
        Kernel = new Version(6, 18),
    };

    public static RouteInfo Route(int index, int mtu = 0, bool isLocal = false) => new([new NextHop(index, default)], mtu, isLocal);

    /// <summary>What is wrong, a line each: severity, id, path and sentence.</summary>
    public static IReadOnlyList<string> Wrong(VtepConfig config, HostFacts facts) =>
    [
        .. HostInspection.Judge(config, facts).Where(finding => finding.Severity != FindingSeverity.Ok)
            .Select(finding => $"{finding.Severity} {finding.Id} {finding.Path ?? "-"}: {finding}"),
    ];
}
