// A stream in both directions. Its end, however it comes, is an EtcdException: a stream that ends quietly would be a watch that is dead
// and says nothing.

namespace VtepDataPlane.Etcd;

/// <summary>A stream of one channel. One reader and one writer at a time.</summary>
#pragma warning disable CA1822 // to be written
internal sealed class EtcdStream<TRequest, TResponse> : IDisposable
{
    /// <summary>The member it goes to.</summary>
    public Uri Endpoint => throw new NotImplementedException();

    /// <summary>Sends.</summary>
    public Task WriteAsync(TRequest request, CancellationToken stop) => throw new NotImplementedException();

    /// <summary>The next answer. The stream's end is <see cref="EtcdFailure.Away"/>.</summary>
    public Task<TResponse> ReadAsync(CancellationToken stop) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
