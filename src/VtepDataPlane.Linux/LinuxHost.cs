// The machine's edge on Linux: opens UDP sockets and TAP devices for the core, has workers poll them, and brings devices back that
// were deleted under us. A deleted device is noticed by the worker that polls it, at once; the control loop then tries to get it
// back after 0.1 s, and with doubling pauses up to 5 s for as long as the port is configured: a device we made is made again, one
// we adopted is waited for. All the while the port stays in the core, with its queues, and is down.
//
// Ports of a program's own (PortConfig.Device) are no devices: they wake their lanes' workers themselves, and there is nothing to bring back.
//
// Control loop only (or before it starts and after it ended).

using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Linux.Tap;
using VtepDataPlane.Linux.Udp;
using VtepDataPlane.Linux.Workers;
using VtepDataPlane.Ports;
using VtepDataPlane.Running;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux;

/// <summary>UDP sockets, TAP devices and the workers that poll them.</summary>
internal sealed class LinuxHost : IHostNetwork, IDisposable
{
    private const int ManyDevices = 64;
    private const long FirstPause = 100;
    private const long LongestPause = 5_000;

    private readonly RtNetlink _netlink = new();
    private readonly Dictionary<AccessPort, ServedPort> _served = [];
    private readonly ConcurrentQueue<AccessPort> _gone = new();
    private readonly WorkerSet _workers;
    private readonly ServedDevices _devices;
    private readonly ILogger _logger;
    private readonly Action _wake;
    private int _portCount;
    private long _steps;
    private bool _pathMtuFell;
    private bool _areTrainsRefused;

    /// <summary>Makes the workers; they start with <see cref="Start"/>.</summary>
    /// <param name="lanes">How many.</param>
    /// <param name="logger">For the operator.</param>
    /// <param name="wake">Wakes the control loop; called on any thread.</param>
    public LinuxHost(int lanes, ILogger logger, Action wake)
    {
        _workers = new WorkerSet(lanes);
        _devices = new ServedDevices([.. Enumerable.Range(0, lanes).Select(lane => _workers[lane].Ready)]);
        _logger = logger;
        _wake = wake;
    }

    /// <summary>The underlay, once it is open.</summary>
    public UdpUnderlay? Underlay { get; private set; }

    /// <summary>Grows with each port that is opened, taken up or let go: a long change of the configuration moves all the while. Any thread.</summary>
    public long Steps => Volatile.Read(ref _steps);

    /// <summary>Has the workers watched. Before they stop, the watch must end.</summary>
    public void WatchOver(Liveness liveness)
    {
        for (int lane = 0; lane < _workers.Count; lane++)
        {
            Worker worker = _workers[lane];
            liveness.Watch($"Worker {worker.Name}", () => worker.Passes, () => worker.RequestPass());
        }
    }

    /// <summary>Says how many ports there will be; it decides how much kernel memory each may take.</summary>
    public void Expect(int ports) => _portCount = ports;

    /// <inheritdoc/>
    public IUnderlay OpenUnderlay(UnderlayConfig config, int lanes)
    {
        Underlay = UdpUnderlay.Open(config, _netlink, _workers, OnPathMtuFell);
        _logger.UnderlayOpen(Underlay.Local, config.Port, lanes);
        return Underlay;
    }

    /// <inheritdoc/>
    public IAccessPort OpenPort(PortConfig config, int lanes)
    {
        Step();
        TapPort port = TapPort.Open(config, lanes, TapSettings.For(_portCount), _netlink, _workers);
        _logger.PortOpen(port.Name, port.IsCreated ? "created" : "adopted"); // its MTU follows from the paths, later
        LogWarnings(port);
        return port;
    }

    /// <inheritdoc/>
    public void Serve(AccessPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        Step();
        if (port.Device is not TapPort device)
        {
            _devices.Serve(port);
            return;
        }

        var served = new ServedPort(port, device);
        _served.Add(port, served);
        Poll(served);
    }

    /// <inheritdoc/>
    public void Withdraw(AccessPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        Step();
        if (_served.Remove(port, out ServedPort? served))
            Unpoll(served);
        else if (!_devices.Withdraw(port))
            return;
        _workers.Quiesce();
    }

    /// <inheritdoc/>
    public void WakeControl() => _wake();

    /// <inheritdoc/>
    public void WakeLane(int lane) => _workers.Wake(lane);

    /// <summary>Starts the workers.</summary>
    public void Start(IReadOnlyList<Lane> lanes, Action<Exception> fatal) => _workers.Start(lanes, fatal);

    /// <summary>Takes all devices off the workers' polls, lets them finish what they are at, and ends them.</summary>
    public void Stop()
    {
        foreach (ServedPort served in _served.Values)
            Unpoll(served);
        _devices.WithdrawAll();
        _workers.Quiesce();
        _workers.Stop();
    }

    /// <summary>Deletes the devices we made: all at once, since the kernel takes 20 ms for one as for ten thousand.</summary>
    public void DeleteCreatedDevices()
    {
        List<TapPort> created = [.. _served.Values.Select(served => served.Device).Where(device => device.IsCreated && device.IsOpen)];
        if (created.Count < ManyDevices)
            return; // each goes with its descriptors
        int group = Entropy.Between(1 << 16, int.MaxValue);
        created.ForEach(device => device.SetGroup(group));
        _ = _netlink.DeleteLinks(group); // if not: each goes with its descriptors
    }

