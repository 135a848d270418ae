// What explain shows is what the kernel really sends: random frames go into a VTEP by a port in memory, out by its UDP sockets and over a veth, where
// tcpdump takes down the outer packets, IP header and all. Both families; DF, TTL and TOS set and inherited.

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using VtepDataPlane.Diagnostics.Explain;
using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux;
using VtepDataPlane.Ports;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Netlink;
using VtepDataPlane.Tests;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.SystemTests.Linux;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class ExplainOnTheWireTests
{
    private const int Frames = 500; // in each family
    private const int PcapHeader = 24, RecordHeader = 16;

    private NetlinkNamespace _a = null!;
    private NetlinkNamespace _b = null!;

    [SetUp]
    public void MakeHosts()
    {
        _b = new NetlinkNamespace();
        _a = new NetlinkNamespace();
        _a.Ip($"link add eth0 type veth peer name eth0 netns {_b.Name}");
        foreach ((NetlinkNamespace host, int number) in new[] { (_a, 1), (_b, 2) })
        {
            host.Ip($"addr add 198.18.0.{number}/24 dev eth0");
            host.Ip($"addr add fd00:18::{number}/64 dev eth0 nodad");
            host.Ip("link set eth0 up");
        }

        // what is taken down must have its checksum, not the hardware's part of it
        _a.Exec("ethtool -K eth0 tx off");
    }

    [TearDown]
    public void DeleteHosts()
    {
        _a.Dispose();
        _b.Dispose();
    }

    [TestCase("198.18.0.1", "198.18.0.2")]
    [TestCase("fd00:18::1", "fd00:18::2")]
    public async Task OuterBytes_AreThoseOnTheWire(string local, string peer)
    {
        string file = Path.Combine(Path.GetTempPath(), $"vtep-{Guid.NewGuid():N}.pcap");
        using Socket sink = InNamespace.Run(_b.Name, () => Bind(peer)); // nobody is told that the port is closed
        _b.Exec($"ping -c 1 -W 5 {local}"); // neighbours are known
        using var tcpdump = new BackgroundProcess("ip", ["netns", "exec", _b.Name, "tcpdump", "-Z", "root", "-n", "-i", "eth0", "-s", "0", "-B", "65536", "--immediate-mode", "-w", file, "udp dst port 4789"]);
        tcpdump.WaitForLine("listening on");
        var port = new MemoryPort("m1", lanes: 1);
        await using LinuxVtep vtep = InNamespace.Run(_a.Name, () => LinuxVtep.Start(Config(local, peer, port), NullLoggerFactory.Instance));

        List<string> expected = Send(vtep, port, new Random(7));

        Wait.Until("all packets are taken down", () => Packets(file).Count >= expected.Count, 20, () => $"{Packets(file).Count} of {expected.Count}");
        tcpdump.Signal("INT");
        tcpdump.WaitForExit(TimeSpan.FromSeconds(10));
        List<string> seen = Packets(file);
        File.Delete(file);
        Assert.That(expected, Has.Count.GreaterThan(Frames / 2));
        Assert.That(seen, Is.EquivalentTo(expected));
    }

    private static List<string> Send(LinuxVtep vtep, MemoryPort port, Random random)
    {
        var expected = new List<string>();
        for (int i = 0; i < Frames; i++)
        {
            byte[] frame = RandomFrame(random);
            Explanation explained = vtep.Vtep.Explain(new FrameQuestion { Vni = new Vni(100), Frame = frame }, vtep.NowMilliseconds);
            expected.AddRange(explained.Outcomes.Where(outcome => !outcome.Outer.IsEmpty).Select(outcome => Convert.ToHexStringLower(outcome.Outer.Span)));
            long before = vtep.Vtep.Counters().Received;
            Assert.That(port.Inject(frame), Is.True);
            Wait.Until("the frame is taken", () => vtep.Vtep.Counters() is { Unaccounted: 0 } counters && counters.Received > before, 10, () => $"frame {i}");
            port.TakeAll();
        }

        return expected;
    }

    private static VtepConfig Config(string local, string peer, MemoryPort port) => new()
    {
        Workers = 1,
        Underlay = new UnderlayConfig { Local = InetAddress.Parse(local) },
        BridgeDomains =
        [
            new BridgeDomainConfig
            {
                Name = "blue",
                Vni = new Vni(100),
                Ports = [PortConfig.Of(port)],
                Discovery = new StaticDiscovery { Peers = [new VtepEndpoint(InetAddress.Parse(peer), 4789)] },
                Encapsulation = new EncapsulationPolicy { Ttl = null, Dscp = null, Ecn = EcnPolicy.Rfc6040, InnerVlan = InnerVlanPolicy.Pass },
            },
        ],
    };

    private static byte[] RandomFrame(Random random)
    {
        var tos = (byte)random.Next(256);
        var ttl = (byte)random.Next(1, 256);
        byte[] frame = random.Next(6) switch
        {
            0 => TestFrames.Udp(payload: new byte[random.Next(1400)], tos: tos, ttl: ttl, sourcePort: random.Next(65536)),
            1 => TestFrames.Tcp(payload: new byte[random.Next(1300)], tos: tos, ttl: ttl, sourcePort: random.Next(65536)),
            2 => TestFrames.Udp(sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B, tos: tos, ttl: ttl, sourcePort: random.Next(65536)),
            3 => TestFrames.Udp(vlans: [5], tos: tos, ttl: ttl),
            4 => TestFrames.Arp(),
            _ => TestFrames.Ethernet(0x88B5, new byte[random.Next(1600)]),
        };
        MacAddress.Parse(random.Next(5) == 0 ? "ff:ff:ff:ff:ff:ff" : $"02:00:00:00:01:{random.Next(256):x2}").Write(frame);
        MacAddress.Parse($"02:00:00:00:00:{random.Next(16):x2}").Write(frame.AsSpan(6));
        return frame;
    }

    private static Socket Bind(string address)
    {
        var socket = new Socket(IPAddress.Parse(address).AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 4789));
        return socket;
    }

    /// <summary>The IP packets in a pcap file, as far as it is written.</summary>
    private static List<string> Packets(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[stream.Length];
        int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        var packets = new List<string>();
        for (int at = PcapHeader; at + RecordHeader <= length;)
        {
            int captured = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 8));
            if (at + RecordHeader + captured > length)
                break;
            packets.Add(Convert.ToHexStringLower(bytes.AsSpan(at + RecordHeader + EthernetHeader.Size, captured - EthernetHeader.Size)));
            at += RecordHeader + captured;
        }

        return packets;
    }
}
