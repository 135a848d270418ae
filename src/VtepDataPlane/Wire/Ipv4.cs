// The IPv4 header (RFC 791 section 3.1). The view accepts what a host may read on: version 4, a header of at least 20 bytes that
// is there as a whole, and a total length that covers the header and doesn't exceed the bytes. Bytes behind the total length are
// Ethernet padding and not part of the view. The header checksum isn't looked at: whoever routes or receives the packet will.

using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace VtepDataPlane.Wire;

/// <summary>An IPv4 packet, viewed; ends at its own total length. Borrows the bytes.</summary>
public readonly ref struct Ipv4View
{
    private const int MinimumIhl = 5;

    private readonly ReadOnlySpan<byte> _packet;

    private Ipv4View(ReadOnlySpan<byte> packet) => _packet = packet;

    /// <summary>Bytes of the header, options included: 20 to 60.</summary>
    public int HeaderLength => (_packet[0] & 0xF) * 4;

    /// <summary>DSCP (6 bits) and ECN (2 bits).</summary>
    public byte TrafficClass => _packet[Ipv4Header.TrafficClassOffset];

    /// <summary>Bytes of the packet.</summary>
    public int TotalLength => _packet.Length;

    /// <summary>Shared by the fragments of a datagram.</summary>
    public ushort Identification => BinaryPrimitives.ReadUInt16BigEndian(_packet[Ipv4Header.IdentificationOffset..]);

    /// <summary>Routers must not fragment (DF).</summary>
    public bool DontFragment => (FragmentField & Ipv4Header.DontFragmentBit) != 0;

    /// <summary>Not the last fragment (MF).</summary>
    public bool MoreFragments => (FragmentField & Ipv4Header.MoreFragmentsBit) != 0;

    /// <summary>Place of this fragment in its datagram, in bytes.</summary>
    public int FragmentOffset => (FragmentField & Ipv4Header.FragmentOffsetMask) * 8;

    /// <summary>Part of a datagram, the first included.</summary>
    public bool IsFragment => (FragmentField & (Ipv4Header.MoreFragmentsBit | Ipv4Header.FragmentOffsetMask)) != 0;

    /// <summary>Hops left.</summary>
    public byte TimeToLive => _packet[Ipv4Header.TimeToLiveOffset];

    /// <summary>What the payload is, see <see cref="IpProtocol"/>.</summary>
    public byte Protocol => _packet[Ipv4Header.ProtocolOffset];

    /// <summary>The header checksum as it stands, unverified.</summary>
    public ushort Checksum => BinaryPrimitives.ReadUInt16BigEndian(_packet[Ipv4Header.ChecksumOffset..]);

    /// <summary>Source address.</summary>
    public InetAddress Source => InetAddress.ReadIPv4(_packet[Ipv4Header.SourceOffset..]);

    /// <summary>Destination address.</summary>
    public InetAddress Destination => InetAddress.ReadIPv4(_packet[Ipv4Header.DestinationOffset..]);

    /// <summary>The header with its options.</summary>
    public ReadOnlySpan<byte> Header => _packet[..HeaderLength];

    /// <summary>What is behind the header, up to the total length.</summary>
    public ReadOnlySpan<byte> Payload => _packet[HeaderLength..];

    private ushort FragmentField => BinaryPrimitives.ReadUInt16BigEndian(_packet[Ipv4Header.FragmentFieldOffset..]);

    /// <summary>False when the header is cut short, has another version, or its lengths lie.</summary>
    /// <param name="packet">From the first byte of the IP header on; padding may follow.</param>
    /// <param name="view">The packet without padding.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryParse(ReadOnlySpan<byte> packet, out Ipv4View view)
    {
        view = default;
        if (packet.Length < Ipv4Header.Size)
            return false;
        int ihl = packet[0] - 0x40;
        int totalLength = BinaryPrimitives.ReadUInt16BigEndian(packet[Ipv4Header.TotalLengthOffset..]);
        if (ihl is < MinimumIhl or > 15 || totalLength < ihl * 4 || totalLength > packet.Length)
            return false;
        view = new Ipv4View(packet[..totalLength]);
        return true;
    }
}

/// <summary>An IPv4 header without options, to write.</summary>
public readonly record struct Ipv4Header
{
    /// <summary>Bytes on the wire.</summary>
    public const int Size = 20;

    /// <summary>Bytes of the longest header, options included.</summary>
    internal const int MaximumSize = 60;

    internal const ushort DontFragmentBit = 0x4000;
    internal const ushort MoreFragmentsBit = 0x2000;
    internal const ushort FragmentOffsetMask = 0x1FFF;

    internal const int TrafficClassOffset = 1;
    internal const int TotalLengthOffset = 2;
    internal const int IdentificationOffset = 4;
    internal const int FragmentFieldOffset = 6;
    internal const int TimeToLiveOffset = 8;
    internal const int ProtocolOffset = 9;
    internal const int ChecksumOffset = 10;
    internal const int SourceOffset = 12;
    internal const int DestinationOffset = 16;

    private const byte VersionAndIhl = 0x45;

    /// <summary>DSCP (6 bits) and ECN (2 bits).</summary>
    public byte TrafficClass { get; init; }

    /// <summary>Bytes of header and payload.</summary>
    public ushort TotalLength { get; init; }

    /// <summary>Shared by the fragments of a datagram.</summary>
    public ushort Identification { get; init; }

    /// <summary>Routers must not fragment (DF).</summary>
    public bool DontFragment { get; init; }

    /// <summary>Hops left.</summary>
    public byte TimeToLive { get; init; }

    /// <summary>What the payload is, see <see cref="IpProtocol"/>.</summary>
    public byte Protocol { get; init; }

    /// <summary>Source, an IPv4 address.</summary>
    public InetAddress Source { get; init; }

    /// <summary>Destination, an IPv4 address.</summary>
    public InetAddress Destination { get; init; }

    /// <summary>
    /// Writes <see cref="Size"/> bytes, checksum included. The caller has checked the length, and that both addresses are IPv4.
    /// </summary>
    public void Write(Span<byte> destination)
    {
        destination = destination[..Size];
        destination[0] = VersionAndIhl;
        destination[TrafficClassOffset] = TrafficClass;
        BinaryPrimitives.WriteUInt16BigEndian(destination[TotalLengthOffset..], TotalLength);
        BinaryPrimitives.WriteUInt16BigEndian(destination[IdentificationOffset..], Identification);
        BinaryPrimitives.WriteUInt16BigEndian(destination[FragmentFieldOffset..], DontFragment ? DontFragmentBit : (ushort)0);
        destination[TimeToLiveOffset] = TimeToLive;
        destination[ProtocolOffset] = Protocol;
        BinaryPrimitives.WriteUInt16BigEndian(destination[ChecksumOffset..], 0);
        Source.Write(destination[SourceOffset..]);
        Destination.Write(destination[DestinationOffset..]);
        BinaryPrimitives.WriteUInt16BigEndian(destination[ChecksumOffset..], InternetChecksum.Compute(destination));
    }
}
