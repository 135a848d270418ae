// Trains of UDP datagrams from an application (UDP_SEGMENT, as QUIC does): one send of many datagrams of one size, which leaves its host
// as one super-frame where it can. Each must arrive as the datagrams it stands for, in order. One train is sent when the last one has
// arrived, so no receive buffer is tested; nothing is sent twice.

using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Traffic;

/// <summary>Sends trains and compares what arrives, byte for byte.</summary>
internal static class UdpTrains
{
    private const int Port = 30_003;
    private const int SolUdp = 17;
    private const int UdpSegment = 103;
    private const int ReplyLimitMilliseconds = 3000;

    /// <summary>Sends trains of <paramref name="bytes"/> bytes in datagrams of <paramref name="size"/>; all must arrive, in order.</summary>
    public static void AssertArrive(Station from, Station to, AddressFamily family, int bytes = 40_100, int size = 1000, int trains = 20)
    {
        using Socket receiver = InNamespace.Run(to.Namespace.Name, () => Bound(to.Address(family)));
        using Socket sender = InNamespace.Run(from.Namespace.Name, () => Bound(from.Address(family)));
        sender.SetRawSocketOption(SolUdp, UdpSegment, BitConverter.GetBytes(size));
        receiver.ReceiveTimeout = ReplyLimitMilliseconds;
        var random = new Random(768); // UDP's RFC; any fixed seed will do
        byte[] sent = new byte[bytes];
        for (int train = 0; train < trains; train++)
        {
            random.NextBytes(sent);
            sender.SendTo(sent, receiver.LocalEndPoint!);
            AssertSame(receiver, sent, size, $"{from.Namespace.Name} to {to.Address(family)}, train {train}");
        }
    }

    private static void AssertSame(Socket receiver, byte[] sent, int size, string who)
    {
        byte[] datagram = new byte[ushort.MaxValue];
        for (int at = 0; at < sent.Length; at += size)
        {
            byte[] expected = sent[at..Math.Min(at + size, sent.Length)];
            int length = ReceiveOrFail(receiver, datagram, $"{who}, datagram {at / size}");
            Assert.That(datagram.AsSpan(0, length).SequenceEqual(expected), $"{who}, datagram {at / size}: {length} bytes, other ones");
        }
    }

    private static int ReceiveOrFail(Socket receiver, byte[] datagram, string which)
    {
        try
        {
            return receiver.Receive(datagram);
        }
        catch (SocketException e)
        {
            throw new AssertionException($"{which} did not arrive: {e.Message}", e);
        }
    }

    private static Socket Bound(IPAddress address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.ReceiveBufferSize = socket.SendBufferSize = 1 << 20;
        socket.Bind(new IPEndPoint(address, Port));
        return socket;
    }
}
