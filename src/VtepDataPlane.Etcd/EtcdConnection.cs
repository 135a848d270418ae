// The way to an etcd cluster: one channel at a time to one of its members, the next one after a failure. Nothing is tried twice here but
// for an expired token; when to try again is the caller's to say. Files with certificates, key and password are looked at once a second while calls
// are made: when they differ, calls go by a new channel, and streams move when they are next opened.
//
// Tokens (etcd's own users) run out after minutes. etcd tells by an error, and only then: a watch that runs isn't touched by it.

using Grpc.Core;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Etcd;

/// <summary>Calls to an etcd cluster. Thread-safe. All calls throw <see cref="EtcdException"/>, or OperationCanceledException when the caller cancels.</summary>
/// <param name="options">Where it is, and who we are.</param>
/// <param name="timings">How long calls may take.</param>
/// <param name="time">The clock.</param>
internal sealed class EtcdConnection(EtcdOptions options, EtcdTimings timings, TimeProvider time) : IDisposable
{
    private readonly EtcdCredentials _credentials = new(options);
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _login = new(1);
    private EtcdChannel? _channel;
    private string _stamp = "";
    private long _looked;
    private int _member;
    private string? _token;
    private bool _disposed;

    /// <summary>The member calls go to now, for sentences.</summary>
    public Uri Endpoint => options.Endpoints[Volatile.Read(ref _member)];

    /// <summary>Reads keys.</summary>
    public Task<RangeResponse> RangeAsync(RangeRequest request, CancellationToken stop) =>
        CallAsync((channel, call) => channel.Keys.RangeAsync(request, call), stop);

    /// <summary>Reads and writes at once. A failure that is <see cref="EtcdFailure.Away"/> leaves open whether it happened.</summary>
    public Task<TxnResponse> TxnAsync(TxnRequest request, CancellationToken stop) =>
        CallAsync((channel, call) => channel.Keys.TxnAsync(request, call), stop);

    /// <summary>Gets a lease.</summary>
    public Task<LeaseGrantResponse> GrantAsync(LeaseGrantRequest request, CancellationToken stop) =>
        CallAsync((channel, call) => channel.Leases.LeaseGrantAsync(request, call), stop);

    /// <summary>Ends a lease and deletes its keys.</summary>
    public Task<LeaseRevokeResponse> RevokeAsync(LeaseRevokeRequest request, CancellationToken stop) =>
        CallAsync((channel, call) => channel.Leases.LeaseRevokeAsync(request, call), stop);

    /// <summary>Opens a stream that keeps leases alive. That nobody answers shows when it is read.</summary>
    public Task<EtcdStream<LeaseKeepAliveRequest, LeaseKeepAliveResponse>> OpenKeepAliveAsync(CancellationToken stop) =>
        OpenAsync((channel, call) => channel.Leases.LeaseKeepAlive(call), stop);

    /// <summary>Opens a stream of watches; etcd ends it when its member loses the leader, and could miss changes.</summary>
    public Task<EtcdStream<WatchRequest, WatchResponse>> OpenWatchAsync(CancellationToken stop) =>
        OpenAsync((channel, call) => channel.Watches.Watch(call.WithHeaders(Add(call.Headers, "hasleader", "true"))), stop);

    /// <summary>The store took our token for nobody's: the next call gets a new one.</summary>
    public void ForgetToken() => Volatile.Write(ref _token, null);

    /// <summary>Calls go to the next member from now on. For who knows better than the calls: a stream that is silent.</summary>
    public void Avoid(Uri endpoint)
    {
        lock (_gate)
        {
            if (_channel?.Endpoint == endpoint)
                MoveOn(_channel);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _channel?.Leave();
            _channel = null;
        }
    }

    private async Task<T> CallAsync<T>(Func<EtcdChannel, CallOptions, AsyncUnaryCall<T>> call, CancellationToken stop)
    {
        for (bool again = false; ; again = true)
        {
            EtcdChannel channel = UseChannel();
            string? token = null;
            try
            {
                token = await TokenAsync(channel, stop).ConfigureAwait(false);
                return await InTimeAsync(channel, options => call(channel, options.WithHeaders(With(token))), stop).ConfigureAwait(false);
            }
            catch (Exception e) when (e is RpcException or EtcdException)
            {
                stop.ThrowIfCancellationRequested();
                EtcdException told = Failed(e, channel, token);
                if (again || token is null || !EtcdErrors.IsTokenProblem(e))
                    throw told;
            }
            finally
            {
                channel.Leave();
            }
        }
    }

