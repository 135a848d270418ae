// A network interface as RTM_NEWLINK describes it (if_link.h). A value; any thread.

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Netlink;

/// <summary>A network interface at the moment it was read.</summary>
/// <param name="Index">The kernel's index, from 1.</param>
/// <param name="Name">Its name.</param>
/// <param name="Mtu">Bytes of the largest layer 3 packet.</param>
/// <param name="IsUp">Set up by the administrator (IFF_UP).</param>
/// <param name="IsRunning">Passes frames: operational and with carrier (IFF_RUNNING and IFF_LOWER_UP).</param>
/// <param name="Mac">Its Ethernet address; zero when it has none.</param>
/// <param name="Master">Index of the bridge, bond or VRF it belongs to; 0 when none.</param>
/// <param name="Kind">The driver's kind, as <c>vxlan</c>, <c>bridge</c>, <c>tun</c>; null for hardware.</param>
/// <param name="VxlanPort">The UDP port a vxlan device listens on while it is up; 0 for other kinds.</param>
/// <param name="TxQueueLength">Frames its transmit queue holds.</param>
internal sealed record LinkInfo(
    int Index, string Name, int Mtu, bool IsUp, bool IsRunning, MacAddress Mac, int Master, string? Kind, int VxlanPort, int TxQueueLength)
{
    /// <summary>Takes part in multicast (IFF_MULTICAST).</summary>
    public bool IsMulticast { get; init; }

    /// <summary>The VNI of a vxlan device; null for other kinds, and for one that serves any VNI (collect metadata).</summary>
    public int? VxlanVni { get; init; }

    /// <summary>What the tun driver says of it; null for other kinds.</summary>
    public TunInfo? Tun { get; init; }

    /// <summary>Segments of the largest super-frame the kernel hands to it.</summary>
    public int GsoMaxSegments { get; init; }

    /// <summary>Bytes of the largest super-frame the kernel hands to it.</summary>
    public int GsoMaxSize { get; init; }

    /// <summary>Reads the payload of RTM_NEWLINK. Null when it is too short or is about something else than the link itself.</summary>
    public static LinkInfo? Parse(in NetlinkMessage message)
    {
        ReadOnlySpan<byte> header = message.Payload;

        // Another family than AF_UNSPEC: a bridge tells about one of its ports.
        if (header.Length < Rtnl.IFINFOMSG_SIZE || header[0] != 0)
            return null;
        int index = MemoryMarshal.Read<int>(header[4..]);
        uint flags = MemoryMarshal.Read<uint>(header[8..]);
        const uint Running = Rtnl.IFF_RUNNING | Rtnl.IFF_LOWER_UP;
        var link = new LinkInfo(
            index, "", 0, (flags & Rtnl.IFF_UP) != 0, (flags & Running) == Running, MacAddress.Zero, 0, null, 0, 0)
        {
            IsMulticast = (flags & Rtnl.IFF_MULTICAST) != 0,
        };
        return index <= 0 ? null : link.WithAttributes(message.AttributesAfter(Rtnl.IFINFOMSG_SIZE));
    }

    private LinkInfo WithAttributes(NetlinkAttributes attributes)
    {
        (string name, int mtu, MacAddress mac, int master, int txQueueLength) = (Name, Mtu, Mac, Master, TxQueueLength);
        NetlinkAttributes kind = default;
        (int gsoMaxSegments, int gsoMaxSize) = (GsoMaxSegments, GsoMaxSize);
        while (attributes.TryNext(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Rtnl.IFLA_IFNAME: name = attribute.AsString; break;
                case Rtnl.IFLA_MTU: mtu = attribute.AsInt32; break;
                case Rtnl.IFLA_MASTER: master = attribute.AsInt32; break;
                case Rtnl.IFLA_TXQLEN: txQueueLength = attribute.AsInt32; break;
                case Rtnl.IFLA_GSO_MAX_SEGS: gsoMaxSegments = attribute.AsInt32; break;
                case Rtnl.IFLA_GSO_MAX_SIZE: gsoMaxSize = attribute.AsInt32; break;
                case Rtnl.IFLA_ADDRESS when attribute.Value.Length == MacAddress.Size: mac = MacAddress.Read(attribute.Value); break;
                case Rtnl.IFLA_LINKINFO: kind = attribute.Nested; break;
            }
        }

        return (this with
        {
            Name = name,
            Mtu = mtu,
            Mac = mac,
            Master = master,
            TxQueueLength = txQueueLength,
            GsoMaxSegments = gsoMaxSegments,
            GsoMaxSize = gsoMaxSize,
        }).WithKind(kind);
    }

    private LinkInfo WithKind(NetlinkAttributes linkInfo)
    {
        NetlinkAttributes rest = linkInfo;
        NetlinkAttribute name = linkInfo.Find(Rtnl.IFLA_INFO_KIND);
        string? kind = name.Value.IsEmpty ? null : name.AsString;
        NetlinkAttributes data = rest.Find(Rtnl.IFLA_INFO_DATA).Nested;
        return kind switch
        {
            "vxlan" => (this with { Kind = kind }).WithVxlan(data),
            "tun" => this with { Kind = kind, Tun = TunInfo.Read(data) },
            _ => this with { Kind = kind },
        };
    }

    private LinkInfo WithVxlan(NetlinkAttributes data)
    {
        NetlinkAttributes forId = data;
        NetlinkAttributes forAny = data;
        ReadOnlySpan<byte> port = data.Find(Rtnl.IFLA_VXLAN_PORT).Value;
        ReadOnlySpan<byte> any = forAny.Find(Rtnl.IFLA_VXLAN_COLLECT_METADATA).Value;
        ReadOnlySpan<byte> id = forId.Find(Rtnl.IFLA_VXLAN_ID).Value;
        return this with
        {
            VxlanPort = port.Length >= sizeof(ushort) ? BinaryPrimitives.ReadUInt16BigEndian(port) : 0,
            VxlanVni = id.Length >= sizeof(int) && (any.IsEmpty || any[0] == 0) ? MemoryMarshal.Read<int>(id) : null,
        };
    }
}
