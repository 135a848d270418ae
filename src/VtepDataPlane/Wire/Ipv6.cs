// The IPv6 header and its chain of extension headers (RFC 8200 sections 3 and 4). The view accepts version 6 and a payload length
// that doesn't exceed the bytes; bytes behind it are Ethernet padding. A payload length of 0 is a packet without payload: jumbograms
// (RFC 2675) can't come out of a link with a 16-bit MTU, so nothing behind such a header is read.
//
// The chain is walked over the headers the kernel's ipv6_skip_exthdr knows, at most four of them and never beyond the packet. It may
// end in three ways: at a transport protocol; at a fragment that isn't the first, whose protocol is known but whose bytes are not
// a transport header; or nowhere (too long, cut short, or a routing header with segments left, under which the destination
// in the header is not the one the transport checksum was made for).

using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace VtepDataPlane.Wire;

/// <summary>An IPv6 packet, viewed; ends at its own payload length. Borrows the bytes.</summary>
public readonly ref struct Ipv6View
{
    private readonly ReadOnlySpan<byte> _packet;

    private Ipv6View(ReadOnlySpan<byte> packet) => _packet = packet;

    /// <summary>DSCP (6 bits) and ECN (2 bits).</summary>
    public byte TrafficClass => (byte)(FirstWord >> 20);

    /// <summary>The flow label, 20 bits.</summary>
    public int FlowLabel => (int)(FirstWord & 0xF_FFFF);

    /// <summary>Bytes behind the header, extension headers included.</summary>
    public int PayloadLength => _packet.Length - Ipv6Header.Size;

    /// <summary>Bytes of header and payload.</summary>
    public int TotalLength => _packet.Length;

    /// <summary>The first extension header, or what the payload is, see <see cref="IpProtocol"/>.</summary>
    public byte NextHeader => _packet[Ipv6Header.NextHeaderOffset];

    /// <summary>Hops left.</summary>
    public byte HopLimit => _packet[Ipv6Header.HopLimitOffset];

    /// <summary>Source address.</summary>
    public InetAddress Source => InetAddress.ReadIPv6(_packet[Ipv6Header.SourceOffset..]);

    /// <summary>Destination address.</summary>
    public InetAddress Destination => InetAddress.ReadIPv6(_packet[Ipv6Header.DestinationOffset..]);

    /// <summary>What is behind the 40 bytes of header, up to the payload length.</summary>
    public ReadOnlySpan<byte> Payload => _packet[Ipv6Header.Size..];

    private uint FirstWord => BinaryPrimitives.ReadUInt32BigEndian(_packet);

    /// <summary>False when the header is cut short, has another version, or its length lies.</summary>
    /// <param name="packet">From the first byte of the IP header on; padding may follow.</param>
    /// <param name="view">The packet without padding.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryParse(ReadOnlySpan<byte> packet, out Ipv6View view)
    {
        view = default;
        if (packet.Length < Ipv6Header.Size || packet[0] >> 4 != 6)
            return false;
        int totalLength = Ipv6Header.Size + BinaryPrimitives.ReadUInt16BigEndian(packet[Ipv6Header.PayloadLengthOffset..]);
        if (totalLength > packet.Length)
            return false;
        view = new Ipv6View(packet[..totalLength]);
        return true;
    }

    /// <summary>Follows the extension headers to the transport header.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Ipv6Chain WalkExtensions() => Ipv6Chain.IsExtension(NextHeader)
        ? Ipv6Chain.Walk(_packet, NextHeader)
        : new Ipv6Chain(NextHeader, Ipv6Header.Size, isFragment: false);
}

