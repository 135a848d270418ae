// The tests a filter expression is made of (FrameExpression says what each word means). A test looks at headers that were read already and
// at a few bytes whose presence they vouch for: fixed parts of the IP header, ports. Immutable, any thread, allocates nothing.

using System.Buffers.Binary;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics.Capture;

/// <summary>One test of a frame, or several combined.</summary>
internal abstract class FrameTest
{
    public abstract bool Matches(ReadOnlySpan<byte> frame, in FrameHeaders headers);
}

/// <summary>Which of a frame's two addresses or ports.</summary>
internal enum FrameSide : byte
{
    Either,
    Source,
    Destination,
}

internal sealed class AllOf(FrameTest first, FrameTest second) : FrameTest
{
    public override bool Matches(ReadOnlySpan<byte> frame, in FrameHeaders headers) => first.Matches(frame, headers) && second.Matches(frame, headers);
}

internal sealed class AnyOf(FrameTest first, FrameTest second) : FrameTest
{
    public override bool Matches(ReadOnlySpan<byte> frame, in FrameHeaders headers) => first.Matches(frame, headers) || second.Matches(frame, headers);
}

internal sealed class NoneOf(FrameTest test) : FrameTest
{
    public override bool Matches(ReadOnlySpan<byte> frame, in FrameHeaders headers) => !test.Matches(frame, headers);
}

internal sealed class EtherTypeIs(ushort etherType) : FrameTest
{
    public override bool Matches(ReadOnlySpan<byte> frame, in FrameHeaders headers) => headers.NetworkOffset > 0 && headers.EtherType == etherType;
}

internal sealed class ProtocolIs(byte protocol, byte ipVersion = 0) : FrameTest
{
    public override bool Matches(ReadOnlySpan<byte> frame, in FrameHeaders headers) =>
        headers.IsIp && headers.Protocol == protocol && (ipVersion == 0 || headers.IpVersion == ipVersion);
}

internal sealed class DestinationIsGroup(bool onlyBroadcast) : FrameTest
{
    public override bool Matches(ReadOnlySpan<byte> frame, in FrameHeaders headers) =>
        headers.NetworkOffset > 0 && (onlyBroadcast ? headers.Destination == MacAddress.Broadcast : headers.Destination.IsGroup);
}

internal sealed class VlanIs(int? identifier) : FrameTest
{
    public override bool Matches(ReadOnlySpan<byte> frame, in FrameHeaders headers) =>
        headers.VlanTags > 0 && (identifier is null
            || (VlanTag.TryRead(frame[(EthernetHeader.Size - sizeof(ushort))..], out VlanTag tag) && tag.Identifier == identifier));
}

internal sealed class MacIs(FrameSide side, MacAddress mac) : FrameTest
{
    public override bool Matches(ReadOnlySpan<byte> frame, in FrameHeaders headers) =>
        headers.NetworkOffset > 0
        && ((side != FrameSide.Destination && headers.Source == mac) || (side != FrameSide.Source && headers.Destination == mac));
}

internal sealed class AddressIsIn(FrameSide side, InetPrefix prefix) : FrameTest
{
    public override bool Matches(ReadOnlySpan<byte> frame, in FrameHeaders headers) =>
        TryReadAddresses(frame, headers, out InetAddress source, out InetAddress destination)
        && ((side != FrameSide.Destination && prefix.Contains(source)) || (side != FrameSide.Source && prefix.Contains(destination)));

    private static bool TryReadAddresses(ReadOnlySpan<byte> frame, in FrameHeaders headers, out InetAddress source, out InetAddress destination)
    {
        source = destination = default;
        if (headers.NetworkOffset == 0)
            return false;
        ReadOnlySpan<byte> packet = frame[headers.NetworkOffset..];
        if (headers.IpVersion == 4)
        {
            source = InetAddress.ReadIPv4(packet[Ipv4Header.SourceOffset..]);
            destination = InetAddress.ReadIPv4(packet[Ipv4Header.DestinationOffset..]);
        }
        else if (headers.IpVersion == 6)
        {
            source = InetAddress.ReadIPv6(packet[Ipv6Header.SourceOffset..]);
            destination = InetAddress.ReadIPv6(packet[Ipv6Header.DestinationOffset..]);
        }
        else if (headers.EtherType == EtherType.Arp && ArpPacket.TryParse(packet, out ArpPacket arp))
        {
            source = arp.SenderAddress;
            destination = arp.TargetAddress;
        }

        return !source.IsNone;
    }
}

internal sealed class PortIsIn(FrameSide side, ushort first, ushort last) : FrameTest
{
    public override bool Matches(ReadOnlySpan<byte> frame, in FrameHeaders headers)
    {
        if (headers.TransportOffset == 0 || headers.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp))
            return false;
        ReadOnlySpan<byte> ports = frame[headers.TransportOffset..];
        return (side != FrameSide.Destination && IsIn(BinaryPrimitives.ReadUInt16BigEndian(ports)))
            || (side != FrameSide.Source && IsIn(BinaryPrimitives.ReadUInt16BigEndian(ports[sizeof(ushort)..])));
    }

    private bool IsIn(ushort port) => port >= first && port <= last;
}

internal sealed class LengthIsIn(int shortest, int longest) : FrameTest
{
    public override bool Matches(ReadOnlySpan<byte> frame, in FrameHeaders headers) => frame.Length >= shortest && frame.Length <= longest;
}
