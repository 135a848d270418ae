// Where events come together and go out. Their ways:
//
//   learned, moved     lane -> ring of the lane (StationRecord) \
//   drops              lane -> ring of a capture of drops        > Dispatch, on the control loop -> line of each subscription -> thread pool -> subscriber
//   aged, added, ...   FDB, on the control loop ----------------/
//
// A lane writes to rings only, and only while somebody is subscribed: otherwise it has no observer. A full ring loses events, which are counted for all
// who should have had them. A round of Dispatch takes no more than the rings held, so a storm of drops can't keep the control loop from its other work.
//
// Dispatch and what the FDB tells: the control loop, under the facade's lock. Subscribing and ending: any thread.

using System.Collections.Concurrent;
using VtepDataPlane.Diagnostics.Capture;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics.Events;

/// <summary>Takes events and hands them to subscribers.</summary>
internal sealed class EventHub
{
    /// <summary>Events a lane can have waiting, of each kind.</summary>
    public const int RoomOfLane = 4096;

    private readonly Lock _gate = new();
    private readonly Captures _captures;
    private readonly IStationNames _names;
    private readonly Fdb _fdb;
    private readonly Action _wakeControl;
    private readonly Action<VtepSubscription> _remove;
    private readonly ConcurrentQueue<VtepFault> _faults = new();
    private VtepSubscription<FdbEvent>[] _fdbSubscriptions = [];
    private VtepSubscription<DropEvent>[] _dropSubscriptions = [];
    private VtepSubscription<VtepFault>[] _faultSubscriptions = [];
    private VtepSubscription[] _failed = [];
    private StationWatch? _stations;
    private CaptureSession? _drops;
    private long _stationsLost;
    private long _dropsLost;
    private TimeProvider _clock = TimeProvider.System;
    private long _now;
    private int _isAwake;
    private bool _isClosed;

    public EventHub(Captures captures, IStationNames names, Fdb fdb, Action wakeControl)
    {
        _captures = captures;
        _names = names;
        _fdb = fdb;
        _wakeControl = wakeControl;
        _remove = Remove;
    }

    /// <summary>Is told of faults too, on the control loop; null: nobody.</summary>
    public Action<VtepFault>? FaultSeen { get; set; }

    /// <summary>Subscribers that threw and weren't ended since, a sentence each.</summary>
    public IEnumerable<string> Problems => Volatile.Read(ref _failed).Select(SentenceOf);

    public VtepSubscription Subscribe(Action<FdbEvent> subscriber, int room, TimeProvider? clock)
    {
        lock (_gate)
        {
            var made = new VtepSubscription<FdbEvent>("FDB events", subscriber, room, _remove, Failed);
            Begin(clock);
            _fdbSubscriptions = [.. _fdbSubscriptions, made];
            WatchStations();
            return made;
        }
    }

    public VtepSubscription Subscribe(Action<DropEvent> subscriber, int room)
    {
        lock (_gate)
        {
            var made = new VtepSubscription<DropEvent>("drops", subscriber, room, _remove, Failed);
            Begin(clock: null);
            _dropSubscriptions = [.. _dropSubscriptions, made];
            WatchDrops();
            return made;
        }
    }

    public VtepSubscription Subscribe(Action<VtepFault> subscriber, int room)
    {
        lock (_gate)
        {
            var made = new VtepSubscription<VtepFault>("faults", subscriber, room, _remove, Failed);
            Begin(clock: null);
            _faultSubscriptions = [.. _faultSubscriptions, made];
            return made;
        }
    }

    /// <summary>Something of the program's went wrong. Any thread.</summary>
    public void Report(VtepFault fault)
    {
        _faults.Enqueue(fault);
        Wake();
    }

    /// <summary>Control loop: hands on what lanes have told since.</summary>
    public void Dispatch(long nowMilliseconds)
    {
        _now = nowMilliseconds;
        Interlocked.Exchange(ref _isAwake, 0);
        while (_faults.TryDequeue(out VtepFault? fault))
        {
            FaultSeen?.Invoke(fault);
            Offer(Volatile.Read(ref _faultSubscriptions), fault);
        }

        bool isMore = DispatchStations() | DispatchDrops();
        if (isMore)
            Wake();
    }

    /// <summary>Ends all subscriptions.</summary>
    public void Close()
    {
        lock (_gate)
            _isClosed = true;
        foreach (VtepSubscription subscription in (VtepSubscription[])[.. _fdbSubscriptions, .. _dropSubscriptions, .. _faultSubscriptions])
            subscription.Dispose();
    }

    private void Wake()
    {
        if (Interlocked.Exchange(ref _isAwake, 1) == 0)
            _wakeControl();
    }

    private void Begin(TimeProvider? clock)
    {
        ObjectDisposedException.ThrowIf(_isClosed, typeof(Vtep));
        _clock = clock ?? _clock;
    }

    // --- what is watched follows who is subscribed; under the lock ---

    private void WatchStations()
    {
        bool isWanted = _fdbSubscriptions.Length > 0;
        if (isWanted == (_stations is not null))
            return;
        StationWatch? watch = isWanted ? new StationWatch(_captures.LaneCount, RoomOfLane, Wake) : null;
        _stationsLost = 0;
        Volatile.Write(ref _stations, watch);
        _captures.Watch(watch);
        _fdb.Witness = isWanted ? OnControlChange : null;
    }

