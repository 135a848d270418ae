// Coalesced frames on a real TAP device: what the kernel makes of them. A station behind the port, played by the test, sends segments and datagrams;
// the kernel's own sockets receive them, and its counters tell how many packets it took.

using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Tap;
using VtepDataPlane.Linux.Workers;
using VtepDataPlane.Ports;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Netlink;
using VtepDataPlane.Tests;
using VtepDataPlane.Wire;

namespace VtepDataPlane.SystemTests.Linux;

internal sealed partial class TapTrainTests
{
    private const string Host4 = "198.19.0.1", Station4 = "198.19.0.2";
    private const string Host6 = "fd00:19::1", Station6 = "fd00:19::2";
    private const int HostPort = 5000, StationPort = 6000;
    private const int UdpGro = 104;

    private static readonly MacAddress s_station = MacAddress.Parse("02:00:00:00:00:02");

    private NetlinkNamespace _host = null!;
    private WorkerSet _workers = null!;
    private TapPort _port = null!;
    private MacAddress _hostMac;

    private TapQueue Queue => _port.Queue(0);

    [SetUp]
    public void MakePort()
    {
        _host = new NetlinkNamespace();
        _host.Exec("sysctl -q -w net.ipv6.conf.default.accept_dad=0"); // nobody else is here to claim an address
        _workers = new WorkerSet(1);
        var config = new PortConfig { Tap = "tap0", Mtu = 1500, Addresses = [new(InetAddress.Parse(Host4), 24), new(InetAddress.Parse(Host6), 64)] };
        _port = InNamespace.Run(_host.Name, () => TapPort.Open(config, 1, TapSettings.Few, _host.Netlink, _workers));
        _hostMac = _host.Link("tap0").Mac;
        _host.IpBatch([$"neigh add {Station4} lladdr {s_station} dev tap0", $"neigh add {Station6} lladdr {s_station} dev tap0"]);
    }

    [TearDown]
    public void RemovePort()
    {
        _port.Dispose();
        _workers.Dispose();
        _host.Dispose();
    }

    [TestCase(Host4, Station4)]
    [TestCase(Host6, Station6)]
    public void DatagramsOfOneFlow_AreOnePacketForTheKernel_AndArriveOneByOne(string host, string station)
    {
        using Socket socket = Bound(host, gro: false);
        byte[][] payloads = Payloads(40, 1400, last: 99);
        long before = ReceivedPackets();

        Assert.That(Send([.. payloads.Select(payload => Datagram(host, station, payload))]), Is.EqualTo(40));

        Assert.That(ReceivedPackets() - before, Is.EqualTo(1));
        foreach (byte[] payload in payloads)
            Assert.That(Receive(socket), Is.EqualTo(payload));
        Assert.That((Queue.Meters.Sent, Queue.Meters.Coalesced, Queue.Meters.TotalDrops), Is.EqualTo((1, 39, 0)));
    }

    [TestCase(Host4, Station4)]
    [TestCase(Host6, Station6)]
    public void DatagramsOfOneFlow_ArriveAsOne_WhereTheReceiverAsksForIt(string host, string station)
    {
        using Socket socket = Bound(host, gro: true);
        byte[][] payloads = Payloads(64, 700, last: 700);

        Assert.That(Send([.. payloads.Select(payload => Datagram(host, station, payload))]), Is.EqualTo(64));

        Assert.That(Hash(Receive(socket)), Is.EqualTo(Hash([.. payloads.SelectMany(payload => payload)])));
    }

    // A bridge carries the super-frame from one port to another, whose device takes no super-frames: so the kernel has to cut it up.
    [Test]
    public void TheKernelsOwnSegmentation_GivesTheFramesBack([Values] bool tcp, [Values] bool v6, [Values(0, 1, 2)] int tags)
    {
        _host.IpBatch(["link add br0 type bridge", "link set br0 up", "link set tap0 master br0"]);
        var config = new PortConfig { Tap = "tap1", Mtu = 1500, Bridge = "br0" };
        using TapPort other = InNamespace.Run(_host.Name, () => TapPort.Open(config, 1, TapSettings.Few, _host.Netlink, _workers));
        _host.Exec("ethtool -K tap1 tso off tx-udp-segmentation off");
        byte[][] frames = [.. Payloads(7, 501, last: 44).Select((payload, i) => Bridged(tcp, v6, tags, payload, i, isLast: i == 6))];
        Assert.That(Send(frames), Is.EqualTo(7));
        Assert.That(Queue.Meters.Coalesced, Is.EqualTo(6));

        List<byte[]> read = [];
        var batch = new FrameBatch();
        Wait.Until("all frames are there", () =>
        {
            other.Queue(0).Receive(batch);
            foreach (Frame frame in batch)
            {
                if (MacAddress.Read(frame.Bytes[6..]) == s_station)
                    read.Add(Finished(frame));
            }

            return read.Count >= frames.Length;
        });
        Assert.That(read, Is.EqualTo(frames));
    }

