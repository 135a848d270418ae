// The socket of one multicast group: bound to (group, port), joined on one or more interfaces, served by one lane. One socket a
// group, and no second one beside it: among sockets that share a port by SO_REUSEPORT the kernel may deliver a group's datagram to
// any, joined on that interface or not (early demultiplexing picks by hash; seen on 6.18).
//
// A membership hangs on an interface's index, so it is lost when the interface is deleted and made anew: then the group is joined
// with the new index. After a link flap and after a change of the interface's addresses it is left and joined, so that a fresh
// report (IGMP, MLD) goes out and switches that forgot us forward again.
//
// Control loop only.

using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Linux.Workers;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Udp;

/// <summary>What of an interface a membership depends on.</summary>
/// <param name="Index">Its index; 0 when there is no such interface.</param>
/// <param name="IsRunning">It passes frames.</param>
/// <param name="Addresses">Its addresses of the group's family, as text to compare.</param>
internal readonly record struct JoinedInterface(int Index, bool IsRunning, string Addresses)
{
    /// <summary>Reads it from the host.</summary>
    public static JoinedInterface Read(string name, byte version, RtNetlink netlink, IReadOnlyList<AddressInfo> addresses)
    {
        if (netlink.GetLink(name) is not { } link)
            return default;
        IEnumerable<InetAddress> own = addresses.Where(a => a.Index == link.Index && a.Address.Version == version && a.IsUsable)
            .Select(a => a.Address).Order();
        return new JoinedInterface(link.Index, link.IsRunning, string.Join(' ', own));
    }
}

/// <summary>A group and the interfaces it is joined on.</summary>
internal sealed class GroupSocket
{
    private readonly InetAddress _group;
    private readonly Worker _worker;
    private readonly WorkerSet _workers;
    private readonly UnderlaySource _source;
    private readonly Dictionary<string, JoinedInterface> _joined = [];
    private readonly int _fd;

    private GroupSocket(InetAddress group, int fd, UdpQueue lane, Worker worker, WorkerSet workers)
    {
        _group = group;
        _fd = fd;
        _worker = worker;
        _workers = workers;
        Queue = new GroupQueue(lane);
        Queue.Use(fd);
        _source = new UnderlaySource(fd, Queue);
        worker.Add(_source);
    }

    /// <summary>The queue that receives the group's datagrams.</summary>
    public GroupQueue Queue { get; }

    /// <summary>Interfaces it is joined on, or waits for.</summary>
    public int Count => _joined.Count;

    /// <summary>Opens a socket that isn't joined anywhere yet. Null, and a negated errno, when it can't be.</summary>
    public static GroupSocket? Open(
        InetAddress group, UnderlayConfig config, UdpQueue lane, Worker worker, WorkerSet workers, out int error)
    {
        error = UdpSocket.OpenGroup(group, config.Port, config.AcceptZeroChecksumIPv6);
        return error < 0 ? null : new GroupSocket(group, error, lane, worker, workers);
    }

    /// <summary>Joins on an interface. 0 or a negated errno.</summary>
    public int Join(string name, JoinedInterface now)
    {
        int error = UdpSocket.SetMembership(_fd, _group, now.Index, join: true);
        if (error == 0)
            _joined[name] = now;
        return error;
    }

    /// <summary>Leaves on an interface.</summary>
    public void Leave(string name)
    {
        if (_joined.Remove(name, out JoinedInterface joined) && joined.Index != 0)
            Drop(joined);
    }

    /// <summary>Follows changes of the interfaces. What can't be joined now is added to <paramref name="problems"/>.</summary>
    public void Follow(RtNetlink netlink, IReadOnlyList<AddressInfo> addresses, List<string> problems)
    {
        foreach (string name in _joined.Keys.ToArray())
        {
            JoinedInterface now = JoinedInterface.Read(name, _group.Version, netlink, addresses);
            if (Follow(name, _joined[name], now) is var error and < 0)
                problems.Add(Describe(name, error));
        }
    }

    /// <summary>Leaves everywhere and closes the socket.</summary>
    public void Close()
    {
        _worker.Remove(_source);
        Queue.Use(-1);
        _workers.Quiesce();
        UdpSocket.Close(_fd); // leaves the group
    }

    /// <summary>Why a join failed, in a sentence.</summary>
    public string Describe(string name, int error) => $"Group {_group} can't be joined on interface '{name}': {Errno.Describe(error)}.";

    private int Follow(string name, JoinedInterface before, JoinedInterface now)
    {
        bool isAnother = now.Index != before.Index;
        bool needsReport = now.IsRunning && (!before.IsRunning || now.Addresses != before.Addresses);
        _joined[name] = now;
        if (!isAnother && !needsReport)
            return 0;
        if (before.Index != 0)
            Drop(before);
        int error = now.Index == 0 ? 0 : UdpSocket.SetMembership(_fd, _group, now.Index, join: true);
        if (error < 0)
            _joined[name] = default; // tried again at the next change
        return error;
    }

    // An error says that we are no member any more, which is what is wanted.
    private void Drop(JoinedInterface joined) => _ = UdpSocket.SetMembership(_fd, _group, joined.Index, join: false);
}
