// A frame looked at as a possible member of a train: is it TCP or UDP of the plain shape the kernel's segmentation can make again, and the few
// numbers that differ between neighbours. What must not differ between them is compared as bytes (see HeaderLayout), not read.
//
// The shape: IPv4 without options or IPv6 without extension headers; no fragment; an IP packet that ends where the frame ends (a padded frame
// would lose or gain bytes); payload. TCP: ACK, with or without PSH and ECE, and no other flag, as the kernel spreads those three over segments the way they
// came. UDP: a length that is IP's, and a checksum, as segments always get one.
//
// Pure functions; any thread.

using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Offload;

/// <summary>What tells a frame from its neighbours in a train.</summary>
internal ref struct Segment
{
    private const int FlagsThatMatter = 0xFF & ~(int)(TcpFlags.Psh | TcpFlags.Ece);

    /// <summary>The whole frame.</summary>
    public ReadOnlySpan<byte> Frame;

    /// <summary>Bytes of all headers.</summary>
    public int HeaderLength;

    /// <summary>Of TCP.</summary>
    public uint Sequence;

    /// <summary>Of IPv4 without DF.</summary>
    public ushort Identification;

    /// <summary>It can't be fragmented, so its identification means nothing (RFC 6864 section 4.1), and segmentation may give it another.</summary>
    public bool IsAtomic;

    /// <summary>TCP's PSH: nothing may follow.</summary>
    public bool HasPush;

    /// <summary>Which bytes of the headers must be those of the neighbours.</summary>
    public byte Layout;

    public readonly ReadOnlySpan<byte> Header => Frame[..HeaderLength];

    public readonly int PayloadLength => Frame.Length - HeaderLength;

    /// <summary>False for a frame that can't be in a train of these kinds. Checksums aren't looked at, see <see cref="IsIntact"/>.</summary>
    /// <param name="frame">The frame, with a transport header of TCP or UDP.</param>
    /// <param name="headers">What was read in it.</param>
    /// <param name="kinds">Kinds of trains.</param>
    /// <param name="segment">Borrows the frame.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRead(ReadOnlySpan<byte> frame, scoped in FrameHeaders headers, TrainKinds kinds, out Segment segment)
    {
        segment = default;
        int plain = headers.NetworkOffset + (headers.IpVersion == 4 ? Ipv4Header.Size : Ipv6Header.Size);
        if (headers.TransportOffset != plain || headers.NetworkOffset + headers.NetworkLength != frame.Length)
            return false;
        segment.Frame = frame;
        segment.Layout = HeaderLayout.IndexOf(headers);
        segment.IsAtomic = headers.DontFragment || headers.IpVersion == 6;
        if (!segment.IsAtomic)
            segment.Identification = BinaryPrimitives.ReadUInt16BigEndian(frame[(headers.NetworkOffset + Ipv4Header.IdentificationOffset)..]);
        return headers.Protocol == IpProtocol.Tcp
            ? (kinds & TrainKinds.Tcp) != 0 && segment.TryReadTcp(headers.TransportOffset)
            : (kinds & TrainKinds.Udp) != 0 && segment.TryReadUdp(headers.TransportOffset);
    }

    /// <summary>
    /// The checksums are right, or the transport's is left to be finished as <paramref name="offload"/> says. A super-frame gets new ones, which
    /// would hide that the old ones were wrong.
    /// </summary>
    /// <param name="headers">What was read in the frame.</param>
    /// <param name="offload">Its metadata.</param>
    /// <param name="flowSum">The sum of its pseudo-header without the length, the same for all frames of a flow.</param>
    public readonly bool IsIntact(in FrameHeaders headers, in OffloadInfo offload, ulong flowSum)
    {
        if (headers.IpVersion == 4 && !IsHeaderIntact(Frame.Slice(headers.NetworkOffset, Ipv4Header.Size)))
            return false;
        ReadOnlySpan<byte> transport = Frame[headers.TransportOffset..];
        ulong pseudoHeader = flowSum + (uint)transport.Length;
        if (!offload.NeedsChecksum)
            return InternetChecksum.Fold(InternetChecksum.Sum(transport, pseudoHeader)) == 0xFFFF;
        ushort field = TransportChecksum.FieldOf(headers.Protocol);
        return offload.ChecksumStart == headers.TransportOffset && offload.ChecksumOffset == field
            && BinaryPrimitives.ReadUInt16BigEndian(transport[field..]) == InternetChecksum.Fold(pseudoHeader);
    }

    // ten words at once; a sum of 0xFFFF is one in either byte order
    private static bool IsHeaderIntact(ReadOnlySpan<byte> header)
    {
        ulong first = MemoryMarshal.Read<ulong>(header);
        ulong second = MemoryMarshal.Read<ulong>(header[8..]);
        ulong sum = (uint)first + (first >> 32) + (uint)second + (second >> 32) + MemoryMarshal.Read<uint>(header[16..]);
        return InternetChecksum.Fold(sum) == 0xFFFF;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryReadTcp(int transportOffset)
    {
        ReadOnlySpan<byte> tcp = Frame.Slice(transportOffset, TcpView.MinimumHeaderSize);
        int lengthAndFlags = BinaryPrimitives.ReadUInt16BigEndian(tcp[TcpView.DataOffsetOffset..]);
        int length = (lengthAndFlags >> 12) * sizeof(uint);
        HeaderLength = transportOffset + length;
        Sequence = BinaryPrimitives.ReadUInt32BigEndian(tcp[TcpView.SequenceNumberOffset..]);
        HasPush = (lengthAndFlags & (int)TcpFlags.Psh) != 0;
        return (lengthAndFlags & FlagsThatMatter) == (int)TcpFlags.Ack && length >= TcpView.MinimumHeaderSize && HeaderLength < Frame.Length;
    }

    private bool TryReadUdp(int transportOffset)
    {
        ReadOnlySpan<byte> udp = Frame[transportOffset..];
        uint lengthAndChecksum = BinaryPrimitives.ReadUInt32BigEndian(udp[UdpHeader.LengthOffset..]);
        HeaderLength = transportOffset + UdpHeader.Size;
        return lengthAndChecksum >> 16 == udp.Length && (ushort)lengthAndChecksum != 0 && HeaderLength < Frame.Length;
    }
}
