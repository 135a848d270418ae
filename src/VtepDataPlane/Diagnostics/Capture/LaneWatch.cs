// The observer of a lane while captures run, or somebody is subscribed to what it learns (Diagnostics/Events). It gathers what is known about the
// frame that is being decided about, and for each copy that is sent and each drop writes a record into the ring of every capture that wants it. A
// record of a copy that was handed to a queue stays open until the lane has flushed: its ticket names it, and if the queue drops the copy the record
// says so. Then all records of the batch are committed at once.
//
// So each record is one outcome, and for every capture without a filter the books of the VTEP hold in the file as well: frames sent + dropped in it =
// received + replicated + originated, unless capture was lost. What goes to a VTEP as a super-frame counts as the datagrams it is cut into.
//
// Belongs to the lane's thread; made and replaced by the control loop. Allocates only when a batch floods to more places than any before.

using System.Runtime.CompilerServices;
using VtepDataPlane.Diagnostics.Events;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Offload;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics.Capture;

/// <summary>Writes down what happens on a lane, for captures.</summary>
internal sealed class LaneWatch(int lane, CaptureSession[] sessions, StationWatch? stations, RemoteVteps vteps, TimeProvider clock)
    : FrameObserver(isDry: false), IDropWitness
{
    /// <summary>Captures at once, that of drops for subscribers included.</summary>
    public const int MaxSessions = Captures.MaxCaptures + 1;

    private const int FirstTickets = 512;

    private Slots[] _tickets = new Slots[FirstTickets];
    private int _ticketCount;
    private CaptureRecord _frame; // what is known of the frame that came
    private FdbTarget _target;
    private long _frames;
    private long _time;

    /// <inheritdoc/>
    public override IDropWitness Witness => this;

    /// <inheritdoc/>
    public override void Begin(in Walk walk, in Frame frame)
    {
        _frame = default;
        _frame.FrameId = ((long)lane << 48) | ++_frames;
        _frame.From = walk.Port;
        _frame.Domain = walk.IsFromUnderlay ? null : walk.DomainOrNone;
        _frame.IsFromUnderlay = walk.IsFromUnderlay;
        if (walk.IsFromUnderlay)
            _frame.Remote = frame.Info.Outer.Remote;
        _target = default;
        base.Begin(walk, frame);
    }

    /// <inheritdoc/>
    public override void Learned(in Walk walk, in Frame frame, LearnResult result, FdbTarget before)
    {
        if (stations is not null && result is (LearnResult.Learned or LearnResult.Moved))
        {
            FdbTarget from = result == LearnResult.Moved ? before : default;
            stations.Stage(lane, new StationRecord(walk.Domain.Index, frame.Info.Headers.Source, from, walk.Source, walk.NowMilliseconds));
        }
    }

    /// <inheritdoc/>
    public override FdbTarget LookedUp(in Walk walk, in Frame frame, FdbTarget target) => _target = target;

    /// <inheritdoc/>
    public override int ToPort(in Walk walk, in Frame frame, AccessPort port) =>
        Write(walk.DomainOrNone, frame, port, _frame.Remote, CaptureVerdict.Sent, DropReason.None);

    /// <inheritdoc/>
    public override int ToVtep(in Walk walk, in Frame frame, int vtep) =>
        Write(walk.DomainOrNone, frame, to: null, vteps.EndpointOf(vtep), CaptureVerdict.Sent, DropReason.None);

    /// <inheritdoc/>
    public override int ToGroup(in Walk walk, in Frame frame, GroupTarget group) =>
        Write(walk.DomainOrNone, frame, to: null, group.Endpoint, CaptureVerdict.Sent, DropReason.None);

    /// <inheritdoc/>
    public override void Dropped(in Walk walk, in Frame frame, DropReason reason, Toward toward)
    {
        Toward place = toward.Or(_target, walk, vteps);
        Write(walk.DomainOrNone, frame, place.Port, place.Remote ?? _frame.Remote, CaptureVerdict.Dropped, reason);
    }

    /// <inheritdoc/>
    public override int Originated(Lane lane, in Frame frame, AccessPort port)
    {
        CaptureRecord about = _frame;
        int start = InnerStart;
        _frame.From = null;
        _frame.IsFromUnderlay = false;
        _frame.Remote = default;
        InnerStart = frame.Info.Offset;
        int ticket = Write(about.Domain, frame, port, remote: default, CaptureVerdict.Originated, DropReason.None);
        (_frame, InnerStart) = (about, start);
        return ticket;
    }

    /// <inheritdoc/>
    public override void Refused(AccessPort? port, DropReason reason, long frames)
    {
        var record = new CaptureRecord
        {
            From = port,
            IsFromUnderlay = port is null,
            Vni = CaptureRecord.NoVni,
            FrameId = ((long)lane << 48) | ++_frames,
            Time = Now(),
            Segments = (int)Math.Min(frames, int.MaxValue),
        };
        record.DroppedSegments = record.Segments;
        record.Verdict = CaptureVerdict.Dropped;
        record.Reason = reason;
        Stage(record, frame: default, headers: default);
    }

    /// <inheritdoc/>
    public void Dropped(int ticket, DropReason reason, int frames)
    {
        for (int i = 0; i < sessions.Length; i++)
            sessions[i].Drop(lane, _tickets[ticket - 1][i], reason, frames);
    }

    /// <inheritdoc/>
    public override void Flushed()
    {
        foreach (CaptureSession session in sessions)
            session.Commit(lane);
        stations?.Commit(lane);
        _ticketCount = 0;
        _time = 0;
    }

    /// <summary>Writes a record; returns its ticket, or NoTicket when nobody wants it.</summary>
    private int Write(BridgeDomain? domain, in Frame frame, AccessPort? to, in VtepEndpoint remote, CaptureVerdict verdict, DropReason reason)
    {
        ReadOnlySpan<byte> inner = InnerOf(frame);
        CaptureRecord record = _frame;
        record.Domain = _frame.Domain = domain;
        record.To = to;
        record.Remote = remote;
        record.Time = Now();
        record.Vni = domain?.Vni.Value ?? VniOf(frame);
        record.Length = inner.Length;
        record.Segments = verdict == CaptureVerdict.Sent && to is null ? SuperFrame.Segments(inner.Length, frame.Info.Offload) : 1;
        record.Verdict = verdict;
        record.Reason = reason;
        record.DroppedSegments = verdict == CaptureVerdict.Dropped ? record.Segments : 0;
        if (frame.Info.IsRead)
            return Stage(record, inner, frame.Info.Headers);
        FrameHeaders.Parse(inner, out FrameHeaders headers);
        return Stage(record, inner, headers);
    }

    private int Stage(in CaptureRecord record, ReadOnlySpan<byte> frame, in FrameHeaders headers)
    {
        if (_ticketCount == _tickets.Length)
            Array.Resize(ref _tickets, 2 * _ticketCount); // to the copies of the largest flood once, then never again
        ref Slots slots = ref _tickets[_ticketCount];
        bool isAsked = false;
        for (int i = 0; i < sessions.Length; i++)
        {
            slots[i] = sessions[i].Stage(lane, record, frame, headers);
            isAsked |= slots[i] != CaptureSession.NotStaged;
        }

        return isAsked ? ++_ticketCount : NoTicket;
    }

    // of a datagram that belongs to no domain, its header still in front
    private int VniOf(in Frame frame) =>
        _frame.IsFromUnderlay && frame.Info.Offset < InnerStart && VxlanHeader.TryRead(frame.Bytes, out VxlanHeader header) && header.HasVni
            ? header.Vni.Value
            : CaptureRecord.NoVni;

    // one reading of the clock for a batch
    private long Now() => _time != 0 ? _time : _time = UnixNanoseconds(clock);

    internal static long UnixNanoseconds(TimeProvider clock) => (clock.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) * 100;

    /// <summary>Where each capture has a copy's record.</summary>
    [InlineArray(MaxSessions)]
    private struct Slots
    {
        private int _first;
    }
}
