// A lane: everything one worker owns. Its batch of frame slots, its counters, its queue in the underlay, and the list of port
// queues it has noted frames in since the last flush. Run to completion: receive a batch, forward every frame, flush, done;
// nothing is handed between threads. What waits for a controller's answer (HeldFrames) is let go in a batch of its own, when the control loop
// has left an answer and woken the lane.
//
// Serving is framed by Enter and Leave, which the control loop watches (Vtep.WaitForLanes): a batch that began before a new
// forwarding state was published may still use the old one; once the epoch has moved on, it can't. This is the grace period of
// RCU with one counter a lane. Enter is a full fence: the epoch is visible before the state is read.

using System.Collections.Concurrent;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Forwarding;

/// <summary>Everything one worker owns. The Serve methods belong to one thread at a time; counters are readable from any.</summary>
public sealed class Lane
{
    /// <summary>Frames we make ourselves (ICMP errors) between two flushes; more are simply not made.</summary>
    private const int OriginatedCapacity = 64;

    /// <summary>An ICMPv6 error with its Ethernet header and a tag: 1280 + 18, rounded up.</summary>
    private const int OriginatedRoom = 1536;

    /// <summary>Answers that wait: twice as many as keys can be pending, so that a lane's answers fit even with some that come too late.</summary>
    private const int AnswerCapacity = 2 * HeldFrames.KeyCapacity;

    private readonly Forwarder _forwarder;
    private readonly FrameBatch _batch;
    private readonly FrameBatch _originated;
    private readonly ConcurrentQueue<Answered> _answers = new();
    private PortLane[] _dirty = new PortLane[16];
    private int _dirtyCount;
    private bool _underlayIsDirty;
    private readonly DomainLaneMeters? _scratch; // of a lane that nothing is counted for
    private FrameObserver? _observer;
    private FrameObserver? _nextObserver;
    private long _epoch;
    private int _answerCount;

    /// <summary>A lane that is served by nobody: frames are walked through it for an observer that is dry.</summary>
    internal Lane(Forwarder forwarder, IFrameQueue underlay, int vtepCapacity, FrameObserver observer)
        : this(index: 0, forwarder, underlay, vtepCapacity, wakeControl: () => { }, seed: 0)
    {
        _scratch = new DomainLaneMeters();
        _observer = _nextObserver = observer;
    }

    internal Lane(int index, Forwarder forwarder, IFrameQueue underlay, int vtepCapacity, Action wakeControl, UInt128 seed, FrameBatch? batch = null)
    {
        Index = index;
        _batch = batch ?? new FrameBatch();
        _originated = new FrameBatch(Math.Min(OriginatedCapacity, _batch.Capacity), OriginatedRoom);
        _forwarder = forwarder;
        Underlay = underlay;
        Events = new StationEvents(wakeControl);
        Meters = new LaneMeters(vtepCapacity);
        Held = new HeldFrames(seed);
    }

    /// <summary>0 to workers - 1: the number of its queue in every port and in the underlay.</summary>
    public int Index { get; }

    internal IFrameQueue Underlay { get; }

    internal LaneMeters Meters { get; }

    /// <summary>What the control loop has to know about stations.</summary>
    internal StationEvents Events { get; }

    /// <summary>Frames that wait for a controller's answer. The lane's thread.</summary>
    internal HeldFrames Held { get; }

    /// <summary>Frames may wait for an answer: <see cref="ServeAnswers"/> should be called now and then. Any thread.</summary>
    public bool HasHeld => Held.IsPending;

    /// <summary>Holds back our own ICMP errors: 1000 a second, 100 at once (RFC 4443 section 2.4 f asks for a limit).</summary>
    internal TokenBucket IcmpBucket { get; } = new(ratePerSecond: 1000, burst: 100);

    /// <summary>Where reads end that are made for the cache's sake.</summary>
    internal ulong Fetched { get; set; }

    /// <summary>Who looks on in this batch; null: nobody. Set from any thread, taken up with the next batch.</summary>
    internal FrameObserver? Observer
    {
        get => _observer;
        set => Volatile.Write(ref _nextObserver, value);
    }

