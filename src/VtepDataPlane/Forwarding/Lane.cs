// A lane: everything one worker owns. Its batch of frame slots, its counters, its queue in the underlay, and the list of port
// queues it has noted frames in since the last flush. Run to completion: receive a batch, forward every frame, flush, done;
// nothing is handed between threads.
//
// Serving is framed by Enter and Leave, which the control loop watches (Vtep.WaitForLanes): a batch that began before a new
// forwarding state was published may still use the old one; once the epoch has moved on, it can't. This is the grace period of
// RCU with one counter a lane. Enter is a full fence: the epoch is visible before the state is read.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Forwarding;

/// <summary>Everything one worker owns. The Serve methods belong to one thread at a time; counters are readable from any.</summary>
public sealed class Lane
{
    /// <summary>Frames we make ourselves (ICMP errors) between two flushes; more are simply not made.</summary>
    private const int OriginatedCapacity = 64;

    /// <summary>An ICMPv6 error with its Ethernet header and a tag: 1280 + 18, rounded up.</summary>
    private const int OriginatedRoom = 1536;

    private readonly Forwarder _forwarder;
    private readonly FrameBatch _batch = new();
    private readonly FrameBatch _originated = new(OriginatedCapacity, OriginatedRoom);
    private PortLane[] _dirty = new PortLane[16];
    private int _dirtyCount;
    private bool _underlayIsDirty;
    private long _epoch;

    internal Lane(int index, Forwarder forwarder, IFrameQueue underlay, int vtepCapacity, Action wakeControl)
    {
        Index = index;
        _forwarder = forwarder;
        Underlay = underlay;
        Events = new StationEvents(wakeControl);
        Meters = new LaneMeters(vtepCapacity);
    }

    /// <summary>0 to workers - 1: the number of its queue in every port and in the underlay.</summary>
    public int Index { get; }

    internal IFrameQueue Underlay { get; }

    internal LaneMeters Meters { get; }

    /// <summary>What the control loop has to know about stations.</summary>
    internal StationEvents Events { get; }

    /// <summary>Holds back our own ICMP errors: 1000 a second, 100 at once (RFC 4443 section 2.4 f asks for a limit).</summary>
    internal TokenBucket IcmpBucket { get; } = new(ratePerSecond: 1000, burst: 100);

    /// <summary>Where reads end that are made for the cache's sake.</summary>
    internal ulong Fetched { get; set; }

    /// <summary>Odd while a batch is being served.</summary>
    internal long Epoch => Volatile.Read(ref _epoch);

    /// <summary>Receives one batch from a port, forwards it and flushes. Returns frames received; 0: nothing waited.</summary>
    /// <param name="port">A port this lane serves.</param>
    /// <param name="nowMilliseconds">Monotonic time.</param>
    public int ServePort(AccessPort port, long nowMilliseconds)
    {
        ArgumentNullException.ThrowIfNull(port);
        Enter();
        int count = port.Lane(Index).Queue.Receive(_batch);
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
        int count = queue.Receive(_batch);
        if (count > 0)
        {
            _forwarder.FromUnderlay(this, _batch, nowMilliseconds);
            Flush();
        }

        Leave();
        return count;
    }

    /// <summary>Sends on what was held for answers that are there now. Returns frames that were let go. Called by the lane's thread.</summary>
    /// <param name="nowMilliseconds">Monotonic time.</param>
    public int ServeAnswers(long nowMilliseconds) => throw new NotImplementedException();

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
        SendToPort(port, _originated[slot]);
    }

    private void Flush()
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
    }

    private void Enter() => Interlocked.Increment(ref _epoch);

    private void Leave() => Volatile.Write(ref _epoch, _epoch + 1);
}
