// TAP devices as access ports: made, adopted, set up, given back. Judged by ip(8) and by the kernel's own use of the device.

using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Tap;
using VtepDataPlane.Linux.Workers;
using VtepDataPlane.Ports;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Netlink;
using VtepDataPlane.Wire;

namespace VtepDataPlane.SystemTests.Linux;

internal sealed class TapPortTests
{
    private NetlinkNamespace _host = null!;
    private WorkerSet _workers = null!;

    [SetUp]
    public void MakeNamespace()
    {
        _host = new NetlinkNamespace();
        _workers = new WorkerSet(2);
    }

    [TearDown]
    public void DeleteNamespace()
    {
        _workers.Dispose();
        _host.Dispose();
    }

    [Test]
    public void Open_OfANewName_CreatesADevice_ThatVanishesWithThePort()
    {
        using (TapPort port = Open(new PortConfig { Tap = "tap0", Mtu = 1400, Mac = Mac("02:00:00:00:00:07"), Addresses = [Address("198.19.0.1", 24), Address("fd00:19::1", 64)] }))
        {
            string shown = _host.Ip("-d link show dev tap0");
            Assert.That(shown, Does.Contain("mtu 1400").And.Contain("02:00:00:00:00:07").And.Contain("type tap").And.Contain("multi_queue").And.Contain("qdisc noqueue").And.Contain("UP"));
            Assert.That(_host.Ip("address show dev tap0"), Does.Contain("198.19.0.1/24").And.Contain("fd00:19::1/64"));
            Assert.That((port.Name, port.Mtu, port.Mac, port.IsUp, port.IsCreated), Is.EqualTo(("tap0", 1400, Mac("02:00:00:00:00:07"), true, true)));
            Assert.That(port.InterfaceIndex, Is.EqualTo(_host.Link("tap0").Index));
            Assert.That(port.Warnings, Is.Empty);
            Assert.That(port.Queue(0).Receives && port.Queue(1).Receives);
        }

        Assert.That(_host.Netlink.GetLink("tap0"), Is.Null);
    }

    [Test]
    public void Open_OfAMultiQueueDevice_AdoptsIt_AndGivesBackWhatItFound()
    {
        _host.Ip("tuntap add dev tap0 mode tap multi_queue");
        _host.Ip("link add br0 type bridge");
        _host.IpBatch(["link set tap0 mtu 1600 address 02:00:00:00:00:09", "address add 198.19.0.1/24 dev tap0"]);
        using (TapPort port = Open(new PortConfig { Tap = "tap0", Mtu = 1400, Mac = Mac("02:00:00:00:00:07"), Bridge = "br0", Addresses = [Address("198.19.0.1", 24), Address("198.19.0.2", 24)] }))
        {
            Assert.That(_host.Ip("link show dev tap0"), Does.Contain("mtu 1400").And.Contain("master br0").And.Contain("UP"));
            Assert.That(port.IsCreated, Is.False);
            Assert.That(port.Queue(0).Receives && port.Queue(1).Receives);
        }

        Assert.That(_host.Ip("link show dev tap0"), Does.Contain("mtu 1600").And.Contain("02:00:00:00:00:09").And.Not.Contain("master").And.Not.Contain("UP"));
        Assert.That(_host.Ip("address show dev tap0"), Does.Contain("198.19.0.1/24").And.Not.Contain("198.19.0.2"));
    }

    [Test]
    public void Open_OfASingleQueueDevice_ReceivesOnOneLane_AndSendsFromAll()
    {
        _host.Ip("tuntap add dev tap0 mode tap");
        using TapPort port = Open(new PortConfig { Tap = "tap0" });

        Assert.That(new[] { port.Queue(0).Receives, port.Queue(1).Receives }.Count(receives => receives), Is.EqualTo(1));
        for (int lane = 0; lane < 2; lane++)
            Assert.That(SendOne(port.Queue(lane)), Is.EqualTo(1), $"lane {lane}");
    }

    [Test]
    public void Open_OfADeviceSomebodyReads_SaysThatItIsBusy()
    {
        using TapPort first = Open(new PortConfig { Tap = "tap0" });

        var e = Assert.Throws<VtepException>(() => Open(new PortConfig { Tap = "tap0" }))!;

        Assert.That(e.Message, Does.Contain("'tap0'").And.Contain("in use by another process").And.Contain("EBUSY").And.Contain("Stop that process"));
        Assert.That(SendOne(first.Queue(0)), Is.EqualTo(1), "the first is unharmed");
    }

