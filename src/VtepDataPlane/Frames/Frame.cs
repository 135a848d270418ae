// A frame borrows a slot of a FrameBatch. It is a ref struct, so code that tries to keep one past its batch doesn't compile.
// The slot has headroom in front: pushing a header is a store, popping one is an addition; the payload never moves.
//
//   slot:  [ headroom 128 ............ | frame ........................ | unused ]
//                             ^ Push    ^ Info.Offset    Info.Length
//
// Every slot lies in pinned memory (FrameBatch is the only maker of frames), so an OS queue may hand its address to the kernel
// for as long as the frame is borrowed: until the queue's next Flush has returned.

namespace VtepDataPlane.Frames;

/// <summary>One borrowed frame: bytes in a slot with headroom, and what is known about it. Owned by one thread.</summary>
public readonly ref struct Frame
{
    private readonly Span<byte> _slot;

    /// <summary>Offset, length, offload and outer header; shared by all copies of this value.</summary>
    public readonly ref FrameInfo Info;

    internal Frame(Span<byte> slot, ref FrameInfo info)
    {
        _slot = slot;
        Info = ref info;
    }

    /// <summary>The frame's bytes. Pinned memory; borrowed until the batch is received into again.</summary>
    public Span<byte> Bytes => _slot.Slice(Info.Offset, Info.Length);

    /// <summary>Bytes of the frame.</summary>
    public int Length => Info.Length;

    /// <summary>Grows the frame at its front by <paramref name="count"/> bytes and returns them, to be written by the caller.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The headroom is used up: a bug in the caller, never the fault of a frame.</exception>
    public Span<byte> Push(int count)
    {
        Span<byte> header = _slot.Slice(Info.Offset - count, count);
        Info.Offset -= count;
        Info.Length += count;
        return header;
    }

    /// <summary>Takes <paramref name="count"/> bytes off the front. The caller has checked the length.</summary>
    public void Pop(int count)
    {
        Info.Offset += count;
        Info.Length -= count;
    }
}
