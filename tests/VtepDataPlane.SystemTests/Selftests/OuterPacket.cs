// What a VTEP put on the wire: the outer header of a captured frame, read byte by byte.

using System.Buffers.Binary;
using System.Net.Sockets;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Selftests;

/// <summary>The fields of an IP header that a tunnel decides about.</summary>
internal readonly record struct IpFields(int Version, int HeaderSize, byte TrafficClass, byte HopLimit, byte Protocol)
{
    /// <summary>Reads them from a header without options or extension headers.</summary>
    public static IpFields Read(ReadOnlySpan<byte> ip) => ip[0] >> 4 == 6
        ? new IpFields(6, 40, (byte)(BinaryPrimitives.ReadUInt16BigEndian(ip) >> 4), ip[7], ip[6])
        : new IpFields(4, 20, ip[1], ip[8], ip[9]);
}

/// <summary>A VXLAN datagram as captured.</summary>
internal sealed record OuterPacket(IpFields Ip, int Vni, byte[] Inner)
{
    private const int EthernetSize = 14;
    private const int UdpSize = 8;
    private const int VxlanSize = 8;

    /// <summary>Reads a captured frame; null when it is no VXLAN datagram.</summary>
    public static OuterPacket? Read(byte[] frame)
    {
        ushort etherType = BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(12));
        if (etherType is not (0x0800 or 0x86DD) || frame.Length < EthernetSize + 20)
            return null;
        IpFields ip = IpFields.Read(frame.AsSpan(EthernetSize));
        int udp = EthernetSize + ip.HeaderSize, inner = udp + UdpSize + VxlanSize;
        if (ip.Protocol != (byte)ProtocolType.Udp || frame.Length < inner || BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(udp + 2)) != 4789)
            return null;
        return new OuterPacket(ip, (int)(BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(inner - 4)) >> 8), frame[inner..]);
    }

    /// <summary>Receives until <paramref name="count"/> VXLAN datagrams came whose inner text passes, or for 3 s; then 0.2 s more for one too many.</summary>
    public static IReadOnlyList<OuterPacket> Receive(RawSocket wire, Func<string, bool> wanted, int count)
    {
        bool Wanted(byte[] frame) => Read(frame) is { } packet && wanted(InnerFrame.Text(packet.Inner));
        List<byte[]> frames = [.. wire.Receive(Wanted, count, seconds: 3)];
        frames.AddRange(wire.Receive(Wanted, int.MaxValue, seconds: 0.2));
        return [.. frames.Select(frame => Read(frame)!)];
    }

    /// <summary>A socket that sees what <paramref name="host"/> sends: at the far end of its cable.</summary>
    public static RawSocket Wire(LabHost host) => new(host.Link.B.Namespace, host.Link.B.Device);
}