    [Test]
    public void Open_OfAnInterfaceThatIsNoTap_SaysWhatItIs()
    {
        _host.Ip("link add br0 type bridge");
        _host.Ip("tuntap add dev tun0 mode tun");

        Assert.That(Assert.Throws<VtepException>(() => Open(new PortConfig { Tap = "br0" }))!.Message, Does.Contain("kind 'bridge', not a TAP"));
        Assert.That(Assert.Throws<VtepException>(() => Open(new PortConfig { Tap = "tun0" }))!.Message, Does.Contain("TUN device"));
    }

    [Test]
    public void Open_WithABridgeThatIsMissing_NamesIt_AndLeavesNothingBehind()
    {
        var e = Assert.Throws<VtepException>(() => Open(new PortConfig { Tap = "tap0", Bridge = "br7" }))!;

        Assert.That(e.Message, Does.Contain("no bridge 'br7'").And.Contain("ip link add br7 type bridge"));
        Assert.That(_host.Netlink.GetLink("tap0"), Is.Null);
    }

    [Test]
    public void Open_AsAUserWithoutCapabilities_AdoptsItsOwnPersistentDevice()
    {
        _host.Ip($"tuntap add dev tap0 mode tap multi_queue user {UnprivilegedThread.UserId}");
        _host.IpBatch(["link set tap0 mtu 1400 up", "address add 198.19.0.1/24 dev tap0"]);

        UnprivilegedThread.Run(_host.Name, () =>
        {
            using TapPort port = TapPort.Open(
                new PortConfig { Tap = "tap0", Mtu = 1400, Addresses = [Address("198.19.0.1", 24)] }, 2, TapSettings.Few, _host.Netlink, _workers);
            Assert.That(port.Warnings, Is.Empty);
            Assert.That(port.IsUp);
            Assert.That(SendOne(port.Queue(1)), Is.EqualTo(1));
        });
        Assert.That(_host.Ip("link show dev tap0"), Does.Contain("mtu 1400"), "the device is still there");
    }

    [Test]
    public void Open_AsAUserWithoutCapabilities_SaysWhatItMayNotDo()
    {
        _host.Ip("tuntap add dev tap1 mode tap user 1");
        UnprivilegedThread.Run(_host.Name, () =>
        {
            Assert.That(
                Assert.Throws<VtepException>(() => TapPort.Open(new PortConfig { Tap = "tap0" }, 1, TapSettings.Few, _host.Netlink, _workers))!.Message,
                Does.Contain("EPERM").And.Contain("CAP_NET_ADMIN").And.Contain("ip tuntap add dev tap0"));
            Assert.That(
                Assert.Throws<VtepException>(() => TapPort.Open(new PortConfig { Tap = "tap1" }, 1, TapSettings.Few, _host.Netlink, _workers))!.Message,
                Does.Contain("EPERM").And.Contain("belongs to another user"));
        });
    }

    [Test]
    public void SetUp_WithoutCapabilities_IsAWarningForMtu_AndAnErrorForAddresses()
    {
        _host.Ip($"tuntap add dev tap0 mode tap multi_queue user {UnprivilegedThread.UserId}");
        UnprivilegedThread.Run(_host.Name, () =>
        {
            using var netlink = new VtepDataPlane.Linux.Netlink.RtNetlink();
            using (TapPort port = TapPort.Open(new PortConfig { Tap = "tap0", Mtu = 1400 }, 1, TapSettings.Few, netlink, _workers))
            {
                Assert.That(port.Warnings, Has.Count.EqualTo(2));
                Assert.That(port.Warnings[0], Does.Contain("MTU can't be set to 1400").And.Contain("EPERM").And.Contain("stays 1500"));
                Assert.That(port.Warnings[1], Does.Contain("can't be set up and stays down"));
                Assert.That(port.TrySetMtu(1300, out string? why), Is.False);
                Assert.That(why, Does.Contain("EPERM"));
            }

            var config = new PortConfig { Tap = "tap0", Addresses = [Address("198.19.0.1", 24)] };
            Assert.That(
                Assert.Throws<VtepException>(() => TapPort.Open(config, 1, TapSettings.Few, netlink, _workers))!.Message,
                Does.Contain("address 198.19.0.1/24").And.Contain("EPERM"));
        });
    }

    [Test]
    public void TrySetMtu_SetsTheDevicesMtu()
    {
        using TapPort port = Open(new PortConfig { Tap = "tap0" });

        Assert.That(port.TrySetMtu(1430, out string? why), why);
        Assert.That(port.Mtu, Is.EqualTo(1430));
        Assert.That(_host.Link("tap0").Mtu, Is.EqualTo(1430));
        Assert.That(port.TrySetMtu(70_000, out why), Is.False);
        Assert.That(why, Is.Not.Null);
        Assert.That(port.Mtu, Is.EqualTo(1430));
    }

