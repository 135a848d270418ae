// Frames for one direction, prepared. A frame is a head of its own (addresses, ports) and a tail that all frames share, so that the traffic
// of many stations lies close together.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Daemon.Bench;

/// <summary>Prepared frames.</summary>
/// <param name="Heads">The first bytes of each frame, one behind the other.</param>
/// <param name="HeadLength">Bytes of one head.</param>
/// <param name="Tail">The other bytes, the same for all.</param>
internal sealed record BenchTraffic(byte[] Heads, int HeadLength, byte[] Tail)
{
    /// <summary>Bytes as they are received.</summary>
    public int Length => HeadLength + Tail.Length;

    /// <summary>Frames on the wire that one of these stands for: more than one for a super-frame or a train.</summary>
    public int WireFrames { get; init; } = 1;

    /// <summary>Of a train: see <see cref="FrameInfo.SegmentSize"/>.</summary>
    public int SegmentSize { get; init; }

    /// <summary>What a super-frame says about itself.</summary>
    public OffloadInfo Offload { get; init; }

    /// <summary>Of datagrams: who sent them.</summary>
    public VtepEndpoint Source { get; init; }
}
