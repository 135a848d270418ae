// Stations behind a VTEP: frames sent out of its TAP, and those that come out of the VTEP, through a packet socket (packet(7)). All are of an
// EtherType for experiments (IEEE 802, 88b5) that no stack answers. A packet socket of one EtherType doesn't hear what it sends itself.

using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using VtepDataPlane.EndToEnd.Lab;
using VtepDataPlane.Wire;

namespace VtepDataPlane.EndToEnd.Control;

/// <summary>A packet socket on a TAP.</summary>
internal sealed class StationSocket : IDisposable
{
    private const ushort Experimental = 0x88b5;
    private const int FrameSize = 60;
    private const int Buffer = 4 << 20;
    private readonly Socket _socket;
    private readonly byte[] _frame = new byte[FrameSize];
    private readonly byte[] _received = new byte[ushort.MaxValue];

    public StationSocket(Host host, string device)
    {
        int index = int.Parse(host.Exec("cat", $"/sys/class/net/{device}/ifindex"), CultureInfo.InvariantCulture);
        var protocol = (ProtocolType)BinaryPrimitives.ReverseEndianness(Experimental);
        _socket = host.Inside(() => new Socket(AddressFamily.Packet, SocketType.Raw, protocol));
        _socket.SendBufferSize = Buffer;
        _socket.ReceiveBufferSize = Buffer;
        _socket.Bind(new LinkEndPoint(index));
    }

    /// <summary>A frame of one station to another.</summary>
    public void Send(MacAddress source, MacAddress destination)
    {
        destination.Write(_frame);
        source.Write(_frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(_frame.AsSpan(12), Experimental);
        _socket.Send(_frame);
    }

    /// <summary>Waits for a frame to a station, other frames aside. False: none came in time.</summary>
    public bool Await(MacAddress destination, TimeSpan limit)
    {
        _socket.ReceiveTimeout = (int)limit.TotalMilliseconds;
        try
        {
            while (true)
            {
                int length = _socket.Receive(_received);
                if (length >= EthernetHeader.Size && MacAddress.Read(_received) == destination)
                    return true;
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.TimedOut)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    // struct sockaddr_ll { u16 family; be16 protocol; int ifindex; u16 hatype; u8 pkttype; u8 halen; u8 addr[8]; }
    private sealed class LinkEndPoint(int index) : EndPoint
    {
        private const int Size = 20;

        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Packet, Size);
            Span<byte> bytes = address.Buffer.Span;
            BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], Experimental);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], index);
            return address;
        }
    }
}
