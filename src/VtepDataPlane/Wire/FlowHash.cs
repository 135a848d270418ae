// The flow hash: which of many equal paths a frame takes, told to the underlay by the outer UDP source port (RFC 7348 section 5).
// Frames of one flow must hash alike, or they are reordered; different flows should spread evenly; and nobody outside should be
// able to choose flows that all collide, hence the seed, drawn once for the process.
//
// Over inner addresses, protocol and ports (TCP, UDP, SCTP); over addresses alone for fragments, of which only the first has ports
// and in IPv6 only the first may show the protocol; over MACs and EtherType for what isn't IP.
//
// The mix is a folded product (FoldedProduct) of two halves, each hidden by a secret. One round for the addresses, one for what tells flows
// between them apart, and a last one: flows often count up their ports, and after a single multiplication a counted-up input still shows as a lattice. It is no cryptographic hash.
// Any thread; no allocation.

using System.Buffers.Binary;

namespace VtepDataPlane.Wire;

/// <summary>A keyed hash of the flow a frame belongs to. Immutable.</summary>
/// <param name="seed">Random bits, the same for the life of the process.</param>
internal readonly struct FlowHash(UInt128 seed)
{
    // arbitrary bits nobody chose: the first 64 of the fractions of sqrt(2), sqrt(3), sqrt(5) and sqrt(7)
    private const ulong Fraction2 = 0x6A09_E667_F3BC_C908;
    private const ulong Fraction3 = 0xBB67_AE85_84CA_A73B;
    private const ulong Fraction5 = 0x3C6E_F372_FE94_F82B;
    private const ulong Fraction7 = 0xA54F_F53A_5F1D_36F1;

    private const int FirstPort = 49152;
    private const int PortCount = 65536 - FirstPort;

    private readonly ulong _secret0 = FoldedProduct.Of((ulong)seed ^ Fraction2, (ulong)(seed >> 64) ^ Fraction3);
    private readonly ulong _secret1 = FoldedProduct.Of((ulong)seed ^ Fraction5, (ulong)(seed >> 64) ^ Fraction7);

    /// <summary>The outer UDP source port for a hash: 49152 to 65535, the dynamic ports (RFC 6335), evenly.</summary>
    public static ushort SourcePort(uint hash) => (ushort)((((ulong)hash * PortCount) >> 32) + FirstPort);

    /// <summary>Hashes the flow of a frame.</summary>
    /// <param name="frame">The frame, no shorter than its Ethernet header.</param>
    /// <param name="headers">What <see cref="FrameHeaders.Parse"/> made of it.</param>
    public uint Compute(ReadOnlySpan<byte> frame, in FrameHeaders headers)
    {
        ulong state = headers.IpVersion switch
        {
            4 => FoldedProduct.Of(Word(frame, headers.NetworkOffset + Ipv4Header.SourceOffset) ^ _secret0, _secret1),
            6 => MixIPv6(frame[(headers.NetworkOffset + Ipv6Header.SourceOffset)..]),
            _ => FoldedProduct.Of(headers.Destination.Value ^ _secret0, headers.Source.Value ^ _secret1),
        };
        ulong left = state ^ _secret1;
        ulong right = Selector(frame, headers) ^ _secret0;
        ulong hash = FoldedProduct.Of(FoldedProduct.High(left, right) ^ _secret0, (left * right) ^ _secret1);
        return (uint)(hash ^ (hash >> 32));
    }

    // what tells flows between the same two addresses apart; the top byte keeps IPv4, IPv6 and the rest apart
    private static ulong Selector(ReadOnlySpan<byte> frame, in FrameHeaders headers)
    {
        ulong kind = (ulong)headers.IpVersion << 56;
        if (headers.IpVersion == 0)
            return kind | headers.EtherType;
        if (headers.IsFragment)
            return kind;
        kind |= (ulong)headers.Protocol << 32;
        bool hasPorts = headers.TransportOffset != 0 && headers.Protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp;
        return hasPorts ? kind | BinaryPrimitives.ReadUInt32LittleEndian(frame[headers.TransportOffset..]) : kind;
    }

    // one after the other: two products side by side would let a sender choose addresses that cancel each other
    private ulong MixIPv6(ReadOnlySpan<byte> addresses)
    {
        ulong source = FoldedProduct.Of(Word(addresses, 0) ^ _secret0, Word(addresses, 8) ^ _secret1);
        return FoldedProduct.Of(source ^ Word(addresses, 16), Word(addresses, 24) ^ _secret0);
    }

    private static ulong Word(ReadOnlySpan<byte> source, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(source[offset..]);
}
