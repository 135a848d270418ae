// Trains of datagrams: what is sent in one system call arrives as the datagrams it stands for, in order and to the byte, whatever their
// sizes, and also where the kernel takes no trains. What goes over the wire is seen by a raw socket behind a veth that cuts trains up.

using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Udp;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Netlink;
using VtepDataPlane.Tests;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.SystemTests.Linux;

[TestFixture(4)]
[TestFixture(6)]
internal sealed class UdpTrainTests(int version)
{
    private static readonly byte[] s_header = Hex("0800000000006400");

    private NetlinkNamespace _a = null!;
    private NetlinkNamespace _b = null!;
    private UdpHost _sender = null!;
    private UdpHost _receiver = null!;

    private InetAddress LocalA => InetAddress.Parse(version == 4 ? "198.18.0.1" : "fd00:18::1");

    private InetAddress LocalB => InetAddress.Parse(version == 4 ? "198.18.0.2" : "fd00:18::2");

    private OuterHeader To => new() { Remote = new VtepEndpoint(LocalB, UnderlayConfig.DefaultPort), SourcePort = 51_234, DontFragment = true };

    [SetUp]
    public void MakeHosts()
    {
        _b = new NetlinkNamespace();
        _a = new NetlinkNamespace();
        _a.IpBatch(
        [
            $"link add eth0 type veth peer name eth0 netns {_b.Name}",
            "address add 198.18.0.1/24 dev eth0", "address add fd00:18::1/64 dev eth0 nodad", "link set eth0 up",
        ]);
        _b.IpBatch(["address add 198.18.0.2/24 dev eth0", "address add fd00:18::2/64 dev eth0 nodad", "link set eth0 up"]);
        _sender = new UdpHost(_a, new UnderlayConfig { Local = LocalA });
        _receiver = new UdpHost(_b, new UnderlayConfig { Local = LocalB });
        ResolveNeighbour();
    }

    [TearDown]
    public void DeleteHosts()
    {
        _sender.Dispose();
        _receiver.Dispose();
        _a.Dispose();
        _b.Dispose();
    }

    [TestCase(64, 100)]
    [TestCase(10, 1400)]
    [TestCase(64, 1400)]
    public void DatagramsOfOneSize_ArriveAsTheyWere(int count, int size)
    {
        byte[][] sent = [.. Enumerable.Range(0, count).Select(i => Datagram(i, size))];
        Assert.That(_sender.SendBatch(sent, To), Is.EqualTo(count));
        AssertArrive(sent);
        Assert.That(_sender.Meters().Sent, Is.EqualTo(1 + count));
        Assert.That(_sender.Underlay.Queue(0).IsSegmentationRefused, Is.False);
    }

    [Test]
    public void DatagramsOfManySizes_ArriveInOrder()
    {
        var random = new Random(7348);
        byte[][] sent = [.. Enumerable.Range(0, 60).Select(i => Datagram(i, random.Next(2) == 0 ? 900 : random.Next(22, 1400)))];
        Assert.That(_sender.SendBatch(sent, To), Is.EqualTo(sent.Length));
        AssertArrive(sent);
    }

    [Test]
    public void EveryDatagramOfATrain_HasItsTrafficClass()
    {
        _sender.SendBatch([Datagram(1, 500), Datagram(2, 500)], To with { TrafficClass = 0xBA });
        var classes = new List<byte>();
        var batch = new FrameBatch();
        Wait.Until("two datagrams arrive", () =>
        {
            for (int lane = 0; lane < UdpHost.Lanes; lane++)
            {
                _receiver.Underlay.Queue(lane).Receive(batch);
                foreach (Frame frame in batch)
                    classes.Add(frame.Info.Outer.TrafficClass);
            }

            return classes.Count == 2;
        });
        Assert.That(classes, Is.EqualTo(new byte[] { 0xBA, 0xBA }));
    }

