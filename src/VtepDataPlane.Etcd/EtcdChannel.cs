// One HTTP/2 connection to one member. It lives as long as somebody uses it: after a failure or new certificates the connection moves
// to another channel, while streams that still work on the old one stay there until they end by themselves.
//
// Traps of the libraries, and what stands against them: a connect callback keeps Grpc.Net.Client from its own reconnect pauses, which grow to
// two minutes and fail calls meanwhile; no service configuration, so nothing is sent twice behind our back; pings only while calls are open, and
// not more often than every 10 s, or etcd ends the connection for "too many pings"; no proxy from the environment.

using System.Net.Security;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Etcd;

/// <summary>A channel with a count of its users. Thread-safe.</summary>
internal sealed class EtcdChannel
{
    // a page of records is under 2 MB; one value may have as much as the server's own limit, 1.5 MiB if nobody raised it
    private const int LargestAnswer = 16 << 20;

    private readonly GrpcChannel _channel;
    private readonly Lock _gate = new();
    private int _users = 1;

    /// <summary>Makes a channel; connects when it is first used. The maker is its first user.</summary>
    /// <param name="endpoint">The member.</param>
    /// <param name="ssl">For https.</param>
    /// <param name="connect">Longest time for connecting.</param>
    public EtcdChannel(Uri endpoint, SslClientAuthenticationOptions? ssl, TimeSpan connect)
    {
        Endpoint = endpoint;
        _channel = GrpcChannel.ForAddress($"{endpoint.Scheme}://{endpoint.Authority}", new GrpcChannelOptions
        {
            HttpHandler = Handler(ssl, connect),
            DisposeHttpClient = true,
            MaxReceiveMessageSize = LargestAnswer,
            Credentials = endpoint.Scheme == Uri.UriSchemeHttps ? ChannelCredentials.SecureSsl : ChannelCredentials.Insecure,
        });
        CallInvoker calls = _channel.CreateCallInvoker();
        (Keys, Watches, Leases, Users) = (new KV.KVClient(calls), new Watch.WatchClient(calls), new Lease.LeaseClient(calls), new Auth.AuthClient(calls));
    }

    public Uri Endpoint { get; }

    public KV.KVClient Keys { get; }

    public Watch.WatchClient Watches { get; }

    public Lease.LeaseClient Leases { get; }

    public Auth.AuthClient Users { get; }

    /// <summary>One user more. Only while it has one.</summary>
    public EtcdChannel Use()
    {
        lock (_gate)
            _users++;
        return this;
    }

    /// <summary>One user less; the last one closes it.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            if (--_users > 0)
                return;
        }

        _channel.Dispose();
    }

    private static SocketsHttpHandler Handler(SslClientAuthenticationOptions? ssl, TimeSpan connect)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            ConnectTimeout = connect,
            KeepAlivePingDelay = TimeSpan.FromSeconds(10),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            UseProxy = false,
            AllowAutoRedirect = false,
        };
        if (ssl is not null)
            handler.SslOptions = ssl;
        return handler;
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken stop)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, stop).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
