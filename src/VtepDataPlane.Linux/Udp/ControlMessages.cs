// Ancillary data of datagrams (cmsg(3)): a row of messages, each with a header of 16 bytes (length, level, type) and padded to 8.
// What differs from a socket's defaults, TTL, traffic class, interface, travels this way with each datagram. 64-bit systems only.

using System.Runtime.InteropServices;
using Tmds.Linux;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Udp;

/// <summary>Writes and reads control messages.</summary>
internal static class ControlMessages
{
    /// <summary>Bytes that take what <see cref="Write"/> writes at most: hop limit, traffic class and in6_pktinfo (24 + 24 + 40).</summary>
    public const int SendSize = 88;

    /// <summary>Bytes of what <see cref="WriteSegment"/> writes.</summary>
    public const int SegmentSize = 24;

    /// <summary>Bytes that take a received traffic class and a segment size (24 each).</summary>
    public const int ReceiveSize = 48;

    private const int HeaderSize = 16;
    private const int LevelOffset = 8;
    private const int TypeOffset = 12;

    /// <summary>Writes what of <paramref name="outer"/> differs from the socket's defaults; returns the length, mostly 0.</summary>
    public static int Write(Span<byte> control, in OuterHeader outer, in InetAddress local)
    {
        bool isIPv4 = outer.Remote.Address.IsIPv4;
        int level = isIPv4 ? LibC.IPPROTO_IP : LibC.IPPROTO_IPV6;
        int length = 0;
        bool isDefault = outer.HopLimit == (outer.Remote.Address.IsMulticast ? UdpSocket.DefaultGroupHopLimit : UdpSocket.DefaultHopLimit);
        if (outer.HopLimit != 0 && !isDefault)
            length += WriteInt(control[length..], level, isIPv4 ? LibC.IP_TTL : LibC.IPV6_HOPLIMIT, outer.HopLimit);
        if (outer.TrafficClass != 0)
            length += WriteInt(control[length..], level, isIPv4 ? LibC.IP_TOS : LibC.IPV6_TCLASS, outer.TrafficClass);
        if (outer.InterfaceIndex != 0)
            length += isIPv4 ? WritePacketInfo4(control[length..], outer, local) : WritePacketInfo6(control[length..], outer, local);
        return length;
    }

    /// <summary>Writes UDP_SEGMENT: the message is a train of datagrams of that size, the last may be shorter.</summary>
    public static void WriteSegment(Span<byte> control, ushort size) =>
        MemoryMarshal.Write(WriteHeader(control, LibC.IPPROTO_UDP, Libc.UDP_SEGMENT, sizeof(ushort)), size);

    /// <summary>The size of the datagrams in a received train (UDP_GRO); 0 when there is none: one datagram.</summary>
    public static int ReadSegmentSize(ReadOnlySpan<byte> control) =>
        Find(control, LibC.IPPROTO_UDP, Libc.UDP_GRO) is { Length: >= sizeof(int) } value ? MemoryMarshal.Read<int>(value) : 0;

    /// <summary>The traffic class (IP_TOS or IPV6_TCLASS) among received messages; 0 when there is none.</summary>
    public static byte ReadTrafficClass(ReadOnlySpan<byte> control)
    {
        // IP_TOS comes as one byte, IPV6_TCLASS as an int of which the value is the low byte.
        return Find(control, LibC.IPPROTO_IP, LibC.IP_TOS) is [byte tos, ..] ? tos
            : Find(control, LibC.IPPROTO_IPV6, LibC.IPV6_TCLASS) is { Length: >= sizeof(int) } value ? (byte)MemoryMarshal.Read<int>(value)
            : (byte)0;
    }

    /// <summary>The data of the first message of a level and type; empty when there is none.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> control, int level, int type)
    {
        while (control.Length >= HeaderSize)
        {
            ulong length = MemoryMarshal.Read<ulong>(control);
            if (length < HeaderSize || length > (ulong)control.Length)
                break;
            if (MemoryMarshal.Read<int>(control[LevelOffset..]) == level && MemoryMarshal.Read<int>(control[TypeOffset..]) == type)
                return control[HeaderSize..(int)length];
            control = control[Math.Min(Padded((int)length), control.Length)..];
        }

        return [];
    }

    private static int Padded(int length) => (length + 7) & ~7;

    private static Span<byte> WriteHeader(Span<byte> control, int level, int type, int dataLength)
    {
        control[..Padded(HeaderSize + dataLength)].Clear();
        MemoryMarshal.Write(control, (ulong)(HeaderSize + dataLength));
        MemoryMarshal.Write(control[LevelOffset..], level);
        MemoryMarshal.Write(control[TypeOffset..], type);
        return control.Slice(HeaderSize, dataLength);
    }

    private static int WriteInt(Span<byte> control, int level, int type, int value)
    {
        MemoryMarshal.Write(WriteHeader(control, level, type, sizeof(int)), value);
        return Padded(HeaderSize + sizeof(int));
    }

    // struct in_pktinfo: interface, source address to use, (unused on sending).
    private static int WritePacketInfo4(Span<byte> control, in OuterHeader outer, in InetAddress local)
    {
        const int Length = 12;
        Span<byte> data = WriteHeader(control, LibC.IPPROTO_IP, LibC.IP_PKTINFO, Length);
        MemoryMarshal.Write(data, outer.InterfaceIndex);
        local.Write(data[4..]);
        return Padded(HeaderSize + Length);
    }

    // struct in6_pktinfo: source address to use, interface.
    private static int WritePacketInfo6(Span<byte> control, in OuterHeader outer, in InetAddress local)
    {
        const int Length = 20;
        Span<byte> data = WriteHeader(control, LibC.IPPROTO_IPV6, LibC.IPV6_PKTINFO, Length);
        local.Write(data);
        MemoryMarshal.Write(data[16..], outer.InterfaceIndex);
        return Padded(HeaderSize + Length);
    }
}
