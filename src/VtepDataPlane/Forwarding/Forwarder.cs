// The decision about every frame. Two walks, each in the order in which a frame meets the checks:
//
//   port to wire (FromPort)                          wire to port (FromUnderlay)
//   1 inspect: length, source, tag, IP header        1 VXLAN header: length, I flag, reserved bits
//   2 learn the source behind this port              2 VNI -> domain
//   3 look the destination up:                       3 admission: is the outer source a VTEP of this domain?
//       a port of ours -> SendToPort                 4 inspect the inner frame; ECN (RFC 6040)
//       a VTEP         -> SendToVtep                 5 learn the source behind that VTEP
//       nobody knows   -> Flood                      6 look the destination up: a port of ours, or flood to ports;
//                                                      never back to the underlay (split horizon)
//
// Every walk returns None or one DropReason, which is counted in the domain (or the lane, before a domain is known). A flooded
// frame becomes several copies: each copy beyond the first is counted as replicated, and a copy that can't go is one drop, so
// that received + replicated + originated = sent + dropped always holds.
//
// Thread-safety: called by many lanes at once. State is one reference read once a batch; the FDB and the VTEP table are
// lock-free; everything else belongs to the lane.

using VtepDataPlane.Frames;
using VtepDataPlane.Offload;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>Decides where frames go. One for a VTEP, used by all lanes.</summary>
internal sealed class Forwarder(Fdb fdb, RemoteVteps vteps, ForwardingState initial)
{
    private ForwardingState _state = initial;

    /// <summary>What lookups go by; replaced whole by the control loop.</summary>
    public ForwardingState State
    {
        get => Volatile.Read(ref _state);
        set => Volatile.Write(ref _state, value);
    }

    /// <summary>Forwards a batch that came in by a port.</summary>
    public void FromPort(Lane lane, AccessPort port, FrameBatch batch, long nowMilliseconds)
    {
        ForwardingState state = State;
        BridgeDomain? domain = state.ByIndex(port.DomainIndex);
        foreach (Frame frame in batch)
        {
            if (domain is null)
            {
                lane.Meters.CountDrop(DropReason.PortGone);
                continue;
            }

            var walk = new Walk(lane, state, domain, port, nowMilliseconds);
            DropReason reason = FromPort(walk, frame);
            if (reason != DropReason.None)
                walk.CountDrop(reason);
        }
    }

    private DropReason FromPort(in Walk walk, in Frame frame)
    {
        DropReason reason = Inspect(walk.Domain, frame, out FrameHeaders headers);
        if (reason != DropReason.None)
            return reason;
        if (!IsOffloadRight(frame, headers))
            return DropReason.OffloadInvalid;
        if (OwnDatagram.IsIn(frame.Bytes, headers, walk.State.Local, walk.State.Port))
            return DropReason.RouteLoop;
        reason = Learn(walk, headers.Source, FdbTarget.LearnedLocal(walk.Port!.Ordinal));
        if (reason != DropReason.None)
            return reason;
        if (headers.Destination.IsGroup)
            return Flood(walk, frame, headers);
        FdbTarget target = fdb.Lookup(walk.Domain.Index, headers.Destination);
        if (target.IsMiss)
            return Flood(walk, frame, headers);
        return target.IsLocal ? SendToPort(walk, target.Id, frame, headers) : SendToVtep(walk, target.Id, frame, headers);
    }

    /// <summary>Forwards a batch of datagrams that came in from the underlay; each frame starts with its VXLAN header.</summary>
    public void FromUnderlay(Lane lane, FrameBatch batch, long nowMilliseconds)
    {
        ForwardingState state = State;
        foreach (Frame frame in batch)
        {
            DropReason reason = Decapsulate(frame, state, out BridgeDomain? domain, out bool reservedBits);
            if (domain is null)
            {
                lane.Meters.CountDrop(reason);
                continue;
            }

            var walk = new Walk(lane, state, domain, port: null, nowMilliseconds);
            if (reason == DropReason.None)
                reason = FromUnderlay(walk, frame, reservedBits);
            if (reason != DropReason.None)
                walk.CountDrop(reason);
        }
    }

