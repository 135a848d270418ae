// What is noted about one frame, or one copy of it, on the lane; and the same for whoever reads it. The lane notes references, names are looked up by the
// reader.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics.Capture;

/// <summary>What became of a frame, or of a copy of it.</summary>
public enum CaptureVerdict : byte
{
    /// <summary>Sent, to a port or a VTEP.</summary>
    Sent,

    /// <summary>Dropped; there is a reason.</summary>
    Dropped,

    /// <summary>Made by this VTEP (an ICMP error, an answer to ARP or neighbour discovery) and sent to a port.</summary>
    Originated,
}

/// <summary>Names of verdicts.</summary>
public static class CaptureVerdictText
{
    /// <summary><c>sent</c>, <c>dropped</c> or <c>originated</c>.</summary>
    /// <param name="verdict">A verdict.</param>
    public static string Name(this CaptureVerdict verdict) => verdict switch
    {
        CaptureVerdict.Sent => "sent",
        CaptureVerdict.Dropped => "dropped",
        _ => "originated",
    };
}

/// <summary>As the lane notes it.</summary>
internal struct CaptureRecord
{
    public const int NoVni = -1;

    public BridgeDomain? Domain;
    public AccessPort? From;
    public AccessPort? To;
    public VtepEndpoint Remote;
    public long Time;
    public long FrameId;
    public int Vni;
    public int Length;
    public int Segments;
    public int DroppedSegments;
    public DropReason Reason;
    public CaptureVerdict Verdict;
    public bool IsFromUnderlay;

    /// <summary>A queue dropped it, or some of its segments.</summary>
    public void Drop(DropReason reason, int segments)
    {
        Reason = reason;
        if (reason == DropReason.GsoUnsupported)
            Segments = 1; // it was not cut up
        DroppedSegments = Math.Min(DroppedSegments + segments, Segments);
        if (DroppedSegments == Segments)
            Verdict = CaptureVerdict.Dropped;
    }
}

/// <summary>A captured frame. Valid until the next one is read.</summary>
public readonly ref struct CapturedFrame
{
    private readonly CaptureRecord _record;

    internal CapturedFrame(scoped in CaptureRecord record, ReadOnlySpan<byte> bytes, int lane)
    {
        _record = record;
        Bytes = bytes;
        Lane = lane;
    }

    /// <summary>The inner Ethernet frame, as far as it was kept. Empty for what nobody has seen: too short to have one, or refused by a queue on receipt.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Bytes the frame had.</summary>
    public int Length => _record.Length;

    /// <summary>When its batch came, nanoseconds since 1970-01-01 UTC.</summary>
    public long Time => _record.Time;

    /// <summary>The same for all copies of one frame.</summary>
    public long FrameId => _record.FrameId;

    /// <summary>The lane that decided about it.</summary>
    public int Lane { get; }

    /// <summary>Its VNI: the domain's, or what an unknown one's header says; null when there is none.</summary>
    public Vni? Vni => _record.Vni == CaptureRecord.NoVni ? null : new Vni(_record.Vni);

    /// <summary>Its domain's name, or null.</summary>
    public string? Domain => _record.Domain?.Name;

    /// <summary>Out of the tunnel; false: from a port, or made here.</summary>
    public bool IsFromUnderlay => _record.IsFromUnderlay;

    /// <summary>The port it came from, or null.</summary>
    public string? FromPort => _record.From?.Device.Name;

    /// <summary>The port it went to, or was to go to, or null.</summary>
    public string? ToPort => _record.To?.Device.Name;

    /// <summary>The VTEP it came from, or the VTEP or group it went to, or was to go to; null when there is none.</summary>
    public VtepEndpoint? Remote => _record.Remote.Address.IsNone ? null : _record.Remote;

    /// <summary>What became of it.</summary>
    public CaptureVerdict Verdict => _record.Verdict;

    /// <summary>Why it was dropped, or some of its segments; otherwise None.</summary>
    public DropReason Reason => _record.Reason;

    /// <summary>Frames on the wire it stands for: 1, or the segments of a super-frame; for frames refused on receipt their number.</summary>
    public int Segments => _record.Segments;

    /// <summary>Of those, dropped ones.</summary>
    public int DroppedSegments => _record.DroppedSegments;
}
