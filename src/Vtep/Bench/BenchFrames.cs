// The frames of the benchmark, over IPv4: from every station of one side to every station of the other, so that each frame looks up two MACs
// which the frame before didn't. Plain ones are UDP with a finished checksum, as a peer's kernel sends them; super-frames are TCP.

using System.Buffers.Binary;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Bench;

/// <summary>Makes traffic.</summary>
internal static class BenchFrames
{
    /// <summary>Bytes of the smallest frame made here.</summary>
    public const int MinimumSize = HeadLength;

    /// <summary>Payload of a segment: what TCP without options puts into 1450 bytes.</summary>
    private const int SegmentPayload = 1410;

    /// <summary>Segments of a super-frame: as many as fit the 65535 bytes of a packet; and frames of a train, to fit a datagram's buffer.</summary>
    private const int Segments = 44;

    private const ulong LocalStations = 0x0200_0000_0000;
    private const ulong RemoteStations = 0x0200_1000_0000;
    private const int HeadLength = 64;
    private const int TransportOffset = EthernetHeader.Size + Ipv4Header.Size;
    private const int TcpHeaders = TransportOffset + TcpView.MinimumHeaderSize;

    // a stride without a common factor with the powers of two the numbers of stations are
    private const int DestinationStride = 7;

    // trains are long: so many stations have one
    private const int Trains = 16;

    private delegate void Writer(Span<byte> head, int station);

    /// <summary>What a port sends: local stations to remote ones.</summary>
    /// <param name="stations">Of each side, a power of two.</param>
    /// <param name="size">Bytes of a frame, at least <see cref="MinimumSize"/>.</param>
    public static BenchTraffic FromPort(int stations, int size) => new(
        Heads(stations, HeadLength, (head, i) => WriteUdp(head, size, LocalStations + (uint)i, RemoteStations + Partner(i, stations))),
        HeadLength, new byte[size - HeadLength]);

    /// <summary>The mirror: VXLAN datagrams of a VTEP with remote stations behind it.</summary>
    public static BenchTraffic FromUnderlay(int stations, int size, Vni vni, VtepEndpoint source) => new(
        Heads(stations, VxlanHeader.Size + HeadLength, (head, i) =>
        {
            VxlanHeader.Write(head, vni);
            WriteUdp(head[VxlanHeader.Size..], size, RemoteStations + (uint)i, LocalStations + Partner(i, stations));
        }),
        VxlanHeader.Size + HeadLength, new byte[size - HeadLength])
    {
        Source = source,
    };

    /// <summary>TCP super-frames from a port.</summary>
    public static BenchTraffic SuperFrames(int stations)
    {
        int size = TcpHeaders + Segments * SegmentPayload;
        byte[] heads = Heads(stations, HeadLength, (head, i) => WriteTcp(head, size, LocalStations + (uint)i, RemoteStations + Partner(i, stations)));
        return new BenchTraffic(heads, HeadLength, new byte[size - HeadLength])
        {
            WireFrames = Segments,
            Offload = new OffloadInfo
            {
                NeedsChecksum = true,
                Gso = GsoType.TcpIPv4,
                GsoSize = SegmentPayload,
                HeaderLength = TcpHeaders,
                ChecksumStart = TransportOffset,
                ChecksumOffset = TcpView.ChecksumOffset,
            },
        };
    }

    /// <summary>The same segments coming back: datagrams the kernel received as one (UDP_GRO).</summary>
    public static BenchTraffic SegmentTrains(int stations, Vni vni, VtepEndpoint source)
    {
        int segment = VxlanHeader.Size + TcpHeaders + SegmentPayload;
        byte[] heads = Heads(Trains, Segments * segment, (train, i) =>
        {
            for (int start = 0; start < train.Length; start += segment)
            {
                VxlanHeader.Write(train[start..], vni);
                Span<byte> frame = train.Slice(start + VxlanHeader.Size, segment - VxlanHeader.Size);
                WriteTcp(frame, frame.Length, RemoteStations + (uint)i, LocalStations + Partner(i, stations));
            }
        });
        return new BenchTraffic(heads, Segments * segment, []) { WireFrames = Segments, SegmentSize = segment, Source = source };
    }

    private static byte[] Heads(int count, int length, Writer write)
    {
        byte[] heads = new byte[count * length];
        for (int i = 0; i < count; i++)
            write(heads.AsSpan(i * length, length), i);
        return heads;
    }

    private static uint Partner(int station, int stations) => (uint)((long)station * DestinationStride % stations);

    private static void WriteUdp(Span<byte> head, int size, ulong source, ulong destination)
    {
        WriteIp(head, size, IpProtocol.Udp, source, destination);
        new UdpHeader(10_000, 20_000, (ushort)(size - TransportOffset), 0).Write(head[TransportOffset..]);
        var headers = new FrameHeaders { IpVersion = 4, Protocol = IpProtocol.Udp, NetworkOffset = EthernetHeader.Size };
        ulong pseudo = InternetChecksum.PseudoHeaderSum(head, headers, size - TransportOffset);
        ulong sum = InternetChecksum.Sum(head[TransportOffset..HeadLength], pseudo); // the tail is zeros
        BinaryPrimitives.WriteUInt16BigEndian(head[(TransportOffset + UdpHeader.ChecksumOffset)..], (ushort)~InternetChecksum.Fold(sum));
    }

    private static void WriteTcp(Span<byte> head, int size, ulong source, ulong destination)
    {
        WriteIp(head, size, IpProtocol.Tcp, source, destination);
        Span<byte> tcp = head[TransportOffset..];
        BinaryPrimitives.WriteUInt32BigEndian(tcp, 0x2710_4E20);
        tcp[TcpView.DataOffsetOffset] = TcpView.MinimumHeaderSize / 4 << 4;
        tcp[TcpView.FlagsOffset] = (byte)TcpFlags.Ack;
    }

    private static void WriteIp(Span<byte> head, int size, byte protocol, ulong source, ulong destination)
    {
        new EthernetHeader(new MacAddress(destination), new MacAddress(source), EtherType.IPv4).Write(head);
        new Ipv4Header
        {
            TotalLength = (ushort)(size - EthernetHeader.Size),
            DontFragment = true,
            TimeToLive = 64,
            Protocol = protocol,
            Source = InetAddress.FromIPv4(0xC613_0000 | (uint)(source & 0xFFFF)),
            Destination = InetAddress.FromIPv4(0xC613_0000 | (uint)(destination & 0xFFFF)),
        }.Write(head[EthernetHeader.Size..]);
    }
}