    private static DropReason Decapsulate(in Frame frame, ForwardingState state, out BridgeDomain? domain, out bool reservedBits)
    {
        domain = null;
        reservedBits = false;
        if (!VxlanHeader.TryRead(frame.Bytes, out VxlanHeader header))
            return DropReason.VxlanTruncated;
        if (!header.HasVni)
            return DropReason.VxlanInvalidHeader;
        domain = state.ByVni(header.Vni);
        if (domain is null)
            return DropReason.VniNotFound;
        reservedBits = header.HasReservedBits;
        if (reservedBits && domain.Policy.ReservedBits == ReservedBitsPolicy.Linux)
            return DropReason.VxlanReservedBits;
        frame.Pop(VxlanHeader.Size);
        return DropReason.None;
    }

    private DropReason FromUnderlay(in Walk walk, in Frame frame, bool reservedBits)
    {
        DropReason reason = Admit(walk, frame.Info.Outer, out int vtep);
        if (reason != DropReason.None)
            return reason;
        reason = Inspect(walk.Domain, frame, out FrameHeaders headers);
        if (reason != DropReason.None)
            return reason;
        if (!TryCombineEcn(frame, ref headers))
            return DropReason.IpTunnelEcn;
        reason = Learn(walk, headers.Source, FdbTarget.LearnedRemote(vtep));
        if (reason != DropReason.None)
            return reason;
        CountAccepted(walk, vtep, frame.Length, reservedBits);
        MarkPartialChecksum(frame, headers);
        FdbTarget target = headers.Destination.IsGroup ? default : fdb.Lookup(walk.Domain.Index, headers.Destination);
        if (target.IsMiss)
            return Flood(walk, frame, headers);
        return target.IsLocal ? SendToPort(walk, target.Id, frame, headers) : DropReason.SplitHorizon;
    }

    private DropReason Admit(in Walk walk, in OuterHeader outer, out int vtep)
    {
        vtep = 0;
        if (outer.Remote.Address == walk.State.Local)
            return DropReason.OwnEcho;
        vtep = walk.Domain.Admission.Find(outer.Remote.Address, walk.State.Port, vteps, walk.NowSeconds);
        if (vtep == 0)
            return walk.Domain.Admission.IsOpen && outer.Remote.Address.IsUnicast ? DropReason.PeerLimit : DropReason.PeerUnknown;
        vteps.Touch(vtep, walk.NowSeconds);
        return DropReason.None;
    }

    private static DropReason Inspect(BridgeDomain domain, in Frame frame, out FrameHeaders headers)
    {
        FrameFault fault = FrameHeaders.Parse(frame.Bytes, out headers);
        frame.Info.Headers = headers;
        if (fault == FrameFault.Truncated)
            return DropReason.FrameTruncated;
        if (!headers.Source.IsValidSource)
            return DropReason.SourceMacInvalid;
        if (headers.VlanTags > 0 && domain.Policy.InnerVlan == InnerVlanPolicy.Drop)
            return DropReason.InnerVlanDenied;
        return fault == FrameFault.IpHeaderMalformed ? DropReason.IpHeaderMalformed : DropReason.None;
    }

    private static bool IsOffloadRight(in Frame frame, in FrameHeaders headers)
    {
        ref OffloadInfo offload = ref frame.Info.Offload;
        return offload.IsSane(frame.Length) && (!offload.IsSuperFrame || SuperFrame.TryMeasure(frame.Bytes, headers, ref offload));
    }

    // RFC 6040 section 4.2: the outer field's congestion mark must reach the inner one, or the frame must not.
    private static bool TryCombineEcn(in Frame frame, ref FrameHeaders headers)
    {
        if (headers.IpVersion == 0)
            return true;
        byte inner = (byte)(headers.TrafficClass & 3);
        if (!Ecn.TryDecapsulate(inner, (byte)(frame.Info.Outer.TrafficClass & 3), out byte combined))
            return false;
        if (combined != inner)
        {
            Ecn.Set(frame.Bytes, headers, combined);
            headers.TrafficClass = (byte)((headers.TrafficClass & ~3) | combined);
            frame.Info.Headers.TrafficClass = headers.TrafficClass;
        }

        return true;
    }

