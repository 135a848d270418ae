// The decision about every frame. Two walks, each in the order in which a frame meets the checks:
//
//   port to wire (FromPort)                          wire to port (FromUnderlay)
//   1 inspect: length, source, tag, IP header        1 VXLAN header: length, I flag, reserved bits
//   2 learn the source behind this port              2 VNI -> domain
//   3 look the destination up:                       3 admission: is the outer source a VTEP of this domain?
//       a port of ours -> SendToPort                 4 inspect the inner frame; ECN (RFC 6040); offload
//       a VTEP         -> SendToVtep                 5 learn the source behind that VTEP
//       nobody knows   -> Miss                       6 look the destination up: a port of ours, or flood to ports;
//                                                      never back to the underlay (split horizon)
//
// Every walk returns None or one DropReason, which is counted in the domain (or the lane, before a domain is known). A flooded
// frame becomes several copies: each copy beyond the first is counted as replicated, and a copy that can't go is one drop, so
// that received + replicated + originated = sent + dropped always holds.
//
// A batch is gone through three times: its headers are read, and from the MACs the places in the FDB computed; those places are fetched
// from memory, all at once; then every frame is decided about, in order, as if it were alone. The first two passes change nothing and
// decide nothing. Frames of an aggregate (FrameBatch) are read one by one when they are decided about: they are few flows.
//
// Methods of the walks are compiled one by one on purpose (NoInlining): as one method they are more than the compiler inlines well,
// and what it then leaves out is in the table lookups.
//
// This file: the decision. Forwarder.Sending.cs: one frame to one place. Forwarder.Flooding.cs: one frame to many. Forwarder.Dry.cs: what is left
// out when somebody only asks (FrameObserver). In domains with a controller moreover
// Forwarder.Neighbors.cs: requests that are answered here, bindings that are heard. Forwarder.Misses.cs: frames to stations nobody knows.
//
// Thread-safety: called by many lanes at once. State is one reference read once a batch; the FDB and the VTEP table are
// lock-free; everything else belongs to the lane.