    [TestCase(IPv4A, IPv4B, GsoType.TcpIPv4)]
    [TestCase(IPv6A, IPv6B, GsoType.TcpIPv6)]
    public void ASuperFrame_IsFramesThatFitOnTheWire_NoFragmentAmongThem(string source, string destination, GsoType gso)
    {
        _a.Exec("ethtool -K eth0 tx-udp-segmentation off");
        using Socket wire = OpenWire(_b);
        byte[] frame = Tcp(payload: Pattern(60_000), sourceIp: source, destinationIp: destination, checksum: TestChecksum.Partial);
        byte[] segments = SendSuperFrame(frame, gso, mss: 1350);

        Assert.That(segments.AsSpan().SequenceEqual(Pattern(60_000)), "the payload");
        int packets = 45;
        Assert.That(_sender.Meters().Sent, Is.EqualTo(1 + packets));
        Assert.That(_sender.Meters().Segmented, Is.EqualTo(packets - 1));
        for (int i = 0; i < packets; i++)
        {
            byte[] packet = NextDatagram(wire);
            Assert.That(packet, Has.Length.LessThanOrEqualTo(1500));
            Assert.That(version == 4 ? packet[6] & 0x3F : 0, Is.Zero, "more fragments, or an offset");
        }
    }

    [Test]
    public void ManySuperFrames_NeedSeveralCalls_AndArriveWhole()
    {
        byte[] frame = Tcp(payload: Pattern(40_000), checksum: TestChecksum.Partial);
        byte[] datagram = [.. s_header, .. frame];
        int sent = _sender.SendBatch(Enumerable.Repeat(datagram, 30), To, Offload(frame, GsoType.TcpIPv4, 500));

        Assert.That(sent, Is.EqualTo(30 * 80));
        Assert.That(_sender.Meters().TotalDrops, Is.Zero);
        byte[] received = Payloads(_receiver.ReceiveAll(30 * 80), frame.Length - 40_000);
        Assert.That(received.AsSpan().SequenceEqual([.. Enumerable.Repeat(Pattern(40_000), 30).SelectMany(bytes => bytes)]));
    }

    [Test]
    public void WhereTheKernelTakesNoTrains_DatagramsGoOneByOne_AndThatIsRemembered()
    {
        string other = version == 4 ? "198.18.0.7" : "fd00:18::7";
        _a.Ip($"address add {other}/{(version == 4 ? "24" : "64 nodad")} dev eth0");
        using var sender = new UdpHost(_a, new UnderlayConfig { Local = InetAddress.Parse(other), UdpChecksum = false });
        byte[][] sent = [.. Enumerable.Range(0, 20).Select(i => Datagram(i, 700))];
        for (int round = 0; round < 2; round++)
        {
            Assert.That(sender.SendBatch(sent, To), Is.EqualTo(20), "the kernel says EINVAL to a train without checksums");
            AssertArrive(sent);
        }

        Assert.That(sender.Underlay.Queue(0).IsSegmentationRefused, Is.EqualTo(version == 4), "IPv6 always has checksums");
        Assert.That((sender.Meters().Sent, sender.Meters().TotalDrops), Is.EqualTo((40, 0)));
    }

    [Test]
    public void ATrainThatIsTooLong_IsCountedByDatagram_AndItsShortOneGoes()
    {
        byte[][] sent = [Datagram(1, 1480), Datagram(2, 1480), Datagram(3, 100)];
        Assert.That(_sender.SendBatch(sent, To), Is.EqualTo(1));
        Assert.That(_sender.Meters().Drops(DropReason.LinkMtuExceeded), Is.EqualTo(2));
        AssertArrive([sent[2]]);
        Assert.That(_sender.Underlay.Queue(0).IsSegmentationRefused, Is.False);
    }

    [Test]
    public void ASuperFrameThatCantBeCut_IsOneDrop()
    {
        byte[] frame = Tcp(payload: Pattern(5000), checksum: TestChecksum.Partial);
        OffloadInfo lie = Offload(frame, GsoType.TcpIPv6, 1400);
        Assert.That(_sender.SendBatch([[.. s_header, .. frame]], To, lie), Is.Zero);
        Assert.That(_sender.Meters().Drops(DropReason.GsoUnsupported), Is.EqualTo(1));
    }

