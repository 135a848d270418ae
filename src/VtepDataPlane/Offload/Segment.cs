// A frame looked at as a possible member of a train: is it TCP or UDP of the plain shape the kernel's segmentation can make again, and the few
// numbers that differ between neighbours. What must not differ between them is compared as bytes (see HeaderLayout), not read.
//
// The shape: IPv4 without options or IPv6 without extension headers; no fragment; an IP packet that ends where the frame ends (a padded frame
// would lose or gain bytes); payload. TCP: ACK, with or without PSH and ECE, and no other flag, as the kernel spreads those three over segments the way they
// came. UDP: a length that is IP's, and a checksum, as segments always get one.
//
// Pure functions; any thread.

using System.Buffers.Binary;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Offload;

/// <summary>What tells a frame from its neighbours in a train.</summary>
internal readonly ref struct Segment
{
    private const TcpFlags Required = TcpFlags.Ack;
    private const TcpFlags Allowed = TcpFlags.Ack | TcpFlags.Psh | TcpFlags.Ece;

    private Segment(ReadOnlySpan<byte> frame, in FrameHeaders headers, int headerLength, TrainKinds kind)
    {
        Frame = frame;
        HeaderLength = headerLength;
        Kind = kind;
        Layout = HeaderLayout.IndexOf(headers);
        IsAtomic = headers.DontFragment || headers.IpVersion == 6;
        if (headers.IpVersion == 4)
            Identification = BinaryPrimitives.ReadUInt16BigEndian(frame[(headers.NetworkOffset + Ipv4Header.IdentificationOffset)..]);
    }

    public ReadOnlySpan<byte> Frame { get; }

    public int HeaderLength { get; }

    public TrainKinds Kind { get; }

    /// <summary>Which bytes of the headers must be those of the neighbours.</summary>
    public byte Layout { get; }

    /// <summary>It can't be fragmented, so its identification means nothing (RFC 6864 section 4.1), and segmentation may give it another.</summary>
    public bool IsAtomic { get; }

    /// <summary>Of IPv4.</summary>
    public ushort Identification { get; }

    /// <summary>Of TCP.</summary>
    public uint Sequence { get; private init; }

    /// <summary>TCP's PSH: nothing may follow.</summary>
    public bool HasPush { get; private init; }

    public ReadOnlySpan<byte> Header => Frame[..HeaderLength];

    public int PayloadLength => Frame.Length - HeaderLength;

    /// <summary>False for a frame that can't be in a train of these kinds. Checksums aren't looked at, see <see cref="IsIntact"/>.</summary>
    public static bool TryRead(ReadOnlySpan<byte> frame, in FrameHeaders headers, TrainKinds kinds, out Segment segment)
    {
        segment = default;
        int plain = headers.NetworkOffset + (headers.IpVersion == 4 ? Ipv4Header.Size : Ipv6Header.Size);
        if (headers.TransportOffset != plain || headers.IsFragment || headers.NetworkOffset + headers.NetworkLength != frame.Length)
            return false;
        if (headers.Protocol == IpProtocol.Tcp)
            return (kinds & TrainKinds.Tcp) != 0 && TryReadTcp(frame, headers, out segment);
        return headers.Protocol == IpProtocol.Udp && (kinds & TrainKinds.Udp) != 0 && TryReadUdp(frame, headers, out segment);
    }

    /// <summary>
    /// The checksums are right, or the transport's is left to be finished as <paramref name="offload"/> says. A super-frame gets new ones, which
    /// would hide that the old ones were wrong.
    /// </summary>
    public bool IsIntact(in FrameHeaders headers, in OffloadInfo offload)
    {
        if (headers.IpVersion == 4 && InternetChecksum.Compute(Frame.Slice(headers.NetworkOffset, Ipv4Header.Size)) != 0)
            return false;
        if (!offload.NeedsChecksum)
            return TransportChecksum.IsValid(Frame, headers);
        return TransportChecksum.IsPartial(Frame, headers, out ushort start, out ushort offset)
            && offload.ChecksumStart == start && offload.ChecksumOffset == offset;
    }

    private static bool TryReadTcp(ReadOnlySpan<byte> frame, in FrameHeaders headers, out Segment segment)
    {
        segment = default;
        if (!TcpView.TryParse(frame[headers.TransportOffset..], out TcpView tcp) || (tcp.Flags & ~Allowed) != 0 || (tcp.Flags & Required) == 0)
            return false;
        int headerLength = headers.TransportOffset + tcp.HeaderLength;
        if (headerLength == frame.Length)
            return false;
        segment = new Segment(frame, headers, headerLength, TrainKinds.Tcp)
        {
            Sequence = tcp.SequenceNumber,
            HasPush = (tcp.Flags & TcpFlags.Psh) != 0,
        };
        return true;
    }

    private static bool TryReadUdp(ReadOnlySpan<byte> frame, in FrameHeaders headers, out Segment segment)
    {
        segment = default;
        ReadOnlySpan<byte> transport = frame[headers.TransportOffset..];
        if (!UdpView.TryParse(transport, out UdpView udp) || udp.Length != transport.Length || udp.Checksum == 0 || udp.Payload.IsEmpty)
            return false;
        segment = new Segment(frame, headers, headers.TransportOffset + UdpHeader.Size, TrainKinds.Udp);
        return true;
    }
}
