// What stays the same while frames are decided about: on whose lane, in which domain, from where, when. A batch of a port is one walk. The
// datagrams of a batch come in runs of one VNI and one sender: what was found for the first of a run (the domain, the VTEP, whether both are
// allowed) holds for the rest of it. It never outlives its batch, for which ids of VTEPs and the state are good.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>The circumstances of a run of frames.</summary>
internal ref struct Walk
{
    private ref VtepTraffic _ofVtep;
    private ref VtepTraffic _ofPair;
    private VxlanHeader _header;
    private InetAddress _sender;
    private bool _isHeaderRight;

    /// <summary>Begins a batch of datagrams; the domain comes with <see cref="Enter"/>.</summary>
    public Walk(Lane lane, ForwardingState state, long nowMilliseconds)
    {
        Lane = lane;
        State = state;
        Observer = lane.Observer;
        NowMilliseconds = nowMilliseconds;
        NowSeconds = (uint)(nowMilliseconds / 1000);
    }

    /// <summary>Begins a batch of a port.</summary>
    public Walk(Lane lane, ForwardingState state, AccessPort port, long nowMilliseconds)
        : this(lane, state, nowMilliseconds)
    {
        Port = port;
        Source = FdbTarget.LearnedLocal(port.Ordinal);
        SetDomain(state.ByIndex(port.DomainIndex));
    }

    public readonly Lane Lane { get; }

    public readonly ForwardingState State { get; }

    /// <summary>The port it came in by; null: it came from the underlay.</summary>
    public readonly AccessPort? Port { get; }

    /// <summary>Who looks on; null: nobody.</summary>
    public readonly FrameObserver? Observer { get; }

    /// <summary>Nothing may be done for these frames: somebody only asks.</summary>
    public readonly bool IsDry => Observer is { IsDry: true };

    public readonly long NowMilliseconds { get; }

    public readonly uint NowSeconds { get; }

    /// <summary>Null: the port is being removed, or no domain was found for a datagram.</summary>
    public BridgeDomain? DomainOrNone { get; private set; }

    /// <summary>The domain, of a frame that got as far as having one.</summary>
    public readonly BridgeDomain Domain => DomainOrNone!;

    /// <summary>The domain's counters on this lane; there are some when there is a domain, looked up once a run.</summary>
    public DomainLaneMeters Meters { get; private set; } = null!;

    /// <summary>The VTEP that sent the datagram; 0 before <see cref="Admit"/>.</summary>
    public int Vtep { get; private set; }

    /// <summary>Where stations of this frame's source are learned.</summary>
    public FdbTarget Source { get; private set; }

    public readonly bool IsFromUnderlay => Port is null;

    /// <summary>A datagram with this header goes the way of the one before.</summary>
    public readonly bool IsEntered(in VxlanHeader header) => _isHeaderRight && _header == header;

    /// <summary>A datagram of this sender goes the way of the one before.</summary>
    public readonly bool IsAdmitted(in InetAddress sender) => Vtep != 0 && _sender == sender;

    /// <summary>Begins a run of datagrams.</summary>
    /// <param name="header">Their header.</param>
    /// <param name="domain">Its domain, or null.</param>
    /// <param name="isRight">Such a header passes.</param>
    public void Enter(in VxlanHeader header, BridgeDomain? domain, bool isRight)
    {
        _header = header;
        _isHeaderRight = isRight;
        Vtep = 0;
        SetDomain(domain);
    }

    /// <summary>Begins a run of datagrams of one sender.</summary>
    public void Admit(in InetAddress sender, int vtep)
    {
        _sender = sender;
        Vtep = vtep;
        Source = FdbTarget.LearnedRemote(vtep);
        _ofVtep = ref Lane.Meters.Traffic(vtep);
        _ofPair = ref Lane.Meters.Pairs.Of(Domain.Index, vtep, Meters);
    }

    /// <summary>Counts a frame of the sender that was admitted last.</summary>
    public readonly void CountAccepted(int bytes)
    {
        _ofVtep.RxFrames++;
        _ofVtep.RxBytes += bytes;
        _ofPair.RxFrames++;
        _ofPair.RxBytes += bytes;
    }

    /// <summary>Counts a frame, or a copy of it, that ends here; in the domain, or in the lane where no domain is known.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="toward">Where a copy was to go, if not where the FDB said.</param>
    public readonly void CountDrop(DropReason reason, in Frame frame, Toward toward = default)
    {
        if (DomainOrNone is null)
            Lane.Meters.CountDrop(reason, IsFromUnderlay);
        else
            Meters.CountDrop(reason, IsFromUnderlay);
        Observer?.Dropped(this, frame, reason, toward);
    }

    private void SetDomain(BridgeDomain? domain)
    {
        DomainOrNone = domain;
        Meters = domain is null ? null! : Lane.MetersOf(domain);
    }
}