    [TestCase(Host4, Station4)]
    [TestCase(Host6, Station6)]
    public void SegmentsOfAStream_AreOnePacketForTheKernel_AndTheStreamIsWhole(string host, string station)
    {
        using Socket listener = InNamespace.Run(_host.Name, () => new Socket(Family(host), SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(new IPEndPoint(IPAddress.Parse(host), HostPort));
        listener.Listen();
        uint theirs = Handshake(host, station);
        byte[][] payloads = Payloads(40, 1400, last: 1234);
        long before = ReceivedPackets();

        Assert.That(Send([.. payloads.Select((payload, i) => Segment(host, station, 1 + (uint)(i * 1400), theirs, TcpFlags.Ack, payload))]), Is.EqualTo(40));

        Assert.That(ReceivedPackets() - before, Is.EqualTo(1));
        using Socket stream = listener.Accept();
        stream.ReceiveTimeout = 5000;
        byte[] received = new byte[payloads.Sum(payload => payload.Length)];
        for (int count = 0; count < received.Length;)
            count += stream.Receive(received.AsSpan(count));
        Assert.That(Hash(received), Is.EqualTo(Hash([.. payloads.SelectMany(payload => payload)])));
        Assert.That(Queue.Meters.Coalesced, Is.EqualTo(39));
    }

    [Test]
    public void AWrongChecksum_StaysWrong_AndTheKernelDropsIt()
    {
        using Socket socket = Bound(Host4, gro: false);
        byte[][] payloads = Payloads(5, 100, last: 100);
        long before = ReceivedPackets();
        byte[][] frames = [.. payloads.Select((payload, i) => Datagram(Host4, Station4, payload, checksum: i == 2 ? TestChecksum.Wrong : TestChecksum.Right))];

        Assert.That(Send(frames), Is.EqualTo(5));

        Assert.That(ReceivedPackets() - before, Is.EqualTo(3), "two, the wrong one, two");
        foreach (int i in new[] { 0, 1, 3, 4 })
            Assert.That(Receive(socket), Is.EqualTo(payloads[i]));
        Assert.That(socket.Available, Is.Zero);
        Assert.That(_host.Exec("cat /proc/net/snmp"), Does.Match(@"Udp: \d+ \d+ 1 "), "one InErrors");
    }

    [Test]
    public void WhileTheDeviceIsDown_EveryFrameIsADrop_AndMergingGoesOnAfterwards()
    {
        byte[][] frames = [.. Payloads(8, 100, last: 100).Select(payload => Datagram(Host4, Station4, payload))];
        _host.Ip("link set tap0 down");
        Assert.That(Send(frames), Is.Zero);
        Assert.That(Queue.Meters.Drops(DropReason.PortDown), Is.EqualTo(8));

        _host.Ip("link set tap0 up");
        Assert.That(Send(frames), Is.EqualTo(8));
        Assert.That((Queue.Meters.Sent, Queue.Meters.Coalesced), Is.EqualTo((1, 7)));
    }

    private int Send(byte[][] frames)
    {
        var batch = new FrameBatch(frames.Length, room: 2048);
        foreach (byte[] bytes in frames)
        {
            Assert.That(batch.TryAdd(bytes));
            FrameHeaders.Parse(bytes, out batch[batch.Count - 1].Info.Headers);
            Queue.Send(batch[batch.Count - 1]);
        }

        return Queue.Flush();
    }

    private byte[] Datagram(string host, string station, byte[] payload, TestChecksum checksum = TestChecksum.Right) => TestFrames.Udp(
        s_station, _hostMac, station, host, StationPort, HostPort, payload, checksum: checksum);

    private byte[] Segment(string host, string station, uint sequence, uint acknowledgment, TcpFlags flags, byte[] payload) => TestFrames.Tcp(
        s_station, _hostMac, station, host, StationPort, HostPort, payload, sequence: sequence, acknowledgment: acknowledgment, flags: flags, window: 65535,
        options: flags == TcpFlags.Syn ? [2, 4, 1400 >> 8, 1400 & 0xFF] : []);

    /// <summary>A frame to a station nobody knows, so that the bridge floods it. The kernel's segments count up the identification.</summary>
    private static byte[] Bridged(bool tcp, bool v6, int tags, byte[] payload, int i, bool isLast)
    {
        (string from, string to) = v6 ? (Station6, "fd00:19::3") : (Station4, "198.19.0.3");
        int[] vlans = [.. Enumerable.Range(5, tags)];
        MacAddress stranger = MacAddress.Parse("02:00:00:00:00:03");
        byte[] frame = tcp
            ? TestFrames.Tcp(
                s_station, stranger, from, to, payload: payload, vlans: vlans, sequence: uint.MaxValue - 1000 + (uint)(i * 501), identification: 0xFFFE + i & 0xFFFF,
                tos: 2, flags: isLast ? TcpFlags.Ack | TcpFlags.Psh : TcpFlags.Ack)
            : TestFrames.Udp(s_station, stranger, from, to, payload: payload, vlans: vlans);
        if (!tcp && !v6)
        {
            Span<byte> ip = frame.AsSpan(14 + 4 * tags);
            ip[5] = (byte)i;
            BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Update(BinaryPrimitives.ReadUInt16BigEndian(ip[10..]), 0, (ushort)i));
        }

        return frame;
    }

    /// <summary>The frame with its checksum, which the kernel leaves to the device.</summary>
    private static byte[] Finished(in Frame frame)
    {
        byte[] bytes = frame.Bytes.ToArray();
        OffloadInfo offload = frame.Info.Offload;
        Assert.That(offload.IsSuperFrame, Is.False);
        if (offload.NeedsChecksum)
        {
            ushort checksum = InternetChecksum.Compute(bytes.AsSpan(offload.ChecksumStart));
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(offload.ChecksumStart + offload.ChecksumOffset), checksum);
        }

        return bytes;
    }

