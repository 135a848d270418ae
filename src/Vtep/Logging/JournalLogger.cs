// Log entries for the journal, with their values as fields: journalctl VTEP_PORT=tap-blue finds what happened to a port. Written at once,
// on the thread that logs, so that the last words of a process that ends are in the journal too. Lengths: a value has at most 256
// characters, a sentence of ours 1,024, a message 2,048, an exception 64 lines; see LogText.

using Microsoft.Extensions.Logging;

namespace VtepDataPlane.Daemon.Logging;

/// <summary>Makes loggers that write to the journal.</summary>
internal sealed class JournalLoggerProvider(JournalSocket socket) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new JournalLogger(socket, categoryName);

    public void Dispose() => socket.Dispose();
}

/// <summary>Writes entries to the journal.</summary>
internal sealed class JournalLogger(JournalSocket socket, string category) : ILogger
{
    private const int LinesOfException = 64;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        string message = LogText.Message(state, formatter, exception);
        if (exception is not null)
            message += $": {VtepConfigRules.Escape(exception.Message, LogText.LongestSentence)}";
        JournalEntry entry = JournalEntry.Begin(logLevel, eventId, message).Add("VTEP_CATEGORY", category);
        foreach ((string name, string value) in LogText.Values(state))
            entry.Add(JournalEntry.FieldName(name), value);
        if (exception is not null)
            entry.Add("VTEP_EXCEPTION", string.Join('\n', LogText.Lines(exception).Take(LinesOfException)));
        socket.Send(entry, () => JournalEntry.Begin(logLevel, eventId, VtepConfigRules.Escape(message, LogText.LongestValue)),
            $"<{JournalEntry.Priority(logLevel)}>{message}");
    }
}
