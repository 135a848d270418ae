// The TCP address metrics, health and the dashboard are served on (control.http), in a limited number of connections of its own, so that those who keep them all
// leave the control socket its share. It is bound before the data plane is started: a port that is taken ends the program while
// nothing has been touched yet. The kernel lets nobody connect before listen(2), which comes last.

using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace VtepDataPlane.Daemon.Metrics;

/// <summary>A bound TCP address; nothing when none is configured.</summary>
internal sealed class HttpAddress : IDisposable
{
    /// <summary>The port when only an address is given.</summary>
    public const ushort DefaultPort = 9478;

    /// <summary>Connections at a time: half of what the server has for all.</summary>
    public const int MaxConnections = 16;

    private readonly IPEndPoint? _endPoint;
    private readonly Socket? _socket;
    private int _connections;

    private HttpAddress(IPEndPoint? endPoint) => (_endPoint, _socket) = (endPoint, endPoint is null ? null : Bind(endPoint));

    /// <summary>Binds the address.</summary>
    /// <exception cref="VtepException">It is taken, or not this host's.</exception>
    public static HttpAddress Claim(IPEndPoint? endPoint) => new(endPoint);

    /// <summary>The socket for the server to listen on, for the address given to it by <see cref="Listen"/>.</summary>
    public Socket Take() => _socket!;

    /// <summary>Has the server listen there.</summary>
    public void Listen(KestrelServerOptions server)
    {
        if (_endPoint is null)
            return;
        server.Listen(_endPoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => connection => LimitAsync(next, connection));
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _socket?.Dispose();

    private static Socket Bind(IPEndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(endPoint);
            return socket;
        }
        catch (SocketException error)
        {
            socket.Dispose();
            throw new VtepException($"The address {endPoint} for metrics (control.http) can't be bound: {error.Message.TrimEnd('.')}. {Remedy(error.SocketErrorCode)}", error);
        }
    }

    private static string Remedy(SocketError error) => error switch
    {
        SocketError.AddressAlreadyInUse => "Stop what listens there ('ss -ltnp' names it), or give control.http another port.",
        SocketError.AddressNotAvailable => "Give control.http an address of this host, like 127.0.0.1:9478.",
        _ => "Give control.http an address and port this user may bind, like 127.0.0.1:9478.",
    };

    private async Task LimitAsync(ConnectionDelegate next, ConnectionContext connection)
    {
        try
        {
            if (Interlocked.Increment(ref _connections) > MaxConnections)
                connection.Abort();
            else
                await next(connection);
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    }
}
