// Notifications of a real kernel.

using NUnit.Framework;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Netlink;

internal sealed class NetlinkMonitorTests
{
    private NetlinkNamespace _host = null!;
    private NetlinkMonitor _monitor = null!;

    [SetUp]
    public void MakeNamespace()
    {
        _host = new NetlinkNamespace("link add d0 up type veth peer name e0", "link set e0 up");
        _monitor = InNamespace.Run(_host.Name, () => new NetlinkMonitor());
    }

    [TearDown]
    public void DeleteNamespace()
    {
        _monitor.Dispose();
        _host.Dispose();
    }

    [Test]
    public void Drain_AfterALinkChanged_SaysLinks()
    {
        _host.Ip("link set d0 mtu 1400");

        Assert.That(_monitor.Drain() & NetlinkChanges.Links, Is.EqualTo(NetlinkChanges.Links));
    }

    [Test]
    public void Drain_AfterALinkWasDeleted_SaysLinks()
    {
        _host.Ip("link del d0");

        Assert.That(_monitor.Drain() & NetlinkChanges.Links, Is.EqualTo(NetlinkChanges.Links));
    }

    [TestCase("198.18.0.1/24")]
    [TestCase("fd00:18::1/64")]
    public void Drain_AfterAnAddressCameOrWent_SaysAddressesAndRoutes(string address)
    {
        const NetlinkChanges Both = NetlinkChanges.Addresses | NetlinkChanges.Routes;

        _host.Ip($"addr add {address} dev d0");
        Assert.That(() => _monitor.Drain() & NetlinkChanges.Addresses, Is.EqualTo(NetlinkChanges.Addresses).After(5000, 10));

        _host.Ip($"addr del {address} dev d0");
        Assert.That(_monitor.Drain() & Both, Is.EqualTo(Both));
    }

    [TestCase("198.18.20.0/24")]
    [TestCase("fd00:20::/64")]
    public void Drain_AfterARouteCame_SaysRoutes(string prefix)
    {
        _host.Ip($"route add {prefix} dev d0");

        Assert.That(_monitor.Drain() & NetlinkChanges.Routes, Is.EqualTo(NetlinkChanges.Routes));
    }

    [Test]
    public void Drain_ASecondTime_SaysNone()
    {
        using var quiet = new NetlinkNamespace();
        using NetlinkMonitor monitor = InNamespace.Run(quiet.Name, () => new NetlinkMonitor());
        quiet.Ip("link set lo mtu 60000");

        Assert.That(monitor.Drain(), Is.EqualTo(NetlinkChanges.Links));
        Assert.That(monitor.Drain(), Is.EqualTo(NetlinkChanges.None));
    }

    [Test]
    public void Drain_AfterMoreThanTheSocketHolds_SaysOverrun_AndGoesOn()
    {
        using var small = InNamespace.Run(_host.Name, () => new NetlinkMonitor(receiveBuffer: 64 * 1024));
        string[] storm = [.. Enumerable.Range(0, 1000).Select(i => $"link set d0 mtu {1000 + i % 2}")];
        _host.IpBatch(storm);

        NetlinkChanges changes = NetlinkChanges.None;
        NetlinkChanges drained;
        while ((drained = small.Drain()) != NetlinkChanges.None)
            changes |= drained;

        const NetlinkChanges Both = NetlinkChanges.Links | NetlinkChanges.Overrun;
        Assert.That(changes & Both, Is.EqualTo(Both));
        _host.Ip("link set d0 mtu 1400");
        Assert.That(small.Drain() & Both, Is.EqualTo(NetlinkChanges.Links));
    }

    [Test]
    public void FileDescriptor_OnceClosed_IsNone()
    {
        Assert.That(_monitor.FileDescriptor, Is.GreaterThan(2));
        _monitor.Dispose();
        Assert.That(_monitor.FileDescriptor, Is.EqualTo(-1));
        Assert.That(() => _monitor.Drain(), Throws.TypeOf<VtepException>().With.Message.Contains("EBADF"));
    }
}