    /// <summary>The counters of a domain that this lane writes.</summary>
    internal DomainLaneMeters MetersOf(BridgeDomain domain) => _scratch ?? domain.Meters[Index];

    /// <summary>Odd while a batch is being served.</summary>
    internal long Epoch => Volatile.Read(ref _epoch);

    /// <summary>Receives one batch from a port, forwards it and flushes. Returns frames received; 0: nothing waited.</summary>
    /// <param name="port">A port this lane serves.</param>
    /// <param name="nowMilliseconds">Monotonic time.</param>
    public int ServePort(AccessPort port, long nowMilliseconds)
    {
        ArgumentNullException.ThrowIfNull(port);
        Enter();
        int count = Receive(port, port.Lane(Index).Queue);
        if (count > 0)
        {
            _forwarder.FromPort(this, port, _batch, nowMilliseconds);
            Flush();
        }

        Leave();
        return count;
    }

    /// <summary>Receives one batch of datagrams from an underlay queue, forwards it and flushes. Returns datagrams received.</summary>
    /// <param name="queue">This lane's underlay queue, or a further one the underlay has for it (a group's).</param>
    /// <param name="nowMilliseconds">Monotonic time.</param>
    public int ServeUnderlay(IFrameQueue queue, long nowMilliseconds)
    {
        ArgumentNullException.ThrowIfNull(queue);
        Enter();
        int count = Receive(port: null, queue);
        if (count > 0)
        {
            _forwarder.FromUnderlay(this, _batch, nowMilliseconds);
            Flush();
        }

        Leave();
        return count;
    }

    /// <summary>
    /// Tells the lane what came of its question; <see cref="ServeAnswers"/> takes it up, so wake the lane afterwards. What was found must be in the tables
    /// before. Any thread. An answer too many is lost: the frames then wait until <see cref="HeldFrames.LongestWait"/> is over.
    /// </summary>
    /// <param name="key">What was asked for.</param>
    /// <param name="answer">What came of it.</param>
    /// <param name="notFoundUntilMilliseconds">Until when not to ask again for what wasn't found; doesn't matter otherwise.</param>
    internal void Answer(MissKey key, MissAnswer answer, long notFoundUntilMilliseconds)
    {
        if (Interlocked.Increment(ref _answerCount) > AnswerCapacity)
            Interlocked.Decrement(ref _answerCount);
        else
            _answers.Enqueue(new Answered(key, answer, notFoundUntilMilliseconds));
    }

    /// <summary>
    /// Sends on what was held for answers that are there now, and for such as will never come. Costs next to nothing when there are none. Returns
    /// frames that were let go. Called by the lane's thread, never within a batch.
    /// </summary>
    /// <param name="nowMilliseconds">Monotonic time.</param>
    public int ServeAnswers(long nowMilliseconds)
    {
        bool isSweepDue = Held.IsSweepDue(nowMilliseconds);
        if (_answers.IsEmpty && !isSweepDue)
            return 0;
        Enter();
        int count = LetGoAnswered(nowMilliseconds);
        if (isSweepDue)
            count += LetGoOverdue(nowMilliseconds);
        Flush();
        Leave();
        return count;
    }

    /// <summary>The VTEP is closed, no answer will come: what is held counts as dropped, its ports being gone. Nobody serves the lane any more.</summary>
    internal void GiveUpHeld()
    {
        if (HasHeld)
            LetGoOverdue(long.MaxValue);
    }

    private int LetGoAnswered(long nowMilliseconds)
    {
        int count = 0;
        while (_answers.TryDequeue(out Answered answered))
        {
            Interlocked.Decrement(ref _answerCount);
            count += _forwarder.LetGo(this, answered.Key, answered.Answer, answered.NotFoundUntil, nowMilliseconds);
        }

        return count;
    }

    private int LetGoOverdue(long nowMilliseconds)
    {
        int count = 0;
        for (int key = Held.NextOverdue(0, nowMilliseconds); key != HeldFrames.None; key = Held.NextOverdue(key, nowMilliseconds))
            count += _forwarder.LetGo(this, Held.KeyAt(key), MissAnswer.NoAnswer, notFoundUntil: 0, nowMilliseconds);
        return count;
    }

