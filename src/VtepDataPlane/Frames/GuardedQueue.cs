// A queue of a program's own, with a guard around it (Guard.cs). It looks at every batch the queue gives: a frame outside its slot would be an exception
// in the forwarder. After something went wrong the queue isn't called any more; frames sent to it are drops by a reason of their own.
//
// The books. What the queue counted as received and didn't hand over is dropped; and what was sent to it and is neither sent nor dropped when a flush
// ends by an exception is dropped as well:
//   noted + segmented - sent - coalesced - dropped, counted since the first Send of the batch.
//
// Belongs to its lane's thread, as the queue does.

namespace VtepDataPlane.Frames;

/// <summary>Keeps what a program's queue does wrong from its lane.</summary>
internal sealed class GuardedQueue : IFrameQueue
{
    private readonly IFrameQueue _inner;
    private readonly Guard _guard;
    private readonly DropReason _reason;
    private readonly bool _takesAggregates;
    private long _noted;
    private long _accounted;

    /// <summary>Puts a guard around a queue.</summary>
    /// <param name="inner">The queue.</param>
    /// <param name="guard">The guard of the port or underlay it belongs to.</param>
    /// <param name="reason">Frames that go wrong are drops by this.</param>
    /// <param name="takesAggregates">A slot may hold several datagrams: of an underlay.</param>
    public GuardedQueue(IFrameQueue inner, Guard guard, DropReason reason, bool takesAggregates)
    {
        _inner = inner;
        _guard = guard;
        _reason = reason;
        _takesAggregates = takesAggregates;
        Meters = guard.Require("queue's Meters", () => inner.Meters) ?? throw new VtepException("A queue can't be used: it has no Meters.");
    }

    /// <inheritdoc/>
    public QueueMeters Meters { get; }

    /// <inheritdoc/>
    public int Receive(FrameBatch batch)
    {
        batch.Count = 0;
        if (_guard.HasFailed)
            return 0;
        long before = Meters.Received;
        try
        {
            int count = _inner.Receive(batch);
            if (WrongIn(batch, count) is not { } wrong)
                return count;
            _guard.Fail(wrong);
        }
#pragma warning disable CA1031 // whatever it is, it is the program's, and told to the operator
        catch (Exception e)
#pragma warning restore CA1031
        {
            _guard.Threw(nameof(Receive), e);
        }

        batch.Count = 0;
        Meters.CountDrop(_reason, (int)Math.Clamp(Meters.Received - before, 0, int.MaxValue));
        return 0;
    }

    /// <inheritdoc/>
    public void Send(in Frame frame)
    {
        if (_noted++ == 0)
            _accounted = Accounted();
        if (_guard.HasFailed)
            return;
        try
        {
            _inner.Send(frame);
        }
#pragma warning disable CA1031 // as above
        catch (Exception e)
#pragma warning restore CA1031
        {
            _guard.Threw(nameof(Send), e);
        }
    }

    /// <inheritdoc/>
    public int Flush()
    {
        long sent = Meters.Sent;
        if (!_guard.HasFailed)
            FlushInner();
        if (_guard.HasFailed)
            Meters.CountDrop(_reason, (int)Math.Clamp(_noted - (Accounted() - _accounted), 0, int.MaxValue));
        _noted = 0;
        return (int)(Meters.Sent - sent);
    }

    private void FlushInner()
    {
        try
        {
            _inner.Flush();
        }
#pragma warning disable CA1031 // as above
        catch (Exception e)
#pragma warning restore CA1031
        {
            _guard.Threw(nameof(Flush), e);
        }
    }

    private long Accounted() => Meters.Sent + Meters.Coalesced + Meters.TotalDrops - Meters.Segmented;

    private string? WrongIn(FrameBatch batch, int count)
    {
        if (count != batch.Count || count < 0 || count > batch.Capacity)
            return $"its Receive returned {count} with {batch.Count} frames in a batch of {batch.Capacity}";
        for (int i = 0; i < count; i++)
        {
            if (!batch.IsWithin(i, _takesAggregates))
                return $"its Receive put frame {i} of a batch outside its slot";
        }

        return null;
    }
}
