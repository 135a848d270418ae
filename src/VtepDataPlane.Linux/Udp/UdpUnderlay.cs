// The underlay over UDP sockets: opens them, joins groups, knows paths, and follows what happens to the host's addresses.
//
// Source ports: chosen at random from 49152..65535 at start, those others have are passed over, kept for the VTEP's life where
// possible. A frame's source port from the flow hash picks one of them.
//
// A change of the local address (underlay.interface only): a new set of sockets is opened, the queues are told, and the old set is
// closed when no worker uses it. A local address that goes and comes back needs nothing: the sockets stay bound.
//
// Path to a VTEP: the route's MTU metric or else its interface's MTU, as the forwarding table has it; lowered by what routers
// truly reported (PathMtus). The kernel's own path MTU cache isn't asked: anybody may have written into it.
//
// Control loop only, except the queues, which belong to their lanes.

using Tmds.Linux;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Linux.Workers;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Udp;

/// <summary>The underlay over UDP sockets.</summary>
internal sealed class UdpUnderlay : IUnderlay
{
    private const int FirstSourcePort = 49_152;
    private const int PortAttempts = 4096;

    private readonly UnderlayConfig _config;
    private readonly RtNetlink _netlink;
    private readonly WorkerSet _workers;
    private readonly UdpQueue[] _queues;
    private readonly LaneSockets?[] _sockets;
    private readonly Dictionary<InetAddress, GroupSocket> _groups = [];
    private LocalAddress _local;

    private UdpUnderlay(UnderlayConfig config, RtNetlink netlink, WorkerSet workers, Action pathMtuFell)
    {
        _config = config;
        _netlink = netlink;
        _workers = workers;
        PathMtus = new PathMtus(Entropy.Key(), workers.Count, pathMtuFell);
        _queues = [.. Enumerable.Range(0, workers.Count).Select(lane => new UdpQueue(lane, PathMtus))];
        _sockets = new LaneSockets?[workers.Count];
    }

    /// <inheritdoc/>
    public InetAddress Local => _local.Address;

    /// <inheritdoc/>
    public bool IsLocalAddressPresent => _local.IsPresent;

    /// <summary>What routers reported, and how often they were believed.</summary>
    public PathMtus PathMtus { get; }

    /// <summary>The UDP source ports in use.</summary>
    public IReadOnlyList<ushort> SourcePorts => _sockets[0] is { } sockets ? sockets.Ports.ToArray() : [];

    /// <summary>Opens sockets for each worker's lane.</summary>
    /// <param name="config">Address and port.</param>
    /// <param name="netlink">The host's links, addresses and routes.</param>
    /// <param name="workers">Poll the sockets.</param>
    /// <param name="pathMtuFell">Called on any thread: paths should be read anew.</param>
    /// <exception cref="VtepException">They can't be opened; nothing is left open.</exception>
    public static UdpUnderlay Open(UnderlayConfig config, RtNetlink netlink, WorkerSet workers, Action pathMtuFell)
    {
        LocalAddress local = LocalAddress.Require(config, netlink);
        var underlay = new UdpUnderlay(config, netlink, workers, pathMtuFell);
        underlay.Bind(local);
        return underlay;
    }

    /// <inheritdoc/>
    IFrameQueue IUnderlay.Queue(int lane) => _queues[lane];

    /// <inheritdoc/>
    public ushort SourcePortOf(ushort wanted) => _sockets[0] is { } sockets ? sockets.Ports[wanted % UdpQueue.SourcePorts] : wanted;

    /// <summary>The queue of a lane.</summary>
    public UdpQueue Queue(int lane) => _queues[lane];

    /// <inheritdoc/>
    public UnderlayPath PathTo(in InetAddress remote)
    {
        UnderlayPath path = RouteTo(remote, _netlink);
        return PathMtus.Find(remote) is { } reported && reported < path.Mtu ? path with { Mtu = reported } : path;
    }

    /// <summary>The way the routes alone give, without what routers on it have reported.</summary>
    public static UnderlayPath RouteTo(in InetAddress remote, RtNetlink netlink)
    {
        if (netlink.GetRoute(remote) is not { } route || netlink.GetLink(route.InterfaceIndex) is not { } link)
            return new UnderlayPath(PathStatus.NoRoute, 0, 0);
        int mtu = route.MtuMetric > 0 ? Math.Min(route.MtuMetric, link.Mtu) : link.Mtu;
        return new UnderlayPath(PathStatus.Reachable, Math.Min(mtu, ushort.MaxValue), link.Index);
    }

