// The largest UDP datagrams there are, 65,507 bytes over IPv4, which the sender's IP layer cuts into some 46 fragments inside the
// tunnel. One is sent when the last one has arrived or was given up: UDP has no flow control, and a burst would test the
// receive buffers of this machine. Nothing is sent twice, so the number delivered is the truth about loss.

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Traffic;

/// <summary>Sends datagrams and counts those that arrive unharmed.</summary>
internal static class UdpTransfer
{
    /// <summary>65,535 less the IP and UDP headers of IPv4; over IPv6 it could be 20 more.</summary>
    public const int LargestPayload = 65_507;

    /// <summary>Port of both ends.</summary>
    public const int Port = 30_000;

    private const int ReplyLimitMilliseconds = 2_000; // a worker may wait for a processor that long, on a machine where much else runs

    /// <summary>Sends <paramref name="count"/> datagrams from one station to the other; each must arrive unchanged.</summary>
    public static void AssertArrive(Station from, Station to, AddressFamily family, int count = 50, int size = LargestPayload)
    {
        string who = $"{from.Namespace.Name} to {to.Address(family)}";
        Assert.That(Run(from, to, family, count, size), Is.EqualTo(count), $"datagrams of {size} bytes delivered unchanged from {who}");
    }

    /// <summary>Sends datagrams and gives how many arrived unchanged.</summary>
    public static int Run(Station from, Station to, AddressFamily family, int count, int size)
    {
        using Socket receiver = InNamespace.Run(to.Namespace.Name, () => Bound(to.Address(family)));
        using Socket sender = InNamespace.Run(from.Namespace.Name, () => Bound(from.Address(family)));
        receiver.ReceiveTimeout = ReplyLimitMilliseconds;
        var random = new Random(4789);
        byte[] sent = new byte[size];
        byte[] received = new byte[ushort.MaxValue];
        int delivered = 0;
        for (int i = 0; i < count; i++)
        {
            random.NextBytes(sent);
            sender.SendTo(sent, receiver.LocalEndPoint!);
            if (ReceiveSame(receiver, sent, received))
                delivered++;
        }

        return delivered;
    }

    private static Socket Bound(IPAddress address)
    {
        Socket socket = BoundSocket.Open(new IPEndPoint(address, Port));
        socket.ReceiveBufferSize = socket.SendBufferSize = 1 << 20;
        return socket;
    }

    // A datagram given up earlier may still come: it differs from the one waited for and is passed over.
    private static bool ReceiveSame(Socket receiver, byte[] expected, byte[] buffer)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < ReplyLimitMilliseconds)
        {
            try
            {
                int length = receiver.Receive(buffer);
                if (buffer.AsSpan(0, length).SequenceEqual(expected))
                    return true;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
            {
                return false;
            }
        }

        return false;
    }
}
