using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Wire;

public sealed class FlowHashTests
{
    private static readonly FlowHash s_hash = new(new UInt128(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210));

    private static readonly (string From, string To)[] s_families =
        [(TestFrames.IPv4A, TestFrames.IPv4B), (TestFrames.IPv6A, TestFrames.IPv6B)];

    [Test]
    public void SameFlow_HasTheSameHash_WhateverElseIsInTheFrame()
    {
        foreach ((string from, string to) in s_families)
        {
            uint expected = Hash(TestFrames.Tcp(sourceIp: from, destinationIp: to));
            byte[] other = TestFrames.Tcp(sourceIp: from, destinationIp: to, payload: new byte[900], tos: 3, ttl: 7);
            Assert.That(Hash(other), Is.EqualTo(expected));
            Assert.That(Hash(TestFrames.Tcp(sourceIp: from, destinationIp: to, sequence: 5, flags: TcpFlags.Fin)), Is.EqualTo(expected));
            Assert.That(Hash(TestFrames.Tcp(sourceIp: from, destinationIp: to, vlans: [7])), Is.EqualTo(expected));
            Assert.That(Hash(TestFrames.Tcp(TestFrames.MacB, TestFrames.MacA, from, to)), Is.EqualTo(expected));
        }
    }

    [Test]
    public void EveryPartOfTheFlow_Counts()
    {
        uint[] v4 =
        [
            Hash(TestFrames.Tcp()),
            Hash(TestFrames.Udp()),
            Hash(TestFrames.Tcp(sourcePort: 10001)),
            Hash(TestFrames.Tcp(destinationPort: 20001)),
            Hash(TestFrames.Tcp(sourceIp: "198.18.1.3")),
            Hash(TestFrames.Tcp(destinationIp: "198.18.1.3")),
            Hash(TestFrames.Tcp(sourcePort: 20000, destinationPort: 10000)),
            Hash(TestFrames.Tcp(sourceIp: TestFrames.IPv4B, destinationIp: TestFrames.IPv4A)),
        ];
        uint[] v6 =
        [
            Hash(TestFrames.Tcp(sourceIp: "fd00::1", destinationIp: "fd00::2")),
            Hash(TestFrames.Tcp(sourceIp: "fd00::2", destinationIp: "fd00::1")),
            Hash(TestFrames.Tcp(sourceIp: "fd00::3", destinationIp: "fd00::2")),
            Hash(TestFrames.Tcp(sourceIp: "fd01::1", destinationIp: "fd00::2")),
            Hash(TestFrames.Tcp(sourceIp: "fd00::1", destinationIp: "fd01::2")),
        ];
        Assert.That((uint[])[.. v4, .. v6], Is.Unique);
    }

    [Test]
    public void AllFragmentsOfADatagram_HaveTheSameHash()
    {
        foreach ((string from, string to) in s_families)
        {
            byte[] whole = TestFrames.Udp(sourceIp: from, destinationIp: to, payload: TestFrames.Pattern(64));
            byte[] udp = whole[^72..];
            uint first = Hash(TestFrames.Ip(17, udp[..24], sourceIp: from, destinationIp: to, moreFragments: true));
            uint middle = Hash(TestFrames.Ip(17, udp[24..48], sourceIp: from, destinationIp: to, fragmentOffset: 24, moreFragments: true));
            uint last = Hash(TestFrames.Ip(17, udp[48..], sourceIp: from, destinationIp: to, fragmentOffset: 48));
            Assert.That((middle, last), Is.EqualTo((first, first)));
            Assert.That(first, Is.Not.EqualTo(Hash(whole)));
        }
    }

    // behind the fragment header only the first fragment shows that the options are followed by UDP
    [Test]
    public void FragmentsWithOptionsBehindTheFragmentHeader_HaveTheSameHash()
    {
        byte[] options = TestFrames.Extension(17, TestFrames.Udp()[34..]);
        (string from, string to) = s_families[1];
        uint first = Hash(TestFrames.Ip(60, options[..24], sourceIp: from, destinationIp: to, moreFragments: true));
        uint last = Hash(TestFrames.Ip(60, options[24..], sourceIp: from, destinationIp: to, fragmentOffset: 24));
        Assert.That(last, Is.EqualTo(first));
    }

