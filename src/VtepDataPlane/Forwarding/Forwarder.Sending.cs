// Forwarder: one frame to one port or one VTEP. What must be right before it may go is checked here: it fits the port or the path, its
// checksum is finished where nobody behind us would finish it. A sender of a packet too long for the path is told so.

using System.Runtime.CompilerServices;
using VtepDataPlane.Frames;
using VtepDataPlane.Offload;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

internal sealed partial class Forwarder
{
    private static DropReason SendToPort<TWatch>(in Walk walk, int ordinal, in Frame frame)
        where TWatch : IWatch
    {
        AccessPort? port = walk.Domain.Port(ordinal);
        if (port is null)
            return DropReason.PortGone;
        return port == walk.Port ? DropReason.SamePort : SendToPort<TWatch>(walk, port, frame);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DropReason SendToPort<TWatch>(in Walk walk, AccessPort port, in Frame frame)
        where TWatch : IWatch
    {
        OffloadInfo asReceived = frame.Info.Offload;
        DropReason reason = OffloadRules.Fit(frame, port.Mtu);
        if (reason == DropReason.None)
            Send<TWatch>(walk, port, frame);
        frame.Info.Offload = asReceived; // the next copy may go to a port with another MTU
        return reason;
    }

    private static void Send<TWatch>(in Walk walk, AccessPort port, in Frame frame)
        where TWatch : IWatch
    {
        if (TWatch.ObserverOf(walk) is { } observer)
            walk.Lane.SendToPort(port, frame, observer, observer.ToPort(walk, frame, port));
        else
            walk.Lane.SendToPort(port, frame);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private DropReason SendToVtep<TWatch>(in Walk walk, int vtep, in Frame frame)
        where TWatch : IWatch
    {
        DropReason reason = FinishOffload(frame);
        if (reason != DropReason.None)
            return reason;
        reason = CheckPath(walk, vtep, SuperFrame.LongestSegment(frame.Length, frame.Info.Offload), out int innerMtu);
        if (reason == DropReason.PathMtuExceeded)
            AnswerTooBig(walk, frame.Bytes, frame.Info.Headers, innerMtu);
        if (reason != DropReason.None)
            return reason;
        walk.Domain.Encapsulator.Push(frame);
        SendEncapsulated<TWatch>(walk, vtep, frame);
        return DropReason.None;
    }

    private DropReason CheckPath(in Walk walk, int vtep, int frameLength, out int innerMtu)
    {
        innerMtu = 0;
        if (!walk.State.IsLocalAddressPresent)
            return DropReason.LocalAddressMissing;
        RemotePath path = vteps.PathOf(vtep);
        if (path.State == PathState.Loop)
            return DropReason.RouteLoop;
        innerMtu = path.Mtu - Encapsulator.Overhead(vteps.EndpointOf(vtep).Address);
        return path.Mtu > 0 && frameLength > innerMtu ? DropReason.PathMtuExceeded : DropReason.None;
    }

    // A datagram carries finished frames only. Super-frames go to the underlay whole: its queue cuts them up at the last moment.
    private static DropReason FinishOffload(in Frame frame)
    {
        ref OffloadInfo offload = ref frame.Info.Offload;
        if (offload.IsSuperFrame)
            return DropReason.None;
        if (offload.NeedsChecksum && !TransportChecksum.TryComplete(frame.Bytes, offload.ChecksumStart, offload.ChecksumOffset))
            return DropReason.OffloadInvalid;
        offload = default;
        return DropReason.None;
    }

    private void SendEncapsulated<TWatch>(in Walk walk, int vtep, in Frame frame)
        where TWatch : IWatch
    {
        frame.Info.Outer.Remote = vteps.EndpointOf(vtep);
        ref readonly OffloadInfo offload = ref frame.Info.Offload;
        int segments = SuperFrame.Segments(frame.Length - VxlanHeader.Size, offload);
        int bytes = frame.Length + (segments - 1) * (VxlanHeader.Size + offload.HeaderLength);
        CountSent(ref walk.Lane.Meters.Traffic(vtep), segments, bytes);
        CountSent(ref walk.Lane.Meters.Pairs.Of(walk.Domain.Index, vtep, walk.Meters), segments, bytes);
        if (TWatch.ObserverOf(walk) is { } observer)
            walk.Lane.SendToUnderlay(frame, observer, observer.ToVtep(walk, frame, vtep));
        else
            walk.Lane.SendToUnderlay(frame);
    }

    private static void CountSent(ref VtepTraffic traffic, int frames, int bytes)
    {
        traffic.TxFrames += frames;
        traffic.TxBytes += bytes;
    }

    // Towards the sender, as a router would (kernel: iptunnel_pmtud_build_icmp). innerMtu counts the inner Ethernet header in.
    private static void AnswerTooBig(in Walk walk, ReadOnlySpan<byte> frame, in FrameHeaders headers, int innerMtu)
    {
        if (walk.Port is null || !IcmpErrors.MayAnswer(frame, headers))
            return;
        if (!walk.Lane.TryOriginate(out Span<byte> room) || !walk.Lane.IcmpBucket.TryTake(walk.NowMilliseconds))
            return;
        int mtu = innerMtu - headers.NetworkOffset;
        bool written = headers.IpVersion == 4
            ? IcmpErrors.TryWriteFragmentationNeeded(frame, headers, mtu, room, out int length)
            : IcmpErrors.TryWritePacketTooBig(frame, headers, mtu, room, out length);
        if (written)
            walk.Lane.SendOriginated(walk.Port, length);
    }
}
