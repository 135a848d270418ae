// Path MTU discovery through a router with a narrow link behind it, and forged messages of somebody who isn't on the path:
//
//   a 198.18.1.1 ---- 1500 ---- r ---- 1400 ---- 198.18.2.1 b
//
// The forger sits at b's side and sends ICMP from its own address, with everything right but what it can't know.

using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Netlink;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.SystemTests.Linux;

[TestFixture(4)]
[TestFixture(6)]
internal sealed class PathMtuTests(int version)
{
    private const int Narrow = 1400;

    private NetlinkNamespace _a = null!;
    private NetlinkNamespace _router = null!;
    private NetlinkNamespace _b = null!;
    private UdpHost _sender = null!;
    private UdpHost _receiver = null!;

    private InetAddress LocalA => InetAddress.Parse(version == 4 ? "198.18.1.1" : "fd00:181::1");

    private InetAddress LocalB => InetAddress.Parse(version == 4 ? "198.18.2.1" : "fd00:182::1");

    private int HeaderSize => version == 4 ? 28 : 48;

    [SetUp]
    public void MakeHosts()
    {
        _a = new NetlinkNamespace();
        _b = new NetlinkNamespace();
        _router = new NetlinkNamespace();
        _router.Exec("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0");
        _router.IpBatch(
        [
            $"link add ra type veth peer name eth0 netns {_a.Name}", $"link add rb type veth peer name eth0 netns {_b.Name}",
            "address add 198.18.1.254/24 dev ra", "address add fd00:181::fe/64 dev ra nodad",
            "address add 198.18.2.254/24 dev rb", "address add fd00:182::fe/64 dev rb nodad",
            "link set ra up", $"link set rb mtu {Narrow} up",
        ]);
        _a.IpBatch(["address add 198.18.1.1/24 dev eth0", "address add fd00:181::1/64 dev eth0 nodad", "link set eth0 up", "route add default via 198.18.1.254"]);
        _b.IpBatch(["address add 198.18.2.1/24 dev eth0", "address add fd00:182::1/64 dev eth0 nodad", $"link set eth0 mtu {Narrow} up", "route add default via 198.18.2.254"]);
        _a.Ip("-6 route add default via fd00:181::fe");
        _b.Ip("-6 route add default via fd00:182::fe");
        _sender = new UdpHost(_a, new UnderlayConfig { Local = LocalA });
        _receiver = new UdpHost(_b, new UnderlayConfig { Local = LocalB });
        Assert.That(_sender.Send(Datagram(100), ToB), Is.EqualTo(1));
        Assert.That(_receiver.Receive().Payload, Is.EqualTo(Datagram(100)), "the path works");
    }

    [TearDown]
    public void DeleteHosts()
    {
        _sender.Dispose();
        _receiver.Dispose();
        _a.Dispose();
        _b.Dispose();
        _router.Dispose();
    }

    [Test]
    public void ARoutersReport_LowersThePathMtu_AndCostsNoOtherDatagram()
    {
        Assert.That(_sender.Underlay.PathTo(LocalB).Mtu, Is.EqualTo(1500));
        Assert.That(_sender.Send(Datagram(1500 - HeaderSize), ToB), Is.EqualTo(1), "the link takes it, the router won't");

        // A router limits its reports (net.ipv4.icmp_ratelimit: one a second) and may owe us this one; so each second another chance.
        long again = Environment.TickCount64 + 1000;
        Wait.Until("the router's report is believed", () =>
        {
            if (Environment.TickCount64 >= again)
            {
                again += 1000;
                _sender.Send(Datagram(1500 - HeaderSize), ToB);
            }

            SendOnBothLanes();
            return _sender.Underlay.PathMtus.Believed >= 1;
        });

        Assert.That(_sender.Underlay.PathTo(LocalB).Mtu, Is.EqualTo(Narrow));
        Assert.That(_sender.PathMtuFell, Is.EqualTo(1));
        Assert.That(_sender.Underlay.PathMtus.Disbelieved, Is.Zero);
        Assert.That(_sender.Meters().TotalDrops, Is.Zero);
        Assert.That(_sender.Send(Datagram(Narrow - HeaderSize), ToB), Is.EqualTo(1));
        Wait.Until("the longest datagram that fits arrives whole", () => _receiver.TryReceive()?.Payload.Length == Narrow - HeaderSize);
        Assert.That(_sender.Underlay.PathMtus.Expire(Environment.TickCount64 + 10 * 60 * 1000 + 1), Is.True);
        Assert.That(_sender.Underlay.PathTo(LocalB).Mtu, Is.EqualTo(1500), "after ten minutes the path may have become wider");
    }

