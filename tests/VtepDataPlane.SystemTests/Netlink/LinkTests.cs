// Links of a real kernel: found, listed and changed.

using NUnit.Framework;
using Tmds.Linux;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.Wire;

namespace VtepDataPlane.SystemTests.Netlink;

internal sealed class LinkTests
{
    private NetlinkNamespace _host = null!;

    [SetUp]
    public void MakeNamespace() => _host = new NetlinkNamespace();

    [TearDown]
    public void DeleteNamespace() => _host.Dispose();

    [Test]
    public void GetLink_ByName_TellsWhatIpTold()
    {
        _host.Ip("link add d0 address 02:00:5e:00:00:01 mtu 1400 txqueuelen 77 type bridge");

        LinkInfo link = _host.Link("d0");

        int index = int.Parse(_host.Ip("-o link show d0").Split(':')[0]);
        Assert.That(link, Is.EqualTo(new LinkInfo(
            index, "d0", 1400, IsUp: false, IsRunning: false, MacAddress.Parse("02:00:5e:00:00:01"), Master: 0, "bridge", VxlanPort: 0, TxQueueLength: 77)
        {
            IsMulticast = true,
            GsoMaxSegments = 65_535,
            GsoMaxSize = 65_536,
        }));
    }

    [Test]
    public void GetLink_ByIndex_IsTheSameLink()
    {
        _host.Ip("link add d0 type veth peer name e0");
        LinkInfo byName = _host.Link("d0");

        Assert.That(_host.Netlink.GetLink(byName.Index), Is.EqualTo(byName));
    }

