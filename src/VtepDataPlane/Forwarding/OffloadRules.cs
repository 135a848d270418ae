// How a frame longer than a port's MTU may still go there: as a super-frame, which the
// kernel behind the port segments (or hands to its own TCP whole). A kernel vxlan peer on the same machine delivers TCP
// super-frames as one datagram and says nothing about their segment size, so it is chosen here: the largest the port's MTU
// allows. Only frames whose checksum is unfinished are taken for super-frames: a finished checksum means that the sender meant
// one long packet, and cutting it up would hide a wrong MTU.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

internal static class OffloadRules
{
    /// <summary>The kernel's floor for a TCP segment size (include/linux/virtio_net.h).</summary>
    private const int MinimumGsoSize = 8;

    /// <summary>Makes the frame fit a port of that MTU, as a super-frame if need be; false when it can't.</summary>
    public static bool TryFit(in Frame frame, int mtu)
    {
        ref readonly FrameHeaders headers = ref frame.Info.Headers;
        if (frame.Length <= mtu + headers.NetworkOffset)
            return true;
        ref OffloadInfo offload = ref frame.Info.Offload;
        if (offload.Gso == GsoType.Udp)
            return offload.HeaderLength + offload.GsoSize <= mtu + headers.NetworkOffset;
        return offload.NeedsChecksum && TryMakeTcpSuperFrame(ref offload, frame.Bytes, headers, mtu);
    }

    private static bool TryMakeTcpSuperFrame(ref OffloadInfo offload, ReadOnlySpan<byte> bytes, in FrameHeaders headers, int mtu)
    {
        if (headers.Protocol != IpProtocol.Tcp || headers.IsFragment || headers.TransportOffset == 0)
            return false;
        if (!TcpView.TryParse(bytes[headers.TransportOffset..], out TcpView tcp))
            return false;
        int headerLength = headers.TransportOffset + tcp.HeaderLength;
        int segment = mtu + headers.NetworkOffset - headerLength;
        if (segment < MinimumGsoSize || headerLength >= bytes.Length)
            return false;
        offload.Gso = headers.IpVersion == 4 ? GsoType.TcpIPv4 : GsoType.TcpIPv6;
        offload.GsoSize = (ushort)(offload.GsoSize == 0 ? segment : Math.Min(offload.GsoSize, segment));
        offload.HeaderLength = (ushort)headerLength;
        offload.TcpEcn = (tcp.Flags & TcpFlags.Cwr) != 0;
        return true;
    }
}
