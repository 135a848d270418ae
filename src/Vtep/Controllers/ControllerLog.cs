// What controllers log. Field names: file revision records problem controller.

using Microsoft.Extensions.Logging;

namespace VtepDataPlane.Daemon.Controllers;

/// <summary>Log messages.</summary>
internal static partial class ControllerLog
{
    [LoggerMessage(20, LogLevel.Information, "Read {file}: revision {revision}, records: {records}")]
    public static partial void DirectoryRead(this ILogger log, string file, long revision, int records);

    [LoggerMessage(21, LogLevel.Warning, "{problem}")]
    public static partial void DirectoryNotRead(this ILogger log, string problem);

    [LoggerMessage(22, LogLevel.Information, "Controller {controller}: connected")]
    public static partial void DirectoryConnected(this ILogger log, string controller);

    [LoggerMessage(23, LogLevel.Warning, "Controller {controller}: {problem}")]
    public static partial void DirectoryTrouble(this ILogger log, string controller, string problem);
}
