// Why the daemon can't start, told to everybody who waits: the operator at a terminal, a plain line a problem; the journal, an entry each with
// its priority; and the service manager, whose status line keeps the first one.

using VtepDataPlane.Daemon.Logging;

namespace VtepDataPlane.Daemon.Hosting;

/// <summary>Tells why there is no daemon.</summary>
internal static class StartFailure
{
    /// <summary>Tells it.</summary>
    /// <param name="problems">At least one sentence.</param>
    /// <param name="manager">The service manager.</param>
    /// <param name="errors">Standard error.</param>
    public static void Tell(IEnumerable<string> problems, ServiceManager manager, TextWriter errors)
    {
        string[] all = [.. problems];
        manager.Failed($"Not started: {all[0]}{(all.Length == 1 ? "" : $" (and {all.Length - 1} more)")}");
        using JournalLoggerProvider? journal = DaemonLogging.GoesToJournal ? DaemonLogging.OpenJournal() : null;
        foreach (string problem in all)
        {
            if (journal is null)
                errors.WriteLine(problem);
            else
                journal.CreateLogger("vtep").NotStarted(problem);
        }
    }
}