    // Learning is by receiving only (kernel: an entry must age while we merely transmit to it). Where learning is off, what is
    // fixed still protects: a static entry's MAC and our own MACs can't be used by others.
    private DropReason Learn(in Walk walk, MacAddress source, FdbTarget where)
    {
        BridgeDomain domain = walk.Domain;
        LearnResult result = domain.Learning
            ? fdb.Learn(domain.Index, source, where, walk.NowSeconds, domain.FdbLimit)
            : fdb.Check(domain.Index, source, where);
        switch (result)
        {
            case LearnResult.Conflict:
                return DropReason.EntryExists;
            case LearnResult.OwnMac:
                return DropReason.LocalMac;
            case LearnResult.Moved:
                walk.Meters.Moves++;
                return DropReason.None;
            case LearnResult.LimitReached or LearnResult.TableFull:
                walk.Meters.LearnLimitHits++;
                return DropReason.None;
            default:
                return DropReason.None;
        }
    }

    private static void CountAccepted(in Walk walk, int vtep, int length, bool reservedBits)
    {
        ref VtepTraffic traffic = ref walk.Lane.Meters.Traffic(vtep);
        traffic.RxFrames++;
        traffic.RxBytes += length + VxlanHeader.Size;
        walk.Meters.FromUnderlay++;
        if (reservedBits)
            walk.Meters.ReservedBitsIgnored++;
    }

    // The kernel's vxlan hands its own hosts' frames over veth with the transport checksum unfinished; passed on as if finished
    // they would be dropped as broken.
    private static void MarkPartialChecksum(in Frame frame, in FrameHeaders headers)
    {
        if (!TransportChecksum.IsPartial(frame.Bytes, headers, out ushort start, out ushort offset))
            return;
        ref OffloadInfo offload = ref frame.Info.Offload;
        offload.NeedsChecksum = true;
        offload.ChecksumStart = start;
        offload.ChecksumOffset = offset;
    }

    private static DropReason SendToPort(in Walk walk, int ordinal, in Frame frame, in FrameHeaders headers)
    {
        AccessPort? port = walk.Domain.Port(ordinal);
        if (port is null)
            return DropReason.PortGone;
        return port == walk.Port ? DropReason.SamePort : SendToPort(walk, port, frame, headers);
    }

    private static DropReason SendToPort(in Walk walk, AccessPort port, in Frame frame, in FrameHeaders headers)
    {
        OffloadInfo asReceived = frame.Info.Offload;
        if (!OffloadRules.TryFit(frame, headers, port.Mtu))
            return DropReason.PortMtuExceeded;
        walk.Lane.SendToPort(port, frame);
        frame.Info.Offload = asReceived; // the next copy may go to a port with another MTU
        return DropReason.None;
    }

    private DropReason SendToVtep(in Walk walk, int vtep, in Frame frame, in FrameHeaders headers)
    {
        DropReason reason = FinishOffload(frame);
        if (reason != DropReason.None)
            return reason;
        reason = CheckPath(walk, vtep, SuperFrame.LongestSegment(frame.Length, frame.Info.Offload), out int innerMtu);
        if (reason == DropReason.PathMtuExceeded)
            AnswerTooBig(walk, frame.Bytes, headers, innerMtu);
        if (reason != DropReason.None)
            return reason;
        walk.Domain.Encapsulator.Push(frame, headers);
        SendEncapsulated(walk, vtep, frame);
        return DropReason.None;
    }

