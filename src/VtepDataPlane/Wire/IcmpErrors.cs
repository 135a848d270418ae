// What a VTEP tells the sender of a frame that is too long for the tunnel: ICMPv4 "fragmentation needed" (RFC 1191 section 4) or
// ICMPv6 "packet too big" (RFC 4443 section 3.2). The VTEP has no address in the tenant's network, so it speaks in the name of the
// destination, as the kernel does for vxlan in a bridge (net/ipv4/ip_tunnel_core.c, iptunnel_pmtud_build_icmp): MACs
// and IP addresses of the frame swapped, VLAN tags kept. The message is a frame of its own, to be sent where the other came from.
//
// Any thread; no allocation; never throws.

using System.Buffers.Binary;

namespace VtepDataPlane.Wire;

/// <summary>Answers to frames that are too long.</summary>
internal static class IcmpErrors
{
    /// <summary>Most bytes of an answer over IPv4: every host must take 576 (RFC 1812 section 4.3.2.3).</summary>
    public const int MaximumIPv4 = 576;

    /// <summary>Most bytes of an answer over IPv6: the minimum MTU (RFC 4443 section 3.2).</summary>
    public const int MaximumIPv6 = 1280;

    /// <summary>Bytes a destination needs so that every answer fits, two VLAN tags included.</summary>
    public const int MaximumFrame = EthernetHeader.Size + FrameHeaders.MaximumVlanTags * VlanTag.Size + MaximumIPv6;

    private const byte HopLimit = 64;

    // internetwork control, the precedence of ICMP errors over IPv4 (RFC 1812 section 4.3.2.5)
    private const byte TrafficClassIPv4 = 0xC0;

    /// <summary>
    /// Whether the sender of this frame may be told that it is too long (RFC 1122 section 3.2.2, RFC 1191, RFC 4443 section 2.4).
    /// </summary>
    /// <param name="frame">The frame.</param>
    /// <param name="headers">What <see cref="FrameHeaders.Parse"/> made of it, without fault.</param>
    /// <returns>
    /// False for group MACs, senders and receivers that are no single host, fragments behind the first, ICMP errors, IPv4 without
    /// DF (its sender didn't ask), and what isn't IP.
    /// </returns>
    public static bool MayAnswer(ReadOnlySpan<byte> frame, in FrameHeaders headers)
    {
        if (headers.Destination.IsGroup || !headers.Source.IsValidSource || !headers.IsIp)
            return false;
        if (headers.IpVersion == 4 && !headers.DontFragment)
            return false;
        (InetAddress source, InetAddress destination) = Addresses(frame, headers);
        if (!source.IsUnicast || source.IsLoopback || !destination.IsUnicast)
            return false;
        if (headers.IsFragment && headers.TransportOffset == 0)
            return false;
        return headers.Protocol switch
        {
            IpProtocol.IcmpV4 => headers.TransportOffset != 0 && !IcmpV4.IsError(frame[headers.TransportOffset]),
            IpProtocol.IcmpV6 => headers.TransportOffset != 0 && !IcmpV6.IsError(frame[headers.TransportOffset]),
            _ => true,
        };
    }

    /// <summary>Writes "fragmentation needed and DF set" for a frame with IPv4.</summary>
    /// <param name="frame">The frame that is too long.</param>
    /// <param name="headers">What <see cref="FrameHeaders.Parse"/> made of it.</param>
    /// <param name="mtu">Bytes of the longest IP packet that fits; above 65535 is written as 65535.</param>
    /// <param name="destination">Where to write; <see cref="MaximumFrame"/> bytes are always enough.</param>
    /// <param name="length">Bytes of the frame written.</param>
    /// <returns>False when the frame isn't IPv4 or the destination is too small; it may have been written to.</returns>
    public static bool TryWriteFragmentationNeeded(
        ReadOnlySpan<byte> frame, in FrameHeaders headers, int mtu, Span<byte> destination, out int length)
    {
        const int HeaderSize = Ipv4Header.Size + IcmpV4.HeaderSize;
        length = 0;
        if (headers.IpVersion != 4
            || !TryQuote(frame, headers, HeaderSize, MaximumIPv4, destination, out Span<byte> packet))
            return false;

        (InetAddress source, InetAddress target) = Addresses(frame, headers);
        new Ipv4Header
        {
            TrafficClass = TrafficClassIPv4,
            TotalLength = (ushort)packet.Length,
            TimeToLive = HopLimit,
            Protocol = IpProtocol.IcmpV4,
            Source = target,
            Destination = source,
        }.Write(packet);
        Span<byte> message = packet[Ipv4Header.Size..];
        WriteMessageHeader(message, IcmpV4.DestinationUnreachable, IcmpV4.FragmentationNeeded);
        BinaryPrimitives.WriteUInt16BigEndian(message[IcmpV4.NextHopMtuOffset..], (ushort)Math.Clamp(mtu, 0, ushort.MaxValue));
        BinaryPrimitives.WriteUInt16BigEndian(message[IcmpV4.ChecksumOffset..], InternetChecksum.Compute(message));
        length = headers.NetworkOffset + packet.Length;
        return true;
    }

