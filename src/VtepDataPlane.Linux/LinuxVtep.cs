// A VTEP on this machine: the core, the Linux host, the workers and the control loop in one object.
//
// Threads: "vtep-lane-N", one a lane, move frames (Workers/Worker.cs). "vtep-control" does everything that isn't a frame: it sleeps
// in poll(2) on rtnetlink notifications and a wake-up, and once a second ticks the core. Changes of the network are taken up
// 50 ms after the first notification, since they come in bursts (a link that goes down loses its routes one by one).
//
// All start-up happens on the caller's thread, so its errors are exceptions there; sockets belong to the network namespace that
// thread is in. An exception nobody expected on one of our threads ends the process: a VTEP with a dead lane would lose part of
// its traffic in silence, and a service manager starts a dead one again.

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Tmds.Linux;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Linux.Udp;
using VtepDataPlane.Linux.Workers;
using VtepDataPlane.Running;

namespace VtepDataPlane.Linux;

/// <summary>A running VTEP on this machine. Members may be called from any thread.</summary>
public sealed class LinuxVtep : IRunningVtep
{
    private const long TickMilliseconds = 1000;
    private const long DebounceMilliseconds = 50;

    private readonly Vtep.VtepControl _driver;
    private readonly LinuxHost _host;
    private readonly EventFd _wake = new();
    private readonly NetlinkMonitor _monitor = new();
    private readonly ConfigEdits _edits;
    private readonly ControllerWatch _controllers = new();
    private readonly Liveness _liveness = new();
    private readonly ILogger _logger;
    private readonly Action<Exception> _fatal;
    private readonly Thread _control;
    private long _followAt = long.MaxValue;
    private long _tickAt;
    private long _turns;
    private int _isDisposed;
    private bool _stops;

    private LinuxVtep(VtepConfig config, ILogger logger, Action<Exception>? fatal)
    {
        _logger = logger;
        _fatal = fatal ?? FailFast;
        _edits = new ConfigEdits(nameof(LinuxVtep), _wake.Signal);
        _host = new LinuxHost(Vtep.LaneCount(config), logger, _wake.Signal);
        _control = new Thread(RunControl) { Name = "vtep-control", IsBackground = true };
        try
        {
            ExpectPorts(config);
            Vtep = new Vtep(config, _host, Entropy.Key(), NowMilliseconds) { FaultSeen = fault => _logger.PortWarning(fault.Text) };
            _driver = Vtep.TakeControl();
        }
        catch
        {
            CloseOwn();
            throw;
        }
    }

    /// <summary>The VTEP: its tables, counters and snapshots.</summary>
    public Vtep Vtep { get; }

    /// <summary>The monotonic clock the VTEP runs by, milliseconds since the machine's start (<see cref="Environment.TickCount64"/>).</summary>
#pragma warning disable CA1822 // an instance's clock: callers needn't know that all have the same
    public long NowMilliseconds => Environment.TickCount64;
#pragma warning restore CA1822

    /// <summary>ICMP messages about path MTUs (RFC 1191, RFC 8201) that quoted a datagram we sent, and were believed, since the start.</summary>
    public long IcmpBelieved => _host.Underlay?.PathMtus.Believed ?? 0;

    /// <summary>ICMP messages about path MTUs that proved nothing, since the start: forgeries, or quotes too short.</summary>
    public long IcmpDisbelieved => _host.Underlay?.PathMtus.Disbelieved ?? 0;

    /// <summary>The underlay, for tests.</summary>
    internal UdpUnderlay Underlay => _host.Underlay!;

    /// <summary>Opens everything and starts forwarding.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="loggers">For the operator; null: nothing is logged.</param>
    /// <returns>The VTEP; dispose of it to stop. Its sockets are in the network namespace of the thread that called.</returns>
    /// <exception cref="VtepException">Something can't be opened; the message says what, why and the remedy. Nothing is left open.</exception>
    public static LinuxVtep Start(VtepConfig config, ILoggerFactory? loggers = null) => Start(config, loggers ?? NullLoggerFactory.Instance, fatal: null);