    private DropReason CheckPath(in Walk walk, int vtep, int frameLength, out int innerMtu)
    {
        innerMtu = 0;
        if (!walk.State.IsLocalAddressPresent)
            return DropReason.LocalAddressMissing;
        if (vteps.StateOf(vtep) == PathState.Loop)
            return DropReason.RouteLoop;
        int pathMtu = vteps.PathMtuOf(vtep);
        innerMtu = pathMtu - Encapsulator.Overhead(vteps.EndpointOf(vtep).Address);
        return pathMtu > 0 && frameLength > innerMtu ? DropReason.PathMtuExceeded : DropReason.None;
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

    private void SendEncapsulated(in Walk walk, int vtep, in Frame frame)
    {
        frame.Info.Outer.Remote = vteps.EndpointOf(vtep);
        ref readonly OffloadInfo offload = ref frame.Info.Offload;
        int segments = SuperFrame.Segments(frame.Length - VxlanHeader.Size, offload);
        ref VtepTraffic traffic = ref walk.Lane.Meters.Traffic(vtep);
        traffic.TxFrames += segments;
        traffic.TxBytes += frame.Length + (segments - 1) * (VxlanHeader.Size + offload.HeaderLength);
        walk.Meters.ToUnderlay += segments;
        walk.Lane.SendToUnderlay(frame);
    }

    // Broadcast, unknown unicast, multicast. The ports first: they get the inner frame; then, unless it came from the underlay,
    // the VTEPs. A checksum to be finished is finished before the first copy is noted, for all copies are the same bytes.
    private DropReason Flood(in Walk walk, in Frame frame, in FrameHeaders headers)
    {
        FloodList flood = walk.IsFromUnderlay ? FloodList.Empty : walk.Domain.Flood;
        if (flood.Copies > 0)
        {
            DropReason reason = FinishOffload(frame);
            if (reason != DropReason.None)
                return reason;
        }

        int copies = FloodToPorts(walk, frame, headers);
        copies += flood.Copies;
        if (copies == 0)
            return DropReason.NoTxTarget;
        walk.Lane.Meters.Replicated += copies - 1;
        if (flood.Copies > 0)
            FloodToUnderlay(walk, flood, frame, headers);
        return DropReason.None;
    }

    private static int FloodToPorts(in Walk walk, in Frame frame, in FrameHeaders headers)
    {
        int copies = 0;
        foreach (AccessPort port in walk.Domain.Ports)
        {
            if (port == walk.Port)
                continue;
            copies++;
            DropReason reason = SendToPort(walk, port, frame, headers);
            if (reason != DropReason.None)
                walk.CountDrop(reason);
        }

        return copies;
    }

    private void FloodToUnderlay(in Walk walk, FloodList flood, in Frame frame, in FrameHeaders headers)
    {
        int length = SuperFrame.LongestSegment(frame.Length, frame.Info.Offload);
        int answerMtu = 0;
        walk.Domain.Encapsulator.Push(frame, headers);
        foreach (int vtep in flood.Vteps)
        {
            DropReason reason = CheckPath(walk, vtep, length, out int innerMtu);
            if (reason == DropReason.None)
                SendEncapsulated(walk, vtep, frame);
            else
                walk.CountDrop(reason);
            if (reason == DropReason.PathMtuExceeded)
                answerMtu = answerMtu == 0 ? innerMtu : Math.Min(answerMtu, innerMtu);
        }

        if (flood.Group is { } group)
            SendToGroup(walk, group, frame, length, ref answerMtu);
        if (answerMtu > 0)
            AnswerTooBig(walk, frame.Bytes[VxlanHeader.Size..], headers, answerMtu);
    }

    private static void SendToGroup(in Walk walk, GroupTarget group, in Frame frame, int length, ref int answerMtu)
    {
        int innerMtu = group.PathMtu - Encapsulator.Overhead(group.Endpoint.Address);
        if (!walk.State.IsLocalAddressPresent || group.InterfaceIndex == 0)
        {
            walk.CountDrop(group.InterfaceIndex == 0 ? DropReason.NoRoute : DropReason.LocalAddressMissing);
        }
        else if (length > innerMtu)
        {
            walk.CountDrop(DropReason.PathMtuExceeded);
            answerMtu = innerMtu;
        }
        else
        {
            ref OuterHeader outer = ref frame.Info.Outer;
            outer.Remote = group.Endpoint;
            outer.HopLimit = group.HopLimit;
            outer.InterfaceIndex = group.InterfaceIndex;
            walk.Meters.ToUnderlay += SuperFrame.Segments(frame.Length - VxlanHeader.Size, frame.Info.Offload);
            walk.Lane.SendToUnderlay(frame);
        }
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
