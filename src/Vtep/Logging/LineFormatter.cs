// One line for each log entry on a terminal or in a file: time, level, message. To the journal entries go another way, see
// JournalLogger.

using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace VtepDataPlane.Daemon.Logging;

/// <summary>Writes <c>2026-01-02T03:04:05.678Z info  message</c>.</summary>
internal sealed class LineFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "line";

    public override void Write<TState>(in LogEntry<TState> entry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        string message = LogText.Message(entry.State, entry.Formatter, entry.Exception);
        string at = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        textWriter.Write($"{at} {Level(entry.LogLevel)} {message}");
        if (entry.Exception is { } error)
            textWriter.Write($" {VtepConfigRules.Escape(error.ToString())}");
        textWriter.WriteLine();
    }

    private static string Level(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "debug",
        LogLevel.Information => "info ",
        LogLevel.Warning => "warn ",
        _ => "error",
    };
}
