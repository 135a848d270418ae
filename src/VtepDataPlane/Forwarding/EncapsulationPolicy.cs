// What a domain writes into outer headers and accepts in them. The kernel's words are used: ip-link(8), "type vxlan".

namespace VtepDataPlane.Forwarding;

/// <summary>DF of the outer IPv4 header (IFLA_VXLAN_DF).</summary>
public enum DontFragmentPolicy
{
    /// <summary>Set: routers on the way drop and report instead of fragmenting.</summary>
    Set,

    /// <summary>Not set: routers may fragment; we never do.</summary>
    Unset,

    /// <summary>As the inner IPv4 header says; set over inner IPv6; not set for what isn't IP.</summary>
    Inherit,
}

/// <summary>ECN on encapsulation.</summary>
public enum EcnPolicy
{
    /// <summary>RFC 6040 normal mode: the outer field copies the inner one, CE included.</summary>
    Rfc6040,

    /// <summary>As the kernel and OVS: copied, but CE goes out as ECT(0).</summary>
    Linux,
}

/// <summary>What to do with reserved bits of the VXLAN header on receipt.</summary>
public enum ReservedBitsPolicy
{
    /// <summary>RFC 7348 section 5: ignore, and count.</summary>
    Rfc,

    /// <summary>As the kernel: drop.</summary>
    Linux,
}

/// <summary>What to do with a VLAN tag in the inner frame.</summary>
public enum InnerVlanPolicy
{
    /// <summary>RFC 7348 section 6.1: drop, and count.</summary>
    Drop,

    /// <summary>Carry tagged frames both ways, as the kernel and OVS do; the port's MTU leaves 4 bytes for the tag.</summary>
    Pass,
}

/// <summary>Outer header policy of a domain. Immutable.</summary>
public sealed record EncapsulationPolicy
{
    /// <summary>Outer TTL or hop limit of unicast, 1 to 255; null: inherit from an inner IP header, 64 for what isn't IP.</summary>
    public byte? Ttl { get; init; } = 64;

    /// <summary>Outer DSCP, 0 to 63; null: inherit from an inner IP header, 0 for what isn't IP.</summary>
    public byte? Dscp { get; init; } = 0;

    /// <summary>DF of the outer IPv4 header.</summary>
    public DontFragmentPolicy DontFragment { get; init; } = DontFragmentPolicy.Set;

    /// <summary>ECN on encapsulation; on decapsulation RFC 6040 always holds.</summary>
    public EcnPolicy Ecn { get; init; } = EcnPolicy.Linux;

    /// <summary>Reserved bits on receipt.</summary>
    public ReservedBitsPolicy ReservedBits { get; init; } = ReservedBitsPolicy.Rfc;

    /// <summary>VLAN tags in inner frames.</summary>
    public InnerVlanPolicy InnerVlan { get; init; } = InnerVlanPolicy.Drop;
}
