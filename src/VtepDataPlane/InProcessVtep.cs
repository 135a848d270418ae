// A VTEP inside a program: no device, no socket, no root. Its ports are objects of the program (or in memory, by name), its underlay is a MemoryNetwork
// or the program's own.
//
// Threads: "vtep-lane-N", one a lane, move frames (Running/LaneThread.cs); "vtep-control" makes changes and does what isn't a frame. All of them sleep on
// an event; a timer of the clock given wakes the control loop once a second, to age entries. At rest that is all that happens.
//
// All start-up happens on the caller's thread, so its errors are exceptions there.

using System.Security.Cryptography;
using VtepDataPlane.Ports;
using VtepDataPlane.Running;
using VtepDataPlane.Underlay;

namespace VtepDataPlane;

/// <summary>A running VTEP in this process. Members may be called from any thread.</summary>
public sealed class InProcessVtep : IRunningVtep
{
    private static readonly TimeSpan s_tick = TimeSpan.FromSeconds(1);

    private readonly Vtep.VtepControl _driver;
    private readonly InProcessOptions _options;
    private readonly InProcessHost _host;
    private readonly Alarm _alarm = new();
    private readonly ConfigEdits _edits;
    private readonly Thread _control;
    private readonly Lazy<Task> _closing;
    private ITimer? _timer;
    private bool _isTickDue;
    private bool _stops;

    private InProcessVtep(VtepConfig config, Func<UnderlayConfig, int, IUnderlay> openUnderlay, InProcessOptions options)
    {
        _options = options;
        _edits = new ConfigEdits(nameof(InProcessVtep), _alarm.Signal);
        _control = new Thread(RunControl, maxStackSize: 1024 * 1024) { Name = "vtep-control", IsBackground = true };
        _closing = new Lazy<Task>(() => Task.Run(Close));
        _host = new InProcessHost(Vtep.LaneCount(config), openUnderlay, options, () => NowMilliseconds, _alarm.Signal);
        try
        {
            Vtep = new Vtep(config, _host, options.Seed ?? RandomSeed(), NowMilliseconds);
            _driver = Vtep.TakeControl();
        }
        catch
        {
            _host.Dispose();
            _alarm.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Vtep Vtep { get; }

    /// <inheritdoc/>
    public long NowMilliseconds => (long)_options.Time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>The ports that were opened by name (<see cref="PortConfig.Device"/> is null): they are in memory.</summary>
    public IReadOnlyDictionary<string, MemoryPort> Ports => _host.Ports;

    /// <summary>Starts a VTEP on a network in memory.</summary>
    /// <param name="config">The configuration; <see cref="UnderlayConfig.Local"/> is its address in the network.</param>
    /// <param name="network">A live network; other VTEPs on it are reached.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <exception cref="VtepException">Something is wrong with the configuration or can't be opened; nothing is left open.</exception>
    /// <exception cref="ArgumentException">The network isn't live.</exception>
    public static InProcessVtep Start(VtepConfig config, MemoryNetwork network, InProcessOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (!network.IsLive)
            throw new ArgumentException("The network delivers only when it is told to: make it with IsLive = true.", nameof(network));
        return Start(config, (underlay, lanes) => MemoryUnderlay.Open(network, underlay, lanes), options);
    }

    /// <summary>Starts a VTEP on an underlay of the program's own.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="openUnderlay">Opens the underlay with a queue for each of so many lanes; the VTEP closes it. It wakes lanes by <see cref="IUnderlay.WakeBy"/>.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <exception cref="VtepException">Something is wrong with the configuration or can't be opened; nothing is left open.</exception>
    public static InProcessVtep Start(VtepConfig config, Func<UnderlayConfig, int, IUnderlay> openUnderlay, InProcessOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(openUnderlay);
        var vtep = new InProcessVtep(config, openUnderlay, options ?? new InProcessOptions());
        vtep.Begin();
        return vtep;
    }

    /// <inheritdoc/>
    public Task EditAsync(Func<VtepConfig, VtepConfig> edit) => _edits.Request(edit);

    /// <summary>The port of that name, which was opened by name.</summary>
    /// <param name="name">Its name in the configuration (<see cref="PortConfig.Tap"/>).</param>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public MemoryPort Port(string name) => Ports.TryGetValue(name, out MemoryPort? port) ? port
        : throw new KeyNotFoundException($"No port in memory is called {VtepConfigRules.Quote(name)}; there are: {string.Join(", ", Ports.Keys.Order())}.");

    /// <summary>Stops the threads, finishes the frames in work, and closes ports and underlay. Any number of times.</summary>
    public ValueTask DisposeAsync() => new(_closing.Value);

    private static UInt128 RandomSeed()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        return BitConverter.ToUInt128(bytes);
    }

    private void Begin()
    {
        Action<Exception> fatal = _options.Fatal ?? FailFast;
        _host.Start(Vtep.Lanes, fatal);
        _control.Start();
        _timer = _options.Time.CreateTimer(_ => OnTimer(), null, s_tick, s_tick);
    }

    private void OnTimer()
    {
        Volatile.Write(ref _isTickDue, true);
        _alarm.Signal();
    }

    private void RunControl()
    {
        try
        {
            while (!Volatile.Read(ref _stops))
                Turn();
        }
#pragma warning disable CA1031 // whatever it is: without its control loop a VTEP must not live on
        catch (Exception e)
#pragma warning restore CA1031
        {
            (_options.Fatal ?? FailFast)(e);
        }
    }

    private void Turn()
    {
        _alarm.Wait();
        _edits.Make(() => Vtep.Config, next => _driver.Apply(next, NowMilliseconds));
        _driver.Attend(NowMilliseconds);
        if (!Interlocked.Exchange(ref _isTickDue, false))
            return;
        _host.FindChanges(_driver.PortChanged);
        _driver.Tick(NowMilliseconds);
    }

    private void Close()
    {
        _timer?.Dispose();
        _edits.Close();
        Volatile.Write(ref _stops, true);
        _alarm.Signal();
        _control.Join();
        _host.Stop();
        _driver.Close();
        _host.Dispose();
        _alarm.Dispose();
    }

    private static void FailFast(Exception e) => Environment.FailFast("A thread of the VTEP failed.", e);
}
