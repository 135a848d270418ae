// Where a domain's broadcast, unknown unicast and multicast goes on the underlay: one copy to each VTEP of a list (head-end
// replication), or one datagram to a group (RFC 7348 section 4.2). Immutable; a change makes a new one.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Forwarding;

/// <summary>A domain's way to all of its VTEPs.</summary>
internal sealed class FloodList
{
    /// <summary>Nobody.</summary>
    public static readonly FloodList Empty = new();

    /// <summary>Ids of the VTEPs that get a copy each.</summary>
    public int[] Vteps { get; init; } = [];

    /// <summary>The group, with the datagram's hop limit and interface; null without one.</summary>
    public GroupTarget? Group { get; init; }

    /// <summary>Copies on the underlay for one flooded frame.</summary>
    public int Copies => Vteps.Length + (Group is null ? 0 : 1);
}

/// <summary>A multicast group as a destination.</summary>
/// <param name="Endpoint">Group address and UDP port.</param>
/// <param name="HopLimit">1 to 255.</param>
/// <param name="InterfaceIndex">To leave by; 0 while the interface is missing.</param>
/// <param name="PathMtu">Of that interface, bytes; 0 while it is missing.</param>
/// <param name="Id">A number below 0, the group's for the life of the VTEP: what traffic to it is counted under (<see cref="PairMeters"/>).</param>
internal sealed record GroupTarget(VtepEndpoint Endpoint, byte HopLimit, int InterfaceIndex, int PathMtu, int Id);
