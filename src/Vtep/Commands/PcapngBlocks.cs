// Takes a stream of pcapng apart into its blocks, so that it can be cut between two of them, counted and read. What the daemon writes is read here, not
// any file: little-endian, and no block longer than a frame and its options can make one. One thread.

using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>A packet of a capture.</summary>
/// <param name="Time">Nanoseconds since 1970.</param>
/// <param name="Bytes">What was kept of it.</param>
/// <param name="Length">Bytes it had.</param>
/// <param name="Comment">What is said about it.</param>
internal sealed record CapturedPacket(long Time, byte[] Bytes, int Length, string Comment);

/// <summary>Reads blocks.</summary>
internal static class PcapngBlocks
{
    public const uint Packet = 6;
    public const uint Statistics = 5;

    private const int HeaderSize = 8;
    private const int PacketHeaderSize = 28;
    private const int LongestBlock = 1 << 20;
    private const ushort CommentOption = 1;
    private const ushort LostOption = 5;

    /// <summary>Hands on each whole block, until the stream ends; what is left of a block then is left out.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="take">Takes a block: its type and all its bytes.</param>
    /// <param name="pause">Called when all that has come was handed on.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="InvalidDataException">That is no capture.</exception>
    public static async Task ReadAsync(Stream stream, Action<uint, ReadOnlySequence<byte>> take, Action pause, CancellationToken stop)
    {
        PipeReader reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 256 << 10, leaveOpen: true));
        while (true)
        {
            ReadResult result = await reader.ReadAsync(stop);
            ReadOnlySequence<byte> rest = result.Buffer;
            while (TryTake(ref rest, out uint type, out ReadOnlySequence<byte> block))
                take(type, block);
            reader.AdvanceTo(rest.Start, rest.End);
            pause();
            if (result.IsCompleted)
                break;
        }

        await reader.CompleteAsync();
    }

    private static bool TryTake(ref ReadOnlySequence<byte> rest, out uint type, out ReadOnlySequence<byte> block)
    {
        type = 0;
        block = default;
        if (rest.Length < HeaderSize)
            return false;
        Span<byte> header = stackalloc byte[HeaderSize];
        rest.Slice(0, HeaderSize).CopyTo(header);
        type = BinaryPrimitives.ReadUInt32LittleEndian(header);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        if (length is < HeaderSize + 4 or > LongestBlock || length % 4 != 0)
            throw new InvalidDataException("The daemon's answer is no capture; is it another version of vtep?");
        if (rest.Length < length)
            return false;
        block = rest.Slice(0, length);
        rest = rest.Slice(length);
        return true;
    }

    /// <summary>The packet in a block of type <see cref="Packet"/>.</summary>
    public static CapturedPacket ReadPacket(ReadOnlySequence<byte> block)
    {
        ReadOnlySpan<byte> bytes = block.ToArray();
        long time = ((long)BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]) << 32) | BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]);
        int kept = BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]);
        int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]);
        ReadOnlySpan<byte> options = bytes[(PacketHeaderSize + ((kept + 3) & ~3))..^4];
        return new CapturedPacket(time, bytes.Slice(PacketHeaderSize, kept).ToArray(), length, Encoding.UTF8.GetString(Find(options, CommentOption)));
    }

    /// <summary>What a block of type <see cref="Statistics"/> says was lost.</summary>
    public static long ReadLost(ReadOnlySequence<byte> block)
    {
        ReadOnlySpan<byte> lost = Find(block.ToArray().AsSpan(20..^4), LostOption);
        return lost.Length == sizeof(long) ? BinaryPrimitives.ReadInt64LittleEndian(lost) : 0;
    }

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> options, ushort code)
    {
        while (options.Length >= 4)
        {
            ushort found = BinaryPrimitives.ReadUInt16LittleEndian(options);
            int length = BinaryPrimitives.ReadUInt16LittleEndian(options[2..]);
            if (found == code)
                return options.Slice(4, length);
            if (found == 0)
                break;
            options = options[(4 + ((length + 3) & ~3))..];
        }

        return [];
    }
}
