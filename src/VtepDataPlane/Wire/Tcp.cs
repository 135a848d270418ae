// The TCP header (RFC 9293 section 3.1), as far as segmentation and coalescing look into it.

using System.Buffers.Binary;

namespace VtepDataPlane.Wire;

/// <summary>TCP flags as they stand in the header's 14th byte.</summary>
[Flags]
public enum TcpFlags : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>No more data.</summary>
    Fin = 0x01,

    /// <summary>Synchronize sequence numbers.</summary>
    Syn = 0x02,

    /// <summary>Reset.</summary>
    Rst = 0x04,

    /// <summary>Push.</summary>
    Psh = 0x08,

    /// <summary>The acknowledgment number is valid.</summary>
    Ack = 0x10,

    /// <summary>The urgent pointer is valid.</summary>
    Urg = 0x20,

    /// <summary>ECN echo (RFC 3168).</summary>
    Ece = 0x40,

    /// <summary>Congestion window reduced (RFC 3168).</summary>
    Cwr = 0x80,
}

/// <summary>A TCP segment, viewed. Borrows the bytes; whoever slices them off the IP packet leaves padding away.</summary>
public readonly ref struct TcpView
{
    /// <summary>Bytes of a header without options.</summary>
    public const int MinimumHeaderSize = 20;

    internal const int SequenceNumberOffset = 4;
    internal const int AcknowledgmentNumberOffset = 8;
    internal const int DataOffsetOffset = 12;
    internal const int FlagsOffset = 13;
    internal const int WindowOffset = 14;
    internal const int ChecksumOffset = 16;
    internal const int UrgentPointerOffset = 18;

    private readonly ReadOnlySpan<byte> _segment;

    private TcpView(ReadOnlySpan<byte> segment) => _segment = segment;

    /// <summary>Source port.</summary>
    public ushort SourcePort => BinaryPrimitives.ReadUInt16BigEndian(_segment);

    /// <summary>Destination port.</summary>
    public ushort DestinationPort => BinaryPrimitives.ReadUInt16BigEndian(_segment[2..]);

    /// <summary>Number of the first payload byte.</summary>
    public uint SequenceNumber => BinaryPrimitives.ReadUInt32BigEndian(_segment[SequenceNumberOffset..]);

    /// <summary>Number of the next byte expected, when <see cref="TcpFlags.Ack"/> is set.</summary>
    public uint AcknowledgmentNumber => BinaryPrimitives.ReadUInt32BigEndian(_segment[AcknowledgmentNumberOffset..]);

    /// <summary>Bytes of the header, options included: 20 to 60.</summary>
    public int HeaderLength => (_segment[DataOffsetOffset] >> 4) * 4;

    /// <summary>The flags.</summary>
    public TcpFlags Flags => (TcpFlags)_segment[FlagsOffset];

    /// <summary>Receive window, unscaled.</summary>
    public ushort Window => BinaryPrimitives.ReadUInt16BigEndian(_segment[WindowOffset..]);

    /// <summary>The checksum as it stands, unverified.</summary>
    public ushort Checksum => BinaryPrimitives.ReadUInt16BigEndian(_segment[ChecksumOffset..]);

    /// <summary>Urgent pointer.</summary>
    public ushort UrgentPointer => BinaryPrimitives.ReadUInt16BigEndian(_segment[UrgentPointerOffset..]);

    /// <summary>Options with their padding.</summary>
    public ReadOnlySpan<byte> Options => _segment[MinimumHeaderSize..HeaderLength];

    /// <summary>What is behind the header.</summary>
    public ReadOnlySpan<byte> Payload => _segment[HeaderLength..];

    /// <summary>False when the header is cut short or its data offset lies.</summary>
    public static bool TryParse(ReadOnlySpan<byte> transport, out TcpView view)
    {
        view = default;
        if (transport.Length < MinimumHeaderSize)
            return false;
        int headerLength = (transport[DataOffsetOffset] >> 4) * 4;
        if (headerLength < MinimumHeaderSize || headerLength > transport.Length)
            return false;
        view = new TcpView(transport);
        return true;
    }
}
