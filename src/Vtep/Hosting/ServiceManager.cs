// What the service manager is told (sd_notify(3)), and what it wants to hear. The datagrams are Microsoft.Extensions.Hosting.Systemd's;
// its own use of them (READY when the host is started, STOPPING) is too little: no status, no reload, no watchdog.
//
//   READY=1 STATUS=                       everything is up
//   STATUS=                               when it changed
//   WATCHDOG=1                            all threads move
//   RELOADING=1 MONOTONIC_USEC= STATUS=   a reload begins; READY=1 STATUS= when it has ended, with ERRNO=22 (EINVAL) after one that failed
//   STOPPING=1 STATUS=                    the stop begins
//   STATUS= ERRNO=22                      it can't start
//
// Without a service manager (no NOTIFY_SOCKET) nothing is sent. A socket that is gone is logged once and tried again with each message.
// Any thread; messages go out one after the other.

using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;

namespace VtepDataPlane.Daemon.Hosting;

/// <summary>The way to the service manager.</summary>
/// <param name="systemd">Sends a datagram.</param>
/// <param name="watchdogInterval">Longest time between two signs of life, or null when nobody waits for them.</param>
internal sealed class ServiceManager(ISystemdNotifier systemd, TimeSpan? watchdogInterval)
{
    private const int LongestStatus = 1024;
    private const int InvalidArgument = 22; // EINVAL

    private readonly Lock _gate = new();
    private string? _status;
    private bool _isAway;

    /// <summary>Somebody listens.</summary>
    public bool IsEnabled => systemd.IsEnabled;

    /// <summary>Longest time between two signs of life, or null.</summary>
    public TimeSpan? WatchdogInterval { get; } = systemd.IsEnabled ? watchdogInterval : null;

    /// <summary>Where it is told that messages don't arrive.</summary>
    public ILogger? Log { get; set; }

    /// <summary>The one that started this process.</summary>
    public static ServiceManager OfThisProcess() => new(new SystemdNotifier(), WatchdogOf(Environment.GetEnvironmentVariable, Environment.ProcessId));

    /// <summary>The interval that an environment asks of a process, as sd_watchdog_enabled(3) has it; null: none.</summary>
    public static TimeSpan? WatchdogOf(Func<string, string?> variable, int processId)
    {
        bool isOurs = variable("WATCHDOG_PID") is not { Length: > 0 } pid || pid == processId.ToString(CultureInfo.InvariantCulture);
        return isOurs && long.TryParse(variable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out long microseconds)
            && microseconds is > 0 and < long.MaxValue / TimeSpan.TicksPerMicrosecond ? TimeSpan.FromMicroseconds(microseconds) : null;
    }

    /// <summary>Everything is up, or a reload has ended well.</summary>
    public void Ready(string status) => Send(status, "READY=1");

    /// <summary>A reload begins.</summary>
    public void Reloading(string status) => Send(status, "RELOADING=1", string.Create(CultureInfo.InvariantCulture, $"MONOTONIC_USEC={MonotonicMicroseconds()}"));

    /// <summary>A reload has failed: what ran runs on.</summary>
    public void NotReloaded(string status) => Send(status, "READY=1", $"ERRNO={InvalidArgument}");

    /// <summary>How it is; sent when it isn't what was told last.</summary>
    public void Tell(string status)
    {
        if (status != Volatile.Read(ref _status))
            Send(status);
    }

    /// <summary>All threads move.</summary>
    public void Alive() => Send(null, "WATCHDOG=1");

    /// <summary>The stop begins.</summary>
    public void Stopping(string status) => Send(status, "STOPPING=1");

    /// <summary>It can't start.</summary>
    public void Failed(string status) => Send(status, $"ERRNO={InvalidArgument}");

    // CLOCK_MONOTONIC is what Stopwatch reads on Linux, in nanoseconds.
    private static long MonotonicMicroseconds() => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000);

    private void Send(string? status, params IEnumerable<string> assignments)
    {
        if (!systemd.IsEnabled)
            return;
        lock (_gate)
        {
            _status = status ?? _status;
            IEnumerable<string> lines = status is null ? assignments : [.. assignments, $"STATUS={VtepConfigRules.Escape(status, LongestStatus)}"];
            try
            {
                systemd.Notify(new ServiceState(string.Join('\n', lines)));
                _isAway = false;
            }
            catch (Exception error) when (error is SocketException or ArgumentException)
            {
                if (!_isAway)
                    Log?.ManagerNotTold(error.Message);
                _isAway = true;
            }
        }
    }
}
