// A stream in both directions. Its end, however it comes, is an EtcdException: a stream that ends quietly would be a watch that is dead
// and says nothing.

using Grpc.Core;

namespace VtepDataPlane.Etcd;

/// <summary>A stream of one channel. One reader and one writer at a time.</summary>
/// <param name="channel">A use of it, left when the stream is disposed.</param>
/// <param name="call">The call.</param>
/// <param name="failed">Told of every failure; puts it into a sentence.</param>
internal sealed class EtcdStream<TRequest, TResponse>(
    EtcdChannel channel, AsyncDuplexStreamingCall<TRequest, TResponse> call, Func<Exception, EtcdException> failed) : IDisposable
{
    private int _disposed;

    /// <summary>The member it goes to.</summary>
    public Uri Endpoint => channel.Endpoint;

    /// <summary>Sends.</summary>
    public async Task WriteAsync(TRequest request, CancellationToken stop)
    {
        try
        {
            await call.RequestStream.WriteAsync(request, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or IOException)
        {
            throw Failed(e is RpcException ? e : EtcdErrors.Ended(Endpoint), stop);
        }
    }

    /// <summary>The next answer. The stream's end is <see cref="EtcdFailure.Away"/>.</summary>
    public async Task<TResponse> ReadAsync(CancellationToken stop)
    {
        try
        {
            if (await call.ResponseStream.MoveNext(stop).ConfigureAwait(false))
                return call.ResponseStream.Current;
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or IOException)
        {
            throw Failed(e, stop);
        }

        throw Failed(EtcdErrors.Ended(Endpoint), stop);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        call.Dispose();
        channel.Leave();
    }

    // what ends because we end it is nobody's failure
    private Exception Failed(Exception e, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        return Volatile.Read(ref _disposed) != 0 ? new OperationCanceledException("The stream was closed here.", e) : failed(e);
    }
}
