// Everything the daemon logs. Field names: version local workers domains ports config change warning error reason count
// suppressed uid pid verb path outcome. Event ids: 1xx, unique in the program (2xx are of the Linux host, 3xx of the controllers); a test sees to it.

using Microsoft.Extensions.Logging;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Daemon.Hosting;

/// <summary>Log messages.</summary>
internal static partial class DaemonLog
{
    [LoggerMessage(101, LogLevel.Information,
        "vtep {version} is up: VTEP {local}, workers: {workers}, bridge domains: {domains}, ports: {ports}")]
    public static partial void Started(this ILogger log, string version, VtepEndpoint local, int workers, int domains, int ports);

    [LoggerMessage(102, LogLevel.Information, "Reloaded {config}: {change}, ports: {ports}")]
    public static partial void Reloaded(this ILogger log, string config, string change, int ports);

    [LoggerMessage(103, LogLevel.Error, "Not reloaded: {error}")]
    public static partial void NotReloaded(this ILogger log, string error);

    [LoggerMessage(104, LogLevel.Information, "Stopping.")]
    public static partial void Stopping(this ILogger log);

    [LoggerMessage(105, LogLevel.Error, "Not started: {error}")]
    public static partial void NotStarted(this ILogger log, string error);

    [LoggerMessage(106, LogLevel.Critical, "{reason} The service manager isn't told that vtep is alive any more, and will end it")]
    public static partial void StandsStill(this ILogger log, string reason);

    [LoggerMessage(107, LogLevel.Information, "Every thread moves again")]
    public static partial void MovesAgain(this ILogger log);

    [LoggerMessage(108, LogLevel.Warning, "The service manager can't be told how vtep is: {reason}")]
    public static partial void ManagerNotTold(this ILogger log, string reason);

    [LoggerMessage(109, LogLevel.Error, "Not everything was stopped within {seconds} s; what is left goes with the process")]
    public static partial void StoppedLate(this ILogger log, double seconds);

    [LoggerMessage(EventId = 110, Message = "Suppressed {count} more of {suppressed}")]
    public static partial void Suppressed(this ILogger log, LogLevel level, long count, string suppressed);

    [LoggerMessage(111, LogLevel.Warning, "{warning}")]
    public static partial void ConfigWarning(this ILogger log, string warning);

    [LoggerMessage(120, LogLevel.Information, "Control: uid {uid}, pid {pid}: {verb} {path}: {outcome}")]
    public static partial void Changed(this ILogger log, uint uid, int pid, string verb, string path, string outcome);
}
