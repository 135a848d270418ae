// Vtep: seeing frames. A capture shows what happens to frames that come, an explanation what would happen to one that somebody makes up.

using VtepDataPlane.Diagnostics.Capture;
using VtepDataPlane.Diagnostics.Explain;

namespace VtepDataPlane;

/// <content>Captures and explanations.</content>
public sealed partial class Vtep
{
    private readonly Captures _captures;
    private readonly Lazy<Explainer> _explainer; // made for the first question

    /// <summary>
    /// Starts to capture frames: one for each copy that is sent and each drop, with the verdict. Frames are copied by the lanes and wait for the
    /// reader; what doesn't fit is lost to the capture and counted, frames themselves are never held up.
    /// </summary>
    /// <param name="filter">What to see; null: everything.</param>
    /// <param name="room">How much may wait for the reader; null: 16,384 frames and 16 MiB a lane.</param>
    /// <param name="clock">Gives frames their time from now on, those of other captures and of drop events too; null: the system's.</param>
    /// <returns>The capture; it runs until it is disposed of, or the VTEP is.</returns>
    /// <exception cref="VtepException">Four captures run already.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The filter's snap length, or the room, is out of range.</exception>
    /// <exception cref="ObjectDisposedException">The VTEP is closed.</exception>
    public CaptureSession StartCapture(CaptureFilter? filter = null, CaptureRoom? room = null, TimeProvider? clock = null)
    {
        filter ??= new CaptureFilter();
        room ??= new CaptureRoom();
        ArgumentOutOfRangeException.ThrowIfLessThan(filter.SnapLength, 1, nameof(filter));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(filter.SnapLength, CaptureFilter.DefaultSnapLength, nameof(filter));
        return _captures.Start(filter, room, clock ?? TimeProvider.System);
    }

    /// <summary>
    /// Says step by step what would happen to a frame now, and what would be sent. By the code that walks real frames, but nothing is sent, learned,
    /// asked or counted. Between the answer and a real frame tables may change.
    /// </summary>
    /// <param name="question">The frame, and where it would come from.</param>
    /// <param name="nowMilliseconds">Monotonic time, as in all calls.</param>
    /// <returns>The steps, and what comes out: frames sent, or a drop with its reason.</returns>
    /// <exception cref="VtepException">There is no port the frame could come from.</exception>
    /// <exception cref="ArgumentException">The frame is longer than 65,535 bytes.</exception>
    public Explanation Explain(FrameQuestion question, long nowMilliseconds)
    {
        ArgumentNullException.ThrowIfNull(question);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(question.Frame.Length, ushort.MaxValue, nameof(question));
        lock (_gate)
            return _explainer.Value.Explain(question, nowMilliseconds);
    }
}
