// What the log says of a store: connected, away and why, once each.

using Microsoft.Extensions.Logging;
using NUnit.Framework;
using VtepDataPlane.Daemon.Controllers;
using VtepDataPlane.Discovery;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class LoggedDirectoryTests
{
    [Test]
    public async Task StateAndTrouble_AreLoggedWhenTheyChange_NotEachAttempt()
    {
        DirectoryEvent[] events =
        [
            new DirectoryStatus(DirectoryState.Degraded, "etcd is away.", 100),
            new DirectoryStatus(DirectoryState.Degraded, "etcd is away.", 200),
            new DirectorySnapshot(7, [], []),
            new DirectoryStatus(DirectoryState.Connected),
            new DirectoryStatus(DirectoryState.Connected, "The cache can't be written\u001b[2J."),
            new DirectoryStatus(DirectoryState.Connected),
            new DirectoryStatus(DirectoryState.Refused, "The password is wrong."),
        ];
        var log = new ListLog();
        await using var directory = new LoggedDirectory(new Told(events), "main", log);

        var passed = new List<DirectoryEvent>();
        await foreach (DirectoryEvent told in directory.RunAsync(new LocalRecords(), CancellationToken.None))
            passed.Add(told);

        Assert.That(passed, Is.EqualTo(events));
        Assert.That(log.Lines, Is.EqualTo(new[]
        {
            "Warning Controller main: etcd is away.",
            "Information Controller main: connected",
            "Warning Controller main: The cache can't be written\\u001b[2J.",
            "Warning Controller main: The password is wrong.",
        }));
    }

    private sealed class ListLog : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add($"{logLevel} {formatter(state, exception)}");
    }

    private sealed class Told(DirectoryEvent[] events) : IDirectory
    {
        public DirectoryCapabilities Capabilities => DirectoryCapabilities.None;

        public async IAsyncEnumerable<DirectoryEvent> RunAsync(LocalRecords own, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
        {
            foreach (DirectoryEvent told in events)
            {
                await Task.Yield();
                yield return told;
            }
        }

        public void Require(DirectoryScope scope)
        {
        }

        public ValueTask<DirectorySnapshot?> ReadAsync(CancellationToken stop) => new((DirectorySnapshot?)null);

        public ValueTask<LookupResult> LookupAsync(LookupKey key, CancellationToken stop) => new(LookupResult.NoAnswer);

        public ValueTask<string?> WriteAsync(DirectoryChange change, CancellationToken stop) => new((string?)null);

        public ValueTask<string?> ReleaseAsync(CancellationToken stop) => new((string?)null);

        public ValueTask DisposeAsync() => default;
    }
}
