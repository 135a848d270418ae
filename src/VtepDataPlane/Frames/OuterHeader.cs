// What stands around a frame on the underlay: filled by the underlay queue on receipt, read by it on sending. The kernel
// builds the real IP and UDP headers; this is everything we tell it or it tells us.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Frames;

/// <summary>A VTEP's address and UDP port.</summary>
/// <param name="Address">Unicast address, or the group for multicast.</param>
/// <param name="Port">UDP port, host order.</param>
public readonly record struct VtepEndpoint(InetAddress Address, ushort Port)
{
    /// <summary><c>198.18.0.2:4789</c> or <c>[fd00::2]:4789</c>.</summary>
    public override string ToString() => Address.IsIPv6 ? $"[{Address}]:{Port}" : $"{Address}:{Port}";
}

/// <summary>The outer IP and UDP header of one datagram, as far as we decide or read it.</summary>
public struct OuterHeader
{
    /// <summary>On sending: where to. On receipt: the outer source.</summary>
    public VtepEndpoint Remote;

    /// <summary>On sending: the UDP source port, 49152 to 65535, from the flow hash (RFC 7348 section 5).</summary>
    public ushort SourcePort;

    /// <summary>IPv4 TOS or IPv6 traffic class: DSCP in the upper six bits, ECN in the lower two.</summary>
    public byte TrafficClass;

    /// <summary>On sending: TTL or hop limit; 0 means the underlay's default (64; 1 towards a group).</summary>
    public byte HopLimit;

    /// <summary>On sending: set DF (IPv4). Never a licence to fragment: without DF routers may, we don't.</summary>
    public bool DontFragment;

    /// <summary>On sending to a group: the interface to leave by. 0: the route decides.</summary>
    public int InterfaceIndex;
}
