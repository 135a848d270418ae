// The VXLAN header (RFC 7348 section 5), two 32-bit words in network order:
//
//   |R|R|R|R|I|R|R|R|            reserved (24)            |
//   |             VNI (24)              |   reserved (8)  |
//
// I says that the VNI is valid. The other 39 bits are reserved: sent as zero, and on receipt ignored or refused as the domain's
// policy says, so they are kept here as they came. Any thread.

using System.Buffers.Binary;

namespace VtepDataPlane.Wire;

/// <summary>A VXLAN header as received (RFC 7348 section 5), reserved bits included.</summary>
public readonly record struct VxlanHeader
{
    /// <summary>Bytes on the wire.</summary>
    public const int Size = 8;

    private const uint VniFlag = 0x0800_0000;
    private const int VniShift = 8;
    private const int VniWordOffset = 4;

    private readonly uint _flags;
    private readonly uint _vni;

    private VxlanHeader(uint flags, uint vni)
    {
        _flags = flags;
        _vni = vni;
    }

    /// <summary>The I flag: the VNI field is valid.</summary>
    public bool HasVni => (_flags & VniFlag) != 0;

    /// <summary>The VNI field, whatever the I flag says.</summary>
    public Vni Vni => new((int)(_vni >> VniShift));

    /// <summary>Any of the 39 reserved bits is set.</summary>
    public bool HasReservedBits => (_flags & ~VniFlag) != 0 || (byte)_vni != 0;

    /// <summary>Writes <see cref="Size"/> bytes: the I flag, the VNI, reserved bits zero. The caller has checked the length.</summary>
    /// <param name="destination">Takes the header in its first <see cref="Size"/> bytes.</param>
    /// <param name="vni">The VNI.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is too little room: a bug in the caller.</exception>
    public static void Write(Span<byte> destination, Vni vni) =>
        BinaryPrimitives.WriteUInt64BigEndian(destination, ((ulong)VniFlag << 32) | ((uint)vni.Value << VniShift));

    /// <summary>Reads the header a datagram starts with; false when the datagram is shorter than <see cref="Size"/>.</summary>
    /// <param name="datagram">The payload of a UDP datagram.</param>
    /// <param name="header">What it starts with, whatever its flags say.</param>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out VxlanHeader header)
    {
        if (datagram.Length < Size)
        {
            header = default;
            return false;
        }

        header = new VxlanHeader(
            BinaryPrimitives.ReadUInt32BigEndian(datagram), BinaryPrimitives.ReadUInt32BigEndian(datagram[VniWordOffset..]));
        return true;
    }
}
