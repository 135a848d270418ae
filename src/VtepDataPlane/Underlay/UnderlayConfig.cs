// The configuration of the underlay: which address is ours, and how the UDP sockets behave.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Underlay;

/// <summary>The local VTEP address and UDP port. Immutable.</summary>
public sealed record UnderlayConfig
{
    /// <summary>VXLAN's port, assigned by IANA (RFC 7348 section 8). The Linux module's own default is 8472.</summary>
    public const ushort DefaultPort = 4789;

    /// <summary>The local VTEP address; null when <see cref="Interface"/> gives it.</summary>
    public InetAddress? Local { get; init; }

    /// <summary>The interface whose first global address (IPv4 before IPv6) is the local VTEP address; null when <see cref="Local"/> is given.</summary>
    public string? Interface { get; init; }

    /// <summary>UDP port to listen on, and to send to where a peer has none of its own: 1 to 65535.</summary>
    public ushort Port { get; init; } = DefaultPort;

    /// <summary>Send outer UDP checksums over IPv4 (kernel <c>udpcsum</c>). Over IPv6 they are always sent.</summary>
    public bool UdpChecksum { get; init; } = true;

    /// <summary>Accept a zero outer UDP checksum over IPv6 (kernel <c>udp6zerocsumrx</c>, RFC 6935).</summary>
    public bool AcceptZeroChecksumIPv6 { get; init; }

    /// <summary>VTEPs that may be learned in multicast domains, all domains together: 1 to 65,536.</summary>
    public int LearnedPeerLimit { get; init; } = 256;

    /// <summary>Seconds without a datagram after which a learned VTEP is forgotten: 1 to 31,536,000 (a year).</summary>
    public int LearnedPeerAgeing { get; init; } = 300;
}
