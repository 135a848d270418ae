// Writes pcapng (draft-ietf-opsawg-pcapng; what Wireshark, tcpdump and tshark read): little-endian, link type Ethernet, times in nanoseconds
// since 1970. A section header first, then interfaces as they turn up, packets, and statistics of the interfaces at the end. A stream can be cut
// anywhere between two blocks and is still a file.
//
//   block    [type 4][length 4][body, padded to 4 ...][options ...][length 4]
//   option   [code 2][length 2][value, padded to 4]      the last one is code 0
//
// Owned by one thread. Allocates nothing for a packet but what the buffer it writes to does.

using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace VtepDataPlane.Diagnostics.Capture;

/// <summary>Which way a packet went, as epb_flags says it.</summary>
public enum PacketDirection
{
    /// <summary>Not told.</summary>
    Unknown = 0,

    /// <summary>Came in: out of the tunnel.</summary>
    Inbound = 1,

    /// <summary>Went out: towards the tunnel.</summary>
    Outbound = 2,
}

/// <summary>What is said about a packet besides its bytes.</summary>
public readonly ref struct PacketOptions
{
    /// <summary>Which way it went.</summary>
    public PacketDirection Direction { get; init; }

    /// <summary>The same for all packets that are copies of one frame (epb_packetid).</summary>
    public ulong PacketId { get; init; }

    /// <summary>The queue or lane it was seen on (epb_queue), 0 to 4,294,967,295.</summary>
    public uint Queue { get; init; }

    /// <summary>Packets lost by the capture since the packet before (epb_dropcount); 0 is not written.</summary>
    public ulong LostBefore { get; init; }

    /// <summary>A comment in UTF-8, at most 65,535 bytes (longer ones are cut); empty: none.</summary>
    public ReadOnlySpan<byte> Comment { get; init; }
}

/// <summary>Writes a pcapng section to a buffer. Owned by one thread.</summary>
/// <param name="output">Where to. It is never flushed from here.</param>
public sealed class PcapngWriter(IBufferWriter<byte> output)
{
    private const uint SectionHeaderBlock = 0x0A0D_0D0A;
    private const uint InterfaceBlock = 1;
    private const uint StatisticsBlock = 5;
    private const uint PacketBlock = 6;
    private const uint ByteOrderMagic = 0x1A2B_3C4D;
    private const ushort LinkTypeEthernet = 1;
    private const byte Nanoseconds = 9;

    private const int BlockOverhead = 12;
    private const int OptionOverhead = 4;
    private const int LongestComment = ushort.MaxValue & ~3;

    /// <summary>Interfaces written so far; their ids are 0 to this less one.</summary>
    public int Interfaces { get; private set; }

    /// <summary>Begins the section; must come first.</summary>
    /// <param name="application">Who writes it, such as "vtep 1.0".</param>
    /// <param name="comment">About the whole, or empty.</param>
    public void WriteSection(string application, string comment = "")
    {
        byte[] user = Encoding.UTF8.GetBytes(application), about = Encoding.UTF8.GetBytes(comment);
        var block = new Block(output, SectionHeaderBlock, 16, OptionSize(user.Length) + OptionSize(about.Length));
        block.Write32(ByteOrderMagic);
        block.Write16(1);
        block.Write16(0);
        block.Write64(ulong.MaxValue); // the section's length: not known beforehand
        block.WriteOption(4, user); // shb_userappl
        block.WriteOption(1, about);
        block.End();
    }

    /// <summary>Adds an interface.</summary>
    /// <param name="name">What it is called, at most 65,535 bytes of UTF-8.</param>
    /// <param name="description">What it is.</param>
    /// <param name="snapLength">Bytes of a packet that are kept; 0: all.</param>
    /// <returns>Its id, for <see cref="WritePacket"/>.</returns>
    public int AddInterface(string name, string description, int snapLength = 0)
    {
        byte[] nameBytes = Encoding.UTF8.GetBytes(name), about = Encoding.UTF8.GetBytes(description);
        ReadOnlySpan<byte> resolution = [Nanoseconds];
        var block = new Block(output, InterfaceBlock, 8, OptionSize(nameBytes.Length) + OptionSize(about.Length) + OptionSize(1));
        block.Write16(LinkTypeEthernet);
        block.Write16(0);
        block.Write32((uint)snapLength);
        block.WriteOption(2, nameBytes); // if_name
        block.WriteOption(3, about); // if_description
        block.WriteOption(9, resolution); // if_tsresol
        block.End();
        return Interfaces++;
    }

