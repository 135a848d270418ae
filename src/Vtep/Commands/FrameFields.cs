// A frame made of fields, for who wants to ask about one and has no bytes of it: Ethernet, a VLAN tag, then ARP, or IP with TCP, UDP, ICMP or any other
// protocol, lengths and checksums right. What isn't given is what such a frame mostly has.

using System.Buffers.Binary;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Commands;

/// <summary>The fields of a frame.</summary>
internal sealed record FrameFields
{
    public required MacAddress Source { get; init; }

    public required MacAddress Destination { get; init; }

    public int? Vlan { get; init; }

    /// <summary>Of a frame that is neither ARP nor IP.</summary>
    public ushort EtherType { get; init; } = 0x88B5; // IEEE 802 local experimental

    /// <summary>An ARP request for this address.</summary>
    public InetAddress? ArpFor { get; init; }

    public InetAddress? IpSource { get; init; }

    public InetAddress? IpDestination { get; init; }

    public byte Protocol { get; init; } = IpProtocol.Udp;

    public ushort SourcePort { get; init; }

    public ushort DestinationPort { get; init; }

    public byte Ttl { get; init; } = 64;

    public byte TrafficClass { get; init; }

    public bool DontFragment { get; init; }

    /// <summary>Bytes of the whole frame; null: as short as it can be, at least 60.</summary>
    public int? Length { get; init; }

    private int NetworkOffset => EthernetHeader.Size + (Vlan is null ? 0 : VlanTag.Size);

    /// <summary>The shortest frame with these fields.</summary>
    public int ShortestLength => NetworkOffset + (ArpFor is not null ? ArpPacket.Size : IpHeaderSize + TransportSize);

    private int IpHeaderSize => IpSource is null ? 0 : IpSource.Value.IsIPv6 ? Ipv6Header.Size : Ipv4Header.Size;

    private int TransportSize => IpSource is null ? 0 : Protocol switch
    {
        IpProtocol.Tcp => TcpView.MinimumHeaderSize,
        IpProtocol.Udp => UdpHeader.Size,
        IpProtocol.IcmpV4 or IpProtocol.IcmpV6 => IcmpV4.HeaderSize,
        _ => 0,
    };

    /// <summary>The bytes.</summary>
    public byte[] ToBytes()
    {
        var frame = new byte[Length ?? Math.Max(60, ShortestLength)];
        ushort etherType = ArpFor is not null ? Wire.EtherType.Arp
            : IpSource is not { } address ? EtherType
            : address.IsIPv6 ? Wire.EtherType.IPv6 : Wire.EtherType.IPv4;
        new EthernetHeader(Destination, Source, Vlan is null ? etherType : Wire.EtherType.Vlan).Write(frame);
        if (Vlan is { } vlan)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(EthernetHeader.Size), (ushort)vlan);
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(EthernetHeader.Size + sizeof(ushort)), etherType);
        }

        Span<byte> network = frame.AsSpan(NetworkOffset);
        if (ArpFor is { } asked)
            new ArpPacket(ArpPacket.Request, Source, IpSource ?? InetAddress.FromIPv4(0), default, asked).Write(network);
        else if (IpSource is { IsIPv6: true })
            WriteIPv6(network);
        else if (IpSource is not null)
            WriteIPv4(network);
        return frame;
    }

    // What pads a short frame is no part of the packet.
    private int PacketLength(int room) => Length is null ? IpHeaderSize + TransportSize : room;

    private void WriteIPv4(Span<byte> packet)
    {
        packet = packet[..PacketLength(packet.Length)];
        new Ipv4Header
        {
            TrafficClass = TrafficClass,
            TotalLength = (ushort)packet.Length,
            DontFragment = DontFragment,
            TimeToLive = Ttl,
            Protocol = Protocol,
            Source = IpSource!.Value,
            Destination = IpDestination!.Value,
        }.Write(packet);
        WriteTransport(packet[Ipv4Header.Size..]);
    }

    private void WriteIPv6(Span<byte> packet)
    {
        packet = packet[..PacketLength(packet.Length)];
        new Ipv6Header
        {
            TrafficClass = TrafficClass,
            PayloadLength = (ushort)(packet.Length - Ipv6Header.Size),
            NextHeader = Protocol,
            HopLimit = Ttl,
            Source = IpSource!.Value,
            Destination = IpDestination!.Value,
        }.Write(packet);
        WriteTransport(packet[Ipv6Header.Size..]);
    }

    private void WriteTransport(Span<byte> transport)
    {
        ulong pseudo = InternetChecksum.PseudoHeader(IpSource!.Value, IpDestination!.Value, Protocol, transport.Length);
        switch (Protocol)
        {
            case IpProtocol.Udp:
                new UdpHeader(SourcePort, DestinationPort, (ushort)transport.Length, Checksum: 0).Write(transport);
                ushort sum = Complement(transport, pseudo);
                BinaryPrimitives.WriteUInt16BigEndian(transport[UdpHeader.ChecksumOffset..], sum == 0 ? (ushort)0xFFFF : sum);
                break;
            case IpProtocol.Tcp:
                BinaryPrimitives.WriteUInt16BigEndian(transport, SourcePort);
                BinaryPrimitives.WriteUInt16BigEndian(transport[2..], DestinationPort);
                transport[TcpView.DataOffsetOffset] = 0x50;
                transport[TcpView.FlagsOffset] = (byte)TcpFlags.Syn;
                BinaryPrimitives.WriteUInt16BigEndian(transport[TcpView.ChecksumOffset..], Complement(transport, pseudo));
                break;
            case IpProtocol.IcmpV4:
                transport[0] = IcmpV4.EchoRequest;
                BinaryPrimitives.WriteUInt16BigEndian(transport[2..], Complement(transport, 0));
                break;
            case IpProtocol.IcmpV6:
                transport[0] = IcmpV6.EchoRequest;
                BinaryPrimitives.WriteUInt16BigEndian(transport[2..], Complement(transport, pseudo));
                break;
        }
    }

    private static ushort Complement(ReadOnlySpan<byte> transport, ulong pseudo) => (ushort)~InternetChecksum.Fold(InternetChecksum.Sum(transport, pseudo));
}
