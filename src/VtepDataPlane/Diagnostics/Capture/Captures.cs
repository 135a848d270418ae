// The captures that run on a VTEP: at most four, since each copies frames on the lanes, and one for the subscribers of drops. Starting or ending one gives every lane a new observer, which it
// takes up with its next batch; a lane without captures has none.
//
// Any thread; nothing here waits for a lane.

using VtepDataPlane.Diagnostics.Events;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Underlay;

namespace VtepDataPlane.Diagnostics.Capture;

/// <summary>Starts and ends captures.</summary>
internal sealed class Captures(Lane[] lanes, RemoteVteps vteps)
{
    private readonly Lock _gate = new();
    private StationWatch? _stations;
    private CaptureSession[] _sessions = [];
    private TimeProvider _clock = TimeProvider.System;
    private bool _isClosed;

    /// <summary>Captures of programs and operators at once.</summary>
    public const int MaxCaptures = 4;

    /// <summary>Captures that run.</summary>
    public int Count => Volatile.Read(ref _sessions).Count(session => !session.IsForEvents);

    /// <summary>Lanes there are.</summary>
    public int LaneCount => lanes.Length;

    /// <summary>Starts a capture.</summary>
    /// <exception cref="VtepException">There are four already.</exception>
    /// <exception cref="ObjectDisposedException">The VTEP is closed.</exception>
    public CaptureSession Start(CaptureFilter filter, CaptureRoom room, TimeProvider clock)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(Vtep));
            if (Count == MaxCaptures)
                throw new VtepException($"{MaxCaptures} captures run already, as many as may: end one of them first.");
            var session = new CaptureSession(filter, room, lanes.Length, End);
            Use([.. _sessions, session], clock);
            return session;
        }
    }

    /// <summary>Starts the capture that subscribers' drops come from: the first bytes of each.</summary>
    /// <param name="wake">Called by a lane that has captured a drop.</param>
    /// <param name="room">Drops a lane may have waiting.</param>
    public CaptureSession StartForEvents(Action wake, int room)
    {
        var filter = new CaptureFilter { DropsOnly = true, SnapLength = DropEvent.Headers };
        var session = new CaptureSession(filter, new CaptureRoom { Frames = room, Bytes = room * DropEvent.Headers }, lanes.Length, End) { Committed = wake };
        lock (_gate)
            Use([.. _sessions, session], _clock);
        return session;
    }

    /// <summary>Has lanes note what they learn; null: no more.</summary>
    public void Watch(StationWatch? stations)
    {
        lock (_gate)
        {
            _stations = stations;
            Use(_sessions, _clock);
        }
    }

    /// <summary>Ends all.</summary>
    public void Close()
    {
        lock (_gate)
            _isClosed = true;
        foreach (CaptureSession session in Volatile.Read(ref _sessions))
            session.Dispose();
    }

    private void End(CaptureSession session)
    {
        lock (_gate)
            Use([.. _sessions.Where(other => other != session)], _clock);
    }

    private void Use(CaptureSession[] sessions, TimeProvider clock)
    {
        Volatile.Write(ref _sessions, sessions);
        _clock = clock;
        foreach (Lane lane in lanes)
            lane.Observer = sessions.Length == 0 && _stations is null ? null : new LaneWatch(lane.Index, sessions, _stations, vteps, clock);
    }
}
