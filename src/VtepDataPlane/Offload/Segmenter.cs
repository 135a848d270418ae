// Cuts a super-frame into the frames it stands for, as a network card with TSO and USO does, or Linux in software (tcp_gso_segment,
// __udp_gso_segment). Only headers are made: the payload of each segment is a piece of the super-frame and stays where it is, so
// whoever sends gathers header i and payload i from two places.
//
//   super-frame   [ headers | payload 0 | payload 1 | ... | payload n-1 ]       the last one may be shorter
//   segment i     [ headers' ][ payload i ]
//
// What differs in headers': lengths; IPv4's identification counts up, with DF too, as the kernel's does; TCP's sequence number;
// CWR stays on the first segment, FIN and PSH on the last (RFC 3168 section 6.1.2: one CWR answers one mark); the urgent pointer
// counts from the segment's own sequence number, and URG ends with the urgent data. All else is copied, ECN and options included.
//
// Checksums. The words that all segments share are summed once. For a segment its own few words and its payload are added; headers have
// even lengths, so a payload always starts a word. The field in the super-frame, a sum of the pseudo-header, isn't looked at.
//
// Any number of segments may be written in any order; the super-frame isn't changed, as it may go to other receivers whole.
// Nothing allocates, nothing throws for what a frame says. Any thread.

using System.Buffers.Binary;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Offload;