    [Test]
    public void FramesThatAreNotIp_HashByMacsAndEtherType()
    {
        MacAddress other = MacAddress.Parse("02:00:00:00:00:0c");
        uint expected = Hash(TestFrames.Ethernet(0x88B5, [1, 2, 3]));
        Assert.That(Hash(TestFrames.Ethernet(0x88B5, new byte[80])), Is.EqualTo(expected));
        uint[] hashes =
        [
            expected,
            Hash(TestFrames.Ethernet(0x88B6, [1, 2, 3])),
            Hash(TestFrames.Ethernet(0x88B5, [1, 2, 3], source: other)),
            Hash(TestFrames.Ethernet(0x88B5, [1, 2, 3], destination: other)),
            Hash(TestFrames.Ethernet(0x88B5, [1, 2, 3], TestFrames.MacB, TestFrames.MacA)),
        ];
        Assert.That(hashes, Is.Unique);
    }

    [Test]
    public void PortsThatAreNotThere_AreNotRead()
    {
        uint cut = Hash(TestFrames.Ip(17, [1, 2, 3, 4]));
        Assert.That(Hash(TestFrames.Ip(17, [5, 6, 7, 8])), Is.EqualTo(cut));
    }

    [Test]
    public void DifferentSeeds_GiveDifferentHashes() => Gen.Select(Gen.ULong, Gen.ULong, Gen.Int[0, 127]).Sample(static (high, low, bit) =>
    {
        byte[] frame = TestFrames.Tcp();
        FrameHeaders.Parse(frame, out FrameHeaders headers);
        UInt128 seed = new(high, low);
        return new FlowHash(seed).Compute(frame, headers) != new FlowHash(seed ^ (UInt128.One << bit)).Compute(frame, headers);
    });

    [TestCase("ports")]
    [TestCase("addresses")]
    [TestCase("IPv6 addresses")]
    [TestCase("MACs")]
    public void TenThousandFlows_SpreadEvenly(string kind)
    {
        byte[][] frames = [.. Enumerable.Range(0, 10_000).Select(i => Flow(kind, i))];
        for (uint seed = 0; seed < 20; seed++)
        {
            FlowHash hash = new(new UInt128(seed, ~seed));
            int[] high = new int[64];
            int[] low = new int[64];
            foreach (byte[] frame in frames)
            {
                uint value = Hash(frame, hash);
                high[(FlowHash.SourcePort(value) - 49152) / 256]++;
                low[value % 64]++;
            }

            // 63 degrees of freedom: above 131.7 once in a million times; the seeds are fixed, so it's always or never
            Assert.That(ChiSquare(high), Is.LessThan(131.7), $"by source port, seed {seed}");
            Assert.That(ChiSquare(low), Is.LessThan(131.7), $"by the low bits, seed {seed}");
        }
    }

    [TestCase(0u, 49152)]
    [TestCase(0x0003_FFFFu, 49152)]
    [TestCase(0x0004_0000u, 49153)]
    [TestCase(0x8000_0000u, 57344)]
    [TestCase(0xFFFF_FFFFu, 65535)]
    public void SourcePort_IsADynamicPort(uint hash, int port) => Assert.That(FlowHash.SourcePort(hash), Is.EqualTo(port));

    private static byte[] Flow(string kind, int i) => kind switch
    {
        "ports" => TestFrames.Udp(sourcePort: 1024 + i, payload: []),
        "addresses" => TestFrames.Udp(sourceIp: $"198.18.{i / 250}.{1 + i % 250}", payload: []),
        "IPv6 addresses" => TestFrames.Udp(sourceIp: $"fd00::{i:x}", destinationIp: TestFrames.IPv6B, payload: []),
        _ => TestFrames.Ethernet(0x88B5, [], source: new MacAddress(0x0200_0000_0000 + (ulong)i)),
    };

    private static double ChiSquare(int[] buckets)
    {
        double expected = buckets.Sum() / (double)buckets.Length;
        return buckets.Sum(count => (count - expected) * (count - expected) / expected);
    }

    private static uint Hash(byte[] frame) => Hash(frame, s_hash);

    private static uint Hash(byte[] frame, FlowHash hash)
    {
        Assert.That(FrameHeaders.Parse(frame, out FrameHeaders headers), Is.EqualTo(FrameFault.None));
        return hash.Compute(frame, headers);
    }
}
