// The UDP header (RFC 768). A length field of 0 (RFC 2675 jumbograms) isn't accepted. Bytes behind the length are not part of the view.

using System.Buffers.Binary;

namespace VtepDataPlane.Wire;

/// <summary>A UDP datagram, viewed; ends at its own length. Borrows the bytes.</summary>
public readonly ref struct UdpView
{
    private readonly ReadOnlySpan<byte> _datagram;

    private UdpView(ReadOnlySpan<byte> datagram) => _datagram = datagram;

    /// <summary>Source port.</summary>
    public ushort SourcePort => BinaryPrimitives.ReadUInt16BigEndian(_datagram);

    /// <summary>Destination port.</summary>
    public ushort DestinationPort => BinaryPrimitives.ReadUInt16BigEndian(_datagram[UdpHeader.DestinationPortOffset..]);

    /// <summary>Bytes of header and payload.</summary>
    public int Length => _datagram.Length;

    /// <summary>The checksum as it stands; 0: none.</summary>
    public ushort Checksum => BinaryPrimitives.ReadUInt16BigEndian(_datagram[UdpHeader.ChecksumOffset..]);

    /// <summary>What is behind the header, up to the length.</summary>
    public ReadOnlySpan<byte> Payload => _datagram[UdpHeader.Size..];

    /// <summary>False when the header is cut short or its length lies.</summary>
    public static bool TryParse(ReadOnlySpan<byte> transport, out UdpView view)
    {
        view = default;
        if (transport.Length < UdpHeader.Size)
            return false;
        int length = BinaryPrimitives.ReadUInt16BigEndian(transport[UdpHeader.LengthOffset..]);
        if (length < UdpHeader.Size || length > transport.Length)
            return false;
        view = new UdpView(transport[..length]);
        return true;
    }
}

/// <summary>A UDP header to write.</summary>
/// <param name="SourcePort">Source port.</param>
/// <param name="DestinationPort">Destination port.</param>
/// <param name="Length">Bytes of header and payload.</param>
/// <param name="Checksum">As it shall stand; 0: none.</param>
public readonly record struct UdpHeader(ushort SourcePort, ushort DestinationPort, ushort Length, ushort Checksum)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Size = 8;

    internal const int DestinationPortOffset = 2;
    internal const int LengthOffset = 4;
    internal const int ChecksumOffset = 6;

    /// <summary>Writes <see cref="Size"/> bytes. The caller has checked the length.</summary>
    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt64BigEndian(
        destination, ((ulong)SourcePort << 48) | ((ulong)DestinationPort << 32) | ((ulong)Length << 16) | Checksum);
}
