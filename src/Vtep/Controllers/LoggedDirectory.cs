// A source whose state goes to the log too: when it is connected, when it is away and why, not each attempt in between. On the source's own
// thread, on the way of its events.

using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using VtepDataPlane.Discovery;

namespace VtepDataPlane.Daemon.Controllers;

/// <summary>A source that logs its state.</summary>
/// <param name="inner">The source; disposed with this one.</param>
/// <param name="name">The controller's name.</param>
/// <param name="log">Where to.</param>
internal sealed class LoggedDirectory(IDirectory inner, string name, ILogger log) : IDirectory
{
    /// <inheritdoc/>
    public DirectoryCapabilities Capabilities => inner.Capabilities;

    /// <inheritdoc/>
    public void Require(DirectoryScope scope) => inner.Require(scope);

    /// <inheritdoc/>
    public async IAsyncEnumerable<DirectoryEvent> RunAsync(LocalRecords own, [EnumeratorCancellation] CancellationToken stop)
    {
        var told = new DirectoryStatus(DirectoryState.Connecting);
        await foreach (DirectoryEvent news in inner.RunAsync(own, stop).ConfigureAwait(false))
        {
            if (news is DirectoryStatus status)
                told = Log(told, status with { BackoffMilliseconds = 0 });
            yield return news;
        }
    }

    /// <inheritdoc/>
    public ValueTask<DirectorySnapshot?> ReadAsync(CancellationToken stop) => inner.ReadAsync(stop);

    /// <inheritdoc/>
    public ValueTask<LookupResult> LookupAsync(LookupKey key, CancellationToken stop) => inner.LookupAsync(key, stop);

    /// <inheritdoc/>
    public ValueTask<string?> WriteAsync(DirectoryChange change, CancellationToken stop) => inner.WriteAsync(change, stop);

    /// <inheritdoc/>
    public ValueTask<string?> ReleaseAsync(CancellationToken stop) => inner.ReleaseAsync(stop);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private DirectoryStatus Log(DirectoryStatus before, DirectoryStatus now)
    {
        if (now.State == DirectoryState.Connected && before.State != DirectoryState.Connected)
            log.DirectoryConnected(name);
        if (now != before && now.Problem is { } problem)
            log.DirectoryTrouble(name, VtepConfigRules.Escape(problem));
        return now;
    }
}
