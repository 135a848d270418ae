// Which reports of a smaller path MTU count, and for how long.

using NUnit.Framework;
using VtepDataPlane.Linux.Udp;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Linux;

internal sealed class PathMtusTests
{
    private const long Now = 5_000_000;
    private const long TenMinutes = 10 * 60 * 1000;

    private static readonly InetAddress s_v4 = InetAddress.Parse("198.18.0.2");
    private static readonly InetAddress s_v6 = InetAddress.Parse("fd00:18::2");

    private readonly byte[] _datagram = [.. Enumerable.Range(0, 1400).Select(i => (byte)i)];
    private PathMtus _paths = null!;
    private int _changes;

    [SetUp]
    public void SendOne()
    {
        _changes = 0;
        _paths = new PathMtus(42, lanes: 2, () => _changes++);
        _paths.Sent(1).Add(_datagram, _datagram.Length, s_v4, Now);
        _paths.Sent(1).Add(_datagram, _datagram.Length, s_v6, Now);
    }

    [TestCase(1400, 1400)]
    [TestCase(576, 576)]
    [TestCase(575, null)]
    [TestCase(0, null)]
    [TestCase(65_536, null)]
    public void AReportOverIPv4_CountsFrom576(int mtu, int? expected)
    {
        _paths.Report(s_v4, mtu, _datagram.AsSpan(0, 128), Now);

        Assert.That(_paths.Find(s_v4), Is.EqualTo(expected));
        Assert.That((_paths.Believed, _paths.Disbelieved, _changes), Is.EqualTo(expected is null ? (0, 1, 0) : (1, 0, 1)));
    }

    [TestCase(1280, 1280)]
    [TestCase(1279, null)]
    public void AReportOverIPv6_CountsFrom1280(int mtu, int? expected)
    {
        _paths.Report(s_v6, mtu, _datagram.AsSpan(0, 128), Now);

        Assert.That(_paths.Find(s_v6), Is.EqualTo(expected));
    }

    [Test]
    public void AQuoteOfNothingWeSent_DoesntCount()
    {
        _paths.Report(s_v4, 1400, new byte[128], Now);
        _paths.Report(InetAddress.Parse("198.18.0.3"), 1400, _datagram, Now);

        Assert.That((_paths.Believed, _paths.Disbelieved, _changes), Is.EqualTo((0, 2, 0)));
    }

    [Test]
    public void ASmallerReport_Replaces_ALargerOneDoesnt_TheSameOneLastsLonger()
    {
        _paths.Report(s_v4, 1400, _datagram, Now);
        _paths.Report(s_v4, 1300, _datagram, Now);
        _paths.Report(s_v4, 1350, _datagram, Now);
        _paths.Report(s_v4, 1300, _datagram, Now + 1000);

        Assert.That(_paths.Find(s_v4), Is.EqualTo(1300));
        Assert.That(_changes, Is.EqualTo(2));
        Assert.That(_paths.Expire(Now + TenMinutes), Is.False);
        Assert.That(_paths.Expire(Now + TenMinutes + 1000), Is.True);
        Assert.That(_paths.Find(s_v4), Is.Null);
    }
}