    private void WatchDrops()
    {
        bool isWanted = _dropSubscriptions.Length > 0;
        if (isWanted == (_drops is not null))
            return;
        CaptureSession? ended = _drops;
        _dropsLost = 0;
        Volatile.Write(ref _drops, isWanted ? _captures.StartForEvents(Wake, RoomOfLane) : null);
        ended?.Dispose();
    }

    private void Remove(VtepSubscription subscription)
    {
        lock (_gate)
        {
            _fdbSubscriptions = [.. _fdbSubscriptions.Where(other => other != subscription)];
            _dropSubscriptions = [.. _dropSubscriptions.Where(other => other != subscription)];
            _faultSubscriptions = [.. _faultSubscriptions.Where(other => other != subscription)];
            _failed = [.. _failed.Where(other => other != subscription)];
            WatchStations();
            WatchDrops();
        }
    }

    // on the subscriber's thread
    private void Failed(VtepSubscription subscription)
    {
        Remove(subscription);
        lock (_gate)
            _failed = [.. _failed.TakeLast(7), subscription]; // a program that subscribes again and again must not fill the status
        Report(new VtepFault($"A subscriber of {subscription.What}", SentenceOf(subscription), subscription.Failure));
    }

    private static string SentenceOf(VtepSubscription subscription) =>
        $"A subscriber of {subscription.What} is called no more: it threw {subscription.Failure!.GetType().Name}: {subscription.Failure.Message.TrimEnd('.')}.";

    // --- what lanes tell ---

    private bool DispatchStations()
    {
        if (Volatile.Read(ref _stations) is not { } stations)
            return false;
        VtepSubscription<FdbEvent>[] subscriptions = Volatile.Read(ref _fdbSubscriptions);
        DateTimeOffset time = _clock.GetUtcNow();
        int left = stations.Room;
        while (left > 0 && stations.TryRead(out StationRecord record))
        {
            left--;
            if (_names.VniOf(record.Domain) is not { } vni)
                continue; // its domain is gone
            FdbChange change = record.From.IsMiss ? FdbChange.Learned : FdbChange.Moved;
            Offer(subscriptions, new FdbEvent(
                change, vni, record.Mac, FdbSearch.KindOf(record.To), PlaceOf(record.Domain, record.From), PlaceOf(record.Domain, record.To),
                time.AddMilliseconds(-Math.Clamp(_now - record.NowMilliseconds, 0, 60_000))));
        }

        TellLost(subscriptions, stations.Lost, ref _stationsLost);
        return left == 0;
    }

    private bool DispatchDrops()
    {
        if (Volatile.Read(ref _drops) is not { } drops)
            return false;
        VtepSubscription<DropEvent>[] subscriptions = Volatile.Read(ref _dropSubscriptions);
        int left = RoomOfLane * _captures.LaneCount;
        while (left > 0 && drops.TryRead(out CapturedFrame frame))
        {
            left--;
            Offer(subscriptions, new DropEvent(
                frame.Reason, frame.Vni, frame.IsFromUnderlay, frame.FromPort, frame.ToPort, frame.Remote, frame.DroppedSegments, frame.Length,
                frame.Bytes.ToArray(), DateTimeOffset.UnixEpoch.AddTicks(frame.Time / 100)));
        }

        TellLost(subscriptions, drops.Lost, ref _dropsLost);
        return left == 0;
    }

    private static void TellLost<T>(VtepSubscription<T>[] subscriptions, long lost, ref long told)
        where T : class
    {
        long news = lost - told;
        told = lost;
        if (news <= 0)
            return;
        foreach (VtepSubscription<T> subscription in subscriptions)
            subscription.CountLost(news);
    }

    private static void Offer<T>(VtepSubscription<T>[] subscriptions, T happened)
        where T : class
    {
        foreach (VtepSubscription<T> subscription in subscriptions)
            subscription.Offer(happened);
    }

    // --- what the control loop does to the FDB ---

    private void OnControlChange(FdbWrite write)
    {
        if (_names.VniOf(write.Domain) is not { } vni)
            return;
        FdbChange change = write.IsAged ? FdbChange.Aged : write.To.IsMiss ? FdbChange.Deleted : FdbChange.Added;
        string kind = FdbSearch.KindOf(write.To.IsMiss ? write.From : write.To);
        Offer(Volatile.Read(ref _fdbSubscriptions), new FdbEvent(
            change, vni, write.Mac, kind, PlaceOf(write.Domain, write.From), PlaceOf(write.Domain, write.To), _clock.GetUtcNow()));
    }

    private StationPlace? PlaceOf(int domain, FdbTarget target) => target.IsMiss ? null
        : target.IsLocal ? new StationPlace(_names.PortOf(domain, target.Id), null)
        : new StationPlace(null, _names.VtepOf(target.Id));
}

/// <summary>What numbers in FDB entries mean, also for a moment after what they name is gone. Control loop only.</summary>
internal interface IStationNames
{
    /// <summary>The VNI of the domain with that index.</summary>
    Vni? VniOf(int domain);

    /// <summary>The name of the port with that ordinal.</summary>
    string? PortOf(int domain, int ordinal);

    /// <summary>The VTEP with that id.</summary>
    VtepEndpoint VtepOf(int vtep);
}