    /// <summary>Opens a connection with sequence number 0; gives the first number to acknowledge.</summary>
    private uint Handshake(string host, string station)
    {
        Send([Segment(host, station, 0, 0, TcpFlags.Syn, [])]);
        uint theirs = 0;
        var batch = new FrameBatch();
        Wait.Until("the kernel accepts the connection", () =>
        {
            Queue.Receive(batch);
            foreach (Frame frame in batch)
            {
                FrameHeaders.Parse(frame.Bytes, out FrameHeaders headers);
                if (headers.Protocol == IpProtocol.Tcp && TcpView.TryParse(frame.Bytes[headers.TransportOffset..], out TcpView tcp) && tcp.Flags == (TcpFlags.Syn | TcpFlags.Ack))
                    theirs = tcp.SequenceNumber + 1;
            }

            return theirs != 0;
        });
        Send([Segment(host, station, 1, theirs, TcpFlags.Ack, [])]);
        return theirs;
    }

    private Socket Bound(string host, bool gro)
    {
        Socket socket = InNamespace.Run(_host.Name, () => new Socket(Family(host), SocketType.Dgram, ProtocolType.Udp));
        socket.ReceiveTimeout = 5000;
        if (gro)
            socket.SetRawSocketOption((int)SocketOptionLevel.Udp, UdpGro, BitConverter.GetBytes(1));
        socket.Bind(new IPEndPoint(IPAddress.Parse(host), HostPort));
        return socket;
    }

    private static AddressFamily Family(string address) => IPAddress.Parse(address).AddressFamily;

    private static byte[] Receive(Socket socket)
    {
        byte[] room = new byte[70_000];
        return room[..socket.Receive(room)];
    }

    /// <summary>Packets the kernel has taken from the device.</summary>
    private long ReceivedPackets() =>
        long.Parse(RxPackets().Match(_host.Ip("-s link show dev tap0")).Groups[1].ValueSpan, CultureInfo.InvariantCulture);

    private static byte[][] Payloads(int count, int size, int last)
    {
        var random = new Random(4789);
        byte[][] payloads = [.. Enumerable.Range(0, count).Select(i => new byte[i < count - 1 ? size : last])];
        foreach (byte[] payload in payloads)
            random.NextBytes(payload);
        return payloads;
    }

    private static string Hash(byte[] bytes) => Convert.ToHexString(SHA256.HashData(bytes));

    [GeneratedRegex(@"RX:[^\n]*\n\s*\d+\s+(\d+)")]
    private static partial Regex RxPackets();
}
