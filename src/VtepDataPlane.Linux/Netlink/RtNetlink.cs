// Links, addresses and routes of the network namespace we live in, asked of and told to the kernel by rtnetlink(7).
//
// One socket, one request at a time: a request has a sequence number, is sent, and datagrams are received until the message
// that ends the answer: NLMSG_DONE after a dump, otherwise NLMSG_ERROR, since every request that isn't a dump asks for an
// acknowledgement (whose error 0 means success). Messages with another sequence number are late answers to a request that
// timed out, and are passed over. A dump during which the kernel's lists changed says so (NLM_F_DUMP_INTR) and is repeated.
// Strict checking makes the kernel refuse what it doesn't understand, rather than answer another question.
//
// Thread-safety: any thread; one transaction at a time, Explain tells about the calling thread's last one. Each call blocks for as
// long as the kernel takes, usually microseconds, so the frame path makes none.

using System.Runtime.InteropServices;
using System.Text;
using Tmds.Linux;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Netlink;

/// <summary>One socket for requests. Any thread. Opening it throws a <see cref="VtepException"/> when the system refuses.</summary>
internal sealed class RtNetlink : IDisposable
{
    // Every request below is at most 16 + 16 + 7 attributes of at most 24 bytes.
    private const int RequestSize = 256;

    // Links come and go in bursts; after this many interrupted dumps in a row somebody is in a loop.
    private const int DumpAttempts = 32;

    private readonly Lock _gate = new();
    private readonly ThreadLocal<string> _kernelMessage = new(() => "");
    private readonly NetlinkSocket _socket = NetlinkSocket.OpenForRequests();
    private readonly byte[] _answer = new byte[NetlinkSocket.DatagramSize];
    private uint _sequence;

    private delegate T? Parser<T>(in NetlinkMessage message)
        where T : class;

    /// <summary>The link by name (also an alternative name of at most 15 bytes); null when there is none.</summary>
    /// <exception cref="VtepException">The kernel doesn't answer, or refuses.</exception>
    public LinkInfo? GetLink(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        Span<byte> bytes = stackalloc byte[Rtnl.IFNAMSIZ];
        if (name.Length == 0 || !Encoding.UTF8.TryGetBytes(name, bytes[..(Rtnl.IFNAMSIZ - 1)], out int length))
            return null;
        var request = new NetlinkWriter(stackalloc byte[RequestSize], Rtnl.RTM_GETLINK, Rtnl.NLM_F_ACK);
        request.Append(Rtnl.IFINFOMSG_SIZE);
        request.Attribute(Rtnl.IFLA_EXT_MASK, Rtnl.RTEXT_FILTER_SKIP_STATS);
        bytes[..length].CopyTo(request.AppendAttribute(Rtnl.IFLA_IFNAME, length + 1));
        return FindLink(ref request, $"The interface '{name}'");
    }

    /// <summary>The link by index; null when there is none.</summary>
    /// <exception cref="VtepException">The kernel doesn't answer, or refuses.</exception>
    public LinkInfo? GetLink(int index)
    {
        if (index <= 0)
            return null;
        var request = new NetlinkWriter(stackalloc byte[RequestSize], Rtnl.RTM_GETLINK, Rtnl.NLM_F_ACK);
        MemoryMarshal.Write(request.Append(Rtnl.IFINFOMSG_SIZE)[4..], index);
        request.Attribute(Rtnl.IFLA_EXT_MASK, Rtnl.RTEXT_FILTER_SKIP_STATS);
        return FindLink(ref request, $"The interface with index {index}");
    }

    /// <summary>All links.</summary>
    /// <exception cref="VtepException">The kernel doesn't answer, or refuses.</exception>
    public IReadOnlyList<LinkInfo> GetLinks()
    {
        var request = new NetlinkWriter(stackalloc byte[RequestSize], Rtnl.RTM_GETLINK, Rtnl.NLM_F_DUMP);
        request.Append(Rtnl.IFINFOMSG_SIZE);
        request.Attribute(Rtnl.IFLA_EXT_MASK, Rtnl.RTEXT_FILTER_SKIP_STATS);
        return Dump<LinkInfo>(ref request, Rtnl.RTM_NEWLINK, LinkInfo.Parse, "The list of interfaces");
    }

