// The daemon's life as the service manager sees it: ready, its status kept current, signs of life while every thread moves, reloads, the
// stop. One timer, at most once a second, and only when there is a service manager; threads are asked whether they move only when it
// waits for signs of life.
//
// A sign of life goes out every third of the interval that the service manager waits, and not at all while something stands still. The
// operator is told of a stall when two looks in a row find it: a process that was stopped whole and goes on (SIGCONT, a paused machine)
// finds all its threads late at the first.
//
// Any thread.

using Microsoft.Extensions.Logging;

namespace VtepDataPlane.Daemon.Hosting;

/// <summary>Tells the service manager how the daemon is.</summary>
internal sealed class ServiceLife : IDisposable
{
    private static readonly TimeSpan s_longestBeat = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly ServiceManager _manager;
    private readonly DataPlane _dataPlane;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private readonly TimeSpan _beat;
    private readonly int _beatsOfSign;
    private string? _reloadFailure;
    private string? _stall;
    private int _beats;
    private int _looksThatFoundIt;
    private bool _isReady;
    private bool _isReloading;
    private bool _isOver;

    /// <summary>Tells nothing yet.</summary>
    public ServiceLife(ServiceManager manager, DataPlane dataPlane, TimeProvider time, ILogger log)
    {
        (_manager, _dataPlane, _log) = (manager, dataPlane, log);
        TimeSpan sign = (manager.WatchdogInterval ?? 3 * s_longestBeat) / 3;
        _beatsOfSign = (int)Math.Ceiling(sign / s_longestBeat);
        _beat = sign / _beatsOfSign;
        _timer = time.CreateTimer(_ => Beat(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        manager.Log = log;
    }

    /// <summary>Everything is up.</summary>
    public void Ready()
    {
        if (!_manager.IsEnabled)
            return;
        lock (_gate)
        {
            if (_isOver)
                return;
            _isReady = true;
            _manager.Ready(Describe());
            _timer.Change(_beat, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>A reload begins.</summary>
    public void Reloading()
    {
        lock (_gate)
        {
            if (!_isReady || _isOver)
                return;
            _isReloading = true;
            _manager.Reloading("Reloading the configuration");
        }
    }

    /// <summary>A reload has ended; <paramref name="errors"/> are what was wrong with it.</summary>
    public void Reloaded(IReadOnlyList<string> errors)
    {
        lock (_gate)
        {
            _isReloading = false;
            _reloadFailure = errors.Count == 0 ? null : $"reload failed: {errors[0]}{(errors.Count == 1 ? "" : $" (and {errors.Count - 1} more)")}";
            if (!_isReady || _isOver)
                return;
            if (errors.Count == 0)
                _manager.Ready(Describe());
            else
                _manager.NotReloaded(Describe());
        }
    }

    /// <summary>The stop begins: from now on nothing else is told.</summary>
    public void Stopping()
    {
        lock (_gate)
        {
            if (_isReady && !_isOver)
                _manager.Stopping("Stopping: the frames in work, then ports, sockets and what controllers know of this node");
            _isOver = true;
        }
    }

    /// <summary>Ends the timer; what it does now is waited for.</summary>
    public void Dispose()
    {
        lock (_gate)
            _isOver = true;
        _timer.Dispose();
    }

    private void Beat()
    {
        lock (_gate)
        {
            if (_isOver)
                return;
            if (_manager.WatchdogInterval is not null)
                LookForStalls();
            if (!_isReloading)
                _manager.Tell(Describe());
            _timer.Change(_beat, Timeout.InfiniteTimeSpan);
        }
    }

    private void LookForStalls()
    {
        string? found = _dataPlane.FindStall();
        _looksThatFoundIt = found is null ? 0 : _looksThatFoundIt + 1;
        if (++_beats >= _beatsOfSign && found is null)
        {
            _beats = 0;
            _manager.Alive();
        }

        if (_looksThatFoundIt == 2)
            _log.StandsStill(found!);
        else if (found is null && _stall is not null)
            _log.MovesAgain();
        _stall = _looksThatFoundIt >= 2 ? found : null;
    }

    private string Describe() => ServiceStatus.Describe(_dataPlane.Vtep.Status(), _stall, _reloadFailure);
}
