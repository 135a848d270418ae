// What the tun driver tells of a device by rtnetlink (IFLA_INFO_DATA, linux/if_link.h): no descriptor of the device is needed to ask, so
// it can be asked while another process holds every queue. A value; any thread.

using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Linux.Netlink;

/// <summary>A TUN or TAP device.</summary>
/// <param name="IsTap">It carries Ethernet frames; otherwise IP packets.</param>
/// <param name="IsMultiQueue">It was made with room for several queues.</param>
/// <param name="IsPersistent">It stays when nobody holds it.</param>
/// <param name="Owner">The user id that may open it without CAP_NET_ADMIN; null: none is set.</param>
internal sealed record TunInfo(bool IsTap, bool IsMultiQueue, bool IsPersistent, uint? Owner)
{
    /// <summary>Reads the contents of IFLA_LINKINFO.</summary>
    public static TunInfo Read(NetlinkAttributes linkInfo)
    {
        NetlinkAttributes data = linkInfo.Find(Rtnl.IFLA_INFO_DATA).Nested;
        NetlinkAttributes owner = data;
        return new TunInfo(
            Byte(data, Rtnl.IFLA_TUN_TYPE) == Libc.IFF_TAP,
            Byte(data, Rtnl.IFLA_TUN_MULTI_QUEUE) != 0,
            Byte(data, Rtnl.IFLA_TUN_PERSIST) != 0,
            owner.Find(Rtnl.IFLA_TUN_OWNER) is { Value.Length: sizeof(uint) } id ? id.AsUInt32 : null);
    }

    // A copy is searched each time: finding moves on.
    private static int Byte(NetlinkAttributes data, int type) => data.Find(type).Value is [byte value, ..] ? value : 0;
}