    /// <summary>Changes a link. The kernel applies one property after the other: after an error, some may be changed.</summary>
    /// <returns>0 or a negated errno; <see cref="Explain"/> puts it into words.</returns>
    public int SetLink(int index, in LinkChange change)
    {
        var request = new NetlinkWriter(stackalloc byte[RequestSize], Rtnl.RTM_SETLINK, Rtnl.NLM_F_ACK);
        Span<byte> header = request.Append(Rtnl.IFINFOMSG_SIZE);
        MemoryMarshal.Write(header[4..], index);
        if (change.Up is { } up)
        {
            MemoryMarshal.Write(header[8..], up ? Rtnl.IFF_UP : 0);
            MemoryMarshal.Write(header[12..], Rtnl.IFF_UP); // the mask: change this flag and no other
        }

        change.WriteAttributes(ref request);
        return Transact<LinkInfo>(ref request, 0, null, []);
    }

    /// <summary>
    /// Gives a link the queueing discipline <c>noqueue</c>: frames go straight to the driver. Before the link is first set up, this
    /// also keeps the kernel from making a discipline for each of the 256 queues a multi-queue TAP may have.
    /// </summary>
    /// <returns>0 or a negated errno; <see cref="Explain"/> puts it into words.</returns>
    public int SetNoQueue(int index)
    {
        var request = new NetlinkWriter(
            stackalloc byte[RequestSize], Rtnl.RTM_NEWQDISC, Rtnl.NLM_F_ACK | Rtnl.NLM_F_CREATE | Rtnl.NLM_F_REPLACE);
        Span<byte> header = request.Append(Rtnl.TCMSG_SIZE);
        MemoryMarshal.Write(header[4..], index);
        MemoryMarshal.Write(header[12..], Rtnl.TC_H_ROOT);
        "noqueue\0"u8.CopyTo(request.AppendAttribute(Rtnl.TCA_KIND, "noqueue\0"u8.Length));
        return Transact<LinkInfo>(ref request, 0, null, []);
    }

    /// <summary>Deletes all links of a group at once, which costs the kernel about as much as deleting one.</summary>
    /// <returns>0 or a negated errno; <see cref="Explain"/> puts it into words.</returns>
    public int DeleteLinks(int group)
    {
        var request = new NetlinkWriter(stackalloc byte[RequestSize], Rtnl.RTM_DELLINK, Rtnl.NLM_F_ACK);
        request.Append(Rtnl.IFINFOMSG_SIZE);
        request.Attribute(Rtnl.IFLA_GROUP, (uint)group);
        return Transact<LinkInfo>(ref request, 0, null, []);
    }

    /// <summary>Deletes a link, whoever holds it.</summary>
    /// <returns>0 or a negated errno; <see cref="Explain"/> puts it into words.</returns>
    public int DeleteLink(int index)
    {
        var request = new NetlinkWriter(stackalloc byte[RequestSize], Rtnl.RTM_DELLINK, Rtnl.NLM_F_ACK);
        MemoryMarshal.Write(request.Append(Rtnl.IFINFOMSG_SIZE)[4..], index);
        return Transact<LinkInfo>(ref request, 0, null, []);
    }

    /// <summary>Adds an address. An IPv6 address can be bound at once: no duplicate address detection.</summary>
    /// <returns>0 or a negated errno, EEXIST when it is there; <see cref="Explain"/> puts it into words.</returns>
    public int AddAddress(int index, in InterfaceAddress address) =>
        ChangeAddress(Rtnl.RTM_NEWADDR, Rtnl.NLM_F_ACK | Rtnl.NLM_F_CREATE | Rtnl.NLM_F_EXCL, index, address);

    /// <summary>Removes an address.</summary>
    /// <returns>0 or a negated errno, EADDRNOTAVAIL when it isn't there; <see cref="Explain"/> puts it into words.</returns>
    public int RemoveAddress(int index, in InterfaceAddress address) => ChangeAddress(Rtnl.RTM_DELADDR, Rtnl.NLM_F_ACK, index, address);