    [TestCase("absent")]
    [TestCase("")]
    [TestCase("fifteen-bytes-x")]
    [TestCase("sixteen-bytes-xy")]
    [TestCase("ünïcödé-näme")]
    [TestCase("with space")]
    public void GetLink_OfNoInterface_IsNull(string name)
    {
        Assert.That(_host.Netlink.GetLink(name), Is.Null);
        Assert.That(_host.Netlink.Explain(0), Is.Not.Empty, "the socket still works");
        Assert.That(_host.Link("lo").Index, Is.EqualTo(1));
    }

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(4711)]
    public void GetLink_OfNoIndex_IsNull(int index) => Assert.That(_host.Netlink.GetLink(index), Is.Null);

    [Test]
    public void GetLink_OfVxlanDevice_TellsItsUdpPort()
    {
        _host.Ip("link add vx0 type vxlan id 5 dstport 4789 local 198.18.0.1");
        _host.Ip("link add vx1 type vxlan external dstport 8472");

        Assert.That(_host.Link("vx0"), Has.Property("Kind").EqualTo("vxlan").And.Property("VxlanPort").EqualTo(4789));
        Assert.That(_host.Link("vx1"), Has.Property("Kind").EqualTo("vxlan").And.Property("VxlanPort").EqualTo(8472));
    }

    [Test]
    public void GetLink_WhileThePeerIsDown_IsUpButNotRunning()
    {
        _host.Ip("link add v0 type veth peer name v1");
        _host.Ip("link set v0 up");
        Assert.That(_host.Link("v0"), Has.Property("IsUp").True.And.Property("IsRunning").False);

        _host.Ip("link set v1 up");
        Assert.That(() => _host.Link("v0").IsRunning, Is.True.After(5000, 10));
    }

    [Test]
    public void GetLinks_TellsEachLinkOnce()
    {
        _host.Ip("link add d0 type veth peer name e0");
        _host.Ip("link add br0 type bridge");
        _host.Ip("link set d0 master br0");

        IReadOnlyList<LinkInfo> links = _host.Netlink.GetLinks();

        Assert.That(links.Select(link => link.Name), Is.Unique.And.SupersetOf(new[] { "lo", "d0", "br0" }));
        Assert.That(links.Single(link => link.Name == "d0").Master, Is.EqualTo(_host.Link("br0").Index));
    }

    [Test]
    public void GetLinks_OfThreeThousand_AreCompleteAndQuick()
    {
        const int Count = 3_000;
        _host.IpBatch(Enumerable.Range(0, Count / 2).Select(i => $"link add d{i} type veth peer name e{i}"));

        long start = TimeProvider.System.GetTimestamp();
        IReadOnlyList<LinkInfo> links = _host.Netlink.GetLinks();
        TimeSpan took = TimeProvider.System.GetElapsedTime(start);

        TestContext.Out.WriteLine($"{links.Count} links in {took.TotalMilliseconds:0} ms");
        Assert.That(
            links.Where(link => link.Kind == "veth").Select(link => link.Name).Order(),
            Is.EqualTo(Enumerable.Range(0, Count / 2).SelectMany(i => new[] { $"d{i}", $"e{i}" }).Order()));
        Assert.That(took, Is.LessThan(TimeSpan.FromSeconds(2)));
    }

    [Test]
    public void GetLinks_WhileLinksComeAndGo_MissesNoneThatStays()
    {
        string[] staying = [.. Enumerable.Range(0, 200).Select(i => $"stay{i}")];
        _host.IpBatch(staying.Select(name => $"link add {name} type bridge"));
        string[] churn = [.. Enumerable.Range(0, 100).SelectMany(i => new[] { $"link add go{i} type bridge", $"link del go{i}" })];
        Task churning = Task.Run(() => _host.IpBatch(churn));

        int dumps = 0;
        do
        {
            string[] names = [.. _host.Netlink.GetLinks().Select(link => link.Name)];
            Assert.That(names, Is.Unique.And.SupersetOf(staying));
            dumps++;
        }
        while (!churning.IsCompleted);

        churning.GetAwaiter().GetResult();
        Assert.That(dumps, Is.GreaterThan(1));
    }

    [Test]
    public void SetLink_ChangesEverythingAtOnce_AndNothingElse()
    {
        _host.Ip("link add d0 type veth peer name e0");
        _host.Ip("link add br0 type bridge");
        _host.Ip("link set d0 arp off promisc on");
        _host.Ip("link set e0 up");
        LinkInfo before = _host.Link("d0");
        int bridge = _host.Link("br0").Index;
        var mac = MacAddress.Parse("02:00:5e:00:00:99");

        int error = _host.Netlink.SetLink(before.Index, new LinkChange
        {
            Up = true,
            Mtu = 1234,
            Mac = mac,
            Master = bridge,
            TxQueueLength = 99,
            GsoMaxSegments = 32,
            GsoMaxSize = 40_000,
        });

        Assert.That(error, Is.Zero, _host.Netlink.Explain(error));
        LinkInfo expected = before with
        {
            IsUp = true,
            IsRunning = true,
            Mtu = 1234,
            Mac = mac,
            Master = bridge,
            TxQueueLength = 99,
            GsoMaxSegments = 32,
            GsoMaxSize = 40_000,
        };
        Assert.That(() => _host.Link("d0"), Is.EqualTo(expected).After(5000, 10));
        Assert.That(_host.Ip("-d link show d0"), Does.Contain("gso_max_size 40000 gso_max_segs 32").And.Contain("NOARP").And.Contain("PROMISC"));
    }

    [Test]
    public void SetLink_WithMasterZero_ReleasesIt()
    {
        _host.Ip("link add br0 type bridge");
        _host.Ip("link add d0 master br0 type veth peer name e0");

        Assert.That(_host.Netlink.SetLink(_host.Link("d0").Index, new LinkChange { Master = 0 }), Is.Zero);

        Assert.That(_host.Link("d0").Master, Is.Zero);
    }

    [Test]
    public void SetLink_Down_TakesItDown()
    {
        _host.Ip("link add d0 up type veth peer name e0");
        int index = _host.Link("d0").Index;

        Assert.That(_host.Netlink.SetLink(index, new LinkChange { Up = false }), Is.Zero);

        Assert.That(_host.Link("d0").IsUp, Is.False);
    }

    [Test]
    public void SetLink_WithNoChange_ChangesNothing()
    {
        _host.Ip("link add d0 up type veth peer name e0");
        LinkInfo before = _host.Link("d0");

        Assert.That(_host.Netlink.SetLink(before.Index, default), Is.Zero);

        Assert.That(_host.Link("d0") with { IsRunning = before.IsRunning }, Is.EqualTo(before));
    }

    [Test]
    public void SetLink_WithAnMtuTheDeviceRefuses_GivesEinvalAndTheKernelsWords()
    {
        _host.Ip("link add br0 type bridge");

        int error = _host.Netlink.SetLink(_host.Link("br0").Index, new LinkChange { Mtu = 1_000_000 });

        Assert.That(error, Is.EqualTo(-LibC.EINVAL));
        Assert.That(_host.Netlink.Explain(error), Is.EqualTo("Invalid argument (EINVAL): mtu greater than device maximum"));
    }

    [Test]
    public void SetLink_OfNoInterface_GivesEnodev()
    {
        Assert.That(_host.Netlink.SetLink(4711, new LinkChange { Up = true }), Is.EqualTo(-LibC.ENODEV));
    }

    [Test]
    public void SetLink_WithoutRights_GivesEperm()
    {
        _host.Ip("link add d0 type veth peer name e0");
        int index = _host.Link("d0").Index;

        int error = InNamespace.Run(_host.Name, () =>
        {
            Rights.BecomeNobodyOnThisThread();
            using var netlink = new RtNetlink();
            Assert.That(netlink.GetLink("d0"), Is.Not.Null, "reading needs no rights");
            return netlink.SetLink(index, new LinkChange { Up = true });
        });

        Assert.That(error, Is.EqualTo(-LibC.EPERM));
    }
}
