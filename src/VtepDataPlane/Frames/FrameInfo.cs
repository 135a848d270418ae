// Everything known about one frame in a batch, beside its bytes. Plain fields: it is written in place, a batch at a time.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Frames;

/// <summary>Where a frame stands in its slot, and what is known about it.</summary>
public struct FrameInfo
{
    /// <summary>First byte of the frame in its slot.</summary>
    public int Offset;

    /// <summary>Bytes of the frame.</summary>
    public int Length;

    /// <summary>
    /// 0: the slot holds one frame. Otherwise it holds several, each of so many bytes but the last, which may be shorter (UDP_GRO); walking
    /// the batch yields them one by one.
    /// </summary>
    public int SegmentSize;

    /// <summary>What the forwarder read in the frame; offsets count from the Ethernet header, also while a VXLAN header stands in front of it.</summary>
    public FrameHeaders Headers;

    /// <summary>Unfinished checksum and segmentation.</summary>
    public OffloadInfo Offload;

    /// <summary>The outer header: from whom, or to whom.</summary>
    public OuterHeader Outer;

    /// <summary>
    /// On sending: by what number a queue tells which frame it dropped (<see cref="QueueMeters.CountDrop(DropReason, int, int)"/>); 0: nobody asks.
    /// </summary>
    public int Ticket;

    /// <summary>What is wrong with the frame, if <see cref="IsRead"/>.</summary>
    internal FrameFault Fault;

    /// <summary>Headers, Fault and the lines are those of this frame.</summary>
    internal bool IsRead;

    /// <summary>Where the FDB most likely has the frame's source.</summary>
    internal int SourceLine;

    /// <summary>Where the FDB most likely has the frame's destination.</summary>
    internal int DestinationLine;
}
