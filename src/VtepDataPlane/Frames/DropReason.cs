// Why a frame ended without being sent. Every frame that enters the data plane ends as sent or as exactly one of these,
// counted (see QueueMeters and Lane); the kernel's names are used where it has one (include/net/dropreason-core.h,
// include/net/vxlan.h). Members stand in the order in which a frame meets the checks. Their names for JSON are in
// DropReasonText. Tests reach every member that can be provoked: not TxNoBuffer and TxError, the kernel out of memory or at odds.

namespace VtepDataPlane.Frames;

/// <summary>Why a frame or one copy of it was dropped. Values are not stable over versions; names are.</summary>
public enum DropReason
{
    /// <summary>Not dropped.</summary>
    None,

    // --- from the underlay: the datagram ---

    /// <summary>The datagram didn't fit into a receive slot (longer than UDP allows for, MSG_TRUNC).</summary>
    DatagramTruncated,

    /// <summary>Fewer than the 8 bytes of a VXLAN header.</summary>
    VxlanTruncated,

    /// <summary>The I flag is off, so there is no VNI (RFC 7348 section 5; kernel VXLAN_INVALID_HDR).</summary>
    VxlanInvalidHeader,

    /// <summary>A reserved bit is set and the domain's policy is <c>linux</c>.</summary>
    VxlanReservedBits,

    /// <summary>No bridge domain has this VNI (kernel VXLAN_VNI_NOT_FOUND).</summary>
    VniNotFound,

    /// <summary>Our own multicast datagram, come back.</summary>
    OwnEcho,

    /// <summary>The outer source is no VTEP of this domain.</summary>
    PeerUnknown,

    /// <summary>The table of learned VTEPs is full.</summary>
    PeerLimit,

    // --- the Ethernet frame, from either side ---

    /// <summary>Fewer than the 14 bytes of an Ethernet header (18 when it says VLAN), or a frame in whose midst its pipe ended.</summary>
    FrameTruncated,

    /// <summary>The source is a group address or all zeros (kernel MAC_INVALID_SOURCE).</summary>
    SourceMacInvalid,

    /// <summary>An inner VLAN tag, and the domain doesn't allow them (RFC 7348 section 6.1).</summary>
    InnerVlanDenied,

    /// <summary>An IP header that is cut short, has another version than its EtherType, or lengths that lie.</summary>
    IpHeaderMalformed,

    /// <summary>Outer CE over an inner header that is not ECN-capable (RFC 6040 section 4.2; kernel IP_TUNNEL_ECN).</summary>
    IpTunnelEcn,

    /// <summary>Offload metadata that lies: a checksum start or a segment size outside the frame.</summary>
    OffloadInvalid,

    /// <summary>From the tunnel, with the MAC of one of our own ports as source: a loop or a forgery (kernel LOCAL_MAC).</summary>
    LocalMac,

    /// <summary>The source MAC has an entry, static or a controller's sticky one, that says it is elsewhere (kernel VXLAN_ENTRY_EXISTS).</summary>
    EntryExists,

    // --- the forwarding decision ---

    /// <summary>An ARP request or neighbour solicitation we answered ourselves: no loss, the answer is counted as originated.</summary>
    NeighborAnswered,

    /// <summary>The destination is behind the port the frame came from.</summary>
    SamePort,

    /// <summary>From the tunnel to a MAC behind the tunnel.</summary>
    SplitHorizon,

    /// <summary>Nobody to send it to: no other port and an empty flood list (kernel NO_TX_TARGET).</summary>
    NoTxTarget,

    /// <summary>The controller doesn't know the station or address either, and the domain doesn't flood what is unknown.</summary>
    StationUnknown,

    /// <summary>The controller didn't say in time where the station is, and the domain doesn't flood what is unknown.</summary>
    LookupUnanswered,

    /// <summary>No room to wait for the controller's answer, or too many questions a second, and the domain doesn't flood what is unknown.</summary>
    LookupLimit,

    /// <summary>Longer than the path to that VTEP carries without fragments; the sender was told where that is allowed.</summary>
    PathMtuExceeded,

    /// <summary>A super-frame for the underlay, or for a port that takes plain frames only, that can't be segmented.</summary>
    GsoUnsupported,

    /// <summary>The route to that VTEP leaves through one of our own ports (kernel -ELOOP).</summary>
    RouteLoop,

    /// <summary>The local VTEP address is gone from this host.</summary>
    LocalAddressMissing,

    // --- on leaving: one copy ---

    /// <summary>No route to the VTEP (ENETUNREACH, EHOSTUNREACH).</summary>
    NoRoute,

    /// <summary>The kernel refused the datagram as too long for the link (EMSGSIZE).</summary>
    LinkMtuExceeded,

    /// <summary>A local firewall refused the datagram (EPERM).</summary>
    TxDenied,

    /// <summary>The kernel had no buffer (ENOBUFS, EAGAIN, ENOMEM).</summary>
    TxNoBuffer,

    /// <summary>Any other error on sending a datagram.</summary>
    TxError,

    /// <summary>Longer than the port's MTU allows.</summary>
    PortMtuExceeded,

    /// <summary>The port is down (EIO).</summary>
    PortDown,

    /// <summary>The port's device is gone (EBADFD), or the port is being removed.</summary>
    PortGone,

    /// <summary>The port had no buffer (EAGAIN, ENOBUFS, ENOMEM), or its reader is slow.</summary>
    PortNoBuffer,

    /// <summary>The port refused the frame (EINVAL and others), or a frame in its stream has a length that can't be.</summary>
    PortError,
}
