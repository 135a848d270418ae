// A subscriber of events. Events wait for it in a bounded line of its own, and a work item of the thread pool calls it, one event at a time and in
// order; between events it holds no thread. Who is slow loses events and can see how many, who blocks keeps a thread of the pool from its program, who
// throws is called no more: none of them holds up the VTEP, nor other subscribers.

using System.Threading.Channels;

namespace VtepDataPlane.Diagnostics.Events;

/// <summary>A subscription to events of a VTEP; disposing it ends it. Any thread.</summary>
public abstract class VtepSubscription : IDisposable
{
    private readonly Action<VtepSubscription> _end;
    private long _delivered;
    private long _lost;
    private Exception? _failure;
    private bool _isEnded;
    private bool _isDisposed;

    private protected VtepSubscription(string what, Action<VtepSubscription> end)
    {
        What = what;
        _end = end;
    }

    /// <summary>Events the subscriber was called with.</summary>
    public long Delivered => Volatile.Read(ref _delivered);

    /// <summary>Events it should have got and didn't, being too slow.</summary>
    public long Lost => Volatile.Read(ref _lost);

    /// <summary>What the subscriber threw; it was called no more since. Null: nothing.</summary>
    public Exception? Failure => Volatile.Read(ref _failure);

    /// <summary>No event comes any more.</summary>
    public bool IsEnded => Volatile.Read(ref _isEnded);

    /// <summary>Of which events: for sentences.</summary>
    internal string What { get; }

    /// <summary>Its program wants to know nothing of it any more, not even that it failed.</summary>
    internal bool IsDisposed => Volatile.Read(ref _isDisposed);

    /// <summary>Ends it: no call begins any more; one that runs, on another thread, isn't waited for.</summary>
    public void Dispose()
    {
        Volatile.Write(ref _isEnded, true);
        Volatile.Write(ref _isDisposed, true);
        _end(this);
        GC.SuppressFinalize(this);
    }

    /// <summary>Events were lost before they came here.</summary>
    internal void CountLost(long events) => Interlocked.Add(ref _lost, events);

    private protected void CountDelivered() => Interlocked.Increment(ref _delivered);

    private protected void Fail(Exception cause)
    {
        Volatile.Write(ref _failure, cause);
        Volatile.Write(ref _isEnded, true);
    }
}

/// <summary>One for events of one kind.</summary>
internal sealed class VtepSubscription<T> : VtepSubscription, IThreadPoolWorkItem
    where T : class
{
    private readonly Channel<T> _line;
    private readonly Action<T> _subscriber;
    private readonly Action<VtepSubscription> _failed;
    private int _isPumping;

    public VtepSubscription(string what, Action<T> subscriber, int room, Action<VtepSubscription> end, Action<VtepSubscription> failed)
        : base(what, end)
    {
        _subscriber = subscriber;
        _failed = failed;
        _line = Channel.CreateBounded<T>(new BoundedChannelOptions(room) { SingleReader = true });
    }

    /// <summary>Hands it an event; loses it when its line is full. Never waits, runs nothing of the subscriber's.</summary>
    public void Offer(T happened)
    {
        if (IsEnded)
            return;
        if (!_line.Writer.TryWrite(happened))
            CountLost(1);
        else if (Interlocked.Exchange(ref _isPumping, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Calls the subscriber while events wait.</summary>
    public void Execute()
    {
        do
        {
            while (!IsEnded && _line.Reader.TryRead(out T? happened))
                Call(happened);
            Interlocked.Exchange(ref _isPumping, 0);
        }
        while (!IsEnded && _line.Reader.Count > 0 && Interlocked.Exchange(ref _isPumping, 1) == 0);
    }

    private void Call(T happened)
    {
        try
        {
            _subscriber(happened);
            CountDelivered();
        }
#pragma warning disable CA1031 // whatever it is, it is the program's: kept for it, and told to the operator
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(e);
            _failed(this);
        }
    }
}