    [Test]
    public void Reopen_AfterDeletion_BringsTheSameQueuesBack()
    {
        using TapPort port = Open(new PortConfig { Tap = "tap0", Mtu = 1400 });
        _host.Ip("link del tap0");
        var batch = new FrameBatch();
        Wait.Until("the queue sees that its device is gone", () => port.Queue(0).Receive(batch) == 0 && port.Queue(0).IsGone);

        Assert.That(SendOne(port.Queue(1)), Is.Zero);
        Assert.That(port.Queue(1).Meters.Drops(DropReason.PortGone), Is.EqualTo(1));
        port.Abandon();
        Assert.That(SendOne(port.Queue(1)), Is.Zero);
        Assert.That(port.Queue(1).Meters.Drops(DropReason.PortGone), Is.EqualTo(2));
        Assert.That(port.IsUp, Is.False);

        Assert.That(InNamespace.Run(_host.Name, port.TryReopen), Is.Null);
        Assert.That((port.IsUp, port.IsGone, port.Mtu), Is.EqualTo((true, false, 1400)));
        Assert.That(SendOne(port.Queue(1)), Is.EqualTo(1));
    }

    [Test]
    public void Reopen_OfAnAdoptedDevice_WaitsForItsOwner()
    {
        _host.Ip("tuntap add dev tap0 mode tap multi_queue");
        using TapPort port = Open(new PortConfig { Tap = "tap0" });
        _host.Ip("link del tap0");
        port.Abandon();

        Assert.That(InNamespace.Run(_host.Name, port.TryReopen), Does.Contain("'tap0'").And.Contain("its owner"));
        Assert.That(_host.Netlink.GetLink("tap0"), Is.Null);
        _host.Ip("tuntap add dev tap0 mode tap multi_queue");
        Assert.That(InNamespace.Run(_host.Name, port.TryReopen), Is.Null);
        Assert.That(port.IsUp);
    }

    [Test]
    public void Send_WhileTheDeviceIsDown_CountsPortDown()
    {
        using TapPort port = Open(new PortConfig { Tap = "tap0" });
        _host.Ip("link set tap0 down");

        Assert.That(SendOne(port.Queue(0)), Is.Zero);
        Assert.That(port.Queue(0).Meters.Drops(DropReason.PortDown), Is.EqualTo(1));
        Assert.That(port.Refresh(_host.Link("tap0")));
        Assert.That(port.IsUp, Is.False);
    }

    [Test]
    public void Send_OfAnImpossibleFrame_CountsPortError()
    {
        using TapPort port = Open(new PortConfig { Tap = "tap0" });
        var batch = new FrameBatch(1);
        batch.TryAdd(new byte[13]);
        port.Queue(0).Send(batch[0]);

        Assert.That(port.Queue(0).Flush(), Is.Zero);
        Assert.That(port.Queue(0).Meters.Drops(DropReason.PortError), Is.EqualTo(1));
    }

    [Test]
    public void Frames_GoInAndOut()
    {
        using TapPort port = Open(new PortConfig { Tap = "tap0", Addresses = [Address("198.19.0.1", 24)] });
        var batch = new FrameBatch();
        Drain(port, batch);

        // Who has 198.19.0.1? Tell 198.19.0.2 at 02:00:00:00:00:02.
        byte[] request = Convert.FromHexString("FFFFFFFFFFFF02000000000208060001080006040001020000000002C6130002000000000000C6130001");
        batch.TryAdd(request);
        port.Queue(0).Send(batch[0]);
        Assert.That(port.Queue(0).Flush(), Is.EqualTo(1));

        byte[] reply = Await(port, batch, frame => frame.Length >= 42 && frame[12] == 0x08 && frame[13] == 0x06 && frame[21] == 2);
        string own = _host.Link("tap0").Mac.ToString().Replace(":", "", StringComparison.Ordinal).ToUpperInvariant();
        Assert.That(Convert.ToHexString(reply), Is.EqualTo($"020000000002{own}08060001080006040002{own}C6130001020000000002C6130002"));
        Assert.That(port.Queue(0).Meters.Sent, Is.EqualTo(1));
        Assert.That(port.Queue(0).Meters.SentBytes, Is.EqualTo(42));
    }

