// The way to an etcd cluster: one channel at a time to one of its members, the next one after a failure.

using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Etcd;

/// <summary>Calls to an etcd cluster. Thread-safe. All calls throw <see cref="EtcdException"/>, or OperationCanceledException when the caller cancels.</summary>
#pragma warning disable CS9113, CA1822 // to be written
internal sealed class EtcdConnection(EtcdOptions options, EtcdTimings timings, TimeProvider time) : IDisposable
{
    /// <summary>The member calls go to now, for sentences.</summary>
    public Uri Endpoint => throw new NotImplementedException();

    /// <summary>Reads keys.</summary>
    public Task<RangeResponse> RangeAsync(RangeRequest request, CancellationToken stop) => throw new NotImplementedException();

    /// <summary>Reads and writes at once. A failure that is <see cref="EtcdFailure.Away"/> leaves open whether it happened.</summary>
    public Task<TxnResponse> TxnAsync(TxnRequest request, CancellationToken stop) => throw new NotImplementedException();

    /// <summary>Gets a lease.</summary>
    public Task<LeaseGrantResponse> GrantAsync(LeaseGrantRequest request, CancellationToken stop) => throw new NotImplementedException();

    /// <summary>Ends a lease and deletes its keys.</summary>
    public Task<LeaseRevokeResponse> RevokeAsync(LeaseRevokeRequest request, CancellationToken stop) => throw new NotImplementedException();

    /// <summary>Opens a stream that keeps leases alive.</summary>
    public Task<EtcdStream<LeaseKeepAliveRequest, LeaseKeepAliveResponse>> OpenKeepAliveAsync(CancellationToken stop) =>
        throw new NotImplementedException();

    /// <summary>Opens a stream of watches.</summary>
    public Task<EtcdStream<WatchRequest, WatchResponse>> OpenWatchAsync(CancellationToken stop) => throw new NotImplementedException();

    /// <summary>The store took our token for nobody's: the next call gets a new one.</summary>
    public void ForgetToken() => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
