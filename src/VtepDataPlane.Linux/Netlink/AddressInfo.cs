// An address of an interface, as RTM_NEWADDR describes it. Values; any thread.

using System.Runtime.InteropServices;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Netlink;

/// <summary>What the kernel says about an address (IFA_F_…, if_addr.h). Bits not named here may be set as well.</summary>
[Flags]
internal enum AddressFlags
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>IPv4: further address of the same subnet. IPv6: temporary (RFC 8981).</summary>
    Secondary = 0x01,

    /// <summary>Added without duplicate address detection.</summary>
    NoDad = 0x02,

    /// <summary>Duplicate address detection found another owner; the address can't be used.</summary>
    DadFailed = 0x08,

    /// <summary>Beyond its preferred lifetime; not for new traffic.</summary>
    Deprecated = 0x20,

    /// <summary>Duplicate address detection is under way; it can't be bound yet.</summary>
    Tentative = 0x40,

    /// <summary>Has no lifetime.</summary>
    Permanent = 0x80,
}

/// <summary>An address at the moment it was read.</summary>
/// <param name="Index">Its interface.</param>
/// <param name="Address">The local address (not a point-to-point link's far end).</param>
/// <param name="PrefixLength">Of its subnet.</param>
/// <param name="Scope">0 global, 200 site, 253 link, 254 host (RT_SCOPE_…).</param>
/// <param name="Flags">State.</param>
internal sealed record AddressInfo(int Index, InetAddress Address, byte PrefixLength, byte Scope, AddressFlags Flags)
{
    /// <summary>Valid beyond its link.</summary>
    public bool IsGlobal => Scope == Rtnl.RT_SCOPE_UNIVERSE;

    /// <summary>Can be bound and sent from now.</summary>
    public bool IsUsable => (Flags & (AddressFlags.Tentative | AddressFlags.DadFailed)) == 0;

    /// <summary>Reads the payload of RTM_NEWADDR. Null when it is too short or of another family than IPv4 and IPv6.</summary>
    public static AddressInfo? Parse(in NetlinkMessage message)
    {
        ReadOnlySpan<byte> header = message.Payload;
        if (header.Length < Rtnl.IFADDRMSG_SIZE)
            return null;
        var flags = (AddressFlags)header[2];
        InetAddress local = default;
        InetAddress address = default;
        NetlinkAttributes attributes = message.AttributesAfter(Rtnl.IFADDRMSG_SIZE);
        while (attributes.TryNext(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Rtnl.IFA_LOCAL: local = NetlinkFamily.ReadAddress(header[0], attribute.Value); break;
                case Rtnl.IFA_ADDRESS: address = NetlinkFamily.ReadAddress(header[0], attribute.Value); break;
                case Rtnl.IFA_FLAGS: flags |= (AddressFlags)attribute.AsUInt32; break;
            }
        }

        // With a far end (peer), IFA_ADDRESS is the far end's; otherwise IPv6 has no IFA_LOCAL.
        InetAddress own = local.IsNone ? address : local;
        return own.IsNone ? null : new AddressInfo(MemoryMarshal.Read<int>(header[4..]), own, header[1], header[3], flags);
    }
}

/// <summary>Address families in netlink's bytes: AF_INET and AF_INET6, the same on every architecture.</summary>
internal static class NetlinkFamily
{
    public const byte IPv4 = 2;
    public const byte IPv6 = 10;

    public static byte Of(in InetAddress address) => address.IsIPv4 ? IPv4 : IPv6;

    /// <summary>None when family and length don't fit together.</summary>
    public static InetAddress ReadAddress(int family, ReadOnlySpan<byte> value) => (family, value.Length) switch
    {
        (IPv4, 4) => InetAddress.ReadIPv4(value),
        (IPv6, 16) => InetAddress.ReadIPv6(value),
        _ => default,
    };
}
