// The machine's edge in a program: the underlay is the program's or a MemoryNetwork's, ports are the program's own or, where only a name is given,
// in memory; one thread serves each lane. Nothing here is asked of the kernel but threads and events.
//
// Control loop only (or before it starts and after it ended), but for the wake-ups.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Running;
using VtepDataPlane.Underlay;

namespace VtepDataPlane;

/// <summary>Ports and underlay of a program, and the threads that serve them.</summary>
internal sealed class InProcessHost : IHostNetwork, IDisposable
{
    private readonly Func<UnderlayConfig, int, IUnderlay> _openUnderlay;
    private readonly InProcessOptions _options;
    private readonly Action _wakeControl;
    private readonly LaneThread[] _threads;
    private readonly ServedDevices _devices;
    private readonly List<WakingQueue> _underlayQueues = [];
    private IUnderlay? _underlay;
    private Dictionary<string, MemoryPort> _ports = [];

    /// <summary>Makes lanes that can be woken but have no threads yet.</summary>
    public InProcessHost(int lanes, Func<UnderlayConfig, int, IUnderlay> openUnderlay, InProcessOptions options, Func<long> clock, Action wakeControl)
    {
        _openUnderlay = openUnderlay;
        _options = options;
        _wakeControl = wakeControl;
        _threads = [.. Enumerable.Range(0, lanes).Select(lane => new LaneThread(lane, clock))];
        _devices = new ServedDevices([.. _threads.Select(thread => thread.Ready)]);
    }

    /// <summary>Ports opened by name. Any thread.</summary>
    public IReadOnlyDictionary<string, MemoryPort> Ports => Volatile.Read(ref _ports);

    /// <inheritdoc/>
    public IUnderlay OpenUnderlay(UnderlayConfig config, int lanes)
    {
        _underlay = GuardedUnderlay.Of(Open(config, lanes), lanes);
        return _underlay;
    }

    /// <inheritdoc/>
    public IAccessPort OpenPort(PortConfig config, int lanes)
    {
        var port = new MemoryPort(config.Tap, lanes, config.Mtu ?? MemoryPort.DefaultMtu, config.Mac ?? default);
        Volatile.Write(ref _ports, new Dictionary<string, MemoryPort>(_ports) { [config.Tap] = port });
        return port;
    }

    /// <inheritdoc/>
    public void Serve(AccessPort port) => _devices.Serve(port);

    /// <inheritdoc/>
    public void Withdraw(AccessPort port)
    {
        if (_devices.Withdraw(port))
            Quiesce();
        if (Ports.TryGetValue(port.Device.Name, out MemoryPort? open) && open == port.Device)
            Volatile.Write(ref _ports, _ports.Where(entry => entry.Value != open).ToDictionary());
    }

    /// <inheritdoc/>
    public FrameBatch MakeBatch() => new(_options.BatchFrames, _options.LongestFrame);

    /// <inheritdoc/>
    public int MaxVteps => _options.MaxVteps;

    /// <inheritdoc/>
    public void WakeControl() => _wakeControl();

    /// <inheritdoc/>
    public void WakeLane(int lane) => _threads[lane].Wake();

    /// <summary>Ports whose MAC or MTU changed.</summary>
    public void FindChanges(Action<AccessPort> changed) => _devices.FindChanges(changed);

    /// <summary>Starts the threads.</summary>
    public void Start(IReadOnlyList<Lane> lanes, Action<Exception> fatal)
    {
        ServeUnderlay(lanes);
        for (int lane = 0; lane < _threads.Length; lane++)
            _threads[lane].Start(lanes[lane], fatal);
    }

    /// <summary>Takes all ports off the lanes, lets them finish what they are at, and ends their threads.</summary>
    public void Stop()
    {
        _devices.WithdrawAll();
        foreach (WakingQueue queue in _underlayQueues)
            queue.IsGone = true;
        foreach (LaneThread thread in _threads)
            thread.Stop();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (LaneThread thread in _threads)
            thread.Dispose();
    }

    private IUnderlay Open(UnderlayConfig config, int lanes)
    {
        try
        {
            return _openUnderlay(config, lanes) ?? throw new VtepException("The underlay can't be opened: there is none; return an open one.");
        }
#pragma warning disable CA1031 // whatever it is, it is the program's, and handed to who starts the VTEP
        catch (Exception e) when (e is not VtepException)
#pragma warning restore CA1031
        {
            throw new VtepException($"The underlay can't be opened: {e.GetType().Name}: {e.Message}", e);
        }
    }

    private void ServeUnderlay(IReadOnlyList<Lane> lanes)
    {
        _underlayQueues.AddRange(lanes.Select(lane => new WakingUnderlay(lane.Underlay)));
        _underlay!.WakeBy(Wake);
        for (int lane = 0; lane < _threads.Length; lane++)
            Wake(lane); // what came before anybody listened
    }

    private void Wake(int lane)
    {
        if ((uint)lane < (uint)_threads.Length)
            _threads[lane].Ready.Wake(_underlayQueues[lane]);
    }

    private void Quiesce()
    {
        Span<long> tickets = stackalloc long[_threads.Length];
        for (int lane = 0; lane < _threads.Length; lane++)
            tickets[lane] = _threads[lane].RequestPass();
        for (int lane = 0; lane < _threads.Length; lane++)
            _threads[lane].AwaitPass(tickets[lane]);
    }
}