    [Test]
    public void AnUnfinishedChecksum_TravelsAsOffloadInfo_BothWays()
    {
        using TapPort port = Open(new PortConfig { Tap = "tap0", Addresses = [Address("198.19.0.1", 24)] });
        _host.Ip("neigh add 198.19.0.2 lladdr 02:00:00:00:00:02 dev tap0");
        using Socket socket = InNamespace.Run(_host.Name, () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        socket.Bind(new IPEndPoint(IPAddress.Parse("198.19.0.1"), 5000));
        socket.SendTo("hello"u8, new IPEndPoint(IPAddress.Parse("198.19.0.2"), 6000));
        var batch = new FrameBatch();
        OffloadInfo offload = default;
        byte[] frame = Await(port, batch, bytes => bytes.Length == 47 && bytes[23] == 17, info => offload = info);

        Assert.That(offload, Is.EqualTo(new OffloadInfo { NeedsChecksum = true, ChecksumStart = 34, ChecksumOffset = 6 }));

        // The same datagram, sent back: addresses and ports change places, and the pseudo-header sum stays.
        (frame[..6], frame[6..12]).CopyTo(frame, 6, 0);
        (frame[26..30], frame[30..34]).CopyTo(frame, 30, 26);
        (frame[34..36], frame[36..38]).CopyTo(frame, 36, 34);
        batch.Count = 0;
        batch.TryAdd(frame);
        batch[0].Info.Offload = offload;
        port.Queue(1).Send(batch[0]);
        Assert.That(port.Queue(1).Flush(), Is.EqualTo(1));
        socket.ReceiveTimeout = 2000;
        var received = new byte[16];
        Assert.That(socket.Receive(received), Is.EqualTo(5));
        Assert.That(received[..5], Is.EqualTo("hello"u8.ToArray()));
    }

    [Test]
    public void ReceiveSendFlush_AllocateNothing()
    {
        using TapPort port = Open(new PortConfig { Tap = "tap0", Addresses = [Address("198.19.0.1", 24)] });
        var batch = new FrameBatch();
        byte[] request = Convert.FromHexString("FFFFFFFFFFFF02000000000208060001080006040001020000000002C6130002000000000000C6130001");
        TapQueue queue = port.Queue(0);
        Exchange(queue, batch, request, 200);
        Drain(port, batch);

        int received = 0;
        long allocated = Allocation.Least(() => received += Exchange(queue, batch, request, 200));

        Assert.That(queue.Meters.Sent, Is.EqualTo(800 * 8));
        Assert.That(received + queue.Meters.Received, Is.Positive);
        Assert.That(allocated, Is.Zero);
    }

    private static int Exchange(TapQueue queue, FrameBatch batch, byte[] request, int rounds)
    {
        int received = 0;
        for (int round = 0; round < rounds; round++)
        {
            batch.Count = 0;
            for (int i = 0; i < 8; i++)
            {
                batch.TryAdd(request);
                queue.Send(batch[i]);
            }

            queue.Flush();
            received += queue.Receive(batch);
        }

        return received;
    }

    private static MacAddress Mac(string text) => MacAddress.TryParse(text, out MacAddress mac) ? mac : throw new FormatException(text);

    private static InterfaceAddress Address(string text, byte prefix) => new(InetAddress.Parse(text), prefix);

    private static int SendOne(TapQueue queue)
    {
        var batch = new FrameBatch(1);
        batch.TryAdd(Convert.FromHexString("FFFFFFFFFFFF020000000002" + "88B5" + new string('0', 92)));
        queue.Send(batch[0]);
        return queue.Flush();
    }

    private static void Drain(TapPort port, FrameBatch batch)
    {
        for (int lane = 0; lane < 2; lane++)
        {
            while (port.Queue(lane).Receive(batch) > 0)
            {
            }
        }
    }

    /// <summary>Reads frames from both lanes until one fits.</summary>
    private static byte[] Await(TapPort port, FrameBatch batch, Func<byte[], bool> fits, Action<OffloadInfo>? offload = null)
    {
        byte[]? found = null;
        Wait.Until("the frame is read", () =>
        {
            for (int lane = 0; lane < 2 && found is null; lane++)
            {
                port.Queue(lane).Receive(batch);
                for (int i = 0; i < batch.Count && found is null; i++)
                {
                    byte[] bytes = batch[i].Bytes.ToArray();
                    if (!fits(bytes))
                        continue;
                    found = bytes;
                    offload?.Invoke(batch[i].Info.Offload);
                }
            }

            return found is not null;
        });
        return found!;
    }

    private TapPort Open(PortConfig config) =>
        InNamespace.Run(_host.Name, () => TapPort.Open(config, 2, TapSettings.Few, _host.Netlink, _workers));
}

/// <summary>Two pieces of bytes that change places.</summary>
internal static class Pieces
{
    public static void CopyTo(this (byte[] First, byte[] Second) pieces, byte[] target, int firstAt, int secondAt)
    {
        pieces.First.CopyTo(target, firstAt);
        pieces.Second.CopyTo(target, secondAt);
    }
}