    private int Receive(AccessPort? port, IFrameQueue queue)
    {
        FrameObserver? observer = Observer;
        int count = observer is null ? queue.Receive(_batch) : ReceiveObserved(port, queue, observer);
        _observer = Volatile.Read(ref _nextObserver); // who began to look on before a frame came sees it
        return count;
    }

    // What a queue drops on receipt isn't in the batch: it shows in the queue's counters only.
    private int ReceiveObserved(AccessPort? port, IFrameQueue queue, FrameObserver observer)
    {
        Span<long> before = stackalloc long[DropReasonText.Count];
        foreach (DropReason reason in DropReasonText.All)
            before[(int)reason] = queue.Meters.Drops(reason);
        int count = queue.Receive(_batch);
        foreach (DropReason reason in DropReasonText.All)
        {
            long refused = queue.Meters.Drops(reason) - before[(int)reason];
            if (refused > 0)
                observer.Refused(port, reason, refused);
        }

        if (count == 0)
            observer.Flushed();
        return count;
    }

    /// <summary>Hands a copy to a port's queue, with the ticket the observer gave.</summary>
    internal void SendToPort(AccessPort port, in Frame frame, FrameObserver observer, int ticket)
    {
        if (observer.IsDry)
            return;
        port.Lane(Index).Queue.Meters.Witness = observer.Witness;
        frame.Info.Ticket = ticket;
        SendToPort(port, frame);
        frame.Info.Ticket = 0;
    }

    /// <summary>Hands a copy to the underlay's queue, with the ticket the observer gave.</summary>
    internal void SendToUnderlay(in Frame frame, FrameObserver observer, int ticket)
    {
        if (observer.IsDry)
            return;
        Underlay.Meters.Witness = observer.Witness;
        frame.Info.Ticket = ticket;
        SendToUnderlay(frame);
        frame.Info.Ticket = 0;
    }

    internal void SendToPort(AccessPort port, in Frame frame)
    {
        PortLane lane = port.Lane(Index);
        lane.Queue.Send(frame);
        if (lane.IsDirty)
            return;
        lane.IsDirty = true;
        if (_dirtyCount == _dirty.Length)
            Array.Resize(ref _dirty, 2 * _dirtyCount); // grows to the ports of one domain once, then never again
        _dirty[_dirtyCount++] = lane;
    }

    internal void SendToUnderlay(in Frame frame)
    {
        Underlay.Send(frame);
        _underlayIsDirty = true;
    }

    /// <summary>A slot for a frame of our own; false when there are enough until the next flush.</summary>
    internal bool TryOriginate(out Span<byte> room)
    {
        room = _originated.Count < _originated.Capacity ? _originated.RoomOf(_originated.Count) : default;
        return !room.IsEmpty;
    }

    /// <summary>Sends what was written into <see cref="TryOriginate"/>'s slot.</summary>
    internal void SendOriginated(AccessPort port, int length)
    {
        int slot = _originated.Count++;
        _originated.Reset(slot, length);
        Meters.Originated++;
        if (Observer is { } observer)
            SendToPort(port, _originated[slot], observer, observer.Originated(this, _originated[slot], port));
        else
            SendToPort(port, _originated[slot]);
    }

    /// <summary>Sends all that was handed to queues.</summary>
    internal void Flush()
    {
        if (_underlayIsDirty)
        {
            Underlay.Flush();
            _underlayIsDirty = false;
        }

        for (int i = 0; i < _dirtyCount; i++)
        {
            _dirty[i].Queue.Flush();
            _dirty[i].IsDirty = false;
            _dirty[i] = null!; // a closed port must not be kept alive by its last flush
        }

        _dirtyCount = 0;
        _originated.Count = 0;
        Observer?.Flushed();
    }

    private void Enter()
    {
        Interlocked.Increment(ref _epoch);
        _observer = Volatile.Read(ref _nextObserver);
    }

    private void Leave() => Volatile.Write(ref _epoch, _epoch + 1);

    private readonly record struct Answered(MissKey Key, MissAnswer Answer, long NotFoundUntil);
}