    [Test]
    public void SuperFrames_AllocateNothing()
    {
        byte[] frame = Tcp(payload: Pattern(60_000), checksum: TestChecksum.Partial);
        var batch = new FrameBatch(2);
        var received = new FrameBatch();
        batch.TryAdd([.. s_header, .. frame]);
        batch[0].Info.Outer = To;
        batch[0].Info.Offload = Offload(frame, GsoType.TcpIPv4, 1400);
        UdpQueue queue = _sender.Underlay.Queue(0);
        Exchange(queue, batch, received, 50);
        Assert.That(Allocation.Least(() => Exchange(queue, batch, received, 50)), Is.Zero);
    }

    private void Exchange(UdpQueue queue, FrameBatch batch, FrameBatch received, int rounds)
    {
        for (int round = 0; round < rounds; round++)
        {
            queue.Send(batch[0]);
            queue.Flush();
            for (int lane = 0; lane < UdpHost.Lanes; lane++)
                _receiver.Underlay.Queue(lane).Receive(received);
        }
    }

    // Sends one super-frame; gives the payloads of all that arrived, each with its own right headers.
    private byte[] SendSuperFrame(byte[] frame, GsoType gso, int mss)
    {
        int headerLength = Offload(frame, gso, mss).HeaderLength;
        _sender.SendBatch([[.. s_header, .. frame]], To, Offload(frame, gso, mss));
        List<byte[]> datagrams = _receiver.ReceiveAll((frame.Length - headerLength + mss - 1) / mss);
        foreach (byte[] datagram in datagrams)
        {
            Assert.That(FrameHeaders.Parse(datagram.AsSpan(8), out FrameHeaders headers), Is.EqualTo(FrameFault.None));
            Assert.That(TransportChecksum.IsValid(datagram.AsSpan(8), headers));
        }

        return Payloads(datagrams, headerLength);
    }

    private static byte[] Payloads(List<byte[]> datagrams, int headerLength) => [.. datagrams.SelectMany(datagram => datagram[(8 + headerLength)..])];

    private static OffloadInfo Offload(byte[] frame, GsoType gso, int mss)
    {
        ushort start = (ushort)(frame[12] == 0x08 ? 34 : 54);
        return new OffloadInfo
        {
            NeedsChecksum = true,
            Gso = gso,
            GsoSize = (ushort)mss,
            ChecksumStart = start,
            ChecksumOffset = 16,
            HeaderLength = (ushort)(start + 20),
        };
    }

    private void AssertArrive(byte[][] sent)
    {
        List<byte[]> received = _receiver.ReceiveAll(sent.Length);
        Assert.That(received.Select(Convert.ToHexString), Is.EqualTo(sent.Select(Convert.ToHexString)));
    }

    // Not IP inside: what isn't a frame is no super-frame either.
    private static byte[] Datagram(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        s_header.CopyTo(bytes, 0);
        bytes.AsSpan(20, 2).Clear();
        return bytes;
    }

    private void ResolveNeighbour()
    {
        _sender.Send(s_header, To);
        _ = _receiver.Receive();
    }

    private Socket OpenWire(NetlinkNamespace place) => InNamespace.Run(place.Name, () =>
    {
        var protocol = (ProtocolType)(short)IPAddress.HostToNetworkOrder(version == 4 ? (short)0x0800 : unchecked((short)0x86DD));
        return new Socket(AddressFamily.Packet, SocketType.Dgram, protocol) { ReceiveTimeout = 5000, ReceiveBufferSize = 1 << 22 };
    });

    private byte[] NextDatagram(Socket wire)
    {
        var packet = new byte[65_600];
        while (true)
        {
            int length = wire.Receive(packet);
            if ((version == 4 ? packet[9] : packet[6]) is 17 or 44) // UDP, or a fragment header of IPv6
                return packet[..length];
        }
    }
}
