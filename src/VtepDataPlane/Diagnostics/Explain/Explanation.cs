// A question about a frame nobody sent, and its answer. Plain values; the control API writes them as JSON, the command as text.

using VtepDataPlane.Diagnostics.Capture;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics.Explain;

/// <summary>A frame, and where it would come from. Immutable.</summary>
public sealed record FrameQuestion
{
    /// <summary>The VNI.</summary>
    public required Vni Vni { get; init; }

    /// <summary>The Ethernet frame, from the destination MAC on, without frame check sequence; 0 to 65,535 bytes.</summary>
    public required ReadOnlyMemory<byte> Frame { get; init; }

    /// <summary>The port it would come from; null: the domain's first, unless <see cref="From"/> is given.</summary>
    public string? Port { get; init; }

    /// <summary>The VTEP it would come from, by its outer source address; null: it comes from a port.</summary>
    public InetAddress? From { get; init; }

    /// <summary>Of a frame from a VTEP: the outer TOS or traffic class, DSCP in the upper six bits, ECN in the lower two.</summary>
    public byte OuterTrafficClass { get; init; }
}

/// <summary>One step on a frame's way.</summary>
/// <param name="Step">What kind: <c>frame</c>, <c>domain</c>, <c>admission</c>, <c>learn</c>, <c>lookup</c>, <c>flood</c>, <c>hold</c>, <c>answer</c>, <c>encapsulate</c>, <c>send</c>, <c>drop</c>.</param>
/// <param name="Text">A sentence.</param>
public sealed record ExplanationStep(string Step, string Text);

/// <summary>One thing that would become of the frame; a flooded one has several.</summary>
/// <param name="Verdict">Sent, dropped, or made by the VTEP in answer.</param>
/// <param name="Reason">Why dropped; None otherwise.</param>
/// <param name="Port">The port it would go to, or null.</param>
/// <param name="Remote">The VTEP or group it would go to, or null.</param>
/// <param name="Frame">The Ethernet frame as it would leave.</param>
/// <param name="Outer">The outer IP packet as it would be sent, from the IP header on; empty when none would be.</param>
public sealed record ExplanationOutcome(
    CaptureVerdict Verdict, DropReason Reason, string? Port, VtepEndpoint? Remote, ReadOnlyMemory<byte> Frame, ReadOnlyMemory<byte> Outer);

/// <summary>What would happen to a frame now. Immutable.</summary>
/// <param name="Vni">The VNI.</param>
/// <param name="Domain">The bridge domain's name, or null when there is none.</param>
/// <param name="Steps">Step by step.</param>
/// <param name="Outcomes">What would become of it. Empty when it would be held until a controller answers.</param>
public sealed record Explanation(Vni Vni, string? Domain, IReadOnlyList<ExplanationStep> Steps, IReadOnlyList<ExplanationOutcome> Outcomes);
