// Puts a frame into VXLAN: eight bytes into the headroom, and the outer header's fields beside it (the underlay writes IP and
// UDP from them). RFC 7348 section 5; TTL, DSCP and DF as ip-link(8) says of vxlan; ECN as RFC 6040 section 4.1, or as the kernel.
// Pure: no table, no I/O.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>Writes a domain's encapsulation. Immutable.</summary>
internal sealed class Encapsulator(Vni vni, EncapsulationPolicy policy, FlowHash flowHash)
{
    /// <summary>Outer IPv4, UDP and VXLAN headers: what a frame grows by towards an IPv4 VTEP, seen from the outer IP packet's MTU.</summary>
    public const int OverheadIPv4 = 20 + 8 + VxlanHeader.Size;

    /// <summary>The same over IPv6.</summary>
    public const int OverheadIPv6 = 40 + 8 + VxlanHeader.Size;

    /// <summary>Where "inherit" finds nothing to inherit, the kernel's default.</summary>
    private const byte DefaultHopLimit = 64;

    private const int Inherit = -1;

    // the policy, in one load a question; negative: inherit
    private readonly int _hopLimit = policy.Ttl ?? Inherit;
    private readonly int _dscp = policy.Dscp ?? Inherit;
    private readonly DontFragmentPolicy _dontFragment = policy.DontFragment;
    private readonly bool _congestionAsEct0 = policy.Ecn == EcnPolicy.Linux;

    /// <summary>Bytes of outer headers in front of the inner Ethernet header, outer IP header included.</summary>
    public static int Overhead(in InetAddress remote) => remote.IsIPv6 ? OverheadIPv6 : OverheadIPv4;

    /// <summary>
    /// The MTU of a port whose packets fit into outer ones of <paramref name="pathMtu"/> bytes: less the outer headers, less the inner
    /// Ethernet header, less a tag where tags must fit. In all 50 bytes over IPv4, 70 over IPv6, and 4 for a tag.
    /// </summary>
    public static int PortMtu(int pathMtu, in InetAddress remote, InnerVlanPolicy innerVlan) =>
        pathMtu - Overhead(remote) - EthernetHeader.Size - (innerVlan == InnerVlanPolicy.Pass ? VlanTag.Size : 0);

    /// <summary>Pushes the VXLAN header and fills the outer header, all but the destination.</summary>
    public void Push(in Frame frame)
    {
        ref readonly FrameHeaders headers = ref frame.Info.Headers;
        ref OuterHeader outer = ref frame.Info.Outer;
        outer.SourcePort = FlowHash.SourcePort(flowHash.Compute(frame.Bytes, headers));
        outer.TrafficClass = TrafficClass(headers);
        outer.HopLimit = _hopLimit >= 0 ? (byte)_hopLimit : headers.IpVersion == 0 ? DefaultHopLimit : headers.HopLimit;
        outer.DontFragment = DontFragment(headers);
        outer.InterfaceIndex = 0;
        VxlanHeader.Write(frame.Push(VxlanHeader.Size), vni);
    }

    private byte TrafficClass(in FrameHeaders headers)
    {
        int dscp = _dscp >= 0 ? _dscp : headers.TrafficClass >> 2;
        return (byte)((dscp << 2) | Ecn.Encapsulate(headers.TrafficClass, _congestionAsEct0));
    }

    private bool DontFragment(in FrameHeaders headers) => _dontFragment switch
    {
        DontFragmentPolicy.Set => true,
        DontFragmentPolicy.Unset => false,
        _ => headers.IpVersion == 6 || (headers.IpVersion == 4 && headers.DontFragment),
    };
}
