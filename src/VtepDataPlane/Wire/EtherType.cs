// EtherTypes this data plane knows (IEEE 802 numbers, RFC 9542 appendix B). Everything else is carried unread.

namespace VtepDataPlane.Wire;

/// <summary>EtherTypes as numbers in host order (IEEE 802 Numbers at IANA; RFC 9542 appendix B).</summary>
public static class EtherType
{
    /// <summary>IPv4.</summary>
    public const ushort IPv4 = 0x0800;

    /// <summary>ARP.</summary>
    public const ushort Arp = 0x0806;

    /// <summary>IPv6.</summary>
    public const ushort IPv6 = 0x86DD;

    /// <summary>An IEEE 802.1Q customer tag.</summary>
    public const ushort Vlan = 0x8100;

    /// <summary>An IEEE 802.1ad service tag.</summary>
    public const ushort ServiceVlan = 0x88A8;

    /// <summary>Is the first half of a VLAN tag.</summary>
    /// <param name="etherType">As read from a frame, host order.</param>
    public static bool IsVlan(ushort etherType) => etherType is Vlan or ServiceVlan;
}
