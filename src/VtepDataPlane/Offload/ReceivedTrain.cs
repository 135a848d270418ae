// What a buffer is that came with a segment size (UDP_GRO, udp(7)): a train of datagrams, or one.
//
// Normally it is a train: datagrams of that size one behind the other, the last maybe shorter. But a kernel vxlan on the same machine (over
// veth, or from a virtual machine) hands over a whole inner UDP super-frame as one datagram, with the segment size of the *inner* datagrams
// beside it; cut up by that, its pieces would be garbage. The inner IP header tells: it says how long the frame is. When that is exactly
// what there is, it is one frame. Somebody who sends a train whose first frame claims the length of all only harms his own: they have
// one source address.
//
// Pure; any thread.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Offload;

/// <summary>Tells a train of datagrams from one. For queues that receive with UDP_GRO.</summary>
internal static class ReceivedTrain
{
    /// <summary>A buffer longer than its segment size holds one datagram all the same.</summary>
    /// <param name="buffer">VXLAN header and frame, and maybe more of the same.</param>
    public static bool IsOneDatagram(ReadOnlySpan<byte> buffer)
    {
        if (buffer.Length < VxlanHeader.Size)
            return true;
        ReadOnlySpan<byte> frame = buffer[VxlanHeader.Size..];
        return FrameHeaders.Parse(frame, out FrameHeaders headers) == FrameFault.None && headers.IsIp
            && headers.NetworkOffset + headers.NetworkLength == frame.Length;
    }
}
