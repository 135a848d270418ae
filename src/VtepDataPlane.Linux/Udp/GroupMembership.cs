// One joined group on one interface: a socket bound to (group, port), joined, served by one lane. A membership hangs on an
// interface's index, so it is gone when the interface is deleted and made anew: then the socket is replaced. After a link flap and
// after a change of the interface's addresses the group is left and joined on the same socket, so that a fresh report (IGMP, MLD)
// goes out and switches that forgot us forward again.
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
    public static JoinedInterface Read(MulticastGroup group, RtNetlink netlink, IReadOnlyList<AddressInfo> addresses)
    {
        if (netlink.GetLink(group.Interface) is not { } link)
            return default;
        byte version = group.Group.Version;
        IEnumerable<InetAddress> own = addresses.Where(a => a.Index == link.Index && a.Address.Version == version && a.IsUsable)
            .Select(a => a.Address).Order();
        return new JoinedInterface(link.Index, link.IsRunning, string.Join(' ', own));
    }
}

/// <summary>A group joined on an interface.</summary>
internal sealed class GroupMembership
{
    private const int None = -1;

    private readonly MulticastGroup _group;
    private readonly UnderlayConfig _config;
    private readonly Worker _worker;
    private readonly WorkerSet _workers;
    private readonly GroupQueue _queue;
    private JoinedInterface _joined;
    private UnderlaySource? _source;
    private int _fd = None;

    /// <summary>A membership that isn't joined yet.</summary>
    public GroupMembership(MulticastGroup group, UnderlayConfig config, UdpQueue lane, Worker worker, WorkerSet workers)
    {
        _group = group;
        _config = config;
        _worker = worker;
        _workers = workers;
        _queue = new GroupQueue(lane);
    }

    /// <summary>The queue that receives the group's datagrams.</summary>
    public GroupQueue Queue => _queue;

    /// <summary>Joined on an interface that is there.</summary>
    public bool IsJoined => _fd != None;

    /// <summary>Joins on the interface as it is now.</summary>
    /// <param name="now">The interface.</param>
    /// <param name="isFirst">No other socket of ours is bound to the group's address.</param>
    /// <returns>0 or a negated errno.</returns>
    public int Join(JoinedInterface now, bool isFirst)
    {
        int fd = UdpSocket.OpenGroup(_group.Group, _config.Port, isFirst, _config.AcceptZeroChecksumIPv6);
        if (fd < 0)
            return fd;
        int error = UdpSocket.SetMembership(fd, _group.Group, now.Index, join: true);
        if (error < 0)
        {
            UdpSocket.Close(fd);
            return error;
        }

        _fd = fd;
        _joined = now;
        _queue.Use(fd);
        _source = new UnderlaySource(fd, _queue);
        _worker.Add(_source);
        return 0;
    }

    /// <summary>Follows a change of the interface. A reason, when the group can't be joined on it now.</summary>
    /// <param name="now">The interface as it is now.</param>
    /// <param name="isFirst">No other socket of ours is bound to the group's address.</param>
    public string? Follow(JoinedInterface now, bool isFirst)
    {
        if (now == _joined && IsJoined)
            return null;
        if (IsJoined && now.Index == _joined.Index)
            return Refresh(now);
        Close();
        int error = now.Index == 0 ? 0 : Join(now, isFirst);
        return error < 0 ? Describe(error) : null;
    }

    /// <summary>Leaves the group and closes its socket; idempotent.</summary>
    public void Close()
    {
        if (!IsJoined)
            return;
        _worker.Remove(_source!);
        _queue.Use(None);
        _workers.Quiesce();
        UdpSocket.Close(_fd); // leaves the group
        _fd = None;
        _joined = default;
    }

    /// <summary>Why a join failed, in a sentence.</summary>
    public string Describe(int error) =>
        $"Group {_group.Group} can't be joined on interface '{_group.Interface}': {Errno.Describe(error)}.";

    private string? Refresh(JoinedInterface now)
    {
        bool needsReport = now.IsRunning && (!_joined.IsRunning || now.Addresses != _joined.Addresses);
        _joined = now;
        if (!needsReport)
            return null;
        _ = UdpSocket.SetMembership(_fd, _group.Group, now.Index, join: false); // not a member any more: then the join is enough
        int error = UdpSocket.SetMembership(_fd, _group.Group, now.Index, join: true);
        return error < 0 ? Describe(error) : null;
    }
}
