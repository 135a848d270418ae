// A taken UDP port and who is named for it.

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.Linux.Udp;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.Wire;

namespace VtepDataPlane.SystemTests.Netlink;

internal sealed class PortOwnerTests
{
    private NetlinkNamespace _host = null!;

    [SetUp]
    public void MakeNamespace() => _host = new NetlinkNamespace("addr add 198.18.0.1/24 dev lo", "addr add fd00:18::1/64 dev lo nodad");

    [TearDown]
    public void DeleteNamespace() => _host.Dispose();

    [TestCase("198.18.0.1")]
    [TestCase("fd00:18::1")]
    public void Describe_NamesTheKernelsVxlanDevice(string local)
    {
        _host.Ip($"link add vx0 type vxlan id 5 dstport 4789 local {local}");
        _host.Ip("link set vx0 up");
        AssertCannotBind(local);

        Assert.That(Describe(local), Is.EqualTo("UDP port 4789 on all addresses is held by the kernel's vxlan device 'vx0'"));
    }

    [Test]
    public void Describe_NamesOnlyVxlanDevicesThatAreUpOnThePort()
    {
        _host.IpBatch(
        [
            "link add vx0 type vxlan id 5 dstport 4789", "link add vx1 type vxlan id 6 dstport 4789",
            "link add vx2 type vxlan id 7 dstport 4789", "link add vx3 type vxlan id 8 dstport 8472", "link set vx0 up", "link set vx1 up", "link set vx3 up",
        ]);

        Assert.That(Describe("198.18.0.1"), Does.EndWith("held by the kernel's vxlan devices 'vx0', 'vx1'"));
    }

    [Test]
    public void Describe_OfAVxlanDeviceMovedAway_SaysAnUnknownKernelSocket()
    {
        using var elsewhere = new NetlinkNamespace();
        _host.Ip("link add vx0 type vxlan id 5 dstport 4789 local 198.18.0.1");
        _host.Ip($"link set vx0 netns {elsewhere.Name}");
        elsewhere.Ip("link set vx0 up");
        AssertCannotBind("198.18.0.1");

        Assert.That(Describe("198.18.0.1"), Does.Contain("held by an unknown kernel socket"));
    }

    [TestCase("0.0.0.0", "198.18.0.1", "all addresses")]
    [TestCase("198.18.0.1", "198.18.0.1", "198.18.0.1")]
    [TestCase("198.18.0.1", "0.0.0.0", "198.18.0.1")]
    [TestCase("::", "fd00:18::1", "all addresses")]
    [TestCase("::", "198.18.0.1", "all addresses")]
    [TestCase("fd00:18::1", "fd00:18::1", "fd00:18::1")]
    public void Describe_NamesTheProcess(string bound, string wanted, string where)
    {
        using Socket holder = InNamespace.Run(_host.Name, () => Bind(bound));
        AssertCannotBind(wanted);

        string comm = File.ReadAllText("/proc/self/comm").TrimEnd();
        Assert.That(Describe(wanted), Is.EqualTo($"UDP port 4789 on {where} is held by process {Environment.ProcessId} ({comm})"));
    }

    [Test]
    public void Describe_NamesAnotherProcess_OrSaysWhoseItIsToAUserThatMayNotLook()
    {
        using Process socat = Process.Start("ip", $"netns exec {_host.Name} socat -u UDP4-LISTEN:4789,bind=198.18.0.1 STDOUT");
        try
        {
            // ip becomes socat by execve(2), so the process id stays.
            Assert.That(
                () => Describe("198.18.0.1"),
                Is.EqualTo($"UDP port 4789 on 198.18.0.1 is held by process {socat.Id} (socat)").After(10_000, 20));
            Assert.That(DescribeAsNobody("198.18.0.1"), Does.Contain("held by a process of user id 0 that this user may not look into"));
        }
        finally
        {
            socat.Kill();
            socat.WaitForExit();
        }
    }

    [Test]
    public void Describe_OfAPortThatIsFreeByNow_SaysSo()
    {
        using Socket other = InNamespace.Run(_host.Name, () => Bind("127.0.0.1"));

        Assert.That(Describe("198.18.0.1"), Is.EqualTo("UDP port 4789 was taken on 198.18.0.1, but whoever held it is gone by now; try again"));
    }

    [Test]
    public void Describe_WithoutRights_NamesTheKernelsVxlanDeviceNevertheless()
    {
        _host.Ip("link add vx0 type vxlan id 5 dstport 4789 local 198.18.0.1");
        _host.Ip("link set vx0 up");

        Assert.That(DescribeAsNobody("198.18.0.1"), Does.EndWith("held by the kernel's vxlan device 'vx0'"));
    }

    private static Socket Bind(string address)
    {
        var local = new IPEndPoint(IPAddress.Parse(address), 4789);
        var socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        if (local.AddressFamily == AddressFamily.InterNetworkV6)
            socket.DualMode = true;
        socket.Bind(local);
        return socket;
    }

    private string Describe(string address) =>
        InNamespace.Run(_host.Name, () => PortOwner.Describe(InetAddress.Parse(address), 4789, _host.Netlink));

    private string DescribeAsNobody(string address) => InNamespace.Run(_host.Name, () =>
    {
        Rights.BecomeNobodyOnThisThread();
        return PortOwner.Describe(InetAddress.Parse(address), 4789, _host.Netlink);
    });

    private void AssertCannotBind(string address) => Assert.That(
        () => InNamespace.Run(_host.Name, () => Bind(address).Dispose()),
        Throws.TypeOf<SocketException>().With.Property("SocketErrorCode").EqualTo(SocketError.AddressAlreadyInUse));
}
