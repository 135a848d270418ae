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
// This file: the decision. Forwarder.Sending.cs: one frame to one place. Forwarder.Flooding.cs: one frame to many.
//
// Thread-safety: called by many lanes at once. State is one reference read once a batch; the FDB and the VTEP table are
// lock-free; everything else belongs to the lane.

using VtepDataPlane.Frames;
using VtepDataPlane.Offload;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>Decides where frames go. One for a VTEP, used by all lanes.</summary>
internal sealed partial class Forwarder(Fdb fdb, RemoteVteps vteps, ForwardingState initial)
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
}
