// ARP for IPv4 over Ethernet (RFC 826), the only pair of hardware and protocol there is in practice. Anything else doesn't parse
// and is carried as the unknown frame it is.

using System.Buffers.Binary;

namespace VtepDataPlane.Wire;

/// <summary>An ARP message for IPv4 over Ethernet.</summary>
/// <param name="Operation"><see cref="Request"/> or <see cref="Reply"/>; others exist and mean nothing here.</param>
/// <param name="SenderMac">Who says it.</param>
/// <param name="SenderAddress">An IPv4 address; 0.0.0.0 in a probe (RFC 5227).</param>
/// <param name="TargetMac">Whom it is about or to; all zeros in a request.</param>
/// <param name="TargetAddress">The IPv4 address asked for, or of whom is told.</param>
public readonly record struct ArpPacket(
    ushort Operation, MacAddress SenderMac, InetAddress SenderAddress, MacAddress TargetMac, InetAddress TargetAddress)
{
    /// <summary>Bytes on the wire behind the Ethernet header.</summary>
    public const int Size = 28;

    /// <summary>Who has the target address?</summary>
    public const ushort Request = 1;

    /// <summary>The sender has the sender address.</summary>
    public const ushort Reply = 2;

    // hardware type 1 (Ethernet), protocol type 0x0800, their address lengths 6 and 4: one constant to write and to compare
    private const ulong EthernetIPv4 = 0x0001_0800_0604;
    private const int OperationOffset = 6;
    private const int SenderMacOffset = 8;
    private const int SenderAddressOffset = 14;
    private const int TargetMacOffset = 18;
    private const int TargetAddressOffset = 24;

    /// <summary>False when the message is cut short or isn't about IPv4 over Ethernet.</summary>
    public static bool TryParse(ReadOnlySpan<byte> payload, out ArpPacket packet)
    {
        packet = default;
        if (payload.Length < Size || BinaryPrimitives.ReadUInt64BigEndian(payload) >> 16 != EthernetIPv4)
            return false;
        packet = new ArpPacket(
            BinaryPrimitives.ReadUInt16BigEndian(payload[OperationOffset..]),
            MacAddress.Read(payload[SenderMacOffset..]),
            InetAddress.ReadIPv4(payload[SenderAddressOffset..]),
            MacAddress.Read(payload[TargetMacOffset..]),
            InetAddress.ReadIPv4(payload[TargetAddressOffset..]));
        return true;
    }

    /// <summary>Writes <see cref="Size"/> bytes. The caller has checked the length, and that both addresses are IPv4.</summary>
    public void Write(Span<byte> destination)
    {
        destination = destination[..Size];
        BinaryPrimitives.WriteUInt64BigEndian(destination, (EthernetIPv4 << 16) | Operation);
        SenderMac.Write(destination[SenderMacOffset..]);
        SenderAddress.Write(destination[SenderAddressOffset..]);
        TargetMac.Write(destination[TargetMacOffset..]);
        TargetAddress.Write(destination[TargetAddressOffset..]);
    }
}
