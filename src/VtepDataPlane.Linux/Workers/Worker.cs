// A worker: one thread that serves one lane. It sleeps in epoll_wait until frames wait somewhere, serves each ready source one
// batch, and sleeps again. The clock is read once a wake.
//
// It never spins before it sleeps, and one thread serves both directions. On two cores shared with client, server and the other VTEP, 50 us
// of spinning halved the median round trip (121 to 70 us) and took 19 % of the throughput of a TCP stream; 20 us took 16 % and gave nothing;
// sched_yield took 9 %. A thread for each direction would add a wake-up where one thread finds both descriptors ready.
//
// The control loop adds and removes sources at any time: epoll takes both from another thread, and its 64 bits of data name an
// entry of a table and that entry's generation, so that an event fetched just before a removal finds nothing. Quiesce waits until
// the worker has passed the head of its loop: afterwards it is in no batch that began before, and holds no descriptor or state from
// then. It costs nothing while nobody asks. The same wake-up tells that answers of a controller wait for the lane.
//
// Ports of a program's own have no descriptor: they wake the lane themselves (Running/ReadyQueues in the core), by the same event. The ready ones are
// served one batch each after the ready descriptors; while some are ready the worker only looks at its descriptors in between and doesn't sleep.
//
// An exception in a worker is a bug, and a lane without its worker is a VTEP that loses part of its traffic in silence: it is
// handed to a callback that ends the process.

using System.Runtime.CompilerServices;
using Tmds.Linux;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Linux.Tap;
using VtepDataPlane.Running;

namespace VtepDataPlane.Linux.Workers;

/// <summary>One thread, one epoll, one lane.</summary>
internal sealed unsafe class Worker : IDisposable
{
    private const int EventsPerWake = 64;

    private readonly Lock _gate = new();
    private readonly Passes _passes = new();
    private readonly Stack<int> _free = new();
    private readonly int _epoll;
    private readonly EventFd _wake = new();
    private Entry[] _entries = new Entry[64];
    private int _entryCount = 1; // entry 0 is the wake-up
    private Thread? _thread;
    private bool _stops;

    /// <summary>Makes a worker that polls already but has no thread yet.</summary>
    public Worker(int index)
    {
        Index = index;
        Ready = new ReadyQueues(_wake.Signal);
        _epoll = LibC.epoll_create1(LibC.EPOLL_CLOEXEC);
        if (_epoll < 0)
            throw new VtepException($"A worker's epoll can't be opened: {Errno.Describe(LibC.errno)}. Raise the limit of open files.");
        Control(LibC.EPOLL_CTL_ADD, _wake.Descriptor, 0);
    }

    /// <summary>Its lane's number.</summary>
    public int Index { get; }

    /// <summary>The name of its thread.</summary>
    public string Name => $"vtep-lane-{Index}";

    /// <summary>Changes when a pass that was requested has been made. Any thread.</summary>
    public long Passes => _passes.Made;

    /// <summary>Queues that wake it themselves.</summary>
    public ReadyQueues Ready { get; }

    /// <summary>What its queues of TAP devices write with.</summary>
    public TapLane Taps { get; } = new();

    /// <summary>Starts the thread.</summary>
    /// <param name="lane">The lane it owns from now on.</param>
    /// <param name="fatal">Called on the worker's thread with the exception that ended it.</param>
    public void Start(Lane lane, Action<Exception> fatal)
    {
        _thread = new Thread(() => Run(lane, fatal)) { Name = Name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Adds a source. Any thread.</summary>
    public void Add(PollSource source)
    {
        lock (_gate)
        {
            int slot = _free.Count > 0 ? _free.Pop() : _entryCount++;
            if (slot == _entries.Length)
                Grow();
            ref Entry entry = ref _entries[slot];
            source.Slot = slot;
            Volatile.Write(ref entry.Source, source);
            Control(LibC.EPOLL_CTL_ADD, source.Descriptor, ((long)entry.Generation << 32) | (uint)slot);
        }
    }

    /// <summary>Removes a source; idempotent. The worker may still be in a batch of it, see <see cref="RequestPass"/>.</summary>
    public void Remove(PollSource source)
    {
        lock (_gate)
        {
            ref Entry entry = ref _entries[source.Slot];
            if (entry.Source != source)
                return;
            Control(LibC.EPOLL_CTL_DEL, source.Descriptor, 0);
            Volatile.Write(ref entry.Source, null);
            Volatile.Write(ref entry.Generation, entry.Generation + 1);
            _free.Push(source.Slot);
        }
    }

    /// <summary>Has the worker look for answers that wait for its lane. Any thread.</summary>
    public void Wake() => _wake.Signal();

    /// <summary>Asks the worker to pass the head of its loop. <see cref="AwaitPass"/> waits for it.</summary>
    public long RequestPass()
    {
        long ticket = _passes.Request();
        _wake.Signal();
        return ticket;
    }

    /// <summary>Waits until the worker has passed the head of its loop since the request; returns at once without a running thread.</summary>
    public void AwaitPass(long ticket) => _passes.Await(ticket, _thread);

    /// <summary>Ends the thread and waits for it.</summary>
    public void Stop()
    {
        Volatile.Write(ref _stops, true);
        _wake.Signal();
        _thread?.Join();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        _ = LibC.close(_epoll);
        _wake.Dispose();
        _passes.Dispose();
    }

    private void Run(Lane lane, Action<Exception> fatal)
    {
        try
        {
            Loop(lane);
        }
#pragma warning disable CA1031 // whatever it is: the lane is dead, and the process must not live on without it
        catch (Exception e)
#pragma warning restore CA1031
        {
            fatal(e);
        }
    }

    private void Loop(Lane lane)
    {
        epoll_event* events = stackalloc epoll_event[EventsPerWake];
        while (!Volatile.Read(ref _stops))
        {
            _passes.Acknowledge();

            // The array lives on this stack frame; the count given is its length.
            int count = LibC.epoll_wait(_epoll, events, EventsPerWake, Ready.HasReady ? 0 : -1);
            long now = Environment.TickCount64;
            for (int i = 0; i < count; i++)
                Serve(lane, (ulong)events[i].data.u64, now);
            Ready.ServeRound(lane, now);
        }
    }

    private void Serve(Lane lane, ulong data, long now)
    {
        int slot = (int)(uint)data;
        if (slot == 0)
        {
            _wake.Clear(); // first: an answer that comes from now on wakes it again
            lane.ServeAnswers(now);
            return;
        }

        // The array only ever grows and entries keep their places, so a stale reference to it is as good as the new one.
        Entry entry = Volatile.Read(ref _entries)[slot];
        if (entry.Source is { } source && entry.Generation == (uint)(data >> 32) && !source.Serve(lane, now))
            Remove(source);
    }

    private void Grow()
    {
        var larger = new Entry[2 * _entries.Length];
        _entries.CopyTo(larger, 0);
        Volatile.Write(ref _entries, larger);
    }

    private void Control(int operation, int fd, long data)
    {
        epoll_event request = default;
        request.events = LibC.EPOLLIN;
        Unsafe.AsRef(in request.data) = Unsafe.As<long, epoll_data_t>(ref data);

        // The structure lives on this stack frame for the time of the call.
        if (LibC.epoll_ctl(_epoll, operation, fd, &request) < 0 && operation == LibC.EPOLL_CTL_ADD)
            throw new VtepException($"A descriptor can't be polled: {Errno.Describe(LibC.errno)}.");
    }

    private struct Entry
    {
        public PollSource? Source;
        public uint Generation;
    }
}
