// What a frame's offload metadata has to say before the frame is decided about, and what it may say to a port.
//
// From a port it comes complete (virtio) and only has to be true. From the underlay it comes incomplete: a kernel vxlan peer on the same
// machine hands over its own hosts' frames with unfinished checksums and as super-frames, one datagram each, and beside UDP super-frames
// their segment size, beside TCP ones nothing. So:
//   * An unfinished checksum is recognized by its value. Passed on as if it were finished, the frame would be dropped as broken.
//   * A segment size (the hint) makes a super-frame of a frame with an unfinished checksum that is longer than one segment, also where
//     it fits the port: its receiver must get the datagrams that were sent. A finished checksum means one long packet.
//   * TCP without a hint that is too long for a port becomes a super-frame of the largest segments the port takes.
// No hint outlives this: a segment size without a kind would be news to the next kernel.

using VtepDataPlane.Frames;
using VtepDataPlane.Offload;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

internal static class OffloadRules
{
    /// <summary>Of a frame from a port: false when its metadata lies.</summary>
    public static bool IsRight(in Frame frame)
    {
        ref OffloadInfo offload = ref frame.Info.Offload;
        if (!offload.IsSane(frame.Length))
            return false;
        if (offload.IsSuperFrame)
            return SuperFrame.TryMeasure(frame.Bytes, frame.Info.Headers, ref offload);
        offload.GsoSize = 0;
        return true;
    }

    /// <summary>Of a frame from the underlay: completes the metadata; false when hint and frame disagree.</summary>
    public static bool TryComplete(in Frame frame)
    {
        ref OffloadInfo offload = ref frame.Info.Offload;
        ref readonly FrameHeaders headers = ref frame.Info.Headers;
        int hint = offload.GsoSize;
        offload.GsoSize = 0;
        if (!TransportChecksum.IsPartial(frame.Bytes, headers, out ushort start, out ushort offset))
            return true;
        offload.NeedsChecksum = true;
        offload.ChecksumStart = start;
        offload.ChecksumOffset = offset;
        return hint == 0 || TryTakeHint(frame, hint);
    }

    /// <summary>Makes the frame fit a port of that MTU, as a super-frame if need be; or says why it can't go there.</summary>
    public static DropReason Fit(in Frame frame, int mtu)
    {
        int limit = mtu + frame.Info.Headers.NetworkOffset;
        return frame.Length <= limit ? DropReason.None : FitLong(frame, limit);
    }

    // what is one segment by the hint stays a plain frame
    private static bool TryTakeHint(in Frame frame, int hint)
    {
        if (!TryDescribe(frame, hint, out OffloadInfo whole))
            return false;
        if (frame.Length > whole.HeaderLength + hint)
            frame.Info.Offload = whole;
        return true;
    }

    private static DropReason FitLong(in Frame frame, int limit)
    {
        ref OffloadInfo offload = ref frame.Info.Offload;
        bool isTcp = offload.NeedsChecksum && frame.Info.Headers.Protocol == IpProtocol.Tcp;
        if (isTcp && !offload.IsSuperFrame && !TryDescribe(frame, ushort.MaxValue, out offload))
            return DropReason.OffloadInvalid;
        int segment = limit - offload.HeaderLength;
        if (!offload.IsSuperFrame || segment < (isTcp ? SuperFrame.MinimumTcpGsoSize : offload.GsoSize))
            return DropReason.PortMtuExceeded;
        offload.GsoSize = (ushort)Math.Min(offload.GsoSize, segment);
        return DropReason.None;
    }

    /// <summary>What a frame with an unfinished checksum is as a super-frame; false when it can't be one.</summary>
    private static bool TryDescribe(in Frame frame, int gsoSize, out OffloadInfo offload)
    {
        ref readonly FrameHeaders headers = ref frame.Info.Headers;
        bool isTcp = headers.Protocol == IpProtocol.Tcp;
        offload = frame.Info.Offload;
        offload.Gso = SuperFrame.KindOf(headers);
        offload.GsoSize = (ushort)gsoSize;
        if (!SuperFrame.TryMeasure(frame.Bytes, headers, ref offload))
            return false;
        offload.TcpEcn = isTcp && ((TcpFlags)frame.Bytes[headers.TransportOffset + TcpView.FlagsOffset] & TcpFlags.Cwr) != 0;
        return true;
    }
}
