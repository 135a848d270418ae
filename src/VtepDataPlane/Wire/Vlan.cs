// A VLAN tag (IEEE 802.1Q section 9.6) as it stands inside a frame: the TPID takes the place of the EtherType, and 16 bits of tag
// control information and the next EtherType follow.
//
//   ... source (6) | TPID (2) | PCP (3 bits) DEI (1) VID (12) | EtherType (2) | ...

using System.Buffers.Binary;

namespace VtepDataPlane.Wire;

/// <summary>A VLAN tag: four bytes between the addresses and the EtherType.</summary>
/// <param name="Tpid"><see cref="EtherType.Vlan"/> or <see cref="EtherType.ServiceVlan"/>.</param>
/// <param name="Control">Priority (3 bits), drop eligible (1 bit), VLAN identifier (12 bits).</param>
public readonly record struct VlanTag(ushort Tpid, ushort Control)
{
    /// <summary>Bytes a tag adds to a frame.</summary>
    public const int Size = 4;

    private const ushort IdentifierMask = 0x0FFF;
    private const ushort DropEligibleBit = 0x1000;
    private const int PriorityShift = 13;

    /// <summary>The VLAN, 0 (priority only) to 4095.</summary>
    public ushort Identifier => (ushort)(Control & IdentifierMask);

    /// <summary>Priority code point, 0 to 7.</summary>
    public byte Priority => (byte)(Control >> PriorityShift);

    /// <summary>Drop eligible indicator.</summary>
    public bool DropEligible => (Control & DropEligibleBit) != 0;

    /// <summary>Reads the tag <paramref name="source"/> starts with; false when there is none or it is cut short.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out VlanTag tag)
    {
        tag = default;
        if (source.Length < Size)
            return false;
        ushort tpid = BinaryPrimitives.ReadUInt16BigEndian(source);
        if (!EtherType.IsVlan(tpid))
            return false;
        tag = new VlanTag(tpid, BinaryPrimitives.ReadUInt16BigEndian(source[2..]));
        return true;
    }

    /// <summary>Writes <see cref="Size"/> bytes, TPID first. The caller has checked the length.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], Control);
        BinaryPrimitives.WriteUInt16BigEndian(destination, Tpid);
    }
}
