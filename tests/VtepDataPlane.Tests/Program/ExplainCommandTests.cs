// vtep explain with fields: the frame they make is the one that was meant, so it is answered as its bytes are; and fields that can't be are told.

using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.Daemon.Commands;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

[TestFixture]
public sealed class ExplainCommandTests
{
    private const string Source = "02:00:00:00:00:01", Destination = "02:00:00:00:00:02";

    private static FrameFields Fields(byte protocol, string from, string to) => new()
    {
        Source = MacAddress.Parse(Source),
        Destination = MacAddress.Parse(Destination),
        IpSource = InetAddress.Parse(from),
        IpDestination = InetAddress.Parse(to),
        Protocol = protocol,
        SourcePort = 1234,
        DestinationPort = 443,
        Ttl = 9,
        TrafficClass = 0x2A,
    };

    [TestCase(IpProtocol.Udp, "198.19.0.1", "198.19.0.2", "45", 60)]
    [TestCase(IpProtocol.Tcp, "198.19.0.1", "198.19.0.2", "45", 60)]
    [TestCase(IpProtocol.IcmpV4, "198.19.0.1", "198.19.0.2", "45", 60)]
    [TestCase((byte)47, "198.19.0.1", "198.19.0.2", "45", 60)]
    [TestCase(IpProtocol.Udp, "fd00::1", "fd00::2", "6", 62)]
    [TestCase(IpProtocol.Tcp, "fd00::1", "fd00::2", "6", 74)]
    [TestCase(IpProtocol.IcmpV6, "fd00::1", "fd00::2", "6", 62)]
    public void FieldsOfAPacket_MakeIt_LengthsAndChecksumsRight(byte protocol, string from, string to, string version, int length)
    {
        byte[] frame = Fields(protocol, from, to).ToBytes();

        Assert.That(frame, Has.Length.EqualTo(length));
        Assert.That(Convert.ToHexStringLower(frame), Does.StartWith("020000000002" + "020000000001" + (version == "45" ? "0800" : "86dd") + version));
        Assert.That(FrameHeaders.Parse(frame, out FrameHeaders headers), Is.EqualTo(FrameFault.None));
        Assert.That((headers.Protocol, headers.HopLimit, headers.TrafficClass), Is.EqualTo((protocol, (byte)9, (byte)0x2A)));
        if (protocol == 47)
            return;
        ReadOnlySpan<byte> transport = frame.AsSpan(headers.TransportOffset, headers.TransportLength);
        ulong pseudo = protocol == IpProtocol.IcmpV4 ? 0 : InternetChecksum.PseudoHeader(InetAddress.Parse(from), InetAddress.Parse(to), protocol, transport.Length);
        Assert.That(InternetChecksum.Fold(pseudo + InternetChecksum.Sum(transport)), Is.EqualTo(0xFFFF));
    }

    [Test]
    public void ATag_AnArpRequest_AndALength_AreAsTheyWereGiven()
    {
        var arp = new FrameFields { Source = MacAddress.Parse(Source), Destination = MacAddress.Broadcast, Vlan = 7, IpSource = InetAddress.Parse("198.19.0.1"), ArpFor = InetAddress.Parse("198.19.0.9"), Length = 80 };
        Assert.That(Convert.ToHexStringLower(arp.ToBytes()), Is.EqualTo(
            "ffffffffffff" + "020000000001" + "81000007" + "0806" + "0001080006040001" + "020000000001" + "c6130001" + "000000000000" + "c6130009" + new string('0', 68)));
    }

