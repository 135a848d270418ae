// Everything known about one frame in a batch, beside its bytes. Plain fields: it is written in place, 64 at a time.

namespace VtepDataPlane.Frames;

/// <summary>Where a frame stands in its slot, and what is known about it.</summary>
public struct FrameInfo
{
    /// <summary>First byte of the frame in its slot.</summary>
    public int Offset;

    /// <summary>Bytes of the frame.</summary>
    public int Length;

    /// <summary>Unfinished checksum and segmentation.</summary>
    public OffloadInfo Offload;

    /// <summary>The outer header: from whom, or to whom.</summary>
    public OuterHeader Outer;
}
