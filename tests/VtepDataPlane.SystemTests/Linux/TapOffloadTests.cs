// The offloads of a TAP device's reading side on this kernel: what is granted, how large the super-frames get, and what happens to the limits
// of a device that is not ours. The frames are the kernel's own, from TCP and UDP between two hosts with a relay of two TAPs in between.

using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Linux.Tap;
using VtepDataPlane.Linux.Workers;
using VtepDataPlane.Offload;
using VtepDataPlane.Ports;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Netlink;
using VtepDataPlane.Wire;

namespace VtepDataPlane.SystemTests.Linux;

internal sealed class TapOffloadTests
{
    private const int Mtu = 1450;
    private static readonly GsoLimits s_kernels = new(65_535, 65_536);

    private NetlinkNamespace _a = null!;
    private NetlinkNamespace _b = null!;
    private WorkerSet _workers = null!;

    [SetUp]
    public void MakeNamespaces()
    {
        _a = new NetlinkNamespace();
        _b = new NetlinkNamespace();
        _a.Exec("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 net.ipv6.conf.default.accept_dad=0");
        _b.Exec("sysctl -qw net.ipv6.conf.default.accept_dad=0");
        _workers = new WorkerSet(1);
    }

    [TearDown]
    public void DeleteNamespaces()
    {
        _workers.Dispose();
        _a.Dispose();
        _b.Dispose();
    }

    [Test]
    public void Open_IsGrantedAllOffloads()
    {
        using TapPort port = Open(_a);
        Assert.That(port.Offloads, Is.EqualTo(
            Libc.TUN_F_CSUM | Libc.TUN_F_TSO4 | Libc.TUN_F_TSO6 | Libc.TUN_F_TSO_ECN | Libc.TUN_F_USO4 | Libc.TUN_F_USO6));
        Assert.That(_a.Exec("ethtool -k tap0"), Does.Contain("tcp-segmentation-offload: on").And.Contain("tx-tcp-ecn-segmentation: on").And.Contain("tx-udp-segmentation: on"));
    }

    [Test]
    public void Open_WithoutSuperFrames_LeavesThemToTheKernel()
    {
        using TapPort port = Open(_a, TapSettings.Few with { WithoutSuperFrames = true });
        Assert.That(port.Offloads, Is.EqualTo(Libc.TUN_F_CSUM));
        Assert.That(_a.Exec("ethtool -k tap0"), Does.Contain("tx-tcp-segmentation: off").And.Contain("tx-udp-segmentation: off"));
    }

    [Test]
    public void Limits_FollowTheMtu_WhoeverChangesIt()
    {
        using TapPort port = Open(_a);
        Assert.That(Limits(), Is.EqualTo(GsoLimits.For(Mtu)));
        Assert.That(port.TrySetMtu(1300, out _));
        Assert.That(Limits(), Is.EqualTo(GsoLimits.For(1300)));
        _a.Ip("link set tap0 mtu 1400");
        port.Refresh(_a.Link("tap0"));
        Assert.That(Limits(), Is.EqualTo(GsoLimits.For(1400)));
    }

    [Test]
    public void Limits_OfAnAdoptedDevice_AreGivenBack()
    {
        _a.Ip("tuntap add dev tap0 mode tap multi_queue");
        _a.Ip("link set tap0 gso_max_size 50000 gso_max_segs 100");
        using (Open(_a))
            Assert.That(Limits(), Is.EqualTo(GsoLimits.For(Mtu)));
        Assert.That(Limits(), Is.EqualTo(new GsoLimits(100, 50_000)));
    }

    [Test]
    public void Limits_OfADeviceInABridge_StayAsTheyWere()
    {
        _a.Ip("link add br0 type bridge");
        using (TapPort port = Open(_a, bridge: "br0"))
        {
            Assert.That(Limits(), Is.EqualTo(s_kernels));
            _a.Ip("link set tap0 nomaster");
            port.Refresh(_a.Link("tap0"));
            Assert.That(Limits(), Is.EqualTo(GsoLimits.For(Mtu)));
            _a.Ip("link set tap0 master br0");
            port.Refresh(_a.Link("tap0"));
            Assert.That(Limits(), Is.EqualTo(s_kernels));
        }
    }

