// Neighbour discovery (RFC 4861): the solicitation (section 4.3) and the advertisement (section 4.4), each a whole IPv6 packet, because half of what
// makes one valid stands in the IP header: a hop limit of 255 says that no router has passed it on.
//
//   IPv6 (40) | type (1) code (1) checksum (2) | flags (4) | target (16) | options: type (1) length in units of 8 (1) ...
//
// What sections 7.1.1 and 7.1.2 have a receiver discard doesn't parse. That is more than the receiver's own safety here: a message somebody else would
// discard must not be answered, or believed, by us. So doesn't one behind extension headers, which nobody sends and some use to slip past
// switches that look (RFC 6980 forbids the fragments). Of options only the link-layer address of Ethernet is read; the first one counts.
//
// Any thread; no allocation; never throws.

using System.Buffers.Binary;

namespace VtepDataPlane.Wire;

/// <summary>Who has the target address?</summary>
/// <param name="Source">Who asks; <c>::</c> looks whether the address is free (duplicate address detection, RFC 4862 section 5.4).</param>
/// <param name="Destination">The target, or its solicited-node multicast address.</param>
/// <param name="Target">The address asked for.</param>
/// <param name="SourceMac">The asker's MAC by the option; zero: it isn't told.</param>
public readonly record struct NeighborSolicitation(InetAddress Source, InetAddress Destination, InetAddress Target, MacAddress SourceMac)
{
    /// <summary>Bytes of the longest packet written.</summary>
    public const int MaximumSize = NeighborDiscovery.MaximumSize;

    /// <summary>Bytes of the packet written.</summary>
    public int Size => NeighborDiscovery.SizeWith(SourceMac);

    /// <summary>False when it is no solicitation, or one to discard.</summary>
    /// <param name="packet">From the first byte of the IPv6 header on; padding may follow.</param>
    /// <param name="message">What it says.</param>
    public static bool TryParse(ReadOnlySpan<byte> packet, out NeighborSolicitation message)
    {
        message = default;
        if (!NeighborDiscovery.TryRead(packet, IcmpV6.NeighborSolicitation, NeighborDiscovery.SourceOption, out Ipv6View view, out MacAddress mac))
            return false;
        message = new NeighborSolicitation(view.Source, view.Destination, NeighborDiscovery.TargetOf(view), mac);
        return !message.Source.IsUnspecified || (mac.IsZero && message.IsToSolicitedNode);
    }

    /// <summary>Sent to everybody who might have the target, not to one who is known to.</summary>
    public bool IsToSolicitedNode => Destination == NeighborDiscovery.SolicitedNode(Target);

    /// <summary>Writes <see cref="Size"/> bytes, checksum included. The caller has checked the length, and that all addresses are IPv6.</summary>
    public void Write(Span<byte> destination) => NeighborDiscovery.Write(
        destination[..Size], Source, Destination, IcmpV6.NeighborSolicitation, flags: 0, Target, NeighborDiscovery.SourceOption, SourceMac);
}

/// <summary>I have the target address.</summary>
/// <param name="Source">Who says it.</param>
/// <param name="Destination">Who asked, or all nodes.</param>
/// <param name="Target">The address told about.</param>
/// <param name="TargetMac">The MAC it is at by the option; zero: the MAC the frame comes from.</param>
/// <param name="IsRouter">The sender is a router.</param>
/// <param name="IsSolicited">An answer.</param>
/// <param name="IsOverride">Replaces what was known before.</param>
public readonly record struct NeighborAdvertisement(
    InetAddress Source, InetAddress Destination, InetAddress Target, MacAddress TargetMac, bool IsRouter, bool IsSolicited, bool IsOverride)
{
    /// <summary>Bytes of the longest packet written.</summary>
    public const int MaximumSize = NeighborDiscovery.MaximumSize;

    private const uint RouterBit = 1u << 31;
    private const uint SolicitedBit = 1u << 30;
    private const uint OverrideBit = 1u << 29;

    /// <summary>Bytes of the packet written.</summary>
    public int Size => NeighborDiscovery.SizeWith(TargetMac);

    private uint Flags => (IsRouter ? RouterBit : 0) | (IsSolicited ? SolicitedBit : 0) | (IsOverride ? OverrideBit : 0);

    /// <summary>False when it is no advertisement, or one to discard.</summary>
    /// <param name="packet">From the first byte of the IPv6 header on; padding may follow.</param>
    /// <param name="message">What it says.</param>
    public static bool TryParse(ReadOnlySpan<byte> packet, out NeighborAdvertisement message)
    {
        message = default;
        if (!NeighborDiscovery.TryRead(packet, IcmpV6.NeighborAdvertisement, NeighborDiscovery.TargetOption, out Ipv6View view, out MacAddress mac))
            return false;
        uint flags = NeighborDiscovery.FlagsOf(view);
        message = new NeighborAdvertisement(
            view.Source, view.Destination, NeighborDiscovery.TargetOf(view), mac,
            (flags & RouterBit) != 0, (flags & SolicitedBit) != 0, (flags & OverrideBit) != 0);
        return message.Source.IsUnicast && !(message.IsSolicited && message.Destination.IsMulticast);
    }

    /// <summary>Writes <see cref="Size"/> bytes, checksum included. The caller has checked the length, and that all addresses are IPv6.</summary>
    public void Write(Span<byte> destination) => NeighborDiscovery.Write(
        destination[..Size], Source, Destination, IcmpV6.NeighborAdvertisement, Flags, Target, NeighborDiscovery.TargetOption, TargetMac);
}

