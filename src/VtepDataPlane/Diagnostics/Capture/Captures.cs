// The captures that run on a VTEP: at most four, since each copies frames on the lanes. Starting or ending one gives every lane a new observer, which it
// takes up with its next batch; a lane without captures has none.
//
// Any thread; nothing here waits for a lane.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Underlay;

namespace VtepDataPlane.Diagnostics.Capture;

/// <summary>Starts and ends captures.</summary>
internal sealed class Captures(Lane[] lanes, RemoteVteps vteps)
{
    private readonly Lock _gate = new();
    private CaptureSession[] _sessions = [];
    private TimeProvider _clock = TimeProvider.System;
    private bool _isClosed;

    /// <summary>Captures that run.</summary>
    public int Count => Volatile.Read(ref _sessions).Length;

    /// <summary>Starts a capture.</summary>
    /// <exception cref="VtepException">There are four already.</exception>
    /// <exception cref="ObjectDisposedException">The VTEP is closed.</exception>
    public CaptureSession Start(CaptureFilter filter, CaptureRoom room, TimeProvider clock)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(Vtep));
            if (_sessions.Length == LaneWatch.MaxSessions)
                throw new VtepException($"{LaneWatch.MaxSessions} captures run already, as many as may: end one of them first.");
            var session = new CaptureSession(filter, room, lanes.Length, End);
            Use([.. _sessions, session], clock);
            return session;
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
            lane.Observer = sessions.Length == 0 ? null : new LaneWatch(lane.Index, sessions, vteps, clock);
    }
}
