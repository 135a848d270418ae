// A bulk transfer over TCP whose two ends compare SHA-256 sums: what arrives is what was sent, in order, all of it. A socket
// keeps the network namespace it was made in, so only the making of it needs a thread in that namespace.

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Traffic;

/// <summary>What a transfer did.</summary>
internal sealed record TransferResult(long BytesReceived, bool SameHash, TimeSpan Time)
{
    public double MegabitsPerSecond => BytesReceived * 8 / Time.TotalSeconds / 1e6;
}

/// <summary>Sends pseudo-random bytes over TCP.</summary>
internal static class TcpTransfer
{
    private const int ChunkSize = 256 * 1024;
    private const int StallMilliseconds = 8000; // no byte for so long: the transfer is dead
    private static readonly TimeSpan s_stall = TimeSpan.FromMilliseconds(StallMilliseconds);

    /// <summary>Sends <paramref name="bytes"/> bytes from one station to the other; they must arrive whole.</summary>
    public static TransferResult AssertArrives(Station from, Station to, AddressFamily family, long bytes = 64 << 20)
    {
        TransferResult result = Run(from, to, family, bytes);
        string who = $"TCP {from.Namespace.Name} to {to.Address(family)}";
        Assert.That((result.BytesReceived, result.SameHash), Is.EqualTo((bytes, true)), $"{who}: bytes received, same SHA-256");
        return result;
    }

    /// <summary>Sends bytes from one station to the other.</summary>
    public static TransferResult Run(Station from, Station to, AddressFamily family, long bytes)
    {
        using Socket listener = InNamespace.Run(to.Namespace.Name, () => Listen(to.Address(family)));
        using Socket client = InNamespace.Run(from.Namespace.Name, () => NewSocket(family));
        int port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        Task<(long Bytes, byte[] Hash)> received = Task.Factory.StartNew(() => Receive(listener), TaskCreationOptions.LongRunning);
        long start = Stopwatch.GetTimestamp();
        try
        {
            Connect(client, new IPEndPoint(to.Address(family), port));
            byte[] sentHash = Send(client, bytes);
            (long count, byte[] hash) = received.GetAwaiter().GetResult();
            return new TransferResult(count, hash.AsSpan().SequenceEqual(sentHash), Stopwatch.GetElapsedTime(start));
        }
        catch (SocketException e)
        {
            throw new AssertionException($"TCP {from.Namespace.Name} to {to.Address(family)} broke off: {e.Message}", e);
        }
    }

    private static Socket NewSocket(AddressFamily family) =>
        new(family, SocketType.Stream, ProtocolType.Tcp) { SendTimeout = StallMilliseconds, ReceiveTimeout = StallMilliseconds };

    private static Socket Listen(IPAddress address)
    {
        Socket listener = NewSocket(address.AddressFamily);
        listener.Bind(new IPEndPoint(address, 0));
        listener.Listen(1);
        return listener;
    }

    private static void Connect(Socket client, IPEndPoint to)
    {
        using var limit = new CancellationTokenSource(s_stall);
        try
        {
            client.ConnectAsync(to, limit.Token).AsTask().GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            throw new SocketException((int)SocketError.TimedOut);
        }
    }

    private static byte[] Send(Socket client, long bytes)
    {
        var random = new Random(20140801); // the month of RFC 7348; any fixed seed will do
        byte[] chunk = new byte[ChunkSize];
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long left = bytes; left > 0; left -= chunk.Length)
        {
            random.NextBytes(chunk);
            ReadOnlySpan<byte> part = chunk.AsSpan(0, (int)Math.Min(left, chunk.Length));
            hash.AppendData(part);
            SendWhole(client, part);
        }

        client.Shutdown(SocketShutdown.Send);
        return hash.GetHashAndReset();
    }

    private static void SendWhole(Socket client, ReadOnlySpan<byte> part)
    {
        while (!part.IsEmpty)
            part = part[client.Send(part)..];
    }

    private static (long Bytes, byte[] Hash) Receive(Socket listener)
    {
        using Socket connection = AcceptWithin(listener);
        connection.ReceiveTimeout = StallMilliseconds;
        byte[] buffer = new byte[ChunkSize];
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long total = 0;
        for (int n; (n = connection.Receive(buffer)) > 0; total += n)
            hash.AppendData(buffer.AsSpan(0, n));
        return (total, hash.GetHashAndReset());
    }

    private static Socket AcceptWithin(Socket listener) =>
        listener.Poll(s_stall, SelectMode.SelectRead) ? listener.Accept() : throw new SocketException((int)SocketError.TimedOut);
}