    private async Task<EtcdStream<TRequest, TResponse>> OpenAsync<TRequest, TResponse>(
        Func<EtcdChannel, CallOptions, AsyncDuplexStreamingCall<TRequest, TResponse>> open, CancellationToken stop)
    {
        EtcdChannel channel = UseChannel();
        try
        {
            string? token = await TokenAsync(channel, stop).ConfigureAwait(false);
            return new EtcdStream<TRequest, TResponse>(
                channel, open(channel, new CallOptions(With(token), cancellationToken: CancellationToken.None)), e => Failed(e, channel, token));
        }
        catch (Exception e)
        {
            channel.Leave();
            stop.ThrowIfCancellationRequested();
            throw e is RpcException or EtcdException ? Failed(e, channel, null) : EtcdErrors.Tell(e, channel.Endpoint);
        }
    }

    // Nobody waits longer than the time for a call, whatever the library thinks.
    private async Task<T> InTimeAsync<T>(EtcdChannel channel, Func<CallOptions, AsyncUnaryCall<T>> call, CancellationToken stop)
    {
        using var late = new CancellationTokenSource(timings.Call, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        try
        {
            using AsyncUnaryCall<T> running = call(new CallOptions(cancellationToken: either.Token));
            return await running.ResponseAsync.ConfigureAwait(false);
        }
        catch (RpcException) when (late.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw EtcdErrors.Late(channel.Endpoint, timings.Call);
        }
    }

    // One login at a time; who waited for it takes its token.
    private async Task<string?> TokenAsync(EtcdChannel channel, CancellationToken stop)
    {
        if (options.User is not { } user || Volatile.Read(ref _token) is not null)
            return Volatile.Read(ref _token);
        await _login.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            if (Volatile.Read(ref _token) is { } meanwhile)
                return meanwhile;
            var login = new AuthenticateRequest { Name = user, Password = _credentials.Password() };
            AuthenticateResponse known = await InTimeAsync(channel, call => channel.Users.AuthenticateAsync(login, call), stop).ConfigureAwait(false);
            Volatile.Write(ref _token, known.Token);
            return known.Token;
        }
        finally
        {
            _login.Release();
        }
    }

    private EtcdException Failed(Exception e, EtcdChannel channel, string? token)
    {
        if (EtcdErrors.IsTokenProblem(e))
            Interlocked.CompareExchange(ref _token, null, token);
        EtcdException told = EtcdErrors.Tell(e, channel.Endpoint);
        if (told.Failure != EtcdFailure.Away && !EtcdErrors.IsOfThisMember(e))
            return told;
        lock (_gate)
            MoveOn(channel);
        return told;
    }

    // A new channel even to the only member: the old one may hold on to a connection that is dead and doesn't know.
    private void MoveOn(EtcdChannel from)
    {
        if (_channel != from)
            return;
        _channel = null;
        _member = (_member + 1) % options.Endpoints.Count;
        from.Leave();
    }

    private EtcdChannel UseChannel()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_channel is null || FilesDiffer())
                Renew();
            return _channel!.Use();
        }
    }

    private bool FilesDiffer()
    {
        if (time.GetElapsedTime(_looked) < timings.Files)
            return false;
        _looked = time.GetTimestamp();
        return _credentials.Stamp() != _stamp;
    }

    private void Renew()
    {
        try
        {
            string stamp = _credentials.Stamp();
            Uri endpoint = options.Endpoints[_member];
            var channel = new EtcdChannel(endpoint, endpoint.Scheme == Uri.UriSchemeHttps ? _credentials.Ssl() : null, timings.Call);
            if (stamp != _stamp)
                _token = null;
            _channel?.Leave();
            (_channel, _stamp) = (channel, stamp);
        }
        catch (EtcdException) when (_channel is not null)
        {
            // files caught half replaced: on with the old ones, another look in a second
        }
    }

    private static Metadata With(string? token) => token is null ? [] : Add([], "token", token);

    private static Metadata Add(Metadata? headers, string key, string value)
    {
        Metadata all = headers ?? [];
        all.Add(key, value);
        return all;
    }
}
