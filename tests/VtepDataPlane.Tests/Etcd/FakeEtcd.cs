// An etcd of ours, in the test's own process: Kestrel on 127.0.0.1, with TLS if wanted, a small store behind it (FakeStore), and a switch for each
// thing a real one does at the worst moment. Everything may be switched at any time, from any thread.

using System.Collections.Concurrent;
using System.Net;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Tests.Etcd;

/// <summary>A scripted etcd.</summary>
internal sealed class FakeEtcd : IAsyncDisposable
{
    private readonly WebApplication _web;
    private readonly ConcurrentDictionary<ConnectionContext, byte> _connections = new();
    private readonly ConcurrentDictionary<string, int> _calls = new();
    private readonly ConcurrentDictionary<string, byte> _tokens = new();

    private FakeEtcd(int port, Action<HttpsConnectionAdapterOptions>? tls)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            if (tls is not null)
                listen.UseHttps(tls);
            listen.Use(next => connection => RememberAsync(connection, next));
        }));
        builder.Services.AddSingleton(this);
        builder.Services.AddGrpc();
        _web = builder.Build();
        _web.MapGrpcService<FakeKv>();
        _web.MapGrpcService<FakeWatch>();
        _web.MapGrpcService<FakeLease>();
        _web.MapGrpcService<FakeAuth>();
    }

    /// <summary>Starts one, on a free port or that of one before.</summary>
    public static async Task<FakeEtcd> StartAsync(int port = 0, FakeStore? store = null, Action<HttpsConnectionAdapterOptions>? tls = null)
    {
        var etcd = new FakeEtcd(port, tls) { Store = store ?? new FakeStore() };
        await etcd._web.StartAsync();
        etcd.Endpoint = new Uri(etcd._web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return etcd;
    }

    public Uri Endpoint { get; private set; } = null!;

    public FakeStore Store { get; private init; } = null!;

    /// <summary>Called with a method's name (Range, Txn, Watch, LeaseGrant, LeaseRevoke, LeaseKeepAlive, Authenticate): an error it is answered with.</summary>
    public Func<string, RpcException?> Refuse { get; set; } = _ => null;

    /// <summary>These methods never answer.</summary>
    public ConcurrentDictionary<string, bool> Hang { get; } = new();

    /// <summary>A watch's start is answered so; null: created.</summary>
    public Func<WatchCreateRequest, WatchResponse?> AnswerWatch { get; set; } = _ => null;

    /// <summary>Watches end, without an error, after so many responses with events.</summary>
    public int EndWatchAfter { get; set; } = int.MaxValue;

    /// <summary>Watches are created and then say nothing, not even when asked.</summary>
    public bool WatchIsMute { get; set; }

    /// <summary>Events of a response are sent in so many fragments.</summary>
    public int Fragments { get; set; } = 1;

    /// <summary>Every response with events is sent twice.</summary>
    public bool Repeat { get; set; }

    /// <summary>User and password, when authentication is on.</summary>
    public (string User, string Password)? Login { get; set; }

    /// <summary>Names of methods called, and how often.</summary>
    public int Calls(string method) => _calls.GetValueOrDefault(method);

    /// <summary>All calls of all methods.</summary>
    public int AllCalls => _calls.Values.Sum();

    /// <summary>Headers of the last call of a method.</summary>
    public ConcurrentDictionary<string, Metadata> Headers { get; } = new();

    /// <summary>Keys ranges were read of, in order.</summary>
    public ConcurrentQueue<RangeRequest> Ranges { get; } = new();

    /// <summary>Watches as they were asked for.</summary>
    public ConcurrentQueue<WatchCreateRequest> Watches { get; } = new();

    /// <summary>Signs of life asked for on watches.</summary>
    public int ProgressAsked { get; set; }

    public ConcurrentQueue<TxnRequest> Txns { get; } = new();

    /// <summary>All tokens are nobody's now.</summary>
    public void ExpireTokens() => _tokens.Clear();

    /// <summary>All connections break.</summary>
    public void DropConnections()
    {
        foreach (ConnectionContext connection in _connections.Keys)
            connection.Abort();
    }

    public async ValueTask DisposeAsync()
    {
        DropConnections();
        using var now = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _web.StopAsync(now.Token);
        await _web.DisposeAsync();
    }

    /// <summary>Services: a call has come in; throws when it is refused, waits when it hangs.</summary>
    internal async Task EnterAsync(string method, ServerCallContext context)
    {
        _calls.AddOrUpdate(method, 1, (_, count) => count + 1);
        Headers[method] = context.RequestHeaders;
        if (Hang.ContainsKey(method))
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
        if (Refuse(method) is { } error)
            throw error;
        if (Login is not null && method is not ("Authenticate" or "Watch"))
            CheckToken(context);
    }

    /// <summary>Services: whether the call carries a token of ours.</summary>
    internal bool HasToken(ServerCallContext context) =>
        Login is null || (context.RequestHeaders.GetValue("token") is { } token && _tokens.ContainsKey(token));

    /// <summary>Services: a new token.</summary>
    internal string NewToken()
    {
        var token = Guid.NewGuid().ToString("N");
        _tokens[token] = 0;
        return token;
    }

    private void CheckToken(ServerCallContext context)
    {
        if (context.RequestHeaders.GetValue("token") is null)
            throw FakeErrors.UserEmpty;
        if (!HasToken(context))
            throw FakeErrors.InvalidToken;
    }

    private async Task RememberAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        _connections[connection] = 0;
        try
        {
            await next(connection);
        }
        finally
        {
            _connections.TryRemove(connection, out _);
        }
    }
}
