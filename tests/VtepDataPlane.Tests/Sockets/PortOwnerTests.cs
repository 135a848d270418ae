// The kernel's table of UDP sockets as text, and which of them keep a port from us.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Linux.Udp;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Sockets;

internal sealed class PortOwnerTests
{
    private const string IPv4Table =
        "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            \n"
        + " 5101: 010012C6:12B5 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 37065 2 000000003680f5bf 0         \n"
        + "12345: 00000000:2118 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 4294967296 2 000000003680f5bf 7         \n";

    private const string IPv6Table =
        "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
        + " 5101: 180000FD000000000000000001000000:12B5 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000   107        0 41 2 0000000000000000 0\n"
        + " 5102: 0000000000000000FFFF0000010012C6:12B5 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 42 2 0000000000000000 0\n"
        + " 5103: 00000000000000000000000000000000:12B5 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 43 2 0000000000000000 0\n";

    [Test]
    public void Parse_OfTheIPv4Table_GivesItsSockets()
    {
        Assert.That(PortOwner.Parse(IPv4Table), Is.EqualTo(new[]
        {
            new BoundUdpSocket(InetAddress.Parse("198.18.0.1"), 4789, 0, 37065),
            new BoundUdpSocket(InetAddress.Parse("0.0.0.0"), 8472, 1000, 4294967296),
        }));
    }

    [Test]
    public void Parse_OfTheIPv6Table_GivesItsSockets_MappedOnesAsIPv4() =>
        Assert.That(PortOwner.Parse(IPv6Table), Is.EqualTo(new[]
        {
            new BoundUdpSocket(InetAddress.Parse("fd00:18::1"), 4789, 107, 41),
            new BoundUdpSocket(InetAddress.Parse("198.18.0.1"), 4789, 0, 42),
            new BoundUdpSocket(InetAddress.Parse("::"), 4789, 0, 43),
        }));

    [TestCase("")]
    [TestCase("\n\n")]
    [TestCase(" 1: 010012C6 00000000:0000 07 0:0 00:0 0 0 0 37065 2 0 0")]
    [TestCase(" 1: 0100:12B5 00000000:0000 07 0:0 00:0 0 0 0 37065 2 0 0")]
    [TestCase(" 1: XX0012C6:12B5 00000000:0000 07 0:0 00:0 0 0 0 37065 2 0 0")]
    [TestCase(" 1: 010012C6:12B5 00000000:0000 07 0:0 00:0 0 -1 0 37065 2 0 0")]
    [TestCase(" 1: 010012C6:12B5 00000000:0000 07 0:0 00:0 0 0 0")]
    public void Parse_OfOtherText_GivesNone(string text) => Assert.That(PortOwner.Parse(text), Is.Empty);

    [Test]
    public void Parse_OfATableCutOffAnywhere_GivesNoSocketThatIsNotThere()
    {
        BoundUdpSocket[] all = [.. PortOwner.Parse(IPv6Table)];
        Gen.Int[0, IPv6Table.Length].Sample(length =>
            PortOwner.Parse(IPv6Table[..length]).Select(socket => (socket.Address, socket.Port))
                .SequenceEqual(all.Take(PortOwner.Parse(IPv6Table[..length]).Count).Select(socket => (socket.Address, socket.Port))));
    }

    [Test]
    public void Parse_OfAnyText_DoesNotThrow() => Gen.String.Sample(text => PortOwner.Parse(text).Count == 0);

    [TestCase("198.18.0.1", "198.18.0.1", true)]
    [TestCase("198.18.0.2", "198.18.0.1", false)]
    [TestCase("0.0.0.0", "198.18.0.1", true)]
    [TestCase("198.18.0.1", "0.0.0.0", true)]
    [TestCase("::", "198.18.0.1", true)]
    [TestCase("fd00:18::1", "198.18.0.1", false)]
    [TestCase("fd00:18::1", "0.0.0.0", false)]
    [TestCase("fd00:18::1", "fd00:18::1", true)]
    [TestCase("fd00:18::2", "fd00:18::1", false)]
    [TestCase("::", "fd00:18::1", true)]
    [TestCase("0.0.0.0", "fd00:18::1", false)]
    [TestCase("0.0.0.0", "::", true)]
    [TestCase("198.18.0.1", "::", true)]
    public void Conflicting_KnowsWildcardsOfBothFamilies(string bound, string wanted, bool conflicts)
    {
        BoundUdpSocket[] sockets = [new(InetAddress.Parse(bound), 4789, 0, 1), new(InetAddress.Parse(wanted), 4790, 0, 2)];

        Assert.That(PortOwner.Conflicting(sockets, InetAddress.Parse(wanted), 4789), Is.EqualTo(conflicts ? sockets[..1] : []));
    }

    [Test]
    public void Conflicting_PutsTheMostExactFirst()
    {
        string[] bound = ["::", "0.0.0.0", "198.18.0.1"];
        IEnumerable<BoundUdpSocket> sockets = bound.Select((address, i) => new BoundUdpSocket(InetAddress.Parse(address), 4789, 0, (ulong)i));

        Assert.That(
            PortOwner.Conflicting(sockets, InetAddress.Parse("198.18.0.1"), 4789).Select(socket => socket.Inode), Is.EqualTo(new ulong[] { 2, 1, 0 }));
    }
}
