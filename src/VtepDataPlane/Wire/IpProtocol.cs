// IP protocol numbers (the IPv4 protocol and the IPv6 next-header field share one IANA registry) which this data plane reads.

namespace VtepDataPlane.Wire;

/// <summary>IP protocol numbers, the IPv4 protocol and the IPv6 next header (IANA, Assigned Internet Protocol Numbers).</summary>
public static class IpProtocol
{
    /// <summary>IPv6 hop-by-hop options (RFC 8200 section 4.3).</summary>
    public const byte HopByHopOptions = 0;

    /// <summary>ICMP for IPv4.</summary>
    public const byte IcmpV4 = 1;

    /// <summary>TCP.</summary>
    public const byte Tcp = 6;

    /// <summary>UDP.</summary>
    public const byte Udp = 17;

    /// <summary>IPv6 routing header (RFC 8200 section 4.4).</summary>
    public const byte Routing = 43;

    /// <summary>IPv6 fragment header (RFC 8200 section 4.5).</summary>
    public const byte Fragment = 44;

    /// <summary>Authentication header (RFC 4302).</summary>
    public const byte Authentication = 51;

    /// <summary>ICMP for IPv6.</summary>
    public const byte IcmpV6 = 58;

    /// <summary>Nothing follows (RFC 8200 section 4.7).</summary>
    public const byte NoNextHeader = 59;

    /// <summary>IPv6 destination options (RFC 8200 section 4.6).</summary>
    public const byte DestinationOptions = 60;

    /// <summary>SCTP.</summary>
    public const byte Sctp = 132;
}
