// The filter language: what each word means, what combines, and what is said of what can't be read.

using NUnit.Framework;
using VtepDataPlane.Diagnostics.Capture;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Diagnostics;

public sealed class FrameExpressionTests
{
    private static bool Matches(string filter, byte[] frame)
    {
        Assert.That(FrameExpression.TryParse(filter, out FrameExpression? expression, out string? problem), Is.True, problem);
        FrameHeaders.Parse(frame, out FrameHeaders headers);
        return expression!.Matches(frame, headers);
    }

    // of these frames, in this order: udp4, tcp4, icmp4, arp, udp6, udp in VLAN 5
    private static byte[][] Frames() => [Udp(), Tcp(), IcmpEcho(), Arp(), Udp(sourceIp: IPv6A, destinationIp: IPv6B), Udp(vlans: [5])];

    [TestCase("arp", "...x..")]
    [TestCase("ip", "xxx..x")]
    [TestCase("ip6", "....x.")]
    [TestCase("udp", "x...xx")]
    [TestCase("tcp", ".x....")]
    [TestCase("icmp", "..x...")]
    [TestCase("icmp6", "......")]
    [TestCase("proto 17", "x...xx")]
    [TestCase("ether proto 0x0806", "...x..")]
    [TestCase("vlan", ".....x")]
    [TestCase("vlan 5", ".....x")]
    [TestCase("vlan 6", "......")]
    [TestCase("not arp", "xxx.xx")]
    [TestCase("! arp and !ip6", "xxx..x")]
    [TestCase("udp or tcp", "xx..xx")]
    [TestCase("udp || tcp && vlan", "x...xx")]
    [TestCase("(udp or tcp) and vlan", ".....x")]
    [TestCase("not (udp or tcp)", "..xx..")]
    [TestCase("UDP AND NOT IP6", "x....x")]
    [TestCase("ether src 02:00:00:00:00:0a", "xxxxxx")]
    [TestCase("ether host 02:00:00:00:00:0a", "xxxxxx")]
    [TestCase("ether dst host 02:00:00:00:00:0a", "......")]
    [TestCase("less 0", "......")]
    [TestCase("greater 0", "xxxxxx")]
    public void AFilter_PassesTheFramesItNames(string filter, string expected) =>
        Assert.That(string.Concat(Frames().Select(frame => Matches(filter, frame) ? 'x' : '.')), Is.EqualTo(expected));

    [Test]
    public void AddressesAndPorts_AreComparedOnTheSideThatIsNamed()
    {
        byte[] udp = Udp();
        FrameHeaders.Parse(udp, out FrameHeaders headers);
        Assert.That(Ipv4View.TryParse(udp.AsSpan(headers.NetworkOffset), out Ipv4View ip), Is.True);
        string source = ip.Source.ToString(), destination = ip.Destination.ToString();
        Assert.That(UdpView.TryParse(ip.Payload, out UdpView ports), Is.True);
        int from = ports.SourcePort, to = ports.DestinationPort;
        var network = InetPrefix.Of(ip.Source, 24);
        Assert.That(from, Is.Not.EqualTo(to));
        Assert.Multiple(() =>
        {
            Assert.That(Matches($"host {source}", udp), Is.True);
            Assert.That(Matches($"host {destination}", udp), Is.True);
            Assert.That(Matches($"src host {source} and dst host {destination}", udp), Is.True);
            Assert.That(Matches($"src host {destination}", udp), Is.False);
            Assert.That(Matches($"dst port {to}", udp), Is.True);
            Assert.That(Matches($"src port {to}", udp), Is.False);
            Assert.That(Matches($"port {from}", udp), Is.True);
            Assert.That(Matches($"portrange {to}-{to}", udp), Is.True);
            Assert.That(Matches("net 0.0.0.0/0", udp), Is.True);
            Assert.That(Matches("net ::/0", udp), Is.False);
            Assert.That(Matches($"net {network}", udp), Is.True);
            Assert.That(Matches("host 203.0.113.1", udp), Is.False);
        });
    }

    [Test]
    public void Host_MeansTheAddressesOfArpMessagesAsWell()
    {
        byte[] arp = Arp();
        Assert.That(ArpPacket.TryParse(arp.AsSpan(EthernetHeader.Size), out ArpPacket message), Is.True);
        Assert.That(Matches($"arp and dst host {message.TargetAddress}", arp), Is.True);
        Assert.That(Matches($"src host {message.TargetAddress}", arp), Is.False);
    }

    [Test]
    public void FramesCutAtEveryByte_PassOrDont_AndNothingIsThrown()
    {
        string[] filters = ["vlan 5", "host 198.19.0.1", "port 53", "arp", "broadcast", "not ip", "ether src 02:00:00:00:00:0a", "net fd00::/8", "src portrange 1-65535"];
        foreach (byte[] frame in Frames())
        {
            for (int length = 0; length <= frame.Length; length++)
            {
                foreach (string filter in filters)
                    Matches(filter, frame[..length]);
            }
        }
    }

    [TestCase("", "The filter can't be read: no such test is known")]
    [TestCase("tpc", "'tpc', character 1.")]
    [TestCase("udp and", "its end.")]
    [TestCase("udp tcp", "The filter can't be read: 'and' or 'or' is missing before 'tcp', character 5.")]
    [TestCase("(udp", "The filter can't be read: ')' is missing before its end.")]
    [TestCase("udp)", "'and' or 'or' is missing before ')', character 4.")]
    [TestCase("host nowhere", "The filter can't be read: an IP address should stand at 'nowhere', character 6.")]
    [TestCase("net 198.18.0.1/24", "host bits zero")]
    [TestCase("port 65536", "The filter can't be read: a number from 0 to 65535 should stand at '65536', character 6.")]
    [TestCase("portrange 9-1", "a range of ports")]
    [TestCase("ether src zz", "a MAC address such as 02:00:00:00:00:01 should stand at 'zz', character 11.")]
    [TestCase("vlan and", "its end.")]
    public void WhatCantBeRead_IsToldWithItsPlace(string filter, string expected)
    {
        Assert.That(FrameExpression.TryParse(filter, out FrameExpression? expression, out string? problem), Is.False);
        Assert.That(expression, Is.Null);
        Assert.That(problem, Does.Contain(expected));
    }

    [Test]
    public void TooLong_TooManyTerms_TooDeep_AreRefused()
    {
        Assert.That(FrameExpression.TryParse(new string(' ', 1001), out _, out string? problem), Is.False);
        Assert.That(problem, Does.Contain("1001 characters"));
        Assert.That(FrameExpression.TryParse(string.Join(" or ", Enumerable.Repeat("ip", 65)), out _, out problem), Is.False);
        Assert.That(problem, Does.Contain("more than 64 terms"));
        Assert.That(FrameExpression.TryParse(string.Join(" or ", Enumerable.Repeat("ip", 64)), out _, out _), Is.True);
        Assert.That(FrameExpression.TryParse(new string('(', 100) + "ip" + new string(')', 100), out _, out problem), Is.False);
        Assert.That(problem, Does.Contain("nested deeper than 16"));
        Assert.That(FrameExpression.TryParse(new string('!', 900) + "ip", out _, out _), Is.False);
    }
}
