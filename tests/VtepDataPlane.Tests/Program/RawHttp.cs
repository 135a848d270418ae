// HTTP over a unix socket as bytes, for requests no client would send.

using System.Net.Sockets;
using System.Text;

namespace VtepDataPlane.Tests.Program;

/// <summary>One connection.</summary>
internal sealed class RawHttp : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public static async Task<RawHttp> ConnectAsync(string path)
    {
        var connection = new RawHttp();
        await connection._socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        return connection;
    }

    /// <summary>All that is answered on a connection of its own until the server closes it.</summary>
    public static async Task<string> AskAsync(string path, string request)
    {
        using RawHttp connection = await ConnectAsync(path);
        await connection.SendAsync(request);
        return await connection.ReadToEndAsync();
    }

    /// <summary>Sends; the server may close before it has read everything.</summary>
    public async Task SendAsync(string text)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        try
        {
            for (int sent = 0; sent < bytes.Length;)
                sent += await _socket.SendAsync(bytes.AsMemory(sent));
        }
        catch (SocketException closed) when (closed.SocketErrorCode is SocketError.Shutdown or SocketError.ConnectionReset)
        {
            return;
        }
    }

    /// <summary>Reads until the server closes.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[64 << 10];
        while (await ReadAsync(buffer) is > 0 and int read)
            text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        return text.ToString();
    }

    public void Dispose() => _socket.Dispose();

    private async Task<int> ReadAsync(byte[] buffer)
    {
        try
        {
            return await _socket.ReceiveAsync(buffer);
        }
        catch (SocketException closed) when (closed.SocketErrorCode == SocketError.ConnectionReset)
        {
            return 0;
        }
    }
}