    /// <summary>The IPv4 and IPv6 addresses of all links.</summary>
    /// <exception cref="VtepException">The kernel doesn't answer, or refuses.</exception>
    public IReadOnlyList<AddressInfo> GetAddresses()
    {
        var request = new NetlinkWriter(stackalloc byte[RequestSize], Rtnl.RTM_GETADDR, Rtnl.NLM_F_DUMP);
        request.Append(Rtnl.IFADDRMSG_SIZE);
        return Dump<AddressInfo>(ref request, Rtnl.RTM_NEWADDR, AddressInfo.Parse, "The list of addresses");
    }

    /// <summary>The forwarding table's route to a unicast address; null when there is none by which packets can be sent.</summary>
    /// <exception cref="VtepException">The kernel doesn't answer, or refuses.</exception>
    public RouteInfo? GetRoute(in InetAddress destination)
    {
        if (!destination.IsUnicast)
            return null;
        RouteInfo? route = FindRoute(destination, Rtnl.RTM_F_FIB_MATCH);

        // A route by a next hop object alone (sysctl nexthop_compat_mode=0) names no interface. The lookup's result does; of it,
        // only the way is believed, not the MTU.
        if (route is { InterfaceIndex: 0 } && FindRoute(destination, 0) is { } resolved)
            route = route with { NextHops = resolved.NextHops };
        return route is { InterfaceIndex: > 0 } ? NarrowestFirst(route) : null;
    }

