// Links, addresses and routes from the bytes the kernel sends, and from those bytes cut off at every length.

using NUnit.Framework;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Netlink;

internal sealed class NetlinkParseTests
{
    private const string Vxlan =
        "00000100" + "05000000" + "43000100" + "00000000"        // AF_UNSPEC, index 5, UP | BROADCAST | RUNNING | LOWER_UP
        + "0800" + "0300" + "76783000"                           // name vx0
        + "0800" + "0D00" + "E8030000"                           // queue of 1000
        + "0800" + "0400" + "AA050000"                           // MTU 1450
        + "0A00" + "0100" + "02005E100001" + "0000"              // MAC
        + "0800" + "0A00" + "09000000"                           // master 9
        + "2400" + "1280"                                        // link info, nested
        + "0A00" + "0100" + "76786C616E00" + "0000"              // kind vxlan
        + "1400" + "0280" + "0500" + "0700" + "01000000"         // data: learning,
        + "0600" + "0F00" + "12B5" + "0000";                     // and port 4789 in network order

    private const string IPv4Address =
        "02188000" + "03000000"                                  // AF_INET, /24, permanent, scope 0, index 3
        + "0800" + "0100" + "C6120002" + "0800" + "0200" + "C6120001" + "0800" + "0800" + "80000000";

    private const string Multipath =
        "0A400000" + "FE030001" + "00000000"                     // AF_INET6, /64, main, static, unicast
        + "0C00" + "0880" + "0800" + "0200" + "AA050000"         // metrics: MTU 1450
        + "3C00" + "0900"
        + "1C00" + "0000" + "03000000" + "1400" + "0500" + "FD000018000000000000000000000001"
        + "1C00" + "1000" + "04000000" + "1400" + "0500" + "FD000009000000000000000000000001"; // without carrier

    [Test]
    public void Link_IsReadWhole() =>
        Assert.That(LinkInfo.Parse(Message(Convert.FromHexString(Vxlan))), Is.EqualTo(new LinkInfo(
            5, "vx0", 1450, true, true, MacAddress.Parse("02:00:5e:10:00:01"), 9, "vxlan", 4789, 1000)));

    [Test]
    public void Link_ThatABridgeTellsOfItsPort_IsNone()
    {
        byte[] bytes = Convert.FromHexString(Vxlan);
        bytes[0] = 7; // AF_BRIDGE

        Assert.That(LinkInfo.Parse(Message(bytes)), Is.Null);
    }

    [Test]
    public void Address_WithAFarEnd_IsTheLocalOne() =>
        Assert.That(AddressInfo.Parse(Message(Convert.FromHexString(IPv4Address))), Is.EqualTo(
            new AddressInfo(3, InetAddress.Parse("198.18.0.1"), 24, 0, AddressFlags.Permanent)));

    [Test]
    public void Address_OfAnotherFamily_IsNone()
    {
        byte[] bytes = Convert.FromHexString(IPv4Address);
        bytes[0] = 28; // AF_MPLS

        Assert.That(AddressInfo.Parse(Message(bytes)), Is.Null);
    }

    [Test]
    public void Route_WithSeveralWays_LeavesOutTheOneWithoutCarrier()
    {
        RouteInfo route = RouteInfo.Parse(Message(Convert.FromHexString(Multipath)))!;

        Assert.That((route.MtuMetric, route.IsLocal), Is.EqualTo((1450, false)));
        Assert.That(route.NextHops, Is.EqualTo(new[] { new NextHop(3, InetAddress.Parse("fd00:18::1")) }));
    }

    [Test]
    public void Route_WhoseWaysAreAllWithoutCarrier_HasThemNevertheless()
    {
        byte[] bytes = Convert.FromHexString(Multipath);
        bytes[12 + 12 + 4 + 2] = 1; // RTNH_F_DEAD

        Assert.That(RouteInfo.Parse(Message(bytes))!.NextHops.Select(hop => hop.InterfaceIndex), Is.EqualTo(new[] { 3, 4 }));
    }

    [TestCase(3, TestName = "Route_OfTypeBroadcast_IsNone")]
    [TestCase(5, TestName = "Route_OfTypeMulticast_IsNone")]
    [TestCase(6, TestName = "Route_OfTypeBlackhole_IsNone")]
    [TestCase(7, TestName = "Route_OfTypeUnreachable_IsNone")]
    [TestCase(8, TestName = "Route_OfTypeProhibit_IsNone")]
    [TestCase(9, TestName = "Route_OfTypeThrow_IsNone")]
    public void Route_OfATypeThatSendsNothing_IsNone(byte type)
    {
        byte[] bytes = Convert.FromHexString(Multipath);
        bytes[7] = type;

        Assert.That(RouteInfo.Parse(Message(bytes)), Is.Null);
    }

    [Test]
    public void Link_CutOffAnywhere_IsThatFarTrue()
    {
        byte[] bytes = Convert.FromHexString(Vxlan);
        for (int length = 0; length < bytes.Length; length++)
        {
            LinkInfo? link = LinkInfo.Parse(Message(bytes[..length]));
            Assert.That(link is null, Is.EqualTo(length < 16), $"{length} bytes");
            Assert.That(link?.Name ?? "", Is.EqualTo(length < 24 ? "" : "vx0"), $"{length} bytes");
            Assert.That(link?.Mtu ?? 0, Is.EqualTo(length < 40 ? 0 : 1450), $"{length} bytes");
        }
    }

    [Test]
    public void Address_CutOffAnywhere_IsNoneUntilAnAddressIsThere()
    {
        byte[] bytes = Convert.FromHexString(IPv4Address);
        for (int length = 0; length < bytes.Length; length++)
            Assert.That(AddressInfo.Parse(Message(bytes[..length])) is null, Is.EqualTo(length < 16), $"{length} bytes");
    }

    [Test]
    public void Route_CutOffAnywhere_HasNoWayUntilOneIsThere()
    {
        byte[] bytes = Convert.FromHexString(Multipath);
        for (int length = 0; length < bytes.Length; length++)
        {
            RouteInfo? route = RouteInfo.Parse(Message(bytes[..length]));
            Assert.That(route is null, Is.EqualTo(length < 12), $"{length} bytes");
            Assert.That(route?.InterfaceIndex ?? 0, Is.Zero, $"{length} bytes: the row of ways is the last attribute, and not whole");
        }
    }

    [TestCase("1000", NetlinkChanges.Links)]
    [TestCase("1100", NetlinkChanges.Links)]
    [TestCase("1400", NetlinkChanges.Addresses)]
    [TestCase("1500", NetlinkChanges.Addresses)]
    [TestCase("1800", NetlinkChanges.Routes)]
    [TestCase("1900", NetlinkChanges.Routes)]
    [TestCase("1C00", NetlinkChanges.None)]
    public void Notification_TellsWhatKindOfThingChanged(string type, object expected) =>
        Assert.That(NetlinkMonitor.Read(Convert.FromHexString($"10000000{type}00000000000000000000")), Is.EqualTo(expected));

    [Test]
    public void Notifications_OfOneDatagram_AddUp() =>
        Assert.That(
            NetlinkMonitor.Read(Convert.FromHexString("10000000" + "1000" + "00000000000000000000" + "10000000" + "1800" + "00000000000000000000")),
            Is.EqualTo(NetlinkChanges.Links | NetlinkChanges.Routes));

    private static NetlinkMessage Message(byte[] payload) => new(16, 0, 1, payload);
}
