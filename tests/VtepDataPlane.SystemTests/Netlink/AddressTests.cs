// Addresses of a real kernel: added, listed, removed, and the states that keep one from being used.

using NUnit.Framework;
using Tmds.Linux;
using VtepDataPlane.Linux.Netlink;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;

namespace VtepDataPlane.SystemTests.Netlink;

internal sealed class AddressTests
{
    private NetlinkNamespace _host = null!;

    [SetUp]
    public void MakeNamespace() =>
        _host = new NetlinkNamespace("link add v0 type veth peer name v1", "link set v0 up", "link set v1 up");

    [TearDown]
    public void DeleteNamespace() => _host.Dispose();

    [TestCase("198.18.0.1", 24)]
    [TestCase("198.18.0.1", 32)]
    [TestCase("fd00:18::1", 64)]
    public void AddAddress_IsThereAndUsableAtOnce(string text, byte prefixLength)
    {
        InterfaceAddress address = new(InetAddress.Parse(text), prefixLength);
        int index = _host.Link("v0").Index;

        int error = _host.Netlink.AddAddress(index, address);

        Assert.That(error, Is.Zero, _host.Netlink.Explain(error));
        AddressInfo info = Find(text);
        Assert.That((info.Index, info.PrefixLength, info.IsGlobal, info.IsUsable), Is.EqualTo((index, prefixLength, true, true)));
        Assert.That(info.Flags & AddressFlags.Permanent, Is.EqualTo(AddressFlags.Permanent));
        Assert.That(_host.Ip("addr show v0"), Does.Contain($"{text}/{prefixLength} scope global"));
    }

    [TestCase("198.18.0.1", 24)]
    [TestCase("fd00:18::1", 64)]
    public void AddAddress_Twice_GivesEexist(string text, byte prefixLength)
    {
        InterfaceAddress address = new(InetAddress.Parse(text), prefixLength);
        int index = _host.Link("v0").Index;
        Assert.That(_host.Netlink.AddAddress(index, address), Is.Zero);

        Assert.That(_host.Netlink.AddAddress(index, address), Is.EqualTo(-LibC.EEXIST));
    }

    [TestCase("198.18.0.1", 24)]
    [TestCase("fd00:18::1", 64)]
    public void RemoveAddress_TakesItAway_AndFindsNoneTheSecondTime(string text, byte prefixLength)
    {
        InterfaceAddress address = new(InetAddress.Parse(text), prefixLength);
        int index = _host.Link("v0").Index;
        Assert.That(_host.Netlink.AddAddress(index, address), Is.Zero);

        Assert.That(_host.Netlink.RemoveAddress(index, address), Is.Zero);

        Assert.That(_host.Netlink.GetAddresses().Select(info => info.Address), Has.None.EqualTo(address.Address));
        Assert.That(_host.Netlink.RemoveAddress(index, address), Is.EqualTo(-LibC.EADDRNOTAVAIL));
    }

    [TestCase(33)]
    [TestCase(255)]
    public void AddAddress_WithAnImpossiblePrefix_GivesAnError(byte prefixLength)
    {
        int error = _host.Netlink.AddAddress(_host.Link("v0").Index, new InterfaceAddress(InetAddress.Parse("198.18.0.1"), prefixLength));

        Assert.That(error, Is.EqualTo(-LibC.EINVAL));
    }

    [Test]
    public void AddAddress_OfNone_GivesEinval() =>
        Assert.That(_host.Netlink.AddAddress(1, new InterfaceAddress(default, 24)), Is.EqualTo(-LibC.EINVAL));

    [Test]
    public void AddAddress_ToNoInterface_GivesEnodev() =>
        Assert.That(_host.Netlink.AddAddress(4711, new InterfaceAddress(InetAddress.Parse("198.18.0.1"), 24)), Is.EqualTo(-LibC.ENODEV));

    [Test]
    public void GetAddresses_TellsBothFamiliesAndTheirScopes()
    {
        _host.Ip("addr add 198.18.0.1/24 dev v0");
        _host.Ip("addr add fd00:18::1/64 dev v0 nodad");

        Assert.That(Find("127.0.0.1").Scope, Is.EqualTo(254));
        Assert.That(Find("::1").Scope, Is.EqualTo(254));
        Assert.That(Find("198.18.0.1").Scope, Is.Zero);
        Assert.That(Find("fd00:18::1").Flags & AddressFlags.NoDad, Is.EqualTo(AddressFlags.NoDad));
        Assert.That(_host.Netlink.GetAddresses().Where(info => info.Address.IsLinkLocal), Has.All.Property("Scope").EqualTo(253));
    }

    [Test]
    public void GetAddresses_OfAPointToPointLink_TellsOurEnd()
    {
        _host.Ip("addr add 198.18.7.1 peer 198.18.7.2/32 dev v0");
        _host.Ip("addr add fd00:7::1 peer fd00:7::2/128 dev v0");

        Assert.That(
            _host.Netlink.GetAddresses().Select(info => info.Address.ToString()),
            Is.SupersetOf(new[] { "198.18.7.1", "fd00:7::1" }).And.None.EqualTo("198.18.7.2").And.None.EqualTo("fd00:7::2"));
    }

    [Test]
    public void GetAddresses_DuringDuplicateDetection_SaysThatItIsTentative()
    {
        _host.Exec("sysctl -qw net.ipv6.conf.v0.dad_transmits=100");

        _host.Ip("addr add fd00:18::1/64 dev v0");

        Assert.That(Find("fd00:18::1"), Has.Property("IsUsable").False);
        Assert.That(Find("fd00:18::1").Flags & AddressFlags.Tentative, Is.EqualTo(AddressFlags.Tentative));
    }

    [Test]
    public void GetAddresses_OfADuplicate_SaysThatItFailed()
    {
        _host.Ip("addr add fd00:18::1/64 dev v1 nodad");
        using var other = new NetlinkNamespace();
        _host.Ip($"link set v0 netns {other.Name}");
        other.Ip("link set v0 up");

        other.Ip("addr add fd00:18::1/64 dev v0");

        Assert.That(() => Find(other, "fd00:18::1").Flags & AddressFlags.DadFailed, Is.EqualTo(AddressFlags.DadFailed).After(10_000, 20));
        Assert.That(Find(other, "fd00:18::1").IsUsable, Is.False);
    }

    [Test]
    public void GetAddresses_PastItsPreferredLifetime_SaysThatItIsDeprecated()
    {
        _host.Ip("addr add fd00:18::1/64 dev v0 nodad preferred_lft 0");

        Assert.That(Find("fd00:18::1").Flags & AddressFlags.Deprecated, Is.EqualTo(AddressFlags.Deprecated));
    }

    private static AddressInfo Find(NetlinkNamespace host, string address) =>
        host.Netlink.GetAddresses().Single(info => info.Address == InetAddress.Parse(address));

    private AddressInfo Find(string address) => Find(_host, address);
}