    /// <summary>An error of the last call in words: the system's text and, where the kernel gave one, its own message.</summary>
    public string Explain(int error) =>
        _kernelMessage.Value!.Length == 0 ? Errno.Describe(error) : $"{Errno.Describe(error)}: {_kernelMessage.Value}";

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _kernelMessage.Dispose();
    }

    /// <summary>The errors of fib_lookup: no route; or one of type unreachable, prohibit (EACCES), blackhole (EINVAL), throw (EAGAIN).</summary>
    private static bool IsNoRoute(int error) =>
        error == -LibC.ENETUNREACH || error == -LibC.EHOSTUNREACH || error == -LibC.EACCES || error == -LibC.EINVAL
        || error == -LibC.EAGAIN || error == -LibC.ESRCH || error == -LibC.ENETDOWN;

    private int ChangeAddress(ushort type, ushort flags, int index, in InterfaceAddress change)
    {
        InetAddress address = change.Address;
        if (address.IsNone)
            return -LibC.EINVAL;
        var request = new NetlinkWriter(stackalloc byte[RequestSize], type, flags);
        Span<byte> header = request.Append(Rtnl.IFADDRMSG_SIZE);
        header[0] = NetlinkFamily.Of(address);
        header[1] = change.PrefixLength;
        header[2] = address.IsIPv6 ? Rtnl.IFA_F_NODAD : (byte)0;
        header[3] = address.IsLoopback ? Rtnl.RT_SCOPE_HOST : Rtnl.RT_SCOPE_UNIVERSE;
        MemoryMarshal.Write(header[4..], index);
        address.Write(request.AppendAttribute(Rtnl.IFA_LOCAL, address.Size));
        address.Write(request.AppendAttribute(Rtnl.IFA_ADDRESS, address.Size));
        return Transact<AddressInfo>(ref request, 0, null, []);
    }

    private LinkInfo? FindLink(ref NetlinkWriter request, string what)
    {
        var links = new List<LinkInfo>(1);
        int error = Transact(ref request, Rtnl.RTM_NEWLINK, LinkInfo.Parse, links);
        if (error != 0 && error != -LibC.ENODEV)
            throw Refused(what, error);
        return links.Count > 0 ? links[0] : null;
    }

    private RouteInfo? FindRoute(in InetAddress destination, uint flags)
    {
        var request = new NetlinkWriter(stackalloc byte[RequestSize], Rtnl.RTM_GETROUTE, Rtnl.NLM_F_ACK);
        Span<byte> header = request.Append(Rtnl.RTMSG_SIZE);
        header[0] = NetlinkFamily.Of(destination);
        header[1] = (byte)(destination.Size * 8);
        MemoryMarshal.Write(header[8..], flags);
        destination.Write(request.AppendAttribute(Rtnl.RTA_DST, destination.Size));
        var routes = new List<RouteInfo>(1);
        int error = Transact(ref request, Rtnl.RTM_NEWROUTE, RouteInfo.Parse, routes);
        if (error != 0 && !IsNoRoute(error))
            throw Refused($"The route to {destination}", error);
        return routes.Count > 0 ? routes[0] : null;
    }

    /// <summary>With several ways, the packet must fit through each: the narrowest link comes first.</summary>
    private RouteInfo NarrowestFirst(RouteInfo route)
    {
        if (route.NextHops.Count == 1)
            return route;
        return route with { NextHops = [.. route.NextHops.OrderBy(hop => GetLink(hop.InterfaceIndex)?.Mtu ?? int.MaxValue)] };
    }

    private List<T> Dump<T>(ref NetlinkWriter request, ushort answer, Parser<T> parse, string what)
        where T : class
    {
        for (int attempt = 0; attempt < DumpAttempts; attempt++)
        {
            var items = new List<T>();
            int error = Transact(ref request, answer, parse, items);
            if (error == 0)
                return items;
            if (error != -LibC.EINTR)
                throw Refused(what, error);
        }

        throw new VtepException($"{what} can't be read: it changed during each of {DumpAttempts} attempts. Find out what keeps changing it.");
    }

    private VtepException Refused(string what, int error) => new($"{what} can't be read by rtnetlink: {Explain(error)}.");

    /// <summary>Sends a request and collects its answer.</summary>
    /// <returns>0 or a negated errno: ETIMEDOUT when the kernel was silent for two seconds, EINTR for an interrupted dump.</returns>
    private int Transact<T>(ref NetlinkWriter request, ushort answer, Parser<T>? parse, List<T> items)
        where T : class
    {
        _kernelMessage.Value = "";
        lock (_gate)
            return TransactLocked(ref request, answer, parse, items);
    }

    private int TransactLocked<T>(ref NetlinkWriter request, ushort answer, Parser<T>? parse, List<T> items)
        where T : class
    {
        uint sequence = ++_sequence;
        int error = _socket.Send(request.Finish(sequence));
        bool isInterrupted = false;
        while (error == 0)
        {
            int length = _socket.Receive(_answer);
            if (length < 0)
                return length == -LibC.EAGAIN ? -LibC.ETIMEDOUT : length;
            var messages = new NetlinkMessages(_answer.AsSpan(0, length));
            while (messages.TryNext(out NetlinkMessage message))
            {
                if (message.Sequence != sequence)
                    continue;
                isInterrupted |= (message.Flags & Rtnl.NLM_F_DUMP_INTR) != 0;
                if (message.Type is Rtnl.NLMSG_ERROR or Rtnl.NLMSG_DONE)
                    return ReadEnd(message) is var code && code == 0 && isInterrupted ? -LibC.EINTR : code;
                if (message.Type == answer && parse?.Invoke(message) is { } item)
                    items.Add(item);
            }
        }

        return error;
    }

    /// <summary>The code that ends an answer, and the kernel's words when it has some (extended acknowledgement).</summary>
    private int ReadEnd(in NetlinkMessage message)
    {
        if (message.Payload.Length < sizeof(int))
            return message.Type == Rtnl.NLMSG_DONE ? 0 : -LibC.EBADMSG;
        int code = MemoryMarshal.Read<int>(message.Payload);

        // NLMSG_ERROR quotes the header of the request, and no more of it, since the socket caps acknowledgements.
        bool isCapped = (message.Flags & (Rtnl.NLM_F_CAPPED | Rtnl.NLM_F_ACK_TLVS)) == (Rtnl.NLM_F_CAPPED | Rtnl.NLM_F_ACK_TLVS);
        if (message.Type == Rtnl.NLMSG_ERROR && isCapped)
            _kernelMessage.Value = message.AttributesAfter(sizeof(int) + Rtnl.NLMSG_HDRLEN).Find(Rtnl.NLMSGERR_ATTR_MSG).AsString;
        return Math.Min(code, 0);
    }
}
