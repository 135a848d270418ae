// What the data plane knows about an Ethernet frame, read once when the frame arrives and handed down by reference afterwards:
// admission, flow hash, ECN, path MTU and offloads all work from it and never parse again. It holds offsets, not spans, so it
// stays valid for the same bytes wherever they lie.
//
// Walk: 14 bytes of Ethernet, up to two VLAN tags (a third one makes the frame "not IP", as nobody here needs to look below),
// then IPv4 or IPv6 with its extension headers, then the place of the transport header. A frame is at fault only when its Ethernet
// header is cut short or when it says IP and the IP header lies; whatever can't be read behind that is unknown, not wrong, since
// a VTEP carries Ethernet and judges nothing above it.
//
// Any thread; allocates nothing and throws for no input.

using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace VtepDataPlane.Wire;

/// <summary>What is wrong with a frame: IEEE 802.3 and 802.1Q headers, RFC 791, RFC 8200.</summary>
public enum FrameFault : byte
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Fewer bytes than the Ethernet header and its VLAN tags have.</summary>
    Truncated,

    /// <summary>An IP header that is cut short, has another version than its EtherType, or lengths that lie.</summary>
    IpHeaderMalformed,
}

/// <summary>The headers of an Ethernet frame (IEEE 802.3 and 802.1Q, RFC 791, RFC 8200), read once. Offsets count from the frame's first byte.</summary>
public struct FrameHeaders
{
    /// <summary>Most VLAN tags walked.</summary>
    public const int MaximumVlanTags = 2;

    private const int SctpHeaderSize = 12;

    /// <summary>Destination MAC.</summary>
    public MacAddress Destination;

    /// <summary>Source MAC.</summary>
    public MacAddress Source;

    /// <summary>Bytes of the IP packet by its own header, header included: 20 to 65575; 0 when not IP.</summary>
    public int NetworkLength;

    /// <summary>EtherType behind the tags; the TPID of a third tag.</summary>
    public ushort EtherType;

    /// <summary>
    /// Where the transport header starts: a whole fixed header of TCP, UDP or ICMP is there, or any byte of another protocol.
    /// 0 when there is none to read: not IP, not the first fragment, an unknown chain of extension headers, cut short.
    /// </summary>
    public ushort TransportOffset;

    /// <summary>VLAN tags walked, 0 to 2.</summary>
    public byte VlanTags;

    /// <summary>Where the payload of Ethernet starts: 14, 18 or 22.</summary>
    public byte NetworkOffset;

    /// <summary>4, 6, or 0 for what isn't IP.</summary>
    public byte IpVersion;

    /// <summary>Transport protocol behind extension headers, see <see cref="IpProtocol"/>; 0 when unknown or not IP.</summary>
    public byte Protocol;

    /// <summary>DSCP (6 bits) and ECN (2 bits); 0 when not IP.</summary>
    public byte TrafficClass;

    /// <summary>TTL or hop limit; 0 when not IP.</summary>
    public byte HopLimit;

    /// <summary>DF of an IPv4 header.</summary>
    public bool DontFragment;

    /// <summary>Part of an IPv4 or IPv6 datagram, the first part included.</summary>
    public bool IsFragment;

    /// <summary>Is an IP packet.</summary>
    public readonly bool IsIp => IpVersion != 0;

    /// <summary>Bytes from <see cref="TransportOffset"/> to the end of the IP packet; 0 when there is no transport header.</summary>
    public readonly int TransportLength => TransportOffset == 0 ? 0 : NetworkOffset + NetworkLength - TransportOffset;

    /// <summary>Reads the headers of a frame. Never throws.</summary>
    /// <param name="frame">From the destination MAC on, without frame check sequence.</param>
    /// <param name="headers">What could be read; for a malformed IP header the Ethernet part, for a truncated frame nothing.</param>
    public static FrameFault Parse(ReadOnlySpan<byte> frame, out FrameHeaders headers)
    {
        headers = default;
        if (frame.Length < EthernetHeader.Size)
            return FrameFault.Truncated;
        return headers.ReadEthernet(frame);
    }

