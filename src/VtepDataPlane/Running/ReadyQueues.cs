// Which queues of a lane have something to receive, when no descriptor says so: queues of ports and underlays that wake their lane themselves
// (IAccessPort.WakeBy). Any thread says that a queue is ready; the lane's thread serves the ready ones, one batch each in a round.
//
//   asleep  --Wake-->  ready (in the line, once)  --served-->  asleep        when it gave nothing, or is gone
//                        ^------------------------- served                   when it gave something: to the end of the line
//
// A queue leaves the state "ready" before it is asked, with a full fence: what is put into it before a Wake that finds it ready still is seen by the
// question that follows, and a Wake after that puts it into the line again. So nothing is left lying. In the same way the lane takes back "awake"
// before it looks at the line, and whoever puts the first one in after that signals.
//
// The line holds a queue once at most, so it is as long as there are queues; at rest it is empty and nobody looks at it.

using System.Collections.Concurrent;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Running;

/// <summary>A queue of one lane that wakes it.</summary>
internal abstract class WakingQueue
{
    /// <summary>1: in the line.</summary>
    internal int Ready;

    private bool _isGone;

    /// <summary>Not to be served any more.</summary>
    public bool IsGone
    {
        get => Volatile.Read(ref _isGone);
        set => Volatile.Write(ref _isGone, value);
    }

    /// <summary>Lane only: serves one batch; returns frames received.</summary>
    public abstract int Serve(Lane lane, long nowMilliseconds);
}

/// <summary>A port's queue.</summary>
internal sealed class WakingPort(AccessPort port) : WakingQueue
{
    /// <inheritdoc/>
    public override int Serve(Lane lane, long nowMilliseconds) => lane.ServePort(port, nowMilliseconds);
}

/// <summary>An underlay's queue.</summary>
internal sealed class WakingUnderlay(IFrameQueue queue) : WakingQueue
{
    /// <inheritdoc/>
    public override int Serve(Lane lane, long nowMilliseconds) => lane.ServeUnderlay(queue, nowMilliseconds);
}

/// <summary>The ready queues of one lane.</summary>
/// <param name="signal">Wakes the lane's thread. Any thread, at any time, never blocks.</param>
internal sealed class ReadyQueues(Action signal)
{
    private readonly ConcurrentQueue<WakingQueue> _line = new();
    private int _isAwake;

    /// <summary>Some queue waits to be served.</summary>
    public bool HasReady => !_line.IsEmpty;

    /// <summary>A queue may have something. Any thread.</summary>
    public void Wake(WakingQueue queue)
    {
        if (queue.IsGone || Interlocked.Exchange(ref queue.Ready, 1) != 0)
            return;
        _line.Enqueue(queue);
        if (Interlocked.Exchange(ref _isAwake, 1) == 0)
            signal();
    }

    /// <summary>
    /// Lane only, every time it was awake: serves every queue that is ready now, one batch each. Those that gave something are ready again. Costs next to
    /// nothing when there are none.
    /// </summary>
    public void ServeRound(Lane lane, long nowMilliseconds)
    {
        if (Volatile.Read(ref _isAwake) == 0 && !HasReady)
            return;
        Interlocked.Exchange(ref _isAwake, 0);
        for (int waiting = _line.Count; waiting > 0 && _line.TryDequeue(out WakingQueue? queue); waiting--)
        {
            Interlocked.Exchange(ref queue.Ready, 0);
            if (!queue.IsGone && queue.Serve(lane, nowMilliseconds) > 0 && Interlocked.Exchange(ref queue.Ready, 1) == 0)
                _line.Enqueue(queue);
        }
    }
}
