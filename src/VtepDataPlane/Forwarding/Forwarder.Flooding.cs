// Forwarder: one frame to many. All copies are the same bytes: what differs from copy to copy stands in FrameInfo, of which a queue takes
// its own when a copy is noted.

using VtepDataPlane.Frames;
using VtepDataPlane.Offload;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

internal sealed partial class Forwarder
{
    // Broadcast, unknown unicast, multicast. The ports first: they get the inner frame; then, unless it came from the underlay,
    // the VTEPs. A checksum to be finished is finished before the first copy is noted, for all copies are the same bytes.
    private DropReason Flood(in Walk walk, in Frame frame)
    {
        FloodList flood = walk.IsFromUnderlay ? FloodList.Empty : walk.Domain.Flood;
        if (flood.Copies > 0)
        {
            DropReason reason = FinishOffload(frame);
            if (reason != DropReason.None)
                return reason;
        }

        int copies = FloodToPorts(walk, frame);
        copies += flood.Copies;
        if (copies == 0)
            return DropReason.NoTxTarget;
        walk.Lane.Meters.Replicated += copies - 1;
        if (flood.Copies > 0)
            FloodToUnderlay(walk, flood, frame);
        return DropReason.None;
    }

    private static int FloodToPorts(in Walk walk, in Frame frame)
    {
        int copies = 0;
        foreach (AccessPort port in walk.Domain.Ports)
        {
            if (port == walk.Port)
                continue;
            copies++;
            DropReason reason = SendToPort<Watched>(walk, port, frame);
            if (reason != DropReason.None)
                walk.CountDrop(reason, frame, new Toward(port, Remote: null));
        }

        return copies;
    }

    private void FloodToUnderlay(in Walk walk, FloodList flood, in Frame frame)
    {
        int length = SuperFrame.LongestSegment(frame.Length, frame.Info.Offload);
        int answerMtu = 0;
        walk.Domain.Encapsulator.Push(frame);
        foreach (int vtep in flood.Vteps)
        {
            DropReason reason = CheckPath(walk, vtep, length, out int innerMtu);
            if (reason == DropReason.None)
                SendEncapsulated<Watched>(walk, vtep, frame);
            else
                walk.CountDrop(reason, frame, new Toward(Port: null, vteps.EndpointOf(vtep)));
            if (reason == DropReason.PathMtuExceeded)
                answerMtu = answerMtu == 0 ? innerMtu : Math.Min(answerMtu, innerMtu);
        }

        if (flood.Group is { } group)
            SendToGroup(walk, group, frame, length, ref answerMtu);
        if (answerMtu > 0)
            AnswerTooBig(walk, frame.Bytes[VxlanHeader.Size..], frame.Info.Headers, answerMtu);
    }

    private static void SendToGroup(in Walk walk, GroupTarget group, in Frame frame, int length, ref int answerMtu)
    {
        int innerMtu = group.PathMtu - Encapsulator.Overhead(group.Endpoint.Address);
        if (!walk.State.IsLocalAddressPresent || group.InterfaceIndex == 0)
        {
            walk.CountDrop(group.InterfaceIndex == 0 ? DropReason.NoRoute : DropReason.LocalAddressMissing, frame, new Toward(Port: null, group.Endpoint));
        }
        else if (length > innerMtu)
        {
            walk.CountDrop(DropReason.PathMtuExceeded, frame, new Toward(Port: null, group.Endpoint));
            answerMtu = innerMtu;
        }
        else
        {
            ref OuterHeader outer = ref frame.Info.Outer;
            outer.Remote = group.Endpoint;
            outer.HopLimit = group.HopLimit;
            outer.InterfaceIndex = group.InterfaceIndex;
            int segments = SuperFrame.Segments(frame.Length - VxlanHeader.Size, frame.Info.Offload);
            int bytes = frame.Length + (segments - 1) * (VxlanHeader.Size + frame.Info.Offload.HeaderLength);
            CountSent(ref walk.Lane.Meters.Pairs.Of(walk.Domain.Index, group.Id, walk.Meters), segments, bytes);
            if (walk.Observer is { } observer)
                walk.Lane.SendToUnderlay(frame, observer, observer.ToGroup(walk, frame, group));
            else
                walk.Lane.SendToUnderlay(frame);
        }
    }
}
