// What a running vtep says on its control socket, asked from this process. `vtep show WHAT --json` prints the same bytes, which ControlTests and the
// tests of the commands see to; but it is a process of its own, half a second of processor time for a question that takes a millisecond, and tests
// that wait for something ask many times. On a busy machine what was asked for was over before the answer came.
//
// Each question has a connection of its own: the daemon may have been killed and started again since the last one.

using System.Net.Sockets;
using NUnit.Framework;

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>Asks over a control socket. Any thread.</summary>
internal static class ControlQuestion
{
    /// <summary>The answer as JSON; a test failure when there is none.</summary>
    /// <param name="socket">Path of the socket.</param>
    /// <param name="what">What `vtep show` would be asked for.</param>
    public static string Show(string socket, string what)
    {
        try
        {
            return GetAsync(socket, what).GetAwaiter().GetResult();
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
        {
            throw new AssertionException($"The vtep on {socket} doesn't say its {what}: {error.Message}", error);
        }
    }

    /// <summary>The daemon answers.</summary>
    /// <param name="socket">Path of the socket, which needn't exist.</param>
    public static bool IsAnswered(string socket)
    {
        try
        {
            return GetAsync(socket, "status").GetAwaiter().GetResult().Length > 0;
        }
        catch (HttpRequestException)
        {
            return false; // not yet
        }
    }

    private static async Task<string> GetAsync(string path, string what)
    {
        using var client = new HttpClient(new SocketsHttpHandler { ConnectCallback = (_, stop) => ConnectAsync(path, stop), UseProxy = false })
        {
            Timeout = Command.UsualLimit,
        };
        return await client.GetStringAsync($"http://vtep/v1/{what}").ConfigureAwait(false);
    }

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), stop).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