    /// <inheritdoc/>
    public UnderlayPath PathThrough(string interfaceName) => _netlink.GetLink(interfaceName) is { IsUp: true } link
        ? new UnderlayPath(PathStatus.Reachable, Math.Min(link.Mtu, ushort.MaxValue), link.Index)
        : new UnderlayPath(PathStatus.NoRoute, 0, 0);

    /// <inheritdoc/>
    public void Join(in MulticastGroup group)
    {
        JoinedInterface now = JoinedInterface.Read(group.Interface, group.Group.Version, _netlink, _netlink.GetAddresses());
        if (now.Index == 0)
            throw new VtepException($"Group {group.Group} can't be joined: {UnderlayTrouble.NoGroupInterface(group.Interface).Sentences}");

        GroupSocket socket = SocketOf(group.Group);
        int error = socket.Join(group.Interface, now);
        if (error == 0 || error == -LibC.EADDRINUSE) // EADDRINUSE: joined already
            return;
        CloseIfUnused(group.Group, socket);
        throw new VtepException(
            $"{socket.Describe(group.Interface, error)} "
            + "The interface must do multicast, and net.ipv4.igmp_max_memberships be large enough.");
    }

    /// <inheritdoc/>
    public void Leave(in MulticastGroup group)
    {
        if (!_groups.TryGetValue(group.Group, out GroupSocket? socket))
            return;
        socket.Leave(group.Interface);
        CloseIfUnused(group.Group, socket);
    }

    /// <summary>The queue of a joined group; null when it isn't joined.</summary>
    public GroupQueue? GroupQueueOf(in InetAddress group) => _groups.TryGetValue(group, out GroupSocket? socket) ? socket.Queue : null;

    /// <summary>Follows a change of the host's links and addresses.</summary>
    /// <returns>What couldn't be done about it, a sentence each.</returns>
    public IReadOnlyList<string> Follow()
    {
        var problems = new List<string>();
        LocalAddress now = LocalAddress.Read(_config, _netlink);
        if (now.Address.IsNone)
            now = new LocalAddress(Local, IsPresent: false);
        if (now.Address != Local)
            Rebind(now, problems);
        else
            SetLocal(now);
        IReadOnlyList<AddressInfo> addresses = _groups.Count == 0 ? [] : _netlink.GetAddresses();
        foreach (GroupSocket socket in _groups.Values)
            socket.Follow(_netlink, addresses, problems);
        return problems;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (GroupSocket socket in _groups.Values)
            socket.Close();
        _groups.Clear();
        LaneSockets?[] old = [.. _sockets];
        for (int lane = 0; lane < _queues.Length; lane++)
            _queues[lane].Use(null);
        Array.Clear(_sockets);
        Retire(old);
    }

    private GroupSocket SocketOf(InetAddress group)
    {
        if (_groups.TryGetValue(group, out GroupSocket? socket))
            return socket;
        int lane = (int)((uint)group.GetHashCode() % (uint)_workers.Count);
        socket = GroupSocket.Open(group, _config, _queues[lane], _workers[lane], _workers, out int error);
        if (socket is null)
        {
            string owner = error == -LibC.EADDRINUSE ? $" {PortOwner.Describe(group, _config.Port, _netlink)}." : "";
            throw new VtepException($"The socket of group {group} can't be opened: {Errno.Describe(error)}.{owner}");
        }

        _groups.Add(group, socket);
        return socket;
    }

    private void CloseIfUnused(InetAddress group, GroupSocket socket)
    {
        if (socket.Count > 0)
            return;
        _groups.Remove(group);
        socket.Close();
    }

    private void SetLocal(LocalAddress local)
    {
        _local = local;
        foreach (UdpQueue queue in _queues)
            queue.IsLocalAddressPresent = local.IsPresent;
    }