/// <summary>What both messages have in common.</summary>
public static class NeighborDiscovery
{
    internal const byte SourceOption = 1;
    internal const byte TargetOption = 2;
    internal const int MaximumSize = Ipv6Header.Size + MessageSize + OptionUnit;

    private const byte HopLimit = 255;
    private const int FlagsOffset = 4;
    private const int TargetOffset = 8;
    private const int MessageSize = 24;
    private const int OptionUnit = 8;
    private const int OptionValueOffset = 2;

    /// <summary>The multicast address those listen to who have the address (RFC 4291 section 2.7.1): ff02::1:ff and its last 24 bits.</summary>
    public static InetAddress SolicitedNode(in InetAddress address) =>
        InetAddress.FromIPv6(0xFF02_0000_0000_0000, 0x0000_0001_FF00_0000 | (address.Low & 0xFF_FFFF));

    internal static int SizeWith(MacAddress mac) => mac.IsZero ? MaximumSize - OptionUnit : MaximumSize;

    internal static InetAddress TargetOf(in Ipv6View packet) => InetAddress.ReadIPv6(packet.Payload[TargetOffset..]);

    internal static uint FlagsOf(in Ipv6View packet) => BinaryPrimitives.ReadUInt32BigEndian(packet.Payload[FlagsOffset..]);

    /// <summary>A valid message of that type, with the MAC of its option of that kind; zero when it has none.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> bytes, byte type, byte option, out Ipv6View packet, out MacAddress mac)
    {
        mac = default;
        if (!Ipv6View.TryParse(bytes, out packet) || packet.NextHeader != IpProtocol.IcmpV6 || packet.HopLimit != HopLimit)
            return false;
        ReadOnlySpan<byte> message = packet.Payload;
        return message.Length >= MessageSize && message[0] == type && message[1] == 0
            && TargetOf(packet).IsUnicast && !packet.Source.IsMulticast
            && IsChecksumRight(packet) && TryReadOptions(message[MessageSize..], option, out mac);
    }

    internal static void Write(
        Span<byte> packet, in InetAddress source, in InetAddress destination, byte type, uint flags, in InetAddress target, byte option, MacAddress mac)
    {
        Span<byte> message = packet[Ipv6Header.Size..];
        BinaryPrimitives.WriteUInt32BigEndian(message, (uint)type << 24); // code and checksum are zero
        BinaryPrimitives.WriteUInt32BigEndian(message[FlagsOffset..], flags);
        target.Write(message[TargetOffset..]);
        if (!mac.IsZero)
            WriteOption(message[MessageSize..], option, mac);
        IcmpV6.Seal(packet, source, destination, HopLimit);
    }

    private static bool IsChecksumRight(in Ipv6View packet)
    {
        ulong pseudo = InternetChecksum.PseudoHeader(packet.Source, packet.Destination, IpProtocol.IcmpV6, packet.PayloadLength);
        return InternetChecksum.Fold(InternetChecksum.Sum(packet.Payload, pseudo)) == 0xFFFF;
    }

    // a length of 0 would be walked for ever; bytes that are no whole unit are an option cut short
    private static bool TryReadOptions(ReadOnlySpan<byte> options, byte wanted, out MacAddress mac)
    {
        mac = default;
        while (!options.IsEmpty)
        {
            if (options.Length < OptionUnit || options[1] == 0)
                return false;
            int size = options[1] * OptionUnit;
            if (size > options.Length)
                return false;
            if (options[0] == wanted && mac.IsZero && !TryReadOption(options[..size], out mac))
                return false;
            options = options[size..];
        }

        return true;
    }

    private static bool TryReadOption(ReadOnlySpan<byte> option, out MacAddress mac)
    {
        mac = MacAddress.Read(option[OptionValueOffset..]);
        return option.Length == OptionUnit && mac.IsValidSource;
    }

    private static void WriteOption(Span<byte> option, byte type, MacAddress mac)
    {
        option[0] = type;
        option[1] = 1;
        mac.Write(option[OptionValueOffset..]);
    }
}
