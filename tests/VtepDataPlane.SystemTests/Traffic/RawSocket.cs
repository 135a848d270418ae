// Frames made by hand, sent and received on a device through a packet socket (packet(7)): for what no IP stack would send, and to
// see exactly what comes out of a device. Frames the host itself sends on the device are not given.

using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Traffic;

/// <summary>A packet socket on one device.</summary>
internal sealed class RawSocket : IDisposable
{
    private const ushort EthPAll = 0x0003;       // <linux/if_ether.h>
    private const byte PacketOutgoing = 4;       // <linux/if_packet.h>
    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[ushort.MaxValue + 64];

    /// <summary>Opens one on <paramref name="device"/> in <paramref name="place"/>.</summary>
    public RawSocket(NetworkNamespace place, string device)
    {
        int index = int.Parse(place.Exec("cat", $"/sys/class/net/{device}/ifindex").Output, CultureInfo.InvariantCulture);
        var protocol = (ProtocolType)BinaryPrimitives.ReverseEndianness(EthPAll);
        _socket = InNamespace.Run(place.Name, () => new Socket(AddressFamily.Packet, SocketType.Raw, protocol));
        _socket.ReceiveBufferSize = 8 << 20;
        _socket.Bind(new LinkEndPoint(index));
    }

    /// <summary>On a station's overlay device.</summary>
    public RawSocket(Station station)
        : this(station.Namespace, station.Device)
    {
    }

    /// <summary>Sends a frame, Ethernet header first.</summary>
    public void Send(ReadOnlySpan<byte> frame) => _socket.Send(frame);

    /// <summary>Gives the frames that pass <paramref name="wanted"/>, until there are <paramref name="count"/> or the time is over.</summary>
    public IReadOnlyList<byte[]> Receive(Func<byte[], bool> wanted, int count, double seconds)
    {
        var frames = new List<byte[]>();
        long start = Stopwatch.GetTimestamp();
        EndPoint from = new LinkEndPoint(0);
        while (frames.Count < count && Left(start, seconds) is var left && left > TimeSpan.Zero)
        {
            if (!_socket.Poll(left, SelectMode.SelectRead))
                break;
            int length = _socket.ReceiveFrom(_buffer, ref from);
            byte[] frame = _buffer[..length];
            if (((LinkEndPoint)from).PacketType != PacketOutgoing && wanted(frame))
                frames.Add(frame);
        }

        return frames;
    }

    /// <summary>
    /// How many frames equal to <paramref name="frame"/> come: waits for <paramref name="expected"/>, then <paramref name="quiet"/>
    /// seconds more for one too many.
    /// </summary>
    public int CountCopies(byte[] frame, int expected, double quiet = 0.2)
    {
        bool Same(byte[] received) => received.AsSpan().SequenceEqual(frame);
        int count = expected == 0 ? 0 : Receive(Same, expected, seconds: 3).Count;
        return count + Receive(Same, int.MaxValue, quiet).Count;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private static TimeSpan Left(long start, double seconds) => TimeSpan.FromSeconds(seconds) - Stopwatch.GetElapsedTime(start);

    // struct sockaddr_ll { u16 family; be16 protocol; int ifindex; u16 hatype; u8 pkttype; u8 halen; u8 addr[8]; }
    private sealed class LinkEndPoint(int index, byte packetType = 0) : EndPoint
    {
        private const int Size = 20;

        public byte PacketType { get; } = packetType;

        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Packet, Size);
            Span<byte> bytes = address.Buffer.Span;
            BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], EthPAll);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], index);
            return address;
        }

        public override EndPoint Create(SocketAddress socketAddress)
        {
            ReadOnlySpan<byte> bytes = socketAddress.Buffer.Span;
            return new LinkEndPoint(BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]), bytes[10]);
        }
    }
}
