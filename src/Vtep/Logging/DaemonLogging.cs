// Where the daemon's log goes: to the journal when standard error is the journal's stream, and otherwise to standard error, a line an entry.
// In front of either stands the limit of LimitedLoggerFactory.

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using VtepDataPlane.Linux;

namespace VtepDataPlane.Daemon.Logging;

/// <summary>Sets the log up.</summary>
internal static class DaemonLogging
{
    private const string JournalStreamVariable = "JOURNAL_STREAM";

    /// <summary>Standard error is the journal.</summary>
    public static bool GoesToJournal { get; } = JournalStream.IsStandardError(Environment.GetEnvironmentVariable(JournalStreamVariable));

    /// <summary>Adds the log's way out, and the limit before it.</summary>
    public static void AddDaemonLogging(this ILoggingBuilder logging)
    {
        if (GoesToJournal)
            logging.AddProvider(OpenJournal());
        else
            AddLines(logging);
        logging.Services.TryAddSingleton<LoggerFactory>();
        logging.Services.Replace(ServiceDescriptor.Singleton<ILoggerFactory>(services =>
            new LimitedLoggerFactory(services.GetRequiredService<LoggerFactory>(), services.GetRequiredService<TimeProvider>())));
    }

    /// <summary>The way to the journal.</summary>
    public static JournalLoggerProvider OpenJournal() => new(new JournalSocket(JournalSocket.UsualPath, Console.Error));

    private static void AddLines(ILoggingBuilder logging)
    {
        logging.AddConsole(options =>
        {
            options.FormatterName = LineFormatter.FormatterName;
            options.LogToStandardErrorThreshold = LogLevel.Trace;
        });
        logging.Services.AddSingleton<ConsoleFormatter, LineFormatter>();
    }
}