    /// <summary>As <see cref="Start(VtepConfig, ILoggerFactory?)"/>, with an own end for what must not happen.</summary>
    internal static LinuxVtep Start(VtepConfig config, ILoggerFactory loggers, Action<Exception>? fatal)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(loggers);
        var vtep = new LinuxVtep(config, loggers.CreateLogger<LinuxVtep>(), fatal);
        vtep._host.Start(vtep.Vtep.Lanes, vtep._fatal);
        vtep._control.Start();
        vtep._host.WatchOver(vtep._liveness);
        vtep._liveness.Watch($"The control loop {vtep._control.Name}", () => Volatile.Read(ref vtep._turns) + vtep._host.Steps, vtep._wake.Signal);
        return vtep;
    }

    /// <inheritdoc/>
    public Task EditAsync(Func<VtepConfig, VtepConfig> edit) => _edits.Request(edit);

    /// <summary>
    /// Null while every worker and the control loop move; otherwise a sentence that names the thread that has stood still for two seconds. Never
    /// waits: a call asks the threads for a sign of life, and the next one looks whether it came, so it takes two calls to find something. Any thread.
    /// </summary>
    public string? FindStall() => _liveness.FindStall(NowMilliseconds);

    /// <summary>Stops reading from ports, finishes the frames in work, and gives back and removes what was opened. Any number of times; only the first call waits.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            await Task.Run(Close).ConfigureAwait(false);
    }

    private void Close()
    {
        _liveness.End(); // it signals descriptors that are closed below
        Volatile.Write(ref _stops, true);
        _wake.Signal();
        _control.Join();
        _edits.Close();
        _host.Stop();
        _host.DeleteCreatedDevices();
        _driver.Close();
        CloseOwn();
    }

    private void CloseOwn()
    {
        _host.Dispose();
        _monitor.Dispose();
        _wake.Dispose();
    }

    private void RunControl()
    {
        try
        {
            _tickAt = NowMilliseconds + TickMilliseconds;
            _followAt = NowMilliseconds; // what changed between the start and now
            while (!Volatile.Read(ref _stops))
                Turn();
        }
#pragma warning disable CA1031 // whatever it is: without its control loop a VTEP must not live on
        catch (Exception e)
#pragma warning restore CA1031
        {
            _fatal(e);
        }
    }

    private void Turn()
    {
        Volatile.Write(ref _turns, _turns + 1);
        Wait();
        _wake.Clear();
        _edits.Make(() => Vtep.Config, Apply);
        long now = NowMilliseconds;
        if (_monitor.Drain() != NetlinkChanges.None)
            _followAt = Math.Min(_followAt, now + DebounceMilliseconds);
        try
        {
            _driver.Attend(now);
            _host.CareForPorts(now, _driver.PortChanged);
            if (now >= _followAt)
                FollowNetwork(now);
            if (_host.TakePathMtuChange(now))
                _driver.UnderlayChanged();
            if (now >= _tickAt)
                Tick(now);
        }
        catch (VtepException e)
        {
            // The machine refused something for now (rtnetlink is overrun, say): the next turn reads everything anew.
            _logger.NetworkProblem(e.Message);
            _followAt = now + TickMilliseconds;
        }
    }

    private void FollowNetwork(long now)
    {
        _followAt = long.MaxValue;
        _host.FollowNetwork(now, _driver.PortChanged);
        _driver.UnderlayChanged();
    }

    private void Tick(long now)
    {
        _tickAt = now + TickMilliseconds;
        _driver.Tick(now);
        _host.FindChanges(_driver.PortChanged);
        _host.WatchTrains();
        foreach ((bool isWarning, string text) in _controllers.See(Vtep.Controllers(), now))
        {
            if (isWarning)
                _logger.ControllerWarning(text);
            else
                _logger.ControllerChanged(text);
        }
    }

    private unsafe void Wait()
    {
        long until = Math.Min(Math.Min(_tickAt, _followAt), _host.NextCare() ?? long.MaxValue);
        int timeout = (int)Math.Clamp(until - NowMilliseconds, 0, TickMilliseconds);
        pollfd* descriptors = stackalloc pollfd[2];
        descriptors[0] = new pollfd { fd = _wake.Descriptor, events = LibC.POLLIN };
        descriptors[1] = new pollfd { fd = _monitor.FileDescriptor, events = LibC.POLLIN };

        // The array lives on this stack frame; the count given is its length. EINTR: the turn just comes early.
        _ = LibC.poll(descriptors, 2, timeout);
    }

    private void Apply(VtepConfig next)
    {
        ExpectPorts(next);
        _driver.Apply(next, NowMilliseconds);
    }

    private void ExpectPorts(VtepConfig config)
    {
        int ports = config.BridgeDomains.Sum(domain => domain.Ports.Count(port => port.Device is null));
        _host.Expect(ports);
        if (FileLimit.Raise(ports, Vtep.LaneCount(config)) is { } low)
            _logger.FileLimitLow(low.Limit, low.Needed);
    }

    private void FailFast(Exception e)
    {
        _logger.Fatal(e);
        Environment.FailFast("A thread of the VTEP failed.", e);
    }
}