/// <summary>Cuts one super-frame into the frames it stands for. Borrows its bytes.</summary>
public readonly ref struct Segmenter
{
    /// <summary>
    /// Longest headers that are cut: Ethernet with two tags, IPv4 and TCP with all options (142), or IPv6 with 118 bytes of extension
    /// headers in between. Callers keep room for so many bytes a segment.
    /// </summary>
    public const int MaximumHeaderLength = 240;

    private readonly ReadOnlySpan<byte> _frame;
    private readonly ulong _networkSum;   // the IPv4 header without total length, identification and checksum
    private readonly ulong _transportSum; // pseudo-header and transport header without what differs, see the writers below
    private readonly int _size;
    private readonly int _networkOffset;
    private readonly int _transportOffset;
    private readonly bool _isIPv4;
    private readonly bool _isTcp;

    private Segmenter(ReadOnlySpan<byte> frame, scoped in FrameHeaders headers, scoped in OffloadInfo offload)
    {
        _frame = frame;
        _size = offload.GsoSize;
        HeaderLength = offload.HeaderLength;
        Count = SuperFrame.Segments(frame.Length, offload);
        _networkOffset = headers.NetworkOffset;
        _transportOffset = headers.TransportOffset;
        _isIPv4 = headers.IpVersion == 4;
        _isTcp = headers.Protocol == IpProtocol.Tcp;
        _networkSum = _isIPv4 ? SumOfIPv4(frame[_networkOffset.._transportOffset]) : 0;
        ReadOnlySpan<byte> transport = frame[_transportOffset..HeaderLength];
        _transportSum = InternetChecksum.PseudoHeaderSum(frame, headers, transportLength: 0) + (_isTcp ? SumOfTcp(transport) : SumOfUdp(transport));
    }

    /// <summary>Segments, at least 1.</summary>
    public int Count { get; }

    /// <summary>Bytes of the headers of each segment, from Ethernet on.</summary>
    public int HeaderLength { get; }

    /// <summary>Reads the headers of a super-frame once for all its segments.</summary>
    /// <param name="frame">The whole Ethernet frame.</param>
    /// <param name="offload">Its metadata; HeaderLength is found anew.</param>
    /// <param name="segmenter">Makes the segments; borrows <paramref name="frame"/>.</param>
    /// <returns>False when it isn't a super-frame, when frame and metadata disagree, or when its headers are too long.</returns>
    public static bool TryCreate(ReadOnlySpan<byte> frame, scoped in OffloadInfo offload, out Segmenter segmenter)
    {
        segmenter = default;
        OffloadInfo measured = offload;
        if (!measured.IsSuperFrame || !measured.IsSane(frame.Length) || FrameHeaders.Parse(frame, out FrameHeaders headers) != FrameFault.None)
            return false;
        if (!SuperFrame.TryMeasure(frame, headers, ref measured) || measured.HeaderLength > MaximumHeaderLength)
            return false;
        segmenter = new Segmenter(frame, headers, measured);
        return true;
    }

    /// <summary>Where the payload of segment <paramref name="i"/> starts in the super-frame.</summary>
    public int PayloadOffset(int i) => HeaderLength + i * _size;

    /// <summary>Bytes of the payload of segment <paramref name="i"/>.</summary>
    public int PayloadLength(int i) => Math.Min(_size, _frame.Length - PayloadOffset(i));

    /// <summary>Writes the finished headers of segment <paramref name="i"/>, <see cref="HeaderLength"/> bytes.</summary>
    /// <param name="i">The segment, 0 to <see cref="Count"/> - 1.</param>
    /// <param name="destination">Takes them at its start; <see cref="MaximumHeaderLength"/> bytes are always enough.</param>
    /// <exception cref="ArgumentException">There is no such segment or too little room: a bug in the caller.</exception>
    public void WriteHeader(int i, Span<byte> destination)
    {
        Span<byte> header = destination[..HeaderLength];
        ReadOnlySpan<byte> payload = _frame.Slice(PayloadOffset(i), PayloadLength(i));
        _frame[..HeaderLength].CopyTo(header);
        int networkLength = HeaderLength - _networkOffset + payload.Length;
        if (_isIPv4)
            WriteIPv4(header[_networkOffset..], i, networkLength);
        else
            BinaryPrimitives.WriteUInt16BigEndian(header[(_networkOffset + Ipv6Header.PayloadLengthOffset)..], (ushort)(networkLength - Ipv6Header.Size));

        ulong sum = InternetChecksum.Sum(payload, _transportSum);
        int transportLength = HeaderLength - _transportOffset + payload.Length;
        if (_isTcp)
            WriteTcp(header[_transportOffset..], i, transportLength, sum);
        else
            WriteUdp(header[_transportOffset..], transportLength, sum);
    }

    private static ulong SumOfIPv4(ReadOnlySpan<byte> header) =>
        InternetChecksum.SumScalar(header[..Ipv4Header.TotalLengthOffset])
        + InternetChecksum.SumScalar(header[Ipv4Header.FragmentFieldOffset..Ipv4Header.ChecksumOffset])
        + InternetChecksum.SumScalar(header[Ipv4Header.SourceOffset..]);

    private static ulong SumOfTcp(ReadOnlySpan<byte> header) =>
        InternetChecksum.SumScalar(header[..TcpView.SequenceNumberOffset])
        + InternetChecksum.SumScalar(header[TcpView.AcknowledgmentNumberOffset..TcpView.DataOffsetOffset])
        + InternetChecksum.SumScalar(header[TcpView.WindowOffset..TcpView.ChecksumOffset])
        + InternetChecksum.SumScalar(header[TcpView.MinimumHeaderSize..]);

    private static ulong SumOfUdp(ReadOnlySpan<byte> header) => InternetChecksum.SumScalar(header[..UdpHeader.LengthOffset]);

    private void WriteIPv4(Span<byte> header, int i, int totalLength)
    {
        // written into the copy of the first segment's header, which still holds the first identification
        Span<byte> identification = header[Ipv4Header.IdentificationOffset..];
        ushort id = (ushort)(BinaryPrimitives.ReadUInt16BigEndian(identification) + i);
        BinaryPrimitives.WriteUInt16BigEndian(identification, id);
        BinaryPrimitives.WriteUInt16BigEndian(header[Ipv4Header.TotalLengthOffset..], (ushort)totalLength);
        ushort checksum = (ushort)~InternetChecksum.Fold(_networkSum + (uint)totalLength + id);
        BinaryPrimitives.WriteUInt16BigEndian(header[Ipv4Header.ChecksumOffset..], checksum);
    }

    private void WriteTcp(Span<byte> header, int i, int length, ulong sum)
    {
        uint before = (uint)(i * _size);
        uint sequence = BinaryPrimitives.ReadUInt32BigEndian(header[TcpView.SequenceNumberOffset..]) + before;
        BinaryPrimitives.WriteUInt32BigEndian(header[TcpView.SequenceNumberOffset..], sequence);
        var flags = (TcpFlags)header[TcpView.FlagsOffset];
        if ((flags & TcpFlags.Urg) != 0)
            flags = MoveUrgentPointer(header, before, flags);
        if (i > 0)
            flags &= ~TcpFlags.Cwr;
        if (i < Count - 1)
            flags &= ~(TcpFlags.Fin | TcpFlags.Psh);
        header[TcpView.FlagsOffset] = (byte)flags;
        sum += (uint)length + (sequence >> 16) + (sequence & 0xFFFF)
            + BinaryPrimitives.ReadUInt16BigEndian(header[TcpView.DataOffsetOffset..])
            + BinaryPrimitives.ReadUInt16BigEndian(header[TcpView.UrgentPointerOffset..]);
        BinaryPrimitives.WriteUInt16BigEndian(header[TcpView.ChecksumOffset..], (ushort)~InternetChecksum.Fold(sum));
    }

    // rare, and the kernel's own TCP never makes such a super-frame: RFC 9293 section 3.8.5, the pointer is an offset from the sequence number
    private static TcpFlags MoveUrgentPointer(Span<byte> header, uint before, TcpFlags flags)
    {
        Span<byte> pointer = header[TcpView.UrgentPointerOffset..];
        long rest = (long)BinaryPrimitives.ReadUInt16BigEndian(pointer) - before;
        BinaryPrimitives.WriteUInt16BigEndian(pointer, (ushort)Math.Max(rest, 0));
        return rest > 0 ? flags : flags & ~TcpFlags.Urg;
    }

    private static void WriteUdp(Span<byte> header, int length, ulong sum)
    {
        // the length counts twice: in the header and in the pseudo-header
        var checksum = (ushort)~InternetChecksum.Fold(sum + 2 * (ulong)(uint)length);
        BinaryPrimitives.WriteUInt16BigEndian(header[UdpHeader.LengthOffset..], (ushort)length);
        BinaryPrimitives.WriteUInt16BigEndian(header[UdpHeader.ChecksumOffset..], checksum == 0 ? (ushort)0xFFFF : checksum);
    }
}