/// <summary>Where a chain of IPv6 extension headers leads.</summary>
public readonly record struct Ipv6Chain
{
    /// <summary>Most extension headers followed; a longer chain leads nowhere.</summary>
    public const int MaximumHeaders = 4;

    private const int MinimumHeaderSize = 8;
    private const int LengthOffset = 1;
    private const int FragmentFieldOffset = 2;
    private const int SegmentsLeftOffset = 3;
    private const ushort FragmentOffsetMask = 0xFFF8;
    private const ushort MoreFragmentsBit = 1;

    internal Ipv6Chain(byte protocol, int transportOffset, bool isFragment)
    {
        Protocol = protocol;
        TransportOffset = transportOffset;
        IsFragment = isFragment;
    }

    /// <summary>The transport protocol, 0 when unknown.</summary>
    public byte Protocol { get; }

    /// <summary>Where the transport header is, from the first byte of the IPv6 header; 0 when there is none in this packet.</summary>
    public int TransportOffset { get; }

    /// <summary>Part of a datagram, the first included. A fragment header on a whole datagram (RFC 6946) doesn't count.</summary>
    public bool IsFragment { get; }

    internal static bool IsExtension(byte nextHeader) =>
        nextHeader is IpProtocol.HopByHopOptions or IpProtocol.Routing or IpProtocol.Fragment or IpProtocol.Authentication
            or IpProtocol.DestinationOptions;

    internal static Ipv6Chain Walk(ReadOnlySpan<byte> packet, byte nextHeader)
    {
        int offset = Ipv6Header.Size;
        bool isFragment = false;
        for (int walked = 0; IsExtension(nextHeader); walked++)
        {
            if (walked == MaximumHeaders || packet.Length - offset < MinimumHeaderSize)
                return new Ipv6Chain(0, 0, isFragment);
            ReadOnlySpan<byte> header = packet[offset..];
            if (nextHeader == IpProtocol.Fragment)
            {
                ushort field = BinaryPrimitives.ReadUInt16BigEndian(header[FragmentFieldOffset..]);
                isFragment |= (field & (FragmentOffsetMask | MoreFragmentsBit)) != 0;
                if ((field & FragmentOffsetMask) != 0)
                    return new Ipv6Chain(IsExtension(header[0]) ? (byte)0 : header[0], 0, isFragment);
            }

            int size = SizeOf(nextHeader, header);
            if (size == 0 || size > header.Length)
                return new Ipv6Chain(0, 0, isFragment);
            nextHeader = header[0];
            offset += size;
        }

        return new Ipv6Chain(nextHeader, offset, isFragment);
    }

    // 0: not to be walked past
    private static int SizeOf(byte type, ReadOnlySpan<byte> header) => type switch
    {
        IpProtocol.Fragment => MinimumHeaderSize,
        IpProtocol.Authentication => (header[LengthOffset] + 2) * 4,
        IpProtocol.Routing when header[SegmentsLeftOffset] != 0 => 0,
        _ => (header[LengthOffset] + 1) * 8,
    };
}

/// <summary>An IPv6 header to write.</summary>
public readonly record struct Ipv6Header
{
    /// <summary>Bytes on the wire.</summary>
    public const int Size = 40;

    internal const int PayloadLengthOffset = 4;
    internal const int NextHeaderOffset = 6;
    internal const int HopLimitOffset = 7;
    internal const int SourceOffset = 8;
    internal const int DestinationOffset = 24;

    private const uint Version = 6u << 28;

    /// <summary>DSCP (6 bits) and ECN (2 bits).</summary>
    public byte TrafficClass { get; init; }

    /// <summary>The flow label; the low 20 bits are written.</summary>
    public int FlowLabel { get; init; }

    /// <summary>Bytes behind the header.</summary>
    public ushort PayloadLength { get; init; }

    /// <summary>What follows, see <see cref="IpProtocol"/>.</summary>
    public byte NextHeader { get; init; }

    /// <summary>Hops left.</summary>
    public byte HopLimit { get; init; }

    /// <summary>Source, an IPv6 address.</summary>
    public InetAddress Source { get; init; }

    /// <summary>Destination, an IPv6 address.</summary>
    public InetAddress Destination { get; init; }

    /// <summary>Writes <see cref="Size"/> bytes. The caller has checked the length, and that both addresses are IPv6.</summary>
    public void Write(Span<byte> destination)
    {
        destination = destination[..Size];
        BinaryPrimitives.WriteUInt32BigEndian(destination, Version | ((uint)TrafficClass << 20) | ((uint)FlowLabel & 0xF_FFFF));
        BinaryPrimitives.WriteUInt16BigEndian(destination[PayloadLengthOffset..], PayloadLength);
        destination[NextHeaderOffset] = NextHeader;
        destination[HopLimitOffset] = HopLimit;
        Source.Write(destination[SourceOffset..]);
        Destination.Write(destination[DestinationOffset..]);
    }
}
