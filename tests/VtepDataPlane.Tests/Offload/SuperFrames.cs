// Super-frames for tests, with the metadata a TAP would give, and a second opinion on how to cut them: straightforward code over
// arrays that builds each segment anew and shares nothing with the Segmenter.

using System.Buffers.Binary;
using VtepDataPlane.Frames;
using VtepDataPlane.Offload;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Offload;

internal static class SuperFrames
{
    /// <summary>Metadata as the kernel writes it for a TCP or UDP frame of ours.</summary>
    public static OffloadInfo Describe(ReadOnlySpan<byte> frame, int gsoSize, bool ecn = false)
    {
        FrameHeaders.Parse(frame, out FrameHeaders headers);
        bool tcp = headers.Protocol == IpProtocol.Tcp;
        int transport = headers.TransportOffset;
        return new OffloadInfo
        {
            Gso = !tcp ? GsoType.Udp : headers.IpVersion == 4 ? GsoType.TcpIPv4 : GsoType.TcpIPv6,
            GsoSize = (ushort)gsoSize,
            HeaderLength = (ushort)(transport + (tcp ? (frame[transport + 12] >> 4) * 4 : 8)),
            NeedsChecksum = true,
            TcpEcn = ecn,
            ChecksumStart = headers.TransportOffset,
            ChecksumOffset = (ushort)(tcp ? 16 : 6),
        };
    }

    /// <summary>All segments by the Segmenter; fails when it refuses.</summary>
    public static List<byte[]> Cut(ReadOnlySpan<byte> frame, in OffloadInfo offload)
    {
        if (!Segmenter.TryCreate(frame, offload, out Segmenter segmenter))
            throw new ArgumentException("The Segmenter refuses the super-frame.");
        var segments = new List<byte[]>();
        for (int i = 0; i < segmenter.Count; i++)
        {
            byte[] segment = new byte[segmenter.HeaderLength + segmenter.PayloadLength(i)];
            segmenter.WriteHeader(i, segment);
            frame.Slice(segmenter.PayloadOffset(i), segmenter.PayloadLength(i)).CopyTo(segment.AsSpan(segmenter.HeaderLength));
            segments.Add(segment);
        }

        return segments;
    }

    public static List<byte[]> Cut(byte[] frame, int gsoSize) => Cut(frame, Describe(frame, gsoSize));

    /// <summary>All segments by the book.</summary>
    public static List<byte[]> CutByTheBook(byte[] frame, int gsoSize)
    {
        OffloadInfo offload = Describe(frame, gsoSize);
        byte[][] payloads = [.. frame[offload.HeaderLength..].Chunk(gsoSize)];
        return [.. payloads.Select((payload, i) => Segment(frame, offload, i, payloads.Length, gsoSize, payload))];
    }

    private static byte[] Segment(byte[] frame, OffloadInfo offload, int i, int count, int gsoSize, byte[] payload)
    {
        byte[] segment = [.. frame[..offload.HeaderLength], .. payload];
        FrameHeaders.Parse(frame, out FrameHeaders headers);
        Span<byte> network = segment.AsSpan(headers.NetworkOffset);
        Span<byte> transport = segment.AsSpan(headers.TransportOffset);
        if (offload.Gso == GsoType.Udp)
            Put(transport, 4, transport.Length);
        else
            ChangeTcp(transport, i, count, gsoSize);
        Put(transport, offload.ChecksumOffset, 0);
        int checksum = 0xFFFF ^ SumOf([.. Pseudo(network, transport.Length, headers), .. transport]);
        Put(transport, offload.ChecksumOffset, checksum == 0 && offload.Gso == GsoType.Udp ? 0xFFFF : checksum);
        if (headers.IpVersion == 4)
            ChangeIPv4(network, i, headers.TransportOffset - headers.NetworkOffset);
        else
            Put(network, 4, network.Length - 40);
        return segment;
    }

    private static void ChangeTcp(Span<byte> tcp, int i, int count, int gsoSize)
    {
        uint sequence = BinaryPrimitives.ReadUInt32BigEndian(tcp[4..]);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], unchecked(sequence + (uint)(i * gsoSize)));
        if (i > 0)
            tcp[13] &= 0x7F; // CWR
        if (i < count - 1)
            tcp[13] &= 0xF6; // PSH and FIN
        if ((tcp[13] & 0x20) == 0)
            return;
        int urgent = BinaryPrimitives.ReadUInt16BigEndian(tcp[18..]) - i * gsoSize;
        if (urgent <= 0)
            tcp[13] &= 0xDF;
        Put(tcp, 18, Math.Max(urgent, 0));
    }

    private static void ChangeIPv4(Span<byte> network, int i, int headerLength)
    {
        Put(network, 2, network.Length);
        Put(network, 4, BinaryPrimitives.ReadUInt16BigEndian(network[4..]) + i);
        Put(network, 10, 0);
        Put(network, 10, 0xFFFF ^ SumOf(network[..headerLength]));
    }

    private static byte[] Pseudo(Span<byte> network, int length, in FrameHeaders headers)
    {
        ReadOnlySpan<byte> addresses = headers.IpVersion == 4 ? network[12..20] : network[8..40];
        return [.. addresses, 0, headers.Protocol, 0, 0, (byte)(length >> 8), (byte)length];
    }

    private static void Put(Span<byte> bytes, int offset, int value) => BinaryPrimitives.WriteUInt16BigEndian(bytes[offset..], (ushort)value);
}