    [Test]
    public void Limits_OfOneOfThousands_StayAsTheyWere()
    {
        using TapPort port = Open(_a, TapSettings.Many);
        Assert.That(Limits(), Is.EqualTo(s_kernels));
    }

    [TestCase("net.ipv4.ip_forward")]
    [TestCase("net.ipv6.conf.all.forwarding")]
    public void Limits_OnARouter_StayAsTheyWere(string setting)
    {
        _a.Exec($"sysctl -qw {setting}=1");
        using TapPort port = Open(_a);
        Assert.That(Limits(), Is.EqualTo(s_kernels));
    }

    [Test]
    public void Limits_ThatMayNotBeSet_AreNoErrorAndNoWarning()
    {
        _a.Ip($"tuntap add dev tap0 mode tap multi_queue user {UnprivilegedThread.UserId}");
        _a.Ip("link set tap0 mtu 1450 up");
        UnprivilegedThread.Run(_a.Name, () =>
        {
            using var netlink = new RtNetlink();
            using TapPort port = TapPort.Open(new PortConfig { Tap = "tap0", Mtu = Mtu }, 1, TapSettings.Few, netlink, _workers);
            Assert.That(port.Warnings, Is.Empty);
            Assert.That(port.Offloads, Is.Not.EqualTo(Libc.TUN_F_CSUM), "the offloads need no rights");
        });
        Assert.That(Limits(), Is.EqualTo(s_kernels));
    }

    [TestCase("198.19.0", 1450, 44)]
    [TestCase("fd00:19:", 1450, 44)]
    [TestCase("198.19.0", 8950, 7)]
    public void Tcp_GivesSuperFramesThatFillASend_AndNeedNoSecondOne(string prefix, int mtu, int full)
    {
        using TapPort a = Open(_a, mtu: mtu, host: 1), b = Open(_b, mtu: mtu, host: 2);
        var seen = new SeenFrames();
        using (new Relay(a.Queue(0), b.Queue(0), seen.Look))
            Transfer(prefix, 64 << 20);
        Assert.That(seen.Refused, Is.Zero, "frames that SuperFrame refuses");
        Assert.That(seen.MaxSegments, Is.EqualTo(full));
        Assert.That(seen.MaxSendBytes, Is.LessThanOrEqualTo(65_507).And.GreaterThan(65_507 - (mtu + 22)));
        Assert.That(seen.FullSends, Is.GreaterThan(seen.SuperFrames / 2));
        Assert.That(seen.MaxBatchBytes, Is.LessThanOrEqualTo(256 * 1024 + FrameBatch.DefaultRoom));
    }

    [Test]
    public void Tcp_WithASmallSegmentSize_GetsSuperFramesOfSixtyFourSegments()
    {
        using TapPort a = Open(_a, mtu: Mtu, host: 1), b = Open(_b, mtu: Mtu, host: 2);
        _b.Ip("route change 198.19.0.0/24 dev tap0 src 198.19.0.2 advmss 536");
        var seen = new SeenFrames();
        using (new Relay(a.Queue(0), b.Queue(0), seen.Look))
            Transfer("198.19.0", 16 << 20);
        Assert.That(seen.Refused, Is.Zero);
        Assert.That(seen.MaxSegments, Is.EqualTo(64));
        Assert.That(seen.MaxSendBytes, Is.LessThanOrEqualTo(65_507));
    }

