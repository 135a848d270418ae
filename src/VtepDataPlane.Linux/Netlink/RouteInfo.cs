// The route to a destination, as the kernel's forwarding table (FIB) has it. Requests carry RTM_F_FIB_MATCH, so the answer is
// the table's entry and not the cached result of a lookup: path MTU exceptions hang on the latter, and anybody who can forge
// an ICMP "fragmentation needed" can plant one. An entry may have several next hops (ECMP): RTA_MULTIPATH is a row of struct
// rtnexthop, each with its length, flags, interface and attributes.

using System.Runtime.InteropServices;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Netlink;

/// <summary>One way of a route.</summary>
/// <param name="InterfaceIndex">The interface packets leave by.</param>
/// <param name="Gateway">The router they go to; none when the destination is on the link.</param>
internal readonly record struct NextHop(int InterfaceIndex, InetAddress Gateway);

/// <summary>The route to a destination at the moment it was read.</summary>
/// <param name="NextHops">All ways packets may take now, at least one. Next hops that are dead or without carrier aren't in it,
/// unless there are no others.</param>
/// <param name="MtuMetric">The MTU the administrator set on the route, bytes; 0 when none: then that of the interface counts.</param>
/// <param name="IsLocal">The destination is an address of this host.</param>
internal sealed record RouteInfo(IReadOnlyList<NextHop> NextHops, int MtuMetric, bool IsLocal)
{
    /// <summary>The interface packets leave by; with several ways, the one whose link has the smallest MTU.</summary>
    public int InterfaceIndex => NextHops[0].InterfaceIndex;

    /// <summary>The router they go to; none when the destination is on the link.</summary>
    public InetAddress Gateway => NextHops[0].Gateway;

    /// <summary>Reads the payload of RTM_NEWROUTE. Null when it is too short, or of a type by which nothing can be sent
    /// (unreachable, blackhole, prohibit, throw, broadcast, multicast).</summary>
    public static RouteInfo? Parse(in NetlinkMessage message)
    {
        ReadOnlySpan<byte> header = message.Payload;
        if (header.Length < Rtnl.RTMSG_SIZE || header[7] is not (Rtnl.RTN_UNICAST or Rtnl.RTN_LOCAL or Rtnl.RTN_ANYCAST))
            return null;
        NetlinkAttributes attributes = message.AttributesAfter(Rtnl.RTMSG_SIZE);
        NetlinkAttributes metrics = attributes;
        NetlinkAttributes multipath = attributes;
        NextHop single = ReadNextHop(header[0], attributes);
        List<NextHop> hops = ReadMultipath(header[0], multipath.Find(Rtnl.RTA_MULTIPATH).Value);
        if (hops.Count == 0)
            hops.Add(single);
        int mtu = metrics.Find(Rtnl.RTA_METRICS).Nested.Find(Rtnl.RTAX_MTU).AsInt32;
        return new RouteInfo(hops, mtu, header[7] != Rtnl.RTN_UNICAST);
    }

    private static NextHop ReadNextHop(int family, NetlinkAttributes attributes)
    {
        var hop = new NextHop(0, default);
        while (attributes.TryNext(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Rtnl.RTA_OIF: hop = hop with { InterfaceIndex = attribute.AsInt32 }; break;
                case Rtnl.RTA_GATEWAY: hop = hop with { Gateway = NetlinkFamily.ReadAddress(family, attribute.Value) }; break;
                case Rtnl.RTA_VIA: hop = hop with { Gateway = ReadVia(attribute.Value) }; break;
            }
        }

        return hop;
    }

    /// <summary>A gateway of the other family (RFC 5549): <c>struct rtvia</c>, family and address.</summary>
    private static InetAddress ReadVia(ReadOnlySpan<byte> value) =>
        value.Length < sizeof(ushort) ? default : NetlinkFamily.ReadAddress(MemoryMarshal.Read<ushort>(value), value[sizeof(ushort)..]);

    private static List<NextHop> ReadMultipath(int family, ReadOnlySpan<byte> rest)
    {
        var alive = new List<NextHop>();
        var dead = new List<NextHop>();
        while (rest.Length >= Rtnl.RTNEXTHOP_SIZE)
        {
            int length = MemoryMarshal.Read<ushort>(rest);
            if (length < Rtnl.RTNEXTHOP_SIZE || length > rest.Length)
                break;
            NextHop hop = ReadNextHop(family, new NetlinkAttributes(rest[Rtnl.RTNEXTHOP_SIZE..length]));
            bool isDead = (rest[2] & (Rtnl.RTNH_F_DEAD | Rtnl.RTNH_F_LINKDOWN)) != 0;
            (isDead ? dead : alive).Add(hop with { InterfaceIndex = MemoryMarshal.Read<int>(rest[4..]) });
            rest = rest[Math.Min(Netlink.Align(length), rest.Length)..];
        }

        return alive.Count > 0 ? alive : dead;
    }
}
