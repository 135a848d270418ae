// HTTP over a unix socket, by a client that stays connected: what a control socket is asked with, without a program to start for each question.

using System.Net.Sockets;

namespace VtepDataPlane.EndToEnd.Lab;

/// <summary>Makes clients.</summary>
internal static class UnixHttp
{
    /// <summary>A client of the server behind a socket, which needn't be there yet.</summary>
    public static HttpClient Client(string socket, TimeSpan limit)
    {
        var handler = new SocketsHttpHandler { ConnectCallback = (_, cancellation) => ConnectAsync(socket, cancellation), UseProxy = false };
        return new HttpClient(handler) { BaseAddress = new Uri("http://vtep"), Timeout = limit };
    }

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
