// sockaddr_in and sockaddr_in6 as bytes (ip(7), ipv6(7)): family in host order, port and address in network order. Written into
// and read from arrays that are handed to the kernel, so no structure is copied.

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Tmds.Linux;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Udp;

/// <summary>Reads and writes socket addresses.</summary>
internal static class SocketAddress
{
    /// <summary>Bytes of the longer one, sockaddr_in6.</summary>
    public const int Size = 28;

    private const int Ipv4Size = 16;
    private const int PortOffset = 2;
    private const int Ipv4AddressOffset = 4;
    private const int FlowInfoOffset = 4;
    private const int Ipv6AddressOffset = 8;
    private const int ScopeOffset = 24;

    /// <summary>AF_INET or AF_INET6.</summary>
    public static int Family(in InetAddress address) => address.IsIPv4 ? LibC.AF_INET : LibC.AF_INET6;

    /// <summary>Writes an address; returns its length.</summary>
    /// <param name="destination"><see cref="Size"/> bytes.</param>
    /// <param name="address">IPv4 or IPv6.</param>
    /// <param name="port">Host order.</param>
    /// <param name="scope">Interface of a link-local IPv6 address, otherwise 0.</param>
    public static int Write(Span<byte> destination, in InetAddress address, ushort port, int scope = 0)
    {
        MemoryMarshal.Write(destination, (ushort)Family(address));
        BinaryPrimitives.WriteUInt16BigEndian(destination[PortOffset..], port);
        if (address.IsIPv4)
        {
            address.Write(destination[Ipv4AddressOffset..]);
            destination[8..Ipv4Size].Clear();
            return Ipv4Size;
        }

        MemoryMarshal.Write(destination[FlowInfoOffset..], 0u);
        address.Write(destination[Ipv6AddressOffset..]);
        MemoryMarshal.Write(destination[ScopeOffset..], (uint)scope);
        return Size;
    }

    /// <summary>Reads an address; none when it is of another family.</summary>
    public static VtepEndpoint Read(ReadOnlySpan<byte> source)
    {
        int family = MemoryMarshal.Read<ushort>(source);
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(source[PortOffset..]);
        if (family == LibC.AF_INET)
            return new VtepEndpoint(InetAddress.ReadIPv4(source[Ipv4AddressOffset..]), port);
        return family == LibC.AF_INET6 ? new VtepEndpoint(InetAddress.ReadIPv6(source[Ipv6AddressOffset..]), port) : default;
    }
}
