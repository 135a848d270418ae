// What controllers log. Field names: file revision records problem. Event ids: 3xx, unique in the program.

using Microsoft.Extensions.Logging;

namespace VtepDataPlane.Daemon.Controllers;

/// <summary>Log messages.</summary>
internal static partial class ControllerLog
{
    [LoggerMessage(301, LogLevel.Information, "Read {file}: revision {revision}, records: {records}")]
    public static partial void DirectoryRead(this ILogger log, string file, long revision, int records);

    [LoggerMessage(302, LogLevel.Warning, "{problem}")]
    public static partial void DirectoryNotRead(this ILogger log, string problem);
}
