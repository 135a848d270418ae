// Counts what a capture saw and holds it against the counters.

using NUnit.Framework;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Diagnostics.Capture;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Tests.Network;

/// <summary>A capture of everything from now on.</summary>
internal sealed class CaptureTally
{
    private readonly CaptureSession _session;
    private readonly Dictionary<DropReason, long> _drops = [];
    private readonly CounterSnapshot _before;
    private long _left;

    public CaptureTally(Vtep vtep)
    {
        _before = vtep.Counters();
        _session = vtep.StartCapture(room: new CaptureRoom { Frames = 4096, Bytes = 1 << 20 });
    }

    public void Take()
    {
        while (_session.TryRead(out CapturedFrame frame))
        {
            _left += frame.Segments - frame.DroppedSegments;
            if (frame.DroppedSegments > 0)
                _drops[frame.Reason] = _drops.GetValueOrDefault(frame.Reason) + frame.DroppedSegments;
        }
    }

    public void AssertSawWhatWasCounted(CounterSnapshot now)
    {
        Take();
        if (_session.Lost > 0)
            return; // it says so: a test that injects more at once than the capture has room for
        Assert.That(_left, Is.EqualTo(now.Sent + now.Coalesced - _before.Sent - _before.Coalesced), "frames sent");
        foreach (DropReason reason in DropReasonText.All)
        {
            long counted = now.Drops.GetValueOrDefault(reason) - _before.Drops.GetValueOrDefault(reason);
            Assert.That(_drops.GetValueOrDefault(reason), Is.EqualTo(counted), $"drops: {reason}");
        }
    }
}