    // eight bytes at a time, and everything is in registers
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private FrameFault ReadEthernet(ReadOnlySpan<byte> frame)
    {
        ulong sourceAndType = BinaryPrimitives.ReadUInt64BigEndian(frame[MacAddress.Size..]);
        Destination = new MacAddress(BinaryPrimitives.ReadUInt64BigEndian(frame) >> 16);
        Source = new MacAddress(sourceAndType >> 16);
        var etherType = (ushort)sourceAndType;
        EtherType = etherType;
        NetworkOffset = EthernetHeader.Size;
        if (etherType == Wire.EtherType.IPv4)
            return ReadIPv4(frame[EthernetHeader.Size..]);
        return ReadRare(frame);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private FrameFault ReadRare(ReadOnlySpan<byte> frame)
    {
        ushort etherType = EtherType;
        int offset = EthernetHeader.Size;
        if (Wire.EtherType.IsVlan(etherType) && !TrySkipTags(frame, ref etherType, ref offset))
        {
            this = default;
            return FrameFault.Truncated;
        }

        VlanTags = (byte)((offset - EthernetHeader.Size) / VlanTag.Size);
        EtherType = etherType;
        NetworkOffset = (byte)offset;
        if (etherType == Wire.EtherType.IPv4)
            return ReadIPv4(frame[offset..]);
        return etherType == Wire.EtherType.IPv6 ? ReadIPv6(frame[offset..]) : FrameFault.None;
    }

    // on entry and on return: the EtherType in front of offset; false when a tag is cut short
    private static bool TrySkipTags(ReadOnlySpan<byte> frame, ref ushort etherType, ref int offset)
    {
        for (int tags = 0; Wire.EtherType.IsVlan(etherType) && tags < MaximumVlanTags; tags++)
        {
            offset += VlanTag.Size;
            if (frame.Length < offset)
                return false;
            etherType = BinaryPrimitives.ReadUInt16BigEndian(frame[(offset - sizeof(ushort))..]);
        }

        return true;
    }

    // the rules are those of Ipv4View, the reads are two
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private FrameFault ReadIPv4(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < Ipv4Header.Size)
            return FrameFault.IpHeaderMalformed;
        ulong first = BinaryPrimitives.ReadUInt64BigEndian(payload);
        ulong second = BinaryPrimitives.ReadUInt64BigEndian(payload[sizeof(ulong)..]);
        int headerLength = ((int)(first >> 56) - 0x40) * 4;
        int totalLength = (ushort)(first >> 32);
        if (headerLength is < Ipv4Header.Size or > Ipv4Header.MaximumSize || totalLength < headerLength || totalLength > payload.Length)
            return FrameFault.IpHeaderMalformed;
        IpVersion = 4;
        NetworkLength = totalLength;
        TrafficClass = (byte)(first >> 48);
        HopLimit = (byte)(second >> 56);
        DontFragment = (first & Ipv4Header.DontFragmentBit) != 0;
        IsFragment = (first & (Ipv4Header.MoreFragmentsBit | Ipv4Header.FragmentOffsetMask)) != 0;
        SetTransport((byte)(second >> 48), (first & Ipv4Header.FragmentOffsetMask) == 0 ? headerLength : 0, totalLength);
        return FrameFault.None;
    }

    private FrameFault ReadIPv6(ReadOnlySpan<byte> payload)
    {
        if (!Ipv6View.TryParse(payload, out Ipv6View packet))
            return FrameFault.IpHeaderMalformed;
        Ipv6Chain chain = packet.WalkExtensions();
        IpVersion = 6;
        NetworkLength = packet.TotalLength;
        TrafficClass = packet.TrafficClass;
        HopLimit = packet.HopLimit;
        IsFragment = chain.IsFragment;
        SetTransport(chain.Protocol, chain.TransportOffset, packet.TotalLength);
        return FrameFault.None;
    }

    // offset: from the IP header on, 0 for none
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SetTransport(byte protocol, int offset, int length)
    {
        Protocol = protocol;
        if (offset != 0 && length - offset >= MinimumTransportSize(protocol))
            TransportOffset = (ushort)(NetworkOffset + offset);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int MinimumTransportSize(byte protocol) => protocol switch
    {
        IpProtocol.Tcp => TcpView.MinimumHeaderSize,
        IpProtocol.Udp => UdpHeader.Size,
        IpProtocol.IcmpV4 => IcmpV4.HeaderSize,
        IpProtocol.IcmpV6 => IcmpV6.HeaderSize,
        IpProtocol.Sctp => SctpHeaderSize,
        IpProtocol.NoNextHeader => int.MaxValue,
        _ => 1,
    };
}
