// A drop, for subscribers.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics.Events;

/// <summary>A frame, or a copy of one, that was dropped.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Vni">Its domain, or what an unknown one's header said; null: none.</param>
/// <param name="IsFromUnderlay">It came out of the tunnel; false: from a port, or was made here.</param>
/// <param name="FromPort">The port it came from, or null.</param>
/// <param name="ToPort">The port it was to go to, or null.</param>
/// <param name="Remote">The VTEP it came from, or the VTEP or group it was to go to; null: none.</param>
/// <param name="Frames">How many: 1, the segments of a super-frame, or what a queue refused on receipt.</param>
/// <param name="Length">Bytes the frame had.</param>
/// <param name="Bytes">The first <see cref="Headers"/> of them, from the inner Ethernet header on; empty when nobody saw them.</param>
/// <param name="Time">When.</param>
public sealed record DropEvent(
    DropReason Reason, Vni? Vni, bool IsFromUnderlay, string? FromPort, string? ToPort, VtepEndpoint? Remote, int Frames, int Length,
    ReadOnlyMemory<byte> Bytes, DateTimeOffset Time)
{
    /// <summary>Bytes that are kept: Ethernet with two tags, IPv6, and a TCP header with its options.</summary>
    public const int Headers = 128;
}
