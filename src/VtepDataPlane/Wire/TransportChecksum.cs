// Checksums of TCP and UDP inside a frame, and the unfinished ones the kernel leaves behind.
//
// A sender with checksum offload stores only the folded sum of the pseudo-header, not complemented, and leaves the rest to the
// device (linux/skbuff.h, CHECKSUM_PARTIAL). A veth or a TAP has no such device, so these frames come in as they are: from a TAP with
// VIRTIO_NET_HDR_F_NEEDS_CSUM beside them, from a tunnel with nothing. They are recognized by the field itself. A finished
// checksum may have the same value by chance, once in 65,535; finishing it again then yields the same value, so to take one
// for the other does no harm.
//
// Any thread; no allocation; never throws.

using System.Buffers.Binary;

namespace VtepDataPlane.Wire;

/// <summary>Checksums of TCP and UDP in Ethernet frames.</summary>
internal static class TransportChecksum
{
    /// <summary>True when the TCP or UDP checksum field holds just the folded sum of the pseudo-header.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="headers">What <see cref="FrameHeaders.Parse"/> made of it.</param>
    /// <param name="start">The transport header, from the frame's first byte (virtio <c>csum_start</c>).</param>
    /// <param name="offset">The checksum field, from <paramref name="start"/> (virtio <c>csum_offset</c>).</param>
    public static bool IsPartial(ReadOnlySpan<byte> frame, in FrameHeaders headers, out ushort start, out ushort offset)
    {
        start = 0;
        offset = 0;
        if (!TryFindField(headers, out ushort field))
            return false;
        ushort value = BinaryPrimitives.ReadUInt16BigEndian(frame[(headers.TransportOffset + field)..]);
        if (value != InternetChecksum.Fold(InternetChecksum.PseudoHeaderSum(frame, headers, headers.TransportLength)))
            return false;
        start = headers.TransportOffset;
        offset = field;
        return true;
    }

    /// <summary>
    /// Finishes a checksum as a virtio device does: sums from <paramref name="start"/> on, the field with its pseudo-header sum
    /// included, and stores the complement (0xFFFF for a 0 in UDP, where 0 means none).
    /// </summary>
    /// <remarks>
    /// A device sums to the end of the frame. In a short frame that end may be Ethernet padding, harmless only while it is zeros; so
    /// the sum ends with the IP packet where there is one around <paramref name="start"/>, and at the end of the frame otherwise.
    /// </remarks>
    /// <returns>False, and nothing is written, when the field lies outside the frame.</returns>
    public static bool TryComplete(Span<byte> frame, ushort start, ushort offset)
    {
        int field = start + offset;
        if (field + sizeof(ushort) > frame.Length)
            return false;
        int end = frame.Length;
        if (FrameHeaders.Parse(frame, out FrameHeaders headers) == FrameFault.None && headers.IsIp)
        {
            int packetEnd = headers.NetworkOffset + headers.NetworkLength;
            end = packetEnd >= field + sizeof(ushort) ? packetEnd : end;
        }

        ushort checksum = InternetChecksum.Compute(frame[start..end]);
        if (checksum == 0 && offset == UdpHeader.ChecksumOffset)
            checksum = 0xFFFF;
        BinaryPrimitives.WriteUInt16BigEndian(frame[field..], checksum);
        return true;
    }

    /// <summary>
    /// True when the checksum of TCP or UDP is right; also for UDP over IPv4 without one. False for a wrong one and for everything
    /// that has none to verify here: fragments, other protocols, a UDP length that lies.
    /// </summary>
    public static bool IsValid(ReadOnlySpan<byte> frame, in FrameHeaders headers)
    {
        if (!TryFindField(headers, out _))
            return false;
        ReadOnlySpan<byte> transport = frame.Slice(headers.TransportOffset, headers.TransportLength);
        if (headers.Protocol == IpProtocol.Udp)
        {
            if (!UdpView.TryParse(transport, out UdpView udp))
                return false;
            if (udp.Checksum == 0)
                return headers.IpVersion == 4;
            transport = transport[..udp.Length];
        }

        ulong pseudo = InternetChecksum.PseudoHeaderSum(frame, headers, transport.Length);
        return InternetChecksum.Fold(InternetChecksum.Sum(transport, pseudo)) == 0xFFFF;
    }

    /// <summary>Where the checksum stands in the header of TCP or UDP; 0 for other protocols.</summary>
    public static ushort FieldOf(byte protocol) => protocol switch
    {
        IpProtocol.Tcp => TcpView.ChecksumOffset,
        IpProtocol.Udp => UdpHeader.ChecksumOffset,
        _ => 0,
    };

    // a checksum over one datagram can't be made or checked from a part of it
    private static bool TryFindField(in FrameHeaders headers, out ushort field)
    {
        field = FieldOf(headers.Protocol);
        return field != 0 && headers.TransportOffset != 0 && !headers.IsFragment;
    }
}