    [Test]
    public void AForgedReport_HasNoEffect()
    {
        Assert.That(_sender.Send(Datagram(1300), ToB), Is.EqualTo(1));
        _ = _receiver.Receive();
        Forge(Quote(length: 200, payload: new byte[200]), mtu: version == 4 ? 600 : 1280);
        Forge(Quote(length: 8, payload: Datagram(1300)), mtu: version == 4 ? 600 : 1280);

        Wait.Until("both forgeries were read", () =>
        {
            SendOnBothLanes();
            return _sender.Underlay.PathMtus.Disbelieved == 2;
        });

        Assert.That(_sender.Underlay.PathMtus.Believed, Is.Zero);
        Assert.That(_sender.Underlay.PathTo(LocalB).Mtu, Is.EqualTo(1500));
        Assert.That(_sender.Send(Datagram(Narrow - HeaderSize), ToB), Is.EqualTo(1));
        Wait.Until("long datagrams still arrive whole", () => _receiver.TryReceive()?.Payload.Length == Narrow - HeaderSize);
        Assert.That(_sender.Meters().TotalDrops, Is.Zero);
        Assert.That(FragmentsMade(), Is.Zero);
    }

    [Test]
    public void ATrueQuote_WithAnImpossibleMtu_IsNotBelieved()
    {
        Assert.That(_sender.Send(Datagram(1300), ToB), Is.EqualTo(1));
        Forge(Quote(length: 200, payload: Datagram(1300)), mtu: version == 4 ? 68 : 600);

        Wait.Until("it was read", () =>
        {
            SendOnBothLanes();
            return _sender.Underlay.PathMtus.Disbelieved == 1;
        });
        Assert.That(_sender.Underlay.PathTo(LocalB).Mtu, Is.EqualTo(1500));
    }

    private OuterHeader ToB => new() { Remote = new VtepEndpoint(LocalB, UnderlayConfig.DefaultPort), SourcePort = 51_234, DontFragment = true };

    /// <summary>The UDP source port of the test's one flow.</summary>
    private ushort SourcePort => _sender.Underlay.SourcePorts[51_234 % _sender.Underlay.SourcePorts.Count];

    // The kernel tells of an ICMP message by failing the next call on a socket with that source port, whichever lane's its hash picks;
    // the datagram is sent all the same.
    private void SendOnBothLanes()
    {
        for (int lane = 0; lane < UdpHost.Lanes; lane++)
            Assert.That(_sender.Send(Datagram(100), ToB, lane), Is.EqualTo(1));
    }

    private static byte[] Datagram(int length)
    {
        var datagram = new byte[length];
        for (int i = 0; i < length; i++)
            datagram[i] = (byte)(i * 7 + length);
        return datagram;
    }

    /// <summary>IP and UDP header of a datagram from a to b, and the first bytes of its payload.</summary>
    private byte[] Quote(int length, byte[] payload)
    {
        var packet = new byte[HeaderSize + length];
        if (version == 4)
        {
            Convert.FromHexString("450005400000400040110000").CopyTo(packet, 0);
            LocalA.Write(packet.AsSpan(12));
            LocalB.Write(packet.AsSpan(16));
        }
        else
        {
            Convert.FromHexString("6000000005201140").CopyTo(packet, 0);
            LocalA.Write(packet.AsSpan(8));
            LocalB.Write(packet.AsSpan(24));
        }

        Span<byte> udp = packet.AsSpan(HeaderSize - 8);
        (udp[0], udp[1], udp[2], udp[3]) = ((byte)(SourcePort >> 8), (byte)SourcePort, 0x12, 0xB5);
        (udp[4], udp[5]) = ((byte)((payload.Length + 8) >> 8), (byte)(payload.Length + 8));
        payload.AsSpan(0, Math.Min(length, payload.Length)).CopyTo(packet.AsSpan(HeaderSize));
        return packet;
    }

    private void Forge(byte[] quote, int mtu)
    {
        byte[] message = [version == 4 ? (byte)3 : (byte)2, version == 4 ? (byte)4 : (byte)0, 0, 0, 0, 0, (byte)(mtu >> 8), (byte)mtu, .. quote];
        if (version == 4)
        {
            ushort checksum = Checksum(message);
            (message[2], message[3]) = ((byte)(checksum >> 8), (byte)checksum);
        }

        using Socket socket = InNamespace.Run(_b.Name, () => version == 4
            ? new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Icmp)
            : new Socket(AddressFamily.InterNetworkV6, SocketType.Raw, ProtocolType.IcmpV6)); // whose checksum the kernel writes
        socket.SendTo(message, new IPEndPoint(LocalA.ToIPAddress(), 0));
    }

    private static ushort Checksum(byte[] bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i += 2)
            sum += (uint)(bytes[i] << 8 | (i + 1 < bytes.Length ? bytes[i + 1] : 0));
        while (sum > 0xFFFF)
            sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }

    // FragCreates is the last column of the Ip: lines of /proc/net/snmp; IPv6 has Ip6FragCreates in a line of snmp6.
    private int FragmentsMade()
    {
        if (version == 6)
        {
            string line = _a.Exec("cat /proc/net/snmp6").Split('\n').Single(text => text.StartsWith("Ip6FragCreates", StringComparison.Ordinal));
            return int.Parse(line.Split(' ', '\t')[^1]);
        }

        string[][] ip = [.. _a.Exec("cat /proc/net/snmp").Split('\n').Where(text => text.StartsWith("Ip:", StringComparison.Ordinal)).Select(text => text.Split(' '))];
        return int.Parse(ip[1][Array.IndexOf(ip[0], "FragCreates")]);
    }
}