    /// <summary>Follows a change of links and addresses. Ports whose device changed are given to <paramref name="changed"/>.</summary>
    public void FollowNetwork(long nowMilliseconds, Action<AccessPort> changed)
    {
        Dictionary<int, LinkInfo> links = _netlink.GetLinks().ToDictionary(link => link.Index);
        foreach (ServedPort served in _served.Values)
        {
            if (served.Device.IsOpen && served.Device.Refresh(links.GetValueOrDefault(served.Device.InterfaceIndex)))
                changed(served.Port);
            if (served.IsGone && !served.Device.IsCreated)
                served.RetryAt = nowMilliseconds;
        }

        FollowUnderlay();
    }

    /// <summary>Ports of the program's own whose MAC or MTU changed.</summary>
    public void FindChanges(Action<AccessPort> changed) => _devices.FindChanges(changed);

    /// <summary>Tells the operator once, each time it becomes true, that the kernel takes no trains of datagrams.</summary>
    public void WatchTrains()
    {
        bool areRefused = Underlay is { } underlay && Enumerable.Range(0, _workers.Count).Any(lane => underlay.Queue(lane).IsSegmentationRefused);
        if (areRefused && !_areTrainsRefused)
            _logger.TrainsRefused();
        _areTrainsRefused = areRefused;
    }

    /// <summary>Lets go of devices that were deleted, and gets back those whose time has come. Changed ports are given to <paramref name="changed"/>.</summary>
    public void CareForPorts(long nowMilliseconds, Action<AccessPort> changed)
    {
        while (_gone.TryDequeue(out AccessPort? port))
        {
            if (_served.TryGetValue(port, out ServedPort? served) && !served.IsGone && served.Device.IsGone)
                LetGo(served, nowMilliseconds, changed);
        }

        foreach (ServedPort served in _served.Values)
        {
            if (served.IsGone && nowMilliseconds >= served.RetryAt)
                Retry(served, nowMilliseconds, changed);
        }
    }

    /// <summary>When <see cref="CareForPorts"/> has something to do; null: not by time.</summary>
    public long? NextCare() => _served.Values.Where(served => served.IsGone).Min(served => (long?)served.RetryAt);

    /// <summary>True once after a path MTU fell or an old report expired: paths should be read anew.</summary>
    public bool TakePathMtuChange(long nowMilliseconds)
    {
        bool fell = Interlocked.Exchange(ref _pathMtuFell, false);
        if (fell)
            _logger.PathMtuFell();
        return fell | Underlay?.PathMtus.Expire(nowMilliseconds) == true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _workers.Dispose();
        _netlink.Dispose();
    }

    private void Step() => Volatile.Write(ref _steps, _steps + 1);

    private void OnPathMtuFell()
    {
        Volatile.Write(ref _pathMtuFell, true);
        _wake();
    }

    private void OnGone(AccessPort port)
    {
        _gone.Enqueue(port);
        _wake();
    }

    private void FollowUnderlay()
    {
        if (Underlay is not { } underlay)
            return;
        bool wasPresent = underlay.IsLocalAddressPresent;
        InetAddress before = underlay.Local;
        foreach (string problem in underlay.Follow())
            _logger.NetworkProblem(problem);
        if (wasPresent && !underlay.IsLocalAddressPresent)
            _logger.LocalAddressGone(before);
        else if (underlay.IsLocalAddressPresent && (!wasPresent || before != underlay.Local))
            _logger.LocalAddressPresent(underlay.Local);
    }

    private void Poll(ServedPort served)
    {
        for (int lane = 0; lane < _workers.Count; lane++)
        {
            TapQueue queue = served.Device.Queue(lane);
            if (!queue.Receives || queue.FileDescriptor < 0)
                continue;
            var source = new PortSource(served.Port, queue, OnGone);
            served.Sources.Add((_workers[lane], source));
            _workers[lane].Add(source);
        }
    }

    private static void Unpoll(ServedPort served)
    {
        foreach ((Worker worker, PollSource source) in served.Sources)
            worker.Remove(source);
        served.Sources.Clear();
    }

    private void LetGo(ServedPort served, long nowMilliseconds, Action<AccessPort> changed)
    {
        _logger.PortGone(served.Device.Name);
        Unpoll(served);
        served.Device.Abandon();
        served.IsGone = true;
        served.Pause = FirstPause;
        served.RetryAt = nowMilliseconds + FirstPause;
        changed(served.Port);
    }

    private void Retry(ServedPort served, long nowMilliseconds, Action<AccessPort> changed)
    {
        if (served.Device.TryReopen() is { } reason)
        {
            _logger.PortNotBack(served.Device.Name, reason);
            served.Pause = Math.Min(2 * served.Pause, LongestPause);
            served.RetryAt = nowMilliseconds + served.Pause;
            return;
        }

        served.IsGone = false;
        Poll(served);
        _logger.PortBack(served.Device.Name);
        LogWarnings(served.Device);
        changed(served.Port);
    }

    private void LogWarnings(TapPort port)
    {
        foreach (string warning in port.Warnings)
            _logger.PortWarning(warning);
    }

    private sealed class ServedPort(AccessPort port, TapPort device)
    {
        public AccessPort Port { get; } = port;

        public TapPort Device { get; } = device;

        public List<(Worker Worker, PollSource Source)> Sources { get; } = [];

        public bool IsGone { get; set; }

        public long Pause { get; set; }

        public long RetryAt { get; set; }
    }
}
