// How frames stand in a stream of bytes: each behind its length, 4 bytes, big-endian, which doesn't count itself.
//
//   | 0 0 0 3C | 60 bytes of Ethernet frame | 0 0 5 EA | 1514 bytes of Ethernet frame | ...
//
// It is the format of QEMU's stream sockets (-netdev stream, and -netdev socket over TCP; net/stream_data.c and net_fill_rstate in net/net.c), of
// passt and of other user-space networks, so what is connected to such a stream can be a host on a segment. There is no mark to find the next
// frame by: once a length is wrong, nothing behind it can be read, and who finds one has to give the stream up. Frames come without checksum (FCS),
// and plain: finished checksums, no super-frames.

using System.Buffers;
using System.Buffers.Binary;

namespace VtepDataPlane.Ports;

/// <summary>Ethernet frames in a stream of bytes, each behind its length. Pure functions; any thread.</summary>
public static class FramePipe
{
    /// <summary>Bytes of the length in front of a frame.</summary>
    public const int PrefixLength = sizeof(uint);

    /// <summary>The longest frame: the longest IP packet, 65535 bytes, behind an Ethernet header with two tags. A length above it is a lie.</summary>
    public const int MaxFrameLength = 65_535 + 22;

    /// <summary>Writes a frame with its length in front. It is on its way once the writer is flushed.</summary>
    /// <param name="writer">The host's side, <see cref="System.IO.Pipelines.PipeWriter"/> as a rule.</param>
    /// <param name="frame">An Ethernet frame of up to <see cref="MaxFrameLength"/> bytes, without FCS.</param>
    /// <exception cref="ArgumentException">The frame is longer.</exception>
    public static void WriteFrame(IBufferWriter<byte> writer, ReadOnlySpan<byte> frame)
    {
        ArgumentNullException.ThrowIfNull(writer);
        if (frame.Length > MaxFrameLength)
            throw new ArgumentException($"A frame of {frame.Length} bytes can't be written to a pipe: the longest has {MaxFrameLength}.", nameof(frame));
        Span<byte> room = writer.GetSpan(PrefixLength + frame.Length);
        BinaryPrimitives.WriteUInt32BigEndian(room, (uint)frame.Length);
        frame.CopyTo(room[PrefixLength..]);
        writer.Advance(PrefixLength + frame.Length);
    }

    /// <summary>Takes the first frame off what was read; false when it isn't there whole yet.</summary>
    /// <param name="buffer">What was read; on success what follows the frame.</param>
    /// <param name="frame">The frame, which lies where it was read.</param>
    /// <exception cref="InvalidDataException">The length is above <see cref="MaxFrameLength"/>: the stream can't be read any more.</exception>
    public static bool TryReadFrame(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> frame)
    {
        frame = default;
        if (!TryReadLength(buffer, out uint length))
            return false;
        if (length > MaxFrameLength)
            throw new InvalidDataException(Lie(length));
        if (buffer.Length - PrefixLength < length)
            return false;
        frame = buffer.Slice(PrefixLength, length);
        buffer = buffer.Slice(frame.End);
        return true;
    }

    /// <summary>The length in front of the first frame; false when not even that is there.</summary>
    internal static bool TryReadLength(in ReadOnlySequence<byte> buffer, out uint length)
    {
        length = 0;
        if (buffer.Length < PrefixLength)
            return false;
        ReadOnlySpan<byte> first = buffer.FirstSpan;
        if (first.Length >= PrefixLength)
        {
            length = BinaryPrimitives.ReadUInt32BigEndian(first);
            return true;
        }

        Span<byte> prefix = stackalloc byte[PrefixLength];
        buffer.Slice(0, PrefixLength).CopyTo(prefix);
        length = BinaryPrimitives.ReadUInt32BigEndian(prefix);
        return true;
    }

    internal static string Lie(uint length) =>
        $"a frame's length says {length} bytes, and the longest frame has {MaxFrameLength}: nothing behind it can be read";
}
