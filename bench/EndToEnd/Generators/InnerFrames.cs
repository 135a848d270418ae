// The frames that all contenders carry in the frame scenarios: UDP in IPv4 with right checksums, sixteen flows that differ in the source port,
// and broadcast ARP requests. A frame of N bytes has N bytes as a TAP's reader sees it, without the four of a frame check sequence.
// References: RFC 768, RFC 791, RFC 826.

using System.Buffers.Binary;
using System.Net;
using VtepDataPlane.Wire;

namespace VtepDataPlane.EndToEnd.Generators;

/// <summary>Makes frames.</summary>
internal static class InnerFrames
{
    /// <summary>Where UDP frames go: the discard service's port, where a deaf socket counts them.</summary>
    public const ushort DestinationPort = 9;

    /// <summary>Source ports, that is flows.</summary>
    public const int Flows = 16;

    private const ushort FirstSourcePort = 20000;
    private const int IpOffset = 14;
    private const int UdpOffset = 34;
    private const int PayloadOffset = 42;

    /// <summary>One UDP frame of each flow.</summary>
    public static byte[][] Udp(FrameAddresses addresses, int size) =>
        [.. Enumerable.Range(0, Flows).Select(flow => Udp(addresses, size, (ushort)(FirstSourcePort + flow)))];

    /// <summary>An ARP request for an address nobody has.</summary>
    public static byte[] Broadcast(FrameAddresses addresses, int size)
    {
        var frame = new byte[size];
        addresses.Source.CopyTo(frame, 6);
        frame.AsSpan(0, 6).Fill(0xff);
        byte[] request = [0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1];
        request.CopyTo(frame, 12);
        addresses.Source.CopyTo(frame, 22);
        addresses.SourceIp.GetAddressBytes().CopyTo(frame, 28);
        addresses.DestinationIp.GetAddressBytes().CopyTo(frame, 38);
        return frame;
    }

    private static byte[] Udp(FrameAddresses addresses, int size, ushort sourcePort)
    {
        var frame = new byte[size];
        addresses.Destination.CopyTo(frame, 0);
        addresses.Source.CopyTo(frame, 6);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), 0x0800);
        WriteIp(frame.AsSpan(IpOffset), addresses, size - IpOffset);
        for (int i = PayloadOffset; i < size; i++)
            frame[i] = (byte)i;
        WriteUdp(frame, sourcePort);
        return frame;
    }

    private static void WriteIp(Span<byte> ip, FrameAddresses addresses, int length)
    {
        const int Header = 20;
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)length);
        ip[6] = 0x40; // DF
        ip[8] = 64;
        ip[9] = 17;
        addresses.SourceIp.GetAddressBytes().CopyTo(ip[12..]);
        addresses.DestinationIp.GetAddressBytes().CopyTo(ip[16..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Compute(ip[..Header]));
    }

    private static void WriteUdp(byte[] frame, ushort sourcePort)
    {
        Span<byte> udp = frame.AsSpan(UdpOffset);
        BinaryPrimitives.WriteUInt16BigEndian(udp, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], DestinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udp.Length);

        // the pseudo-header: both addresses, protocol, length
        byte[] summed = [.. frame.AsSpan(IpOffset + 12, 8), 0, 17, (byte)(udp.Length >> 8), (byte)udp.Length, .. udp];
        ushort checksum = InternetChecksum.Compute(summed);
        BinaryPrimitives.WriteUInt16BigEndian(udp[6..], checksum == 0 ? (ushort)0xffff : checksum);
    }
}

/// <summary>Between whom frames go.</summary>
internal sealed record FrameAddresses(byte[] Source, byte[] Destination, IPAddress SourceIp, IPAddress DestinationIp)
{
    /// <summary>Bytes of a MAC such as 02:00:00:00:00:01.</summary>
    public static byte[] Mac(string text) => Convert.FromHexString(text.Replace(":", "", StringComparison.Ordinal));
}