    /// <summary>Writes a packet.</summary>
    /// <param name="interfaceId">What <see cref="AddInterface"/> gave.</param>
    /// <param name="time">Nanoseconds since 1970-01-01 UTC.</param>
    /// <param name="bytes">What was kept of it, from the destination MAC on.</param>
    /// <param name="originalLength">Bytes it had.</param>
    /// <param name="options">What is said about it.</param>
    public void WritePacket(int interfaceId, long time, ReadOnlySpan<byte> bytes, int originalLength, in PacketOptions options)
    {
        ReadOnlySpan<byte> comment = options.Comment.Length > LongestComment ? options.Comment[..LongestComment] : options.Comment;
        int optionBytes = OptionSize(4) + OptionSize(8) + OptionSize(4) + (options.LostBefore > 0 ? OptionSize(8) : 0) + OptionSize(comment.Length);
        var block = new Block(output, PacketBlock, 20 + Padded(bytes.Length), optionBytes);
        block.Write32((uint)interfaceId);
        block.WriteTime(time);
        block.Write32((uint)bytes.Length);
        block.Write32((uint)originalLength);
        block.WritePadded(bytes);
        block.WriteOption32(2, (uint)options.Direction); // epb_flags
        block.WriteOption64(5, options.PacketId); // epb_packetid
        block.WriteOption32(6, options.Queue); // epb_queue
        if (options.LostBefore > 0)
            block.WriteOption64(4, options.LostBefore); // epb_dropcount
        block.WriteOption(1, comment);
        block.End();
    }

    /// <summary>Writes an interface's statistics.</summary>
    /// <param name="interfaceId">What <see cref="AddInterface"/> gave.</param>
    /// <param name="time">Nanoseconds since 1970-01-01 UTC.</param>
    /// <param name="received">Packets that were to be captured (isb_ifrecv).</param>
    /// <param name="lost">Of those, packets that aren't in the file (isb_ifdrop).</param>
    public void WriteStatistics(int interfaceId, long time, long received, long lost)
    {
        var block = new Block(output, StatisticsBlock, 12, OptionSize(8) + OptionSize(8));
        block.Write32((uint)interfaceId);
        block.WriteTime(time);
        block.WriteOption64(4, (ulong)received);
        block.WriteOption64(5, (ulong)lost);
        block.End();
    }

    private static int Padded(int length) => (length + 3) & ~3;

    private static int OptionSize(int length) => length == 0 ? 0 : OptionOverhead + Padded(length);

    // A block of known size, written straight into the buffer.
    private ref struct Block
    {
        private readonly IBufferWriter<byte> _output;
        private readonly Span<byte> _bytes;
        private readonly bool _hasOptions;
        private int _at;

        public Block(IBufferWriter<byte> output, uint type, int body, int options)
        {
            _output = output;
            _hasOptions = options > 0;
            int length = BlockOverhead + body + options + (_hasOptions ? OptionOverhead : 0);
            _bytes = output.GetSpan(length)[..length];
            Write32(type);
            Write32((uint)length);
        }

        public void Write16(ushort value)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(_bytes[_at..], value);
            _at += sizeof(ushort);
        }

        public void Write32(uint value)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_bytes[_at..], value);
            _at += sizeof(uint);
        }

        public void Write64(ulong value)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_bytes[_at..], value);
            _at += sizeof(ulong);
        }

        public void WriteTime(long time)
        {
            Write32((uint)((ulong)time >> 32));
            Write32((uint)time);
        }

        public void WritePadded(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_bytes[_at..]);
            _bytes[(_at + bytes.Length)..(_at + Padded(bytes.Length))].Clear();
            _at += Padded(bytes.Length);
        }

        public void WriteOption(ushort code, ReadOnlySpan<byte> value)
        {
            if (value.IsEmpty)
                return;
            Write16(code);
            Write16((ushort)value.Length);
            WritePadded(value);
        }

        public void WriteOption32(ushort code, uint value)
        {
            Write16(code);
            Write16(sizeof(uint));
            Write32(value);
        }

        public void WriteOption64(ushort code, ulong value)
        {
            Write16(code);
            Write16(sizeof(ulong));
            Write64(value);
        }

        public void End()
        {
            if (_hasOptions)
                Write32(0);
            Write32((uint)_bytes.Length);
            _output.Advance(_bytes.Length);
        }
    }
}
