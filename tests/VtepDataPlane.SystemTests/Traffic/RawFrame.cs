// Frames for the packet socket, written out byte by byte, independently of the code under test.

using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace VtepDataPlane.SystemTests.Traffic;

/// <summary>Makes Ethernet frames.</summary>
internal static class RawFrame
{
    /// <summary>ff:ff:ff:ff:ff:ff.</summary>
    public const string Broadcast = "ff:ff:ff:ff:ff:ff";

    /// <summary>EtherType for local experiments (IEEE 802), which no IP stack answers.</summary>
    private const ushort LocalExperimental = 0x88B5;

    /// <summary>A 60-byte frame whose payload is a text, so that it is known again.</summary>
    public static byte[] Probe(string destination, string source, string text)
    {
        byte[] frame = new byte[60];
        WriteHeader(frame, destination, source, LocalExperimental);
        Encoding.ASCII.GetBytes(text, frame.AsSpan(14));
        return frame;
    }

    /// <summary>A UDP datagram over IPv4, as a DHCP client's or a multicast sender's, checksums right.</summary>
    public static byte[] Udp4(
        string destination, string source, (IPAddress Address, ushort Port) from, (IPAddress Address, ushort Port) to, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[14 + 20 + 8 + payload.Length];
        WriteHeader(frame, destination, source, 0x0800);
        Span<byte> ip = frame.AsSpan(14);
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ip.Length);
        (ip[8], ip[9]) = (64, 17);
        from.Address.TryWriteBytes(ip[12..], out _);
        to.Address.TryWriteBytes(ip[16..], out _);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Checksum(ip[..20], 0));
        Span<byte> udp = ip[20..];
        BinaryPrimitives.WriteUInt16BigEndian(udp, from.Port);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], to.Port);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udp.Length);
        payload.CopyTo(udp[8..]);
        uint pseudo = Sum(ip[12..20]) + 17u + (uint)udp.Length;
        BinaryPrimitives.WriteUInt16BigEndian(udp[6..], Checksum(udp, pseudo));
        return frame;
    }

    /// <summary>What a DHCP client sends first: from nobody to everybody, 300 bytes of BOOTP.</summary>
    public static byte[] DhcpDiscover(string source)
    {
        byte[] bootp = new byte[300];
        (bootp[0], bootp[1], bootp[2]) = (1, 1, 6); // BOOTREQUEST, Ethernet, 6 bytes of address
        BinaryPrimitives.WriteUInt32BigEndian(bootp.AsSpan(4), 0x4789_4789);
        WriteMac(bootp.AsSpan(28), source);
        ReadOnlySpan<byte> options = [0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255]; // magic cookie, DHCPDISCOVER, end
        options.CopyTo(bootp.AsSpan(236));
        return Udp4(Broadcast, source, (IPAddress.Any, 68), (IPAddress.Broadcast, 67), bootp);
    }

    private static void WriteHeader(Span<byte> frame, string destination, string source, ushort etherType)
    {
        WriteMac(frame, destination);
        WriteMac(frame[6..], source);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], etherType);
    }

    private static void WriteMac(Span<byte> destination, string mac) =>
        Convert.FromHexString(mac.Replace(":", "", StringComparison.Ordinal)).CopyTo(destination);

    private static ushort Checksum(ReadOnlySpan<byte> bytes, uint start)
    {
        uint sum = start + Sum(bytes);
        while (sum > 0xFFFF)
            sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i++)
            sum += (i & 1) == 0 ? (uint)bytes[i] << 8 : bytes[i];
        return sum;
    }
}
