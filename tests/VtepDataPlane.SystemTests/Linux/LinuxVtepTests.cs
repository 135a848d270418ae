// A whole VTEP in a namespace: threads, control loop and all, in this process. The kernel is the station behind each port.

using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux;
using VtepDataPlane.Ports;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Netlink;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.SystemTests.Linux;

internal sealed class LinuxVtepTests
{
    private readonly List<Exception> _fatal = [];
    private NetlinkNamespace _a = null!;
    private NetlinkNamespace _b = null!;

    [SetUp]
    public void MakeHosts()
    {
        _fatal.Clear();
        _b = new NetlinkNamespace();
        _a = new NetlinkNamespace();
        LinkThem();
    }

    [TearDown]
    public void DeleteHosts()
    {
        _a.Dispose();
        _b.Dispose();
        Assert.That(_fatal, Is.Empty);
    }

    [Test]
    public async Task TwoVteps_CarryTraffic_AndLeaveNothingBehind()
    {
        LinuxVtep a = Start(_a, Config(1, workers: 2));
        LinuxVtep b = Start(_b, Config(2, workers: 2));
        await using (a)
        await using (b)
        {
            Ping(_a, "198.19.0.2");
            Ping(_b, "198.19.0.1", "-s 4000 -f -c 200");
            Assert.That(_a.Link("tap0").Mtu, Is.EqualTo(1450));
            Assert.That(a.Vtep.Fdb(a.NowMilliseconds).Count(entry => entry.Kind == "remote"), Is.EqualTo(1));
            Assert.That(a.Vtep.Counters().Unaccounted, Is.Zero);
        }

        Assert.That(_a.Netlink.GetLink("tap0"), Is.Null);
        Assert.That(_a.Exec("ss -Hlun"), Is.Empty);
    }

    [Test]
    public async Task ADeletedDevice_IsMadeAgain_AndOtherPortsGoOn()
    {
        await using LinuxVtep a = Start(_a, Config(1, workers: 2, ports: 2));
        await using LinuxVtep b = Start(_b, Config(2, workers: 2, ports: 2));
        Ping(_a, "198.19.0.2");
        Ping(_a, "198.19.1.2");
        int before = _a.Link("tap0").Index;

        _a.Ip("link del tap0");

        Wait.Until("the device is back", () => _a.Netlink.GetLink("tap0") is { IsUp: true } link && link.Index != before, seconds: 2);
        Ping(_a, "198.19.1.2");
        Wait.Until("the port is up", () => a.Vtep.Ports().All(port => port.Up));
        Ping(_a, "198.19.0.2");
        Assert.That(_a.Link("tap0").Mtu, Is.EqualTo(1450));
    }

    [Test]
    public async Task AChangedConfiguration_IsApplied_AndAnImpossibleOneRefused()
    {
        await using LinuxVtep a = Start(_a, Config(1, workers: 2));
        await using LinuxVtep b = Start(_b, Config(2, workers: 2, ports: 2));
        await a.ApplyAsync(Config(1, workers: 2, ports: 2));
        Ping(_a, "198.19.1.2");
        VtepConfig impossible = Config(1, workers: 2, ports: 3);
        _a.Ip("link add tap2 type bridge");

        VtepException? refused = await Assert.ThrowsAsync<VtepException>(() => a.ApplyAsync(impossible));
        Assert.That(refused!.Message, Does.Contain("'tap2'"));
        Ping(_a, "198.19.1.2");
        await a.ApplyAsync(Config(1, workers: 2));
        Assert.That(_a.Netlink.GetLink("tap1"), Is.Null);
        Ping(_a, "198.19.0.2");
    }

    [Test]
    public async Task TheUnderlay_MadeAnew_CarriesAgain()
    {
        await using LinuxVtep a = Start(_a, Config(1, workers: 1));
        await using LinuxVtep b = Start(_b, Config(2, workers: 1));
        Ping(_a, "198.19.0.2");
        _a.Ip("link del eth0");
        Wait.Until("the address is missed", () => !a.Vtep.Status().LocalAddressPresent);
        LinkThem();
        Wait.Until("the address is back", () => a.Vtep.Status().LocalAddressPresent, seconds: 2);
        Wait.Until("the VTEPs are reached again", () => a.Vtep.Peers(a.NowMilliseconds).All(peer => peer.State == "ok"), seconds: 2);
        Ping(_a, "198.19.0.2");
    }

    [Test]
    public async Task ANarrowerUnderlay_NarrowsThePorts()
    {
        await using LinuxVtep a = Start(_a, Config(1, workers: 1));
        Assert.That(_a.Link("tap0").Mtu, Is.EqualTo(1450));

        _a.Ip("link set eth0 mtu 1400");

        Wait.Until("the port follows", () => _a.Link("tap0").Mtu == 1350, seconds: 2);
        _a.Ip("link set eth0 mtu 1500");
        Wait.Until("the port follows back", () => _a.Link("tap0").Mtu == 1450, seconds: 2);
    }

