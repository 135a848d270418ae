// What stays the same while one frame is decided about: on whose lane, in which domain, from which port, when.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Forwarding;

/// <summary>The circumstances of one frame.</summary>
internal readonly ref struct Walk(Lane lane, ForwardingState state, BridgeDomain domain, AccessPort? port, long nowMilliseconds)
{
    public Lane Lane { get; } = lane;

    public ForwardingState State { get; } = state;

    public BridgeDomain Domain { get; } = domain;

    /// <summary>The port it came in by; null: it came from the underlay.</summary>
    public AccessPort? Port { get; } = port;

    public long NowMilliseconds { get; } = nowMilliseconds;

    public uint NowSeconds => (uint)(NowMilliseconds / 1000);

    public bool IsFromUnderlay => Port is null;

    public DomainLaneMeters Meters => Domain.Meters[Lane.Index];

    public void CountDrop(DropReason reason) => Meters.CountDrop(reason);

    public void CountDrop(DropReason reason, int copies)
    {
        for (int i = 0; i < copies; i++)
            Meters.CountDrop(reason);
    }
}
