// Vtep: seeing frames. A capture shows what happens to frames that come, an explanation what would happen to one that somebody makes up.

using VtepDataPlane.Diagnostics.Capture;

namespace VtepDataPlane;

/// <content>Captures.</content>
public sealed partial class Vtep
{
    private readonly Captures _captures;

    /// <summary>
    /// Starts to capture frames: one for each copy that is sent and each drop, with the verdict. Frames are copied by the lanes and wait for the
    /// reader; what doesn't fit is lost to the capture and counted, frames themselves are never held up.
    /// </summary>
    /// <param name="filter">What to see; null: everything.</param>
    /// <param name="room">How much may wait for the reader; null: 16,384 frames and 16 MiB a lane.</param>
    /// <param name="clock">Gives frames their time; null: the system's.</param>
    /// <returns>The capture; it runs until it is disposed of, or the VTEP is.</returns>
    /// <exception cref="VtepException">Four captures run already.</exception>
    /// <exception cref="ObjectDisposedException">The VTEP is closed.</exception>
    public CaptureSession StartCapture(CaptureFilter? filter = null, CaptureRoom? room = null, TimeProvider? clock = null)
    {
        filter ??= new CaptureFilter();
        room ??= new CaptureRoom();
        ArgumentOutOfRangeException.ThrowIfLessThan(filter.SnapLength, 1, nameof(filter));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(filter.SnapLength, CaptureFilter.DefaultSnapLength, nameof(filter));
        return _captures.Start(filter, room, clock ?? TimeProvider.System);
    }
}
