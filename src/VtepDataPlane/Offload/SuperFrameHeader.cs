// The headers of a super-frame are those of its first segment with four things changed, as whoever segments it expects them: lengths are those of
// the whole, PSH is the last segment's, IPv4's header checksum is right, and the transport checksum is the folded sum of the pseudo-header,
// to be finished for each segment. The sequence number and the identification stay the first's.
//
// Pure functions; any thread.

using System.Buffers.Binary;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Offload;

/// <summary>Makes the headers of a super-frame.</summary>
internal static class SuperFrameHeader
{
    /// <summary>Turns the headers of a train's first frame into those of its super-frame.</summary>
    public static void Patch(Span<byte> header, in Train train, out OffloadInfo offload)
    {
        ref readonly FrameHeaders headers = ref train.Headers;
        if (headers.IpVersion == 4)
            PatchIPv4(header[headers.NetworkOffset..headers.TransportOffset], train.Length - headers.NetworkOffset);
        else
            Write(header[headers.NetworkOffset..], Ipv6Header.PayloadLengthOffset, train.Length - headers.TransportOffset);
        bool isUdp = train.Kind == TrainKinds.Udp;
        int transportLength = train.Length - headers.TransportOffset;
        ushort field = TransportChecksum.FieldOf(headers.Protocol);
        Span<byte> transport = header[headers.TransportOffset..];
        Write(transport, field, InternetChecksum.Fold(train.FlowSum + (uint)transportLength));
        if (isUdp)
            Write(transport, UdpHeader.LengthOffset, transportLength);
        else if (train.EndsWithPush)
            transport[TcpView.FlagsOffset] |= (byte)TcpFlags.Psh;
        offload = Describe(train, field);
    }

    private static void PatchIPv4(Span<byte> header, int length)
    {
        Write(header, Ipv4Header.TotalLengthOffset, length);
        Write(header, Ipv4Header.ChecksumOffset, 0);
        Write(header, Ipv4Header.ChecksumOffset, InternetChecksum.Compute(header));
    }

    private static OffloadInfo Describe(in Train train, ushort field) => new()
    {
        NeedsChecksum = true,
        Gso = SuperFrame.KindOf(train.Headers),
        HeaderLength = (ushort)train.HeaderLength,
        GsoSize = (ushort)train.GsoSize,
        ChecksumStart = train.Headers.TransportOffset,
        ChecksumOffset = field,
    };

    private static void Write(Span<byte> bytes, int offset, int value) => BinaryPrimitives.WriteUInt16BigEndian(bytes[offset..], (ushort)value);
}
