// The Ethernet II header: destination, source, EtherType (or a VLAN tag's TPID in its place). A TPID below 0x0600 is an IEEE 802.3
// length; nothing here treats it specially, it is an EtherType nobody knows. Any thread.

using System.Buffers.Binary;

namespace VtepDataPlane.Wire;

/// <summary>An Ethernet II frame (IEEE 802.3 section 3), viewed. Borrows the bytes.</summary>
public readonly ref struct EthernetView
{
    private const int SourceOffset = 6;
    private const int EtherTypeOffset = 12;

    private readonly ReadOnlySpan<byte> _frame;

    private EthernetView(ReadOnlySpan<byte> frame) => _frame = frame;

    /// <summary>Where the frame goes.</summary>
    public MacAddress Destination => MacAddress.Read(_frame);

    /// <summary>Where it comes from.</summary>
    public MacAddress Source => MacAddress.Read(_frame[SourceOffset..]);

    /// <summary>The field behind the addresses: an EtherType, or the TPID of a VLAN tag.</summary>
    public ushort EtherType => BinaryPrimitives.ReadUInt16BigEndian(_frame[EtherTypeOffset..]);

    /// <summary>Everything behind the header, padding included.</summary>
    public ReadOnlySpan<byte> Payload => _frame[EthernetHeader.Size..];

    /// <summary>False when there are fewer than <see cref="EthernetHeader.Size"/> bytes.</summary>
    /// <param name="frame">A frame from its destination address on, without preamble and checksum.</param>
    /// <param name="view">Reads it; borrows <paramref name="frame"/>. Not to be used when the answer is false.</param>
    public static bool TryParse(ReadOnlySpan<byte> frame, out EthernetView view)
    {
        bool ok = frame.Length >= EthernetHeader.Size;
        view = ok ? new EthernetView(frame) : default;
        return ok;
    }
}

/// <summary>An Ethernet II header to write (IEEE 802.3 section 3).</summary>
/// <param name="Destination">Where the frame goes.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="EtherType">EtherType or TPID, see <see cref="Wire.EtherType"/>.</param>
public readonly record struct EthernetHeader(MacAddress Destination, MacAddress Source, ushort EtherType)
{
    /// <summary>Bytes on the wire, without a VLAN tag and without a checksum.</summary>
    public const int Size = 14;

    /// <summary>Writes <see cref="Size"/> bytes. The caller has checked the length.</summary>
    /// <param name="destination">Takes the header in its first <see cref="Size"/> bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter: a bug in the caller.</exception>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination[12..], EtherType);
        Source.Write(destination[6..]);
        Destination.Write(destination);
    }
}