    [Test]
    public async Task FieldsAndTheirBytes_AreAnsweredAlike()
    {
        await using InMemoryDaemon daemon = await InMemoryDaemon.StartAsync("""
            { "control": { "socket": "SOCKET" }, "underlay": { "local": "198.18.0.1" }, "bridgeDomains": [ { "name": "blue", "vni": 100, "ports": [ { "tap": "tap-blue" } ],
              "discovery": { "static": { "peers": [ "198.18.0.2" ] } } } ] }
            """);
        var random = new Random(11);
        for (int i = 0; i < 100; i++)
        {
            bool v6 = random.Next(2) == 0;
            string from = v6 ? "fd00::1" : "198.19.0.1", to = v6 ? "fd00::2" : "198.19.0.2";
            string[] names = ["udp", "tcp", "icmp", "89"];
            string name = names[random.Next(4)];
            byte protocol = name switch { "udp" => IpProtocol.Udp, "tcp" => IpProtocol.Tcp, "icmp" => v6 ? IpProtocol.IcmpV6 : IpProtocol.IcmpV4, _ => 89 };
            int sourcePort = random.Next(65536), tos = random.Next(256);
            FrameFields fields = Fields(protocol, from, to) with { SourcePort = (ushort)sourcePort, TrafficClass = (byte)tos, DontFragment = true, Length = random.Next(100, 1600) };
            (int code, string asFields, string error) = await daemon.CommandAsync(
                "explain", "--json", "--vni", "100", "--src", Source, "--dst", Destination, "--ip-src", from, "--ip-dst", to, "--proto", name, "--sport", $"{sourcePort}",
                "--dport", "443", "--ttl", "9", "--tos", $"{tos}", "--df", "--length", $"{fields.Length}");
            Assert.That((code, error), Is.EqualTo((0, "")));
            (_, string asBytes, _) = await daemon.CommandAsync("explain", "--json", "--vni", "100", "--frame", Convert.ToHexString(fields.ToBytes()));
            Assert.That(asFields, Is.EqualTo(asBytes));
            Assert.That((string?)JsonNode.Parse(asBytes)!["domain"], Is.EqualTo("blue"));
        }
    }

    [TestCase("--src zz --dst 02:00:00:00:00:02", "--src: 'zz' is no MAC address; write six hex pairs, like 02:00:5e:10:00:01.")]
    [TestCase("--src 02:00:00:00:00:01", "A frame is missing: give its bytes with --frame HEX, or its addresses with --src MAC --dst MAC.")]
    [TestCase("--frame 00 --src 02:00:00:00:00:01", "--frame is the whole frame; leave out --src and --dst, or give the frame as fields.")]
    [TestCase("--frame 0", "--frame: '0' isn't hexadecimal; write two digits a byte.")]
    [TestCase("--src 02:00:00:00:00:01 --dst 02:00:00:00:00:02 --ip-src 198.19.0.1", "An IP packet has two addresses: give --ip-src and --ip-dst, or neither.")]
    [TestCase("--src 02:00:00:00:00:01 --dst 02:00:00:00:00:02 --ip-src 198.19.0.1 --ip-dst fd00::2", "--ip-src and --ip-dst are of two families; give two IPv4 or two IPv6 addresses.")]
    [TestCase("--src 02:00:00:00:00:01 --dst 02:00:00:00:00:02 --arp fd00::2", "--arp: ARP asks for IPv4 addresses only.")]
    [TestCase("--src 02:00:00:00:00:01 --dst 02:00:00:00:00:02 --length 13", "--length: a frame with these fields has at least 14 bytes.")]
    [TestCase("--src 02:00:00:00:00:01 --dst 02:00:00:00:00:02 --ttl 256", "--ttl: '256' is out of range; write a number from 0 to 255.")]
    [TestCase("--src 02:00:00:00:00:01 --dst 02:00:00:00:00:02 --ethertype xyz", "--ethertype: 'xyz' is no EtherType; write up to four hexadecimal digits, like 0x88cc.")]
    [TestCase("--src 02:00:00:00:00:01 --dst 02:00:00:00:00:02 --proto ftp", "--proto: 'ftp' is no protocol; write tcp, udp, icmp, icmp6 or a number from 0 to 255.")]
    public async Task WhatCantBeAFrame_IsToldBeforeAnybodyIsAsked(string options, string expected)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        int code = await CommandTree.InvokeAsync(["explain", "--vni", "100", .. options.Split(' ')], output, errors, (_, _) => throw new InvalidOperationException());
        Assert.That(errors.ToString().TrimEnd('\n'), Is.EqualTo(expected));
        Assert.That(code, Is.EqualTo(ExitCode.Usage));
    }
}
