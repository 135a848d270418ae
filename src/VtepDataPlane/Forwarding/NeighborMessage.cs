// What a frame says and asks about neighbours, in one form for ARP (RFC 826), neighbour discovery (RFC 4861) and leases of DHCP (RFC 2131): a binding of an
// address to a MAC, a question for an address, or both. The rules of who may be believed are here:
//   * a binding counts when the MAC it names is the one the frame comes from; of a lease, when the server acknowledges it (whether the
//     client is a station of ours, the forwarder has to look up);
//   * a question counts when it was sent to everybody, by somebody who has an address: one who looks whether an address is free (ARP probe, RFC 5227;
//     duplicate address detection) must be heard by its holder, and gratuitous ones tell and don't ask.
// Tagged frames say nothing here: addresses in a VLAN are not those of the domain. Whatever isn't valid is nothing at all, and the frame is
// forwarded like any other.
//
// Pure: any thread, no allocation, never throws.

using System.Buffers.Binary;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>A binding, a question, or both.</summary>
internal readonly record struct NeighborMessage
{
    /// <summary>The address that is bound; none: no binding.</summary>
    public InetAddress Address { get; private init; }

    /// <summary>The MAC it is bound to.</summary>
    public MacAddress Mac { get; private init; }

    /// <summary>An IPv6 router or not; null: it doesn't say.</summary>
    public bool? IsRouter { get; private init; }

    /// <summary>Who asks: his address, at <see cref="AskerMac"/>.</summary>
    public InetAddress Asker { get; private init; }

    /// <summary>Where an answer goes.</summary>
    public MacAddress AskerMac { get; private init; }

    /// <summary>The address asked for; none: no question.</summary>
    public InetAddress Asked { get; private init; }

    /// <summary>There is a binding.</summary>
    public bool Binds => !Address.IsNone;

    /// <summary>There is a question.</summary>
    public bool Asks => !Asked.IsNone;

    /// <summary>What a frame from one of our stations says of itself, and asks.</summary>
    /// <param name="frame">An Ethernet frame.</param>
    /// <param name="headers">What <see cref="FrameHeaders.Parse"/> made of it, without fault.</param>
    /// <param name="message">What it says.</param>
    /// <returns>False when that is nothing.</returns>
    public static bool TryRead(ReadOnlySpan<byte> frame, in FrameHeaders headers, out NeighborMessage message)
    {
        message = default;
        if (headers.VlanTags != 0)
            return false;
        if (headers.EtherType == EtherType.Arp)
            return TryReadArp(frame[headers.NetworkOffset..], headers, out message);
        if (headers.Protocol != IpProtocol.IcmpV6 || headers.TransportOffset == 0)
            return false;
        ReadOnlySpan<byte> packet = frame[headers.NetworkOffset..];
        return frame[headers.TransportOffset] switch
        {
            IcmpV6.NeighborSolicitation => TryReadSolicitation(packet, headers, out message),
            IcmpV6.NeighborAdvertisement => TryReadAdvertisement(packet, headers, out message),
            _ => false,
        };
    }

    /// <summary>The lease a DHCP server acknowledges, whoever sees the frame pass.</summary>
    /// <param name="frame">An Ethernet frame whose headers were read without fault.</param>
    /// <param name="message">The binding.</param>
    /// <returns>False when it is none.</returns>
    public static bool TryReadLease(in Frame frame, out NeighborMessage message)
    {
        message = default;
        ref readonly FrameHeaders headers = ref frame.Info.Headers;
        if (!IsToDhcpClient(frame.Bytes, headers))
            return false;
        // a server on this machine leaves its checksum to us
        if (!frame.Info.Offload.NeedsChecksum && !TransportChecksum.IsValid(frame.Bytes, headers))
            return false;
        ReadOnlySpan<byte> transport = frame.Bytes.Slice(headers.TransportOffset, headers.TransportLength);
        if (!UdpView.TryParse(transport, out UdpView udp) || !DhcpReply.TryParse(udp.Payload, out DhcpReply reply) || reply.Type != DhcpReply.Ack)
            return false;
        message = new NeighborMessage { Address = reply.YourAddress, Mac = reply.ClientMac, IsRouter = false };
        return IsHost(reply.YourAddress) && reply.ClientMac.IsValidSource;
    }

    private static bool IsToDhcpClient(ReadOnlySpan<byte> frame, in FrameHeaders headers)
    {
        const uint Ports = ((uint)DhcpReply.ServerPort << 16) | DhcpReply.ClientPort;
        return headers.Protocol == IpProtocol.Udp && headers.TransportOffset != 0
            && BinaryPrimitives.ReadUInt32BigEndian(frame[headers.TransportOffset..]) == Ports
            && headers.IpVersion == 4 && headers.VlanTags == 0 && !headers.IsFragment;
    }

    private static bool TryReadArp(ReadOnlySpan<byte> payload, in FrameHeaders headers, out NeighborMessage message)
    {
        message = default;
        if (!ArpPacket.TryParse(payload, out ArpPacket arp) || arp.Operation is not (ArpPacket.Request or ArpPacket.Reply))
            return false;
        if (!IsHost(arp.SenderAddress) || arp.SenderMac != headers.Source)
            return false;
        bool asks = arp.Operation == ArpPacket.Request && headers.Destination.IsBroadcast
            && IsHost(arp.TargetAddress) && arp.TargetAddress != arp.SenderAddress;
        message = new NeighborMessage
        {
            Address = arp.SenderAddress,
            Mac = arp.SenderMac,
            IsRouter = false,
            Asker = arp.SenderAddress,
            AskerMac = arp.SenderMac,
            Asked = asks ? arp.TargetAddress : default,
        };
        return true;
    }

    private static bool TryReadSolicitation(ReadOnlySpan<byte> packet, in FrameHeaders headers, out NeighborMessage message)
    {
        message = default;
        if (!NeighborSolicitation.TryParse(packet, out NeighborSolicitation asked) || !IsHost(asked.Source))
            return false;
        if (!asked.SourceMac.IsZero && asked.SourceMac != headers.Source)
            return false;
        bool asks = headers.Destination.IsGroup && asked.IsToSolicitedNode && asked.Target != asked.Source;
        message = new NeighborMessage
        {
            Address = asked.SourceMac.IsZero ? default : asked.Source,
            Mac = asked.SourceMac,
            Asker = asked.Source,
            AskerMac = headers.Source,
            Asked = asks ? asked.Target : default,
        };
        return message.Binds || asks;
    }

    private static bool TryReadAdvertisement(ReadOnlySpan<byte> packet, in FrameHeaders headers, out NeighborMessage message)
    {
        message = default;
        if (!NeighborAdvertisement.TryParse(packet, out NeighborAdvertisement told) || !IsHost(told.Target))
            return false;
        MacAddress mac = told.TargetMac.IsZero ? headers.Source : told.TargetMac;
        message = new NeighborMessage { Address = told.Target, Mac = mac, IsRouter = told.IsRouter };
        return mac == headers.Source;
    }

    private static bool IsHost(in InetAddress address) => address.IsUnicast && !address.IsLoopback;
}