    // The new address may not be bindable (port taken there): then nothing is sent or received until the next change.
    private void Rebind(LocalAddress local, List<string> problems)
    {
        LaneSockets?[] old = [.. _sockets];
        try
        {
            Bind(local);
            Retire(old);
        }
        catch (VtepException e)
        {
            SetLocal(new LocalAddress(Local, IsPresent: false));
            problems.Add(e.Message);
        }
    }

    private void Bind(LocalAddress local)
    {
        LaneSockets[] sockets = OpenSockets(local.Address);
        for (int lane = 0; lane < sockets.Length; lane++)
        {
            _sockets[lane] = sockets[lane];
            _queues[lane].Use(sockets[lane]);
            sockets[lane].Serve(_workers[lane], _queues[lane]);
        }

        SetLocal(local);
    }

    private void Retire(LaneSockets?[] sockets)
    {
        foreach (LaneSockets? lane in sockets)
            lane?.Withdraw();
        _workers.Quiesce();
        foreach (LaneSockets? lane in sockets)
            lane?.Close();
    }

    private LaneSockets[] OpenSockets(InetAddress local)
    {
        var open = new List<int>();
        try
        {
            int[] receive = OpenReceive(local, open);
            (ushort[] ports, int[][] send) = OpenSend(local, open);
            return
            [
                .. Enumerable.Range(0, _workers.Count).Select(lane =>
                    LaneSockets.Adopt(_config, local, ports, receive[lane], [.. send.Select(port => port[lane])])),
            ];
        }
        catch (VtepException)
        {
            open.ForEach(UdpSocket.Close);
            throw;
        }
    }

    private int[] OpenReceive(InetAddress local, List<int> open)
    {
        var sockets = new int[_workers.Count];
        for (int lane = 0; lane < sockets.Length; lane++)
        {
            sockets[lane] = UdpSocket.OpenReceive(local, _config.Port, isFirst: lane == 0, _config.AcceptZeroChecksumIPv6);
            if (sockets[lane] < 0)
                throw CannotOpen(local, sockets[lane]);
            open.Add(sockets[lane]);
        }

        return sockets;
    }

    /// <summary>The source ports, and for each the sockets of all lanes.</summary>
    private (ushort[] Ports, int[][] Sockets) OpenSend(InetAddress local, List<int> open)
    {
        var ports = new List<ushort>(SourcePorts); // the ones we have, so that a flow keeps its port over a rebind
        var sockets = new List<int[]>();
        var taken = new List<ushort>();
        for (int attempt = 0; sockets.Count < UdpQueue.SourcePorts && attempt < PortAttempts; attempt++)
        {
            ushort port = attempt < ports.Count ? ports[attempt] : AnySourcePort();
            if (taken.Contains(port) || port == _config.Port || OpenSourcePort(local, port, open) is not { } lanes)
                continue;
            taken.Add(port);
            sockets.Add(lanes);
        }

        return sockets.Count == UdpQueue.SourcePorts
            ? ([.. taken], [.. sockets])
            : throw new VtepException(
                $"The underlay can't be opened: no {UdpQueue.SourcePorts} free UDP ports from {FirstSourcePort} on {local}.");
    }

    private static ushort AnySourcePort() => (ushort)Entropy.Between(FirstSourcePort, ushort.MaxValue + 1);

    private int[]? OpenSourcePort(InetAddress local, ushort port, List<int> open)
    {
        var sockets = new int[_workers.Count];
        for (int lane = 0; lane < sockets.Length; lane++)
        {
            sockets[lane] = UdpSocket.OpenSend(local, port, isFirst: lane == 0, dontFragment: true, _config.UdpChecksum);
            if (sockets[lane] == -LibC.EADDRINUSE && lane == 0)
                return null;
            if (sockets[lane] < 0)
                throw CannotOpen(local, sockets[lane]);
            open.Add(sockets[lane]);
        }

        return sockets;
    }

    private VtepException CannotOpen(InetAddress local, int error)
    {
        if (error != -LibC.EADDRINUSE)
            return new VtepException($"The underlay can't be opened on {new VtepEndpoint(local, _config.Port)}: {Errno.Describe(error)}.");
        var taken = new Trouble(PortOwner.Describe(local, _config.Port, _netlink), UnderlayTrouble.PortRemedy);
        return new VtepException($"The underlay can't be opened on {new VtepEndpoint(local, _config.Port)}: {Errno.Describe(error)}. {taken.Sentences}");
    }
}
