// Our own VXLAN datagrams must not come back in by one of our ports: the underlay is then routed or bridged into the overlay,
// and every datagram would be wrapped again, growing until it no longer fits. The route check of the control loop finds most such loops;
// this finds the rest on the frame itself: UDP to the VXLAN port, from our own VTEP address.

using System.Buffers.Binary;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

internal static class OwnDatagram
{
    private const int UdpDestinationPortOffset = 2;

    /// <summary>The frame carries a datagram of ours.</summary>
    public static bool IsIn(ReadOnlySpan<byte> frame, in FrameHeaders headers, in InetAddress local, ushort port)
    {
        if (headers.Protocol != IpProtocol.Udp || headers.TransportOffset == 0)
            return false;
        if (BinaryPrimitives.ReadUInt16BigEndian(frame[(headers.TransportOffset + UdpDestinationPortOffset)..]) != port)
            return false;
        ReadOnlySpan<byte> packet = frame[headers.NetworkOffset..];
        InetAddress source = headers.IpVersion == 4 ? InetAddress.ReadIPv4(packet[12..]) : InetAddress.ReadIPv6(packet[8..]);
        return source == local;
    }
}
