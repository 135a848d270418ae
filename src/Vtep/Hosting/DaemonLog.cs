// Everything the daemon logs. Field names: version local port workers domains ports config change warning error uid pid verb path outcome.

using Microsoft.Extensions.Logging;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Daemon.Hosting;

/// <summary>Log messages.</summary>
internal static partial class DaemonLog
{
    [LoggerMessage(1, LogLevel.Information,
        "vtep {version} is up: VTEP {local}, workers: {workers}, bridge domains: {domains}, ports: {ports}")]
    public static partial void Started(this ILogger log, string version, VtepEndpoint local, int workers, int domains, int ports);

    [LoggerMessage(2, LogLevel.Information, "Reloaded {config}: {change}, ports: {ports}")]
    public static partial void Reloaded(this ILogger log, string config, string change, int ports);

    [LoggerMessage(3, LogLevel.Error, "Not reloaded: {error}")]
    public static partial void NotReloaded(this ILogger log, string error);

    [LoggerMessage(4, LogLevel.Information, "Stopping.")]
    public static partial void Stopping(this ILogger log);

    [LoggerMessage(5, LogLevel.Warning, "{warning}")]
    public static partial void ConfigWarning(this ILogger log, string warning);

    [LoggerMessage(120, LogLevel.Information, "Control: uid {uid}, pid {pid}: {verb} {path}: {outcome}")]
    public static partial void Changed(this ILogger log, uint uid, int pid, string verb, string path, string outcome);
}
