// What the tun driver tells of a device by rtnetlink (IFLA_INFO_DATA, linux/if_link.h): no descriptor of the device is needed to ask, so
// it can be asked while another process holds every queue. A value; any thread.

using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Linux.Netlink;

/// <summary>A TUN or TAP device.</summary>
/// <param name="IsTap">It carries Ethernet frames; otherwise IP packets.</param>
/// <param name="Owner">The user id that may open it without CAP_NET_ADMIN; null: anybody.</param>
/// <param name="Group">The group id whose members may open it without CAP_NET_ADMIN; null: anybody.</param>
internal sealed record TunInfo(bool IsTap, uint? Owner, uint? Group)
{
    private const byte Tap = (byte)Libc.IFF_TAP;

    /// <summary>It was made with room for several queues.</summary>
    public bool IsMultiQueue { get; init; }

    /// <summary>It stays when nobody holds it.</summary>
    public bool IsPersistent { get; init; }

    /// <summary>Reads the device's own attributes. Kernels before 4.18 tell nothing: then it is taken for a TAP device of nobody.</summary>
    public static TunInfo Read(NetlinkAttributes data)
    {
        var info = new TunInfo(true, null, null);
        while (data.TryNext(out NetlinkAttribute attribute))
            info = info.With(attribute);
        return info;
    }

    private TunInfo With(in NetlinkAttribute attribute) => attribute.Type switch
    {
        Rtnl.IFLA_TUN_OWNER => this with { Owner = attribute.AsUInt32 },
        Rtnl.IFLA_TUN_GROUP => this with { Group = attribute.AsUInt32 },
        Rtnl.IFLA_TUN_TYPE => this with { IsTap = attribute.Value is [Tap, ..] },
        Rtnl.IFLA_TUN_PERSIST => this with { IsPersistent = attribute.Value is [not 0, ..] },
        Rtnl.IFLA_TUN_MULTI_QUEUE => this with { IsMultiQueue = attribute.Value is [not 0, ..] },
        _ => this,
    };
}