    [Test]
    public async Task WhatARouterReports_NarrowsThePorts()
    {
        using var router = new NetlinkNamespace();
        router.Exec("sysctl -qw net.ipv4.ip_forward=1");
        router.IpBatch(
        [
            $"link add ra type veth peer name eth1 netns {_a.Name}", $"link add rb type veth peer name eth1 netns {_b.Name}",
            "address add 198.18.1.254/24 dev ra", "address add 198.18.2.254/24 dev rb", "link set ra up", "link set rb mtu 1400 up",
        ]);
        _a.IpBatch(["address add 198.18.1.1/24 dev eth1", "link set eth1 up", "route add 198.18.2.0/24 via 198.18.1.254"]);
        _b.IpBatch(["address add 198.18.2.1/24 dev eth1", "link set eth1 mtu 1400 up", "route add 198.18.1.0/24 via 198.18.2.254"]);
        await using LinuxVtep a = Start(_a, Config(1, workers: 2, local: "198.18.1.1", remote: "198.18.2.1"));
        await using LinuxVtep b = Start(_b, Config(2, workers: 2, local: "198.18.2.1", remote: "198.18.1.1"));
        Ping(_a, "198.19.0.2");
        Assert.That(_a.Link("tap0").Mtu, Is.EqualTo(1450));

        // Nothing is known of the narrow link yet, so this one is lost.
        Command.Run("ip", ["netns", "exec", _a.Name, .. "ping -c 1 -W 1 -M dont -s 1422 198.19.0.2".Split(' ')]);

        Wait.Until("the port follows the path", () => _a.Link("tap0").Mtu == 1350);
        Assert.That(a.IcmpBelieved, Is.Positive);
        Ping(_a, "198.19.0.2", "-c 3 -s 1422");
    }

    [Test]
    public async Task ABurst_IsCarriedWhole()
    {
        await using LinuxVtep a = Start(_a, Config(1, workers: 2));
        await using LinuxVtep b = Start(_b, Config(2, workers: 2));
        Ping(_a, "198.19.0.2");
        using Socket from = InNamespace.Run(_a.Name, () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        using Socket listener = InNamespace.Run(_b.Name, () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(new IPEndPoint(IPAddress.Parse("198.19.0.2"), 7000));
        listener.Listen();
        await from.ConnectAsync(new IPEndPoint(IPAddress.Parse("198.19.0.2"), 7000));
        using Socket to = await listener.AcceptAsync();
        var sent = new byte[8 << 20];
        new Random(7).NextBytes(sent);
        Task sending = Task.Run(() => from.Send(sent));
        var received = new byte[sent.Length];
        for (int n = 0; n < received.Length;)
            n += await to.ReceiveAsync(received.AsMemory(n));
        await sending;

        Assert.That(received.AsSpan().SequenceEqual(sent));
    }

    [Test]
    public void AStartThatFails_LeavesNothingBehind()
    {
        VtepConfig config = Config(1, workers: 2, ports: 2);
        _a.Ip("link add tap1 type bridge");

        Assert.Throws<VtepException>(() => Start(_a, config));

        Assert.That(_a.Netlink.GetLink("tap0"), Is.Null);
        Assert.That(_a.Exec("ss -Hlun"), Is.Empty);
    }

    [Test]
    public async Task ManyStartsAndStops_LeaveNoThread_NoDescriptor_AndNoDevice()
    {
        await StartAndStopAsync(5); // code is compiled, pools are filled
        int descriptors = Directory.GetFileSystemEntries("/proc/self/fd").Length;

        await StartAndStopAsync(300);

        Assert.That(_a.Exec("ip -o link").Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(2), "lo and eth0");
        Assert.That(_a.Exec("ss -Hlun"), Is.Empty);
        Wait.Until("descriptors are as many as before", () => Directory.GetFileSystemEntries("/proc/self/fd").Length <= descriptors);
        Assert.That(Directory.GetDirectories("/proc/self/task").Select(task => File.ReadAllText($"{task}/comm")), Has.None.StartsWith("vtep-"));
    }

    private async Task StartAndStopAsync(int times)
    {
        for (int i = 0; i < times; i++)
        {
            await using LinuxVtep a = Start(_a, Config(1, workers: 1));
            var p1 = new MemoryPort("p1");
            await a.AddPortAsync(new Vni(100), p1);
            p1.Inject(InnerFrame());
            Wait.Until("the frame went out", () => a.Vtep.Counters().Sent > 0);
        }
    }

    private static byte[] InnerFrame() => [.. Enumerable.Repeat((byte)0xFF, 6), 2, 0, 0, 0, 0, 1, 0x88, 0xB5, .. new byte[46]];

    private static VtepConfig Config(int host, int workers, int ports = 1, string? local = null, string? remote = null) => new()
    {
        Workers = workers,
        FdbCapacity = 4096,
        Underlay = new UnderlayConfig { Local = InetAddress.Parse(local ?? $"198.18.0.{host}") },
        BridgeDomains =
        [
            .. Enumerable.Range(0, ports).Select(i => new BridgeDomainConfig
            {
                Name = $"domain{i}",
                Vni = new Vni(100 + i),
                Ports = [new PortConfig { Tap = $"tap{i}", Addresses = [new InterfaceAddress(InetAddress.Parse($"198.19.{i}.{host}"), 24)] }],
                Discovery = new StaticDiscovery { Peers = [new VtepEndpoint(InetAddress.Parse(remote ?? $"198.18.0.{3 - host}"), UnderlayConfig.DefaultPort)] },
            }),
        ],
    };

    private LinuxVtep Start(NetlinkNamespace place, VtepConfig config) =>
        InNamespace.Run(place.Name, () => LinuxVtep.Start(config, NullLoggerFactory.Instance, _fatal.Add));

    private static void Ping(NetlinkNamespace from, string to, string options = "-c 3 -i 0.2") => from.Exec($"ping -n -q -W 2 {options} {to}");

    private void LinkThem()
    {
        _a.IpBatch([$"link add eth0 type veth peer name eth0 netns {_b.Name}", "address add 198.18.0.1/24 dev eth0", "link set eth0 up"]);
        _b.IpBatch(["address add 198.18.0.2/24 dev eth0", "link set eth0 up"]);
    }
}