    [Test]
    public void Udp_GivesSuperFrames()
    {
        using TapPort a = Open(_a, mtu: Mtu, host: 1), b = Open(_b, mtu: Mtu, host: 2);
        var seen = new SeenFrames();
        using (new Relay(a.Queue(0), b.Queue(0), seen.Look))
        {
            const int SolUdp = 17, UdpSegment = 103;
            using Socket receiver = InNamespace.Run(_b.Name, () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
            using Socket sender = InNamespace.Run(_a.Name, () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
            receiver.Bind(new IPEndPoint(IPAddress.Parse("198.19.0.2"), 0));
            receiver.ReceiveTimeout = 3000;
            sender.SetRawSocketOption(SolUdp, UdpSegment, BitConverter.GetBytes(1000));
            sender.SendTo(new byte[20_500], receiver.LocalEndPoint!);
            for (int i = 0; i < 21; i++)
                Assert.That(receiver.Receive(new byte[2000]), Is.EqualTo(i < 20 ? 1000 : 500));
        }

        Assert.That((seen.SuperFrames, seen.MaxSegments, seen.Refused), Is.EqualTo((1, 21, 0)));
    }

    private GsoLimits Limits() => new(_a.Link("tap0").GsoMaxSegments, _a.Link("tap0").GsoMaxSize);

    private TapPort Open(NetlinkNamespace where, TapSettings? settings = null, string? bridge = null, int mtu = Mtu, int host = 1) =>
        InNamespace.Run(where.Name, () => TapPort.Open(
            new PortConfig
            {
                Tap = "tap0",
                Mtu = mtu,
                Bridge = bridge,
                Addresses = [new InterfaceAddress(InetAddress.Parse($"198.19.0.{host}"), 24), new InterfaceAddress(InetAddress.Parse($"fd00:19::{host}"), 64)],
            },
            1, settings ?? TapSettings.Few, where.Netlink, _workers));

    private void Transfer(string prefix, int bytes)
    {
        var address = IPAddress.Parse(prefix.Contains(':', StringComparison.Ordinal) ? prefix + ":2" : prefix + ".2");
        using Socket listener = InNamespace.Run(_b.Name, () => new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(new IPEndPoint(address, 0));
        listener.Listen();
        using Socket client = InNamespace.Run(_a.Name, () => new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        client.Connect(listener.LocalEndPoint!);
        using Socket server = listener.Accept();
        client.SendTimeout = server.ReceiveTimeout = 10_000;
        var sender = Task.Run(() =>
        {
            byte[] chunk = new byte[1 << 20];
            for (int sent = 0; sent < bytes; sent += chunk.Length)
                client.Send(chunk);
            client.Shutdown(SocketShutdown.Send);
        });
        byte[] buffer = new byte[1 << 20];
        int received = 0;
        while (server.Receive(buffer) is var n && n > 0)
            received += n;
        sender.GetAwaiter().GetResult();
        Assert.That(received, Is.EqualTo(bytes));
    }

    /// <summary>Carries frames between two TAP queues on a thread of its own.</summary>
    private sealed class Relay : IDisposable
    {
        private readonly FrameBatch _batch = new();
        private readonly Thread _thread;
        private volatile bool _stop;

        public Relay(TapQueue a, TapQueue b, Action<FrameBatch> look)
        {
            _thread = new Thread(() =>
            {
                while (!_stop)
                {
                    if (Carry(a, b, look) + Carry(b, a, static _ => { }) == 0)
                        Thread.Yield();
                }
            });
            _thread.Start();
        }

        public void Dispose()
        {
            _stop = true;
            _thread.Join();
        }

        private int Carry(TapQueue from, TapQueue to, Action<FrameBatch> look)
        {
            if (from.Receive(_batch) == 0)
                return 0;
            look(_batch);
            foreach (Frame frame in _batch)
                to.Send(frame);
            to.Flush();
            return _batch.Count;
        }
    }

    /// <summary>What was read from the sender's TAP.</summary>
    private sealed class SeenFrames
    {
        public int SuperFrames { get; private set; }

        public int FullSends { get; private set; }

        public int Refused { get; private set; }

        public int MaxSegments { get; private set; }

        public int MaxSendBytes { get; private set; }

        public int MaxBatchBytes { get; private set; }

        public void Look(FrameBatch batch)
        {
            int bytes = 0;
            foreach (Frame frame in batch)
            {
                bytes += frame.Length;
                Look(frame);
            }

            MaxBatchBytes = Math.Max(MaxBatchBytes, bytes);
        }

        private void Look(in Frame frame)
        {
            OffloadInfo offload = frame.Info.Offload;
            if (!offload.IsSuperFrame)
                return;
            SuperFrames++;
            if (FrameHeaders.Parse(frame.Bytes, out FrameHeaders headers) != FrameFault.None || !SuperFrame.TryMeasure(frame.Bytes, headers, ref offload))
            {
                Refused++;
                return;
            }

            int segments = SuperFrame.Segments(frame.Length, offload);
            int send = frame.Length + (segments - 1) * offload.HeaderLength + segments * VxlanHeader.Size;
            MaxSegments = Math.Max(MaxSegments, segments);
            MaxSendBytes = Math.Max(MaxSendBytes, send);
            if (send + SuperFrame.LongestSegment(frame.Length, offload) + VxlanHeader.Size > 65_507)
                FullSends++;
        }
    }
}
