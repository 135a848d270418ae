// A train: frames of one flow that follow each other so closely that one super-frame can stand for all of them. One that nothing followed is a
// train of one frame.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Offload;

/// <summary>Kinds of trains.</summary>
[Flags]
internal enum TrainKinds : byte
{
    None = 0,
    Tcp = 1,
    Udp = 2,
    All = Tcp | Udp,
}

/// <summary>Frames that go out as one; see <see cref="Coalescer"/>.</summary>
internal struct Train
{
    /// <summary>Number of its first frame.</summary>
    public int First;

    /// <summary>Number of its last frame.</summary>
    public int Last;

    /// <summary>How many.</summary>
    public int Frames;

    /// <summary>Bytes of the super-frame: the headers once, and all payloads.</summary>
    public int Length;

    /// <summary>Bytes of the headers of each of its frames; 0 when nothing could follow the first.</summary>
    public int HeaderLength;

    /// <summary>Payload bytes of each of its frames but the last, which may have fewer.</summary>
    public int GsoSize;

    /// <summary>What kind; None when nothing could follow the first.</summary>
    public TrainKinds Kind;

    internal bool NeedsChecksum;
    internal bool EndsWithPush;
    internal byte Layout;
    internal ushort NextIdentification;
    internal uint NextSequence;
    internal ulong FlowSum;
    internal FrameHeaders Headers;
}
