// UDP sockets of a VTEP between two namespaces over a veth: what goes out is judged by what a raw socket at the other end sees.

using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Udp;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Netlink;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.SystemTests.Linux;

[TestFixture(4)]
[TestFixture(6)]
internal sealed class UdpUnderlayTests(int version)
{
    private static readonly byte[] s_payload = Convert.FromHexString("0800000000000100");
    private static readonly byte[] s_large = new byte[1400];

    private NetlinkNamespace _a = null!;
    private NetlinkNamespace _b = null!;
    private UdpHost _sender = null!;
    private UdpHost _receiver = null!;
    private OuterHeader _to;

    private InetAddress LocalA => InetAddress.Parse(version == 4 ? "198.18.0.1" : "fd00:18::1");

    private InetAddress LocalB => InetAddress.Parse(version == 4 ? "198.18.0.2" : "fd00:18::2");

    private int HeaderSize => version == 4 ? 28 : 48;

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
    }

    [TearDown]
    public void DeleteHosts()
    {
        _sender.Dispose();
        _receiver.Dispose();
        _a.Dispose();
        _b.Dispose();
    }

    [Test]
    public void ADatagram_ArrivesWithItsSource_AndTrafficClass()
    {
        Assert.That(_sender.Send(s_payload, To(LocalB) with { TrafficClass = 0xBA }), Is.EqualTo(1));

        (byte[] payload, OuterHeader outer) = _receiver.Receive();
        Assert.That(payload, Is.EqualTo(s_payload));
        Assert.That(outer.Remote.Address, Is.EqualTo(LocalA));
        Assert.That(outer.Remote.Port, Is.InRange(49_152, 65_535));
        Assert.That(outer.TrafficClass, Is.EqualTo(0xBA));
        Assert.That((_sender.Meters().Sent, _sender.Meters().SentBytes), Is.EqualTo((1, 8)));
        Assert.That(_receiver.Meters(0).Received + _receiver.Meters(1).Received, Is.EqualTo(1));
    }

    [Test]
    public void TtlAndTrafficClass_AreTheDefault_OrWhatTheFrameAsksFor()
    {
        using Socket wire = OpenWire(_b);
        _sender.Send(s_payload, To(LocalB));
        _sender.Send(s_payload, To(LocalB) with { HopLimit = 7, TrafficClass = 0x42 });
        _sender.Send(s_payload, To(LocalB));

        byte[][] packets = [NextDatagram(wire), NextDatagram(wire), NextDatagram(wire)];
        Assert.That(packets.Select(HopLimit), Is.EqualTo(new[] { 64, 7, 64 }));
        Assert.That(packets.Select(TrafficClass), Is.EqualTo(new[] { 0, 0x42, 0 }));
    }

    [Test]
    public void DontFragment_IsSetOrNot_AsTheFrameAsksFor()
    {
        if (version == 6)
        {
            Assert.That(_sender.Send(s_payload, To(LocalB) with { DontFragment = false }), Is.EqualTo(1), "IPv6 has no such bit");
            return;
        }

        using Socket wire = OpenWire(_b);
        _sender.Send(s_payload, To(LocalB) with { DontFragment = true });
        _sender.Send(s_payload, To(LocalB) with { DontFragment = false });
        byte[][] packets = [NextDatagram(wire), NextDatagram(wire)];

        Assert.That(packets.Select(packet => packet[6] & 0xE0), Is.EqualTo(new[] { 0x40, 0x00 }));
        Assert.That(SourcePort(packets[0]), Is.EqualTo(SourcePort(packets[1])), "a flow has one source port, with and without DF");
    }

    [Test]
    public void TheSourcePort_FollowsTheFlow_WhicheverLaneSends()
    {
        var portOfFlow = new Dictionary<int, int>();
        for (int round = 0; round < 2; round++)
        {
            for (int flow = 0; flow < 64; flow++)
            {
                OuterHeader outer = To(LocalB) with { SourcePort = (ushort)(49_152 + flow * 255) };
                Assert.That(_sender.Send(s_payload, outer, lane: (flow + round) % 2), Is.EqualTo(1));
                int port = _receiver.Receive().Outer.Remote.Port;
                Assert.That(port, Is.InRange(49_152, 65_535));
                if (!portOfFlow.TryAdd(flow, port))
                    Assert.That(port, Is.EqualTo(portOfFlow[flow]));
            }
        }

        Assert.That(portOfFlow.Values.Distinct().Count(), Is.EqualTo(UdpQueue.SourcePorts));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void ADatagramLongerThanTheLink_IsRefusedAndCounted_NeverFragmented(bool dontFragment)
    {
        using Socket wire = OpenWire(_b);
        int longest = 1500 - HeaderSize;
        OuterHeader outer = To(LocalB) with { DontFragment = dontFragment };

        Assert.That(_sender.Send(new byte[longest + 1], outer), Is.Zero);
        Assert.That(_sender.Send(new byte[longest], outer), Is.EqualTo(1), Drops(_sender));

        Assert.That(_sender.Meters().Drops(DropReason.LinkMtuExceeded), Is.EqualTo(1));
        Assert.That(NextDatagram(wire), Has.Length.EqualTo(1500));
        Assert.That(_receiver.Receive().Payload, Has.Length.EqualTo(longest));
        _sender.Send(s_payload, outer);
        Assert.That(NextDatagram(wire), Has.Length.EqualTo(HeaderSize + s_payload.Length), "no fragment came in between");
    }

    [Test]
    public void SendSockets_ReceiveNothing()
    {
        ushort port = _sender.Underlay.SourcePorts[0];
        _receiver.Send(s_payload, new OuterHeader { Remote = new VtepEndpoint(LocalA, port), SourcePort = 50_000, DontFragment = true });
        _receiver.Send(s_payload, new OuterHeader { Remote = _sender.Endpoint, SourcePort = 50_000, DontFragment = true });

        Assert.That(_sender.Receive().Payload, Is.EqualTo(s_payload));
        Assert.That(_sender.TryReceive(), Is.Null);
        string sockets = _a.Exec("ss -Hlun" + (version == 6 ? "6" : "4"));
        Assert.That(sockets.Split('\n').Where(line => line.Length > 0).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]), Is.All.EqualTo("0"), sockets);
    }

    [Test]
    public void SixtyFourKilobytes_ArriveWhole()
    {
        var large = new byte[65_507];
        Random.Shared.NextBytes(large);
        using Socket peer = InNamespace.Run(_a.Name, () => new Socket(Family, SocketType.Dgram, ProtocolType.Udp));
        peer.SendTo(large, new IPEndPoint(LocalB.ToIPAddress(), UnderlayConfig.DefaultPort));

        Assert.That(_receiver.Receive().Payload, Is.EqualTo(large));
    }

    [Test]
    public void ADatagramLongerThanItsSlot_IsDroppedAndCounted_AndTheNextIsWhole()
    {
        var small = new FrameBatch(4, room: 100);
        foreach (int length in new[] { 40, 101, 60 })
            _sender.Send(new byte[length], To(LocalB));
        var lengths = new List<int>();
        Wait.Until("two datagrams arrive", () =>
        {
            for (int lane = 0; lane < UdpHost.Lanes; lane++)
            {
                _receiver.Underlay.Queue(lane).Receive(small);
                for (int i = 0; i < small.Count; i++)
                    lengths.Add(small[i].Length);
            }

            return lengths.Count == 2;
        });

        Assert.That(lengths, Is.EqualTo(new[] { 40, 60 }));
        Assert.That(_receiver.Meters(0).Drops(DropReason.DatagramTruncated) + _receiver.Meters(1).Drops(DropReason.DatagramTruncated), Is.EqualTo(1));
        Assert.That(_receiver.Meters(0).Received + _receiver.Meters(1).Received, Is.EqualTo(3));
    }

    [Test]
    public void AFlood_OfMoreThanTheQueueHolds_IsSentInOrder()
    {
        ResolveNeighbour();
        var batch = new FrameBatch();
        UdpQueue queue = _sender.Underlay.Queue(0);
        int sent = 0;
        for (int i = 0; i < 600; i++)
        {
            batch.Count = 0;
            batch.TryAdd(new byte[100 + i]);
            batch[0].Info.Outer = To(LocalB);
            queue.Send(batch[0]);
            if (i % 50 == 49)
                sent += queue.Flush();
        }

        Assert.That(sent, Is.EqualTo(600));
        Assert.That(_receiver.ReceiveLengths(600), Is.EqualTo(Enumerable.Range(100, 600)));
    }

    [Test]
    public void NoRoute_ASilentPeer_AndAFirewall_AreCountedApart()
    {
        InetAddress far = InetAddress.Parse(version == 4 ? "198.19.9.9" : "fd00:99::9");
        Assert.That(_sender.Send(s_payload, To(far)), Is.Zero);
        Assert.That(_sender.Meters().Drops(DropReason.NoRoute), Is.EqualTo(1));

        _a.Exec("nft add table inet t");
        _a.Exec("nft add chain inet t out { type filter hook output priority 0 ; }");
        _a.Exec("nft add rule inet t out udp dport 4789 drop");
        Assert.That(_sender.Send(s_payload, To(LocalB)), Is.Zero);
        Assert.That(_sender.Meters().Drops(DropReason.TxDenied), Is.EqualTo(1));
    }

    [Test]
    public void AnIcmpError_ForAnEarlierDatagram_CostsNoLaterOne()
    {
        _receiver.Dispose();
        for (int i = 0; i < 50; i++)
            Assert.That(_sender.Send(s_payload, To(LocalB)), Is.EqualTo(1), "port unreachable belongs to an earlier datagram");
        Assert.That(_sender.Meters().TotalDrops, Is.Zero);
        _receiver = new UdpHost(_b, new UnderlayConfig { Local = LocalB });
    }

    [Test]
    public void ARemovedLocalAddress_IsNotSentFrom_AndItsReturnIsEnough()
    {
        string address = version == 4 ? "198.18.0.1/24" : "fd00:18::1/64";
        _a.Ip($"address del {address} dev eth0");
        Assert.That(_sender.Underlay.Follow(), Is.Empty);
        Assert.That(_sender.Underlay.IsLocalAddressPresent, Is.False);
        Assert.That(_sender.Send(s_payload, To(LocalB)), Is.Zero);
        Assert.That(_sender.Meters().Drops(DropReason.LocalAddressMissing), Is.EqualTo(1));

        _a.Ip($"address add {address} dev eth0" + (version == 6 ? " nodad" : ""));
        Assert.That(_sender.Underlay.Follow(), Is.Empty);
        Assert.That(_sender.Underlay.IsLocalAddressPresent);
        Assert.That(_sender.Send(s_payload, To(LocalB)), Is.EqualTo(1));
        Assert.That(_receiver.Receive().Payload, Is.EqualTo(s_payload));
        _receiver.Send(s_payload, To(LocalA));
        Assert.That(_sender.Receive().Payload, Is.EqualTo(s_payload));
    }

    [Test]
    public void PathTo_IsTheRoutesMetric_OrTheLinksMtu()
    {
        int index = _a.Link("eth0").Index;
        Assert.That(_sender.Underlay.PathTo(LocalB), Is.EqualTo(new UnderlayPath(PathStatus.Reachable, 1500, index)));
        Assert.That(_sender.Underlay.PathThrough("eth0"), Is.EqualTo(new UnderlayPath(PathStatus.Reachable, 1500, index)));
        Assert.That(_sender.Underlay.PathThrough("eth7").Status, Is.EqualTo(PathStatus.NoRoute));
        _a.Ip($"route add {LocalB} dev eth0 mtu 1400");

        Assert.That(_sender.Underlay.PathTo(LocalB).Mtu, Is.EqualTo(1400));
        _a.Ip("link set eth0 down");
        Assert.That(_sender.Underlay.PathTo(InetAddress.Parse("198.19.9.9")).Status, Is.EqualTo(PathStatus.NoRoute));
    }

    [Test]
    public void ReceiveSendFlush_AllocateNothing()
    {
        var batch = new FrameBatch();
        var received = new FrameBatch();
        _to = To(LocalB);
        ResolveNeighbour();
        Exchange(batch, received, 100);

        long allocated = Allocation.Least(() => Exchange(batch, received, 100));

        Assert.That(allocated, Is.Zero);
        Assert.That(_sender.Meters().Sent, Is.EqualTo(1 + 400 * 16));
        Assert.That(_receiver.Meters(0).Received + _receiver.Meters(1).Received, Is.GreaterThan(1000));
    }

    // Until the neighbour's MAC is known the kernel holds back only so many datagrams.
    private void ResolveNeighbour()
    {
        _sender.Send(s_payload, To(LocalB));
        _ = _receiver.Receive();
    }

    private AddressFamily Family => version == 4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;

    private static string Drops(UdpHost host) =>
        string.Join(' ', DropReasonText.All.ToArray().Where(reason => host.Meters().Drops(reason) > 0).Select(reason => $"{reason.Name()}={host.Meters().Drops(reason)}"));

    private static OuterHeader To(InetAddress remote) =>
        new() { Remote = new VtepEndpoint(remote, UnderlayConfig.DefaultPort), SourcePort = 51_234, DontFragment = true };

    // Every packet that arrives at the namespace, from its IP header on.
    private Socket OpenWire(NetlinkNamespace place) => InNamespace.Run(place.Name, () =>
    {
        var protocol = (ProtocolType)(short)IPAddress.HostToNetworkOrder(version == 4 ? (short)0x0800 : unchecked((short)0x86DD));
        return new Socket(AddressFamily.Packet, SocketType.Dgram, protocol) { ReceiveTimeout = 5000 };
    });

    private byte[] NextDatagram(Socket wire)
    {
        var packet = new byte[65_600];
        while (true)
        {
            int length = wire.Receive(packet);
            int protocol = version == 4 ? packet[9] : packet[6];
            if (protocol is 17 or 44) // UDP, or a fragment header of IPv6
                return packet[..length];
        }
    }

    private int HopLimit(byte[] packet) => version == 4 ? packet[8] : packet[7];

    private int TrafficClass(byte[] packet) => version == 4 ? packet[1] : (packet[0] & 0xF) << 4 | packet[1] >> 4;

    private int SourcePort(byte[] packet) => packet[HeaderSize - 8] << 8 | packet[HeaderSize - 7];

    private void Exchange(FrameBatch batch, FrameBatch received, int rounds)
    {
        UdpQueue queue = _sender.Underlay.Queue(0);
        for (int round = 0; round < rounds; round++)
        {
            batch.Count = 0;
            for (int i = 0; i < 16; i++)
            {
                batch.TryAdd(i % 2 == 0 ? s_large : s_payload);
                batch[i].Info.Outer = _to with { SourcePort = (ushort)(50_000 + i), TrafficClass = 4, HopLimit = (byte)(i + 1) };
                queue.Send(batch[i]);
            }

            queue.Flush();
            for (int lane = 0; lane < UdpHost.Lanes; lane++)
                _receiver.Underlay.Queue(lane).Receive(received);
        }
    }

}
