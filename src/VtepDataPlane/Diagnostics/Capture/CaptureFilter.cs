// What a capture is to see. All that is given must hold. It is asked on the lane, before anything is copied, so what isn't wanted costs no room.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics.Capture;

/// <summary>What a capture is to see: everything, or what passes all that is given. Immutable.</summary>
public sealed record CaptureFilter
{
    /// <summary>Bytes of a frame that are kept unless told otherwise: all of any frame.</summary>
    public const int DefaultSnapLength = 262_144;

    /// <summary>Frames of this VNI; also such as have no domain here.</summary>
    public Vni? Vni { get; init; }

    /// <summary>Frames from or to this VTEP or group.</summary>
    public InetAddress? Peer { get; init; }

    /// <summary>Frames from or to this port, by name.</summary>
    public string? Port { get; init; }

    /// <summary>Dropped frames only.</summary>
    public bool DropsOnly { get; init; }

    /// <summary>Frames that pass this.</summary>
    public FrameExpression? Expression { get; init; }

    /// <summary>Bytes of each frame that are kept, 1 to <see cref="DefaultSnapLength"/>.</summary>
    public int SnapLength { get; init; } = DefaultSnapLength;

    /// <summary>All but the verdict: a copy that was sent may turn out to be dropped by its queue.</summary>
    internal bool Wants(in CaptureRecord record, ReadOnlySpan<byte> frame, in FrameHeaders headers) =>
        (Vni is null || record.Vni == Vni.Value.Value)
        && (Peer is null || record.Remote.Address == Peer.Value)
        && (Port is null || record.From?.Device.Name == Port || record.To?.Device.Name == Port)
        && (Expression is null || Expression.Matches(frame, headers));
}