    /// <summary>Writes "packet too big" for a frame with IPv6.</summary>
    /// <param name="frame">The frame that is too long.</param>
    /// <param name="headers">What <see cref="FrameHeaders.Parse"/> made of it.</param>
    /// <param name="mtu">Bytes of the longest IP packet that fits. Below 1280 a sender may ignore it (RFC 8201 section 4).</param>
    /// <param name="destination">Where to write; <see cref="MaximumFrame"/> bytes are always enough.</param>
    /// <param name="length">Bytes of the frame written.</param>
    /// <returns>False when the frame isn't IPv6 or the destination is too small; it may have been written to.</returns>
    public static bool TryWritePacketTooBig(
        ReadOnlySpan<byte> frame, in FrameHeaders headers, int mtu, Span<byte> destination, out int length)
    {
        const int HeaderSize = Ipv6Header.Size + IcmpV6.HeaderSize;
        length = 0;
        if (headers.IpVersion != 6
            || !TryQuote(frame, headers, HeaderSize, MaximumIPv6, destination, out Span<byte> packet))
            return false;

        (InetAddress source, InetAddress target) = Addresses(frame, headers);
        Span<byte> message = packet[Ipv6Header.Size..];
        WriteMessageHeader(message, IcmpV6.PacketTooBig, code: 0);
        BinaryPrimitives.WriteUInt32BigEndian(message[IcmpV6.MtuOffset..], (uint)Math.Max(mtu, 0));
        IcmpV6.Seal(packet, target, source, HopLimit);
        length = headers.NetworkOffset + packet.Length;
        return true;
    }

    // Ethernet header and tags with MACs swapped, room for IP and ICMP headers, and as much of the packet as fits
    private static bool TryQuote(
        ReadOnlySpan<byte> frame, in FrameHeaders headers, int headerSize, int maximum, Span<byte> destination, out Span<byte> packet)
    {
        packet = default;
        int quoted = Math.Min(headers.NetworkLength, maximum - headerSize);
        int offset = headers.NetworkOffset;
        if (destination.Length < offset + headerSize + quoted)
            return false;
        frame[..offset].CopyTo(destination);
        headers.Source.Write(destination);
        headers.Destination.Write(destination[MacAddress.Size..]);
        packet = destination.Slice(offset, headerSize + quoted);
        frame.Slice(offset, quoted).CopyTo(packet[headerSize..]);
        return true;
    }

    // type, code, and six bytes of zeros: checksum and what depends on the type
    private static void WriteMessageHeader(Span<byte> message, byte type, byte code) =>
        BinaryPrimitives.WriteUInt64BigEndian(message, ((ulong)type << 56) | ((ulong)code << 48));

    private static (InetAddress Source, InetAddress Destination) Addresses(ReadOnlySpan<byte> frame, in FrameHeaders headers)
    {
        ReadOnlySpan<byte> header = frame[headers.NetworkOffset..];
        return headers.IpVersion == 4
            ? (InetAddress.ReadIPv4(header[Ipv4Header.SourceOffset..]), InetAddress.ReadIPv4(header[Ipv4Header.DestinationOffset..]))
            : (InetAddress.ReadIPv6(header[Ipv6Header.SourceOffset..]), InetAddress.ReadIPv6(header[Ipv6Header.DestinationOffset..]));
    }
}
