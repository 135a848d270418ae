// What a super-frame is: one frame that stands for many of one size, with the headers of the first (Linux's GSO). Whoever hands us one
// says in its OffloadInfo how to cut it; here that is held against what the frame says about itself, once, when it comes in.
// Everything behind works from the header length found here.
//
// Pure functions; any thread.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Offload;

/// <summary>Measures super-frames.</summary>
internal static class SuperFrame
{
    /// <summary>Datagrams the kernel takes as one: UDP_MAX_SEGMENTS before Linux 6.9, which raised it to 128 (include/linux/udp.h).</summary>
    public const int MaxSegments = 64;

    /// <summary>The kernel's floor for a TCP segment size (TCP_MIN_GSO_SIZE in include/net/tcp.h).</summary>
    public const int MinimumTcpGsoSize = 8;

    /// <summary>The kind of a super-frame of TCP or UDP in IP.</summary>
    public static GsoType KindOf(in FrameHeaders headers)
    {
        if (headers.Protocol != IpProtocol.Tcp)
            return GsoType.Udp;
        return headers.IpVersion == 4 ? GsoType.TcpIPv4 : GsoType.TcpIPv6;
    }

    /// <summary>
    /// Holds the metadata against the frame and sets its HeaderLength, which as given is only a hint. False when they disagree: another
    /// protocol, a checksum elsewhere, a fragment, an IP length that isn't the frame's, no payload.
    /// </summary>
    /// <param name="frame">The frame, whose offload is sane (<see cref="OffloadInfo.IsSane"/>).</param>
    /// <param name="headers">What <see cref="FrameHeaders.Parse"/> made of it.</param>
    /// <param name="offload">Its metadata, of a super-frame.</param>
    public static bool TryMeasure(ReadOnlySpan<byte> frame, in FrameHeaders headers, ref OffloadInfo offload)
    {
        if (headers.TransportOffset == 0 || headers.IsFragment || headers.NetworkOffset + headers.NetworkLength != frame.Length)
            return false;
        ReadOnlySpan<byte> transport = frame[headers.TransportOffset..];
        int size = offload.Gso == GsoType.Udp ? UdpHeaderLength(headers, transport) : TcpHeaderLength(headers, transport, offload.Gso);
        if (size == 0 || size >= transport.Length || offload.ChecksumStart != headers.TransportOffset)
            return false;
        if (offload.ChecksumOffset != TransportChecksum.FieldOf(headers.Protocol))
            return false;
        offload.HeaderLength = (ushort)(headers.TransportOffset + size);
        return true;
    }

    /// <summary>Frames it stands for; 1 for a plain frame.</summary>
    public static int Segments(int frameLength, in OffloadInfo offload) =>
        offload.IsSuperFrame ? (frameLength - offload.HeaderLength + offload.GsoSize - 1) / offload.GsoSize : 1;

    /// <summary>Bytes of the longest frame it stands for; its own length for a plain frame.</summary>
    public static int LongestSegment(int frameLength, in OffloadInfo offload) =>
        offload.IsSuperFrame ? Math.Min(frameLength, offload.HeaderLength + offload.GsoSize) : frameLength;

    private static int UdpHeaderLength(in FrameHeaders headers, ReadOnlySpan<byte> transport) =>
        headers.Protocol == IpProtocol.Udp && UdpView.TryParse(transport, out UdpView udp) && udp.Length == transport.Length ? UdpHeader.Size : 0;

    private static int TcpHeaderLength(in FrameHeaders headers, ReadOnlySpan<byte> transport, GsoType gso)
    {
        bool fits = headers.Protocol == IpProtocol.Tcp && headers.IpVersion == (gso == GsoType.TcpIPv4 ? 4 : 6);
        return fits && TcpView.TryParse(transport, out TcpView tcp) ? tcp.HeaderLength : 0;
    }
}
