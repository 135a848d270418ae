// A whole packet for the underlay, Ethernet header to UDP payload, for a packet socket: the only way to send a UDP checksum that is
// wrong, or none over IPv6.

using System.Buffers.Binary;
using System.Net;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Selftests;

/// <summary>Makes packets.</summary>
internal static class HandMadePacket
{
    private const int EthernetSize = 14;
    private const int UdpSize = 8;

    /// <summary>A datagram from one host's VTEP to another's.</summary>
    /// <param name="from">The sender.</param>
    /// <param name="to">The receiver.</param>
    /// <param name="payload">The VXLAN datagram.</param>
    /// <param name="checksum">The UDP checksum: "right", "wrong" or "zero".</param>
    public static byte[] Vxlan(LabHost from, LabHost to, ReadOnlySpan<byte> payload, string checksum)
    {
        int header = from.IsIPv6 ? 40 : 20;
        byte[] packet = new byte[EthernetSize + header + UdpSize + payload.Length];
        WriteMac(packet, to);
        WriteMac(packet.AsSpan(6), from);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(12), (ushort)(from.IsIPv6 ? 0x86DD : 0x0800));
        Span<byte> ip = packet.AsSpan(EthernetSize);
        ReadOnlySpan<byte> addresses = from.IsIPv6 ? WriteIPv6(ip, from.Underlay, to.Underlay) : WriteIPv4(ip, from.Underlay, to.Underlay);
        Span<byte> udp = ip[header..];
        BinaryPrimitives.WriteUInt16BigEndian(udp, 50_000);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], 4789);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udp.Length);
        payload.CopyTo(udp[UdpSize..]);
        ushort right = Checksum.OfUdp(addresses, udp);
        BinaryPrimitives.WriteUInt16BigEndian(udp[6..], checksum switch { "right" => right, "wrong" => (ushort)(right ^ 0x5555), _ => 0 });
        return packet;
    }

    private static ReadOnlySpan<byte> WriteIPv4(Span<byte> ip, IPAddress from, IPAddress to)
    {
        (ip[0], ip[8], ip[9]) = (0x45, 64, 17);
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ip.Length);
        from.TryWriteBytes(ip[12..], out _);
        to.TryWriteBytes(ip[16..], out _);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Checksum.Of(ip[..20]));
        return ip[12..20];
    }

    private static ReadOnlySpan<byte> WriteIPv6(Span<byte> ip, IPAddress from, IPAddress to)
    {
        (ip[0], ip[6], ip[7]) = (0x60, 17, 64);
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(ip.Length - 40));
        from.TryWriteBytes(ip[8..], out _);
        to.TryWriteBytes(ip[24..], out _);
        return ip[8..40];
    }

    private static void WriteMac(Span<byte> destination, LabHost host) =>
        Convert.FromHexString(host.Station("eth0").Mac.Replace(":", "", StringComparison.Ordinal)).CopyTo(destination);
}
