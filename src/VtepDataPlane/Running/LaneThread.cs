// One thread that serves one lane in a program of its own: the twin of the Linux worker, without a descriptor to poll. It sleeps on an event until a
// queue wakes it, serves each ready queue one batch, and sleeps again; the event costs no processor while nothing comes. The clock is read once a round.
//
// A pass: whoever asks for one knows, when it was made, that the lane has left the batch it was in and serves none of the queues that were gone then.

using VtepDataPlane.Forwarding;

namespace VtepDataPlane.Running;

/// <summary>One lane's thread.</summary>
internal sealed class LaneThread : IDisposable
{
    private readonly Alarm _alarm = new();
    private readonly Passes _passes = new();
    private readonly Func<long> _clock;
    private Thread? _thread;
    private bool _stops;

    /// <summary>Makes one that can be woken already but has no thread yet.</summary>
    /// <param name="index">The lane's number.</param>
    /// <param name="clock">Monotonic time, milliseconds.</param>
    public LaneThread(int index, Func<long> clock)
    {
        Name = $"vtep-lane-{index}";
        _clock = clock;
        Ready = new ReadyQueues(_alarm.Signal);
    }

    /// <summary>The thread's name.</summary>
    public string Name { get; }

    /// <summary>Its ready queues.</summary>
    public ReadyQueues Ready { get; }

    /// <summary>Starts the thread.</summary>
    /// <param name="lane">The lane it owns from now on.</param>
    /// <param name="fatal">Called with what must not happen: the exception that ended the thread.</param>
    public void Start(Lane lane, Action<Exception> fatal)
    {
        _thread = new Thread(() => Run(lane, fatal), maxStackSize: 256 * 1024) { Name = Name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Has it look for answers, ready queues and its end. Any thread.</summary>
    public void Wake() => _alarm.Signal();

    /// <summary>Asks for a pass.</summary>
    public long RequestPass()
    {
        long ticket = _passes.Request();
        Wake();
        return ticket;
    }

    /// <summary>Waits for it; returns at once without a running thread.</summary>
    public void AwaitPass(long ticket) => _passes.Await(ticket, _thread);

    /// <summary>Ends the thread and waits for it.</summary>
    public void Stop()
    {
        Volatile.Write(ref _stops, true);
        Wake();
        _thread?.Join();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _alarm.Dispose();
        _passes.Dispose();
    }

    private void Run(Lane lane, Action<Exception> fatal)
    {
        try
        {
            Loop(lane);
        }
#pragma warning disable CA1031 // whatever it is: the lane is dead, and the VTEP must not live on without it
        catch (Exception e)
#pragma warning restore CA1031
        {
            fatal(e);
        }
    }

    private void Loop(Lane lane)
    {
        while (!Volatile.Read(ref _stops))
        {
            _passes.Acknowledge();
            if (!Ready.HasReady)
                _alarm.Wait();
            long now = _clock();
            lane.ServeAnswers(now);
            Ready.ServeRound(lane, now);
        }
    }
}