using System.Runtime.CompilerServices;
using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>Decides where frames go. One for a VTEP, used by all lanes.</summary>
internal sealed partial class Forwarder(Fdb fdb, RemoteVteps vteps, NeighborTable neighbors, ForwardingState initial)
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
        if (lane.Observer is null)
            FromPort<Unwatched>(lane, port, batch, nowMilliseconds);
        else
            FromPort<Watched>(lane, port, batch, nowMilliseconds);
    }

    private void FromPort<TWatch>(Lane lane, AccessPort port, FrameBatch batch, long nowMilliseconds)
        where TWatch : IWatch
    {
        var walk = new Walk(lane, State, port, nowMilliseconds);
        ReadHeaders(walk, batch);
        lane.Fetched = FetchStations(batch);
        foreach (Frame frame in batch)
        {
            TWatch.ObserverOf(walk)?.Begin(walk, frame);
            DropReason reason = FromPort<TWatch>(walk, frame);
            if (reason != DropReason.None)
                walk.CountDrop(reason, frame);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ReadHeaders(in Walk walk, FrameBatch batch)
    {
        for (int i = 0; i < batch.Count && walk.DomainOrNone is not null; i++)
            ReadHeaders(walk.Domain, batch[i].Bytes, ref batch[i].Info);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void ReadHeaders(BridgeDomain domain, ReadOnlySpan<byte> frame, ref FrameInfo info)
    {
        info.Fault = FrameHeaders.Parse(frame, out info.Headers);
        info.SourceLine = fdb.LineOf(domain.Index, info.Headers.Source);
        info.DestinationLine = fdb.LineOf(domain.Index, info.Headers.Destination);
        info.IsRead = true;
    }

    // The FDB of many stations is in no cache, and one wait for memory is longer than all the rest that is done for a frame. A loop that does
    // nothing but read has the waits of many frames at the same time.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong FetchStations(FrameBatch batch)
    {
        ulong bits = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            ref FrameInfo info = ref batch[i].Info;
            bits ^= fdb.Read(info.SourceLine) ^ fdb.Read(info.DestinationLine);
        }

        return bits;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private DropReason FromPort<TWatch>(in Walk walk, in Frame frame)
        where TWatch : IWatch
    {
        if (walk.DomainOrNone is null)
            return DropReason.PortGone;
        DropReason reason = Inspect(walk.Domain, frame);
        if (reason != DropReason.None)
            return reason;
        ref readonly FrameHeaders headers = ref frame.Info.Headers;
        if (!OffloadRules.IsRight(frame))
            return DropReason.OffloadInvalid;
        if (OwnDatagram.IsIn(frame.Bytes, headers, walk.State.Local, walk.State.Port))
            return DropReason.RouteLoop;
        reason = Learn<TWatch>(walk, frame);
        return reason == DropReason.None ? Decide<TWatch>(walk, frame) : reason;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private DropReason Decide<TWatch>(in Walk walk, in Frame frame)
        where TWatch : IWatch
    {
        if (walk.Domain.Controller is not null && IsServed(walk, frame, out DropReason reason))
            return reason;
        FdbTarget target = LookUp(walk.Domain, frame.Info);
        if (TWatch.ObserverOf(walk) is { } observer)
            target = observer.LookedUp(walk, frame, target);
        if (target.IsMiss)
            return Miss(walk, frame);
        return target.IsLocal ? SendToPort<TWatch>(walk, target.Id, frame) : SendToVtep<TWatch>(walk, target.Id, frame);
    }

    /// <summary>Forwards a batch of datagrams that came in from the underlay; each frame starts with its VXLAN header.</summary>
    public void FromUnderlay(Lane lane, FrameBatch batch, long nowMilliseconds)
    {
        if (lane.Observer is null)
            FromUnderlay<Unwatched>(lane, batch, nowMilliseconds);
        else
            FromUnderlay<Watched>(lane, batch, nowMilliseconds);
    }

    private void FromUnderlay<TWatch>(Lane lane, FrameBatch batch, long nowMilliseconds)
        where TWatch : IWatch
    {
        var walk = new Walk(lane, State, nowMilliseconds);
        ReadHeaders(walk.State, batch);
        lane.Fetched = FetchStations(batch);
        foreach (Frame frame in batch)
        {
            TWatch.ObserverOf(walk)?.Begin(walk, frame);
            DropReason reason = Decapsulate(ref walk, frame, out bool reservedBits);
            if (reason == DropReason.None)
                reason = Admit(ref walk, frame.Info.Outer.Remote.Address);
            if (reason == DropReason.None)
                reason = FromUnderlay<TWatch>(walk, frame, reservedBits);
            if (reason != DropReason.None)
                walk.CountDrop(reason, frame);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ReadHeaders(ForwardingState state, FrameBatch batch)
    {
        VxlanHeader last = default;
        BridgeDomain? domain = null;
        for (int i = 0; i < batch.Count; i++)
        {
            Frame frame = batch[i];
            if (!VxlanHeader.TryRead(frame.Bytes, out VxlanHeader header))
                continue;
            if (header != last)
                domain = state.ByVni(header.Vni);
            last = header;
            if (domain is not null)
                ReadHeaders(domain, frame.Bytes[VxlanHeader.Size..], ref frame.Info);
        }
    }

    private static DropReason Decapsulate(ref Walk walk, in Frame frame, out bool reservedBits)
    {
        bool isWhole = VxlanHeader.TryRead(frame.Bytes, out VxlanHeader header);
        reservedBits = header.HasReservedBits;
        if (!isWhole || !walk.IsEntered(header))
        {
            DropReason reason = Enter(ref walk, header, isWhole);
            if (reason != DropReason.None)
                return reason;
        }

        frame.Pop(VxlanHeader.Size);
        return DropReason.None;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DropReason Enter(ref Walk walk, in VxlanHeader header, bool isWhole)
    {
        BridgeDomain? domain = header.HasVni ? walk.State.ByVni(header.Vni) : null;
        bool isStrict = header.HasReservedBits && domain?.Policy.ReservedBits == ReservedBitsPolicy.Linux;
        walk.Enter(header, domain, isRight: domain is not null && !isStrict);
        if (!isWhole)
            return DropReason.VxlanTruncated;
        if (!header.HasVni)
            return DropReason.VxlanInvalidHeader;
        if (domain is null)
            return DropReason.VniNotFound;
        return isStrict ? DropReason.VxlanReservedBits : DropReason.None;
    }

    private DropReason Admit(ref Walk walk, in InetAddress sender)
    {
        if (walk.IsAdmitted(sender))
            return DropReason.None;
        if (sender == walk.State.Local)
            return DropReason.OwnEcho;
        Admission admission = walk.Domain.Admission;
        if (walk.IsDry)
            return AdmitDry(ref walk, sender, admission);
        int vtep = admission.Find(sender, walk.State.Port, vteps, walk.NowSeconds);
        if (vtep == 0)
            return admission.IsOpen && sender.IsUnicast ? DropReason.PeerLimit : DropReason.PeerUnknown;
        vteps.Touch(vtep, walk.NowSeconds);
        walk.Admit(sender, vtep);
        return DropReason.None;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private DropReason FromUnderlay<TWatch>(in Walk walk, in Frame frame, bool reservedBits)
        where TWatch : IWatch
    {
        DropReason reason = Inspect(walk.Domain, frame);
        if (reason != DropReason.None)
            return reason;
        if (!TryCombineEcn(frame))
            return DropReason.IpTunnelEcn;
        if (!OffloadRules.TryComplete(frame))
            return DropReason.OffloadInvalid;
        reason = Learn<TWatch>(walk, frame);
        if (reason != DropReason.None)
            return reason;
        CountAccepted(walk, frame.Length, reservedBits);
        if (walk.Domain.Controller is not null)
            Snoop(walk, frame);
        FdbTarget target = LookUp(walk.Domain, frame.Info);
        if (TWatch.ObserverOf(walk) is { } observer)
            target = observer.LookedUp(walk, frame, target);
        if (target.IsMiss)
            return Flood(walk, frame);
        return target.IsLocal ? SendToPort<TWatch>(walk, target.Id, frame) : DropReason.SplitHorizon;
    }

    private DropReason Inspect(BridgeDomain domain, in Frame frame)
    {
        if (!frame.Info.IsRead)
            ReadHeaders(domain, frame.Bytes, ref frame.Info);
        ref readonly FrameHeaders headers = ref frame.Info.Headers;
        FrameFault fault = frame.Info.Fault;
        if (fault == FrameFault.Truncated)
            return DropReason.FrameTruncated;
        if (!headers.Source.IsValidSource)
            return DropReason.SourceMacInvalid;
        if (headers.VlanTags > 0 && domain.Policy.InnerVlan == InnerVlanPolicy.Drop)
            return DropReason.InnerVlanDenied;
        return fault == FrameFault.IpHeaderMalformed ? DropReason.IpHeaderMalformed : DropReason.None;
    }

    // RFC 6040 section 4.2: the outer field's congestion mark must reach the inner one, or the frame must not.
    private static bool TryCombineEcn(in Frame frame)
    {
        ref FrameHeaders headers = ref frame.Info.Headers;
        byte outer = (byte)(frame.Info.Outer.TrafficClass & Ecn.Mask);
        if (outer == Ecn.NotEct || headers.IpVersion == 0)
            return true;
        byte inner = (byte)(headers.TrafficClass & Ecn.Mask);
        if (!Ecn.TryDecapsulate(inner, outer, out byte combined))
            return false;
        if (combined != inner)
        {
            Ecn.Set(frame.Bytes, headers, combined);
            headers.TrafficClass = (byte)((headers.TrafficClass & ~Ecn.Mask) | combined);
        }

        return true;
    }

    // Learning is by receiving only (kernel: an entry must age while we merely transmit to it). Where learning is off, what is
    // fixed still protects: a static entry's MAC and our own MACs can't be used by others.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private DropReason Learn<TWatch>(in Walk walk, in Frame frame)
        where TWatch : IWatch
    {
        MacAddress source = frame.Info.Headers.Source;
        BridgeDomain domain = walk.Domain;
        bool learns = domain.Learning && (!walk.IsFromUnderlay || domain.Controller is not { LearnsFromPeers: false });
        FrameObserver? observer = TWatch.ObserverOf(walk);
        if (observer is { IsDry: true })
            return LearnDry(walk, frame, learns);
        FdbTarget before = observer is null ? default : fdb.Lookup(domain.Index, source, frame.Info.SourceLine);
        LearnResult result = learns
            ? fdb.Learn(domain.Index, source, frame.Info.SourceLine, walk.Source, walk.NowSeconds, domain.FdbLimit)
            : fdb.Check(domain.Index, source, frame.Info.SourceLine, walk.Source, walk.NowSeconds);
        observer?.Learned(walk, frame, result, before);
        if (result is LearnResult.Unchanged or LearnResult.Refreshed)
            return DropReason.None;
        if (domain.Controller is not null)
            TellStation(walk, source, result);
        return Count(walk, result);
    }

    // to the control loop: who is here now, and who is somewhere else than the directory says
    private static void TellStation(in Walk walk, MacAddress source, LearnResult result)
    {
        bool isNewHere = !walk.IsFromUnderlay && result is (LearnResult.Learned or LearnResult.Moved);
        if (isNewHere)
            walk.Lane.Events.Write(new StationEvent(StationEventKind.Seen, walk.Domain.Index, source));
        else if (result == LearnResult.Contradicted)
            walk.Lane.Events.Write(new StationEvent(StationEventKind.Contradicted, walk.Domain.Index, source));
    }

    private static DropReason Count(in Walk walk, LearnResult result)
    {
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

    // a group address is in nobody's entry
    [MethodImpl(MethodImplOptions.NoInlining)]
    private FdbTarget LookUp(BridgeDomain domain, in FrameInfo info) =>
        info.Headers.Destination.IsGroup ? default : fdb.Lookup(domain.Index, info.Headers.Destination, info.DestinationLine);

    private static void CountAccepted(in Walk walk, int length, bool reservedBits)
    {
        walk.CountAccepted(length + VxlanHeader.Size);
        if (reservedBits)
            walk.Meters.ReservedBitsIgnored++;
    }
}
