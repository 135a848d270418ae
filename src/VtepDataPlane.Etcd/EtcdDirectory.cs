// A directory on etcd.

using Microsoft.Extensions.Logging;
using VtepDataPlane.Discovery;

namespace VtepDataPlane.Etcd;

/// <summary>A directory on etcd.</summary>
/// <param name="options">How to reach it.</param>
/// <param name="logger">For the operator.</param>
/// <param name="time">The clock.</param>
#pragma warning disable CS9113, CA1822 // to be written
public sealed class EtcdDirectory(EtcdOptions options, ILogger logger, TimeProvider time) : IDirectory
{
    /// <inheritdoc/>
    public DirectoryCapabilities Capabilities => DirectoryCapabilities.Publish | DirectoryCapabilities.Lookup;

    /// <inheritdoc/>
    public IAsyncEnumerable<DirectoryEvent> RunAsync(LocalRecords own, CancellationToken stop) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Require(DirectoryScope scope) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<DirectorySnapshot?> ReadAsync(CancellationToken stop) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<LookupResult> LookupAsync(LookupKey key, CancellationToken stop) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<string?> WriteAsync(DirectoryChange change, CancellationToken stop) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<string?> ReleaseAsync(CancellationToken stop) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
