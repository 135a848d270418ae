// Request and response over UDP, 64 bytes each way, one at a time: what a process that waits for an answer sees. Both sides block in their
// calls, as most programs do.

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace VtepDataPlane.EndToEnd.Generators;

/// <summary>An echo server and the client that times it.</summary>
internal static class RequestResponse
{
    /// <summary>Where the server listens.</summary>
    public const int Port = 5300;

    private const int Size = 64;
    private const int LongestWait = 1000; // milliseconds until a request counts as lost

    /// <summary>Answers forever.</summary>
    public static void Serve(IPAddress address)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(address, Port));
        Span<byte> message = stackalloc byte[Size];
        var from = new SocketAddress(address.AddressFamily);
        while (true)
        {
            int length = socket.ReceiveFrom(message, SocketFlags.None, from);
            socket.SendTo(message[..length], SocketFlags.None, from);
        }
    }

    /// <summary>
    /// Asks for <paramref name="warmup"/> and then <paramref name="seconds"/> seconds; writes median and 99th percentile in microseconds, and the count.
    /// </summary>
    public static void Ask(IPAddress server, double warmup, double seconds)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = LongestWait };
        socket.Connect(new IPEndPoint(server, Port));
        _ = AskFor(socket, warmup);
        List<double> times = AskFor(socket, seconds);
        if (times.Count == 0)
            throw new BenchException("No request was answered.");
        times.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{times[times.Count / 2]:0.000} {times[times.Count * 99 / 100]:0.000} {times.Count}"));
    }

    private static List<double> AskFor(Socket socket, double seconds)
    {
        var times = new List<double>(1 << 20);
        Span<byte> message = stackalloc byte[Size];
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            long asked = Stopwatch.GetTimestamp();
            try
            {
                socket.Send(message);
                socket.Receive(message);
                times.Add(Stopwatch.GetElapsedTime(asked).TotalMicroseconds);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.ConnectionRefused)
            {
                // a lost request has no time
            }
        }

        return times;
    }
}
