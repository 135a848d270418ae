// What an ICMP quote proves: that we sent just that, there, a moment ago.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Underlay;

internal sealed class SentDatagramsTests
{
    private const long Now = 100_000_000;

    private static readonly InetAddress s_peer = InetAddress.Parse("198.18.0.2");
    private static readonly InetAddress s_other = InetAddress.Parse("198.18.0.3");
    private static readonly UInt128 s_key = new(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210);

    [Test]
    public void WhatWasSent_IsRecognisedByItsFirst64Bytes()
    {
        var sent = new SentDatagrams(s_key);
        byte[] datagram = Datagram(1);
        Add(sent, datagram);

        Assert.That(sent.Contains(datagram, s_peer, Now));
        Assert.That(sent.Contains(datagram.AsSpan(0, 64), s_peer, Now));
        Assert.That(sent.Contains(datagram.AsSpan(0, 63), s_peer, Now), Is.False, "too short a quote proves nothing");
        Assert.That(sent.Contains(datagram.AsSpan(0, 8), s_peer, Now), Is.False);
        Assert.That(sent.Contains([], s_peer, Now), Is.False);
    }

    [Test]
    public void AnotherDestination_IsNotRecognised()
    {
        var sent = new SentDatagrams(s_key);
        Add(sent, Datagram(1));

        Assert.That(sent.Contains(Datagram(1), s_other, Now), Is.False);
    }

    [Test]
    public void AQuoteWithAnyOtherBit_IsNotRecognised()
    {
        var sent = new SentDatagrams(s_key);
        byte[] datagram = Datagram(1);
        Add(sent, datagram);
        for (int bit = 0; bit < 8 * SentDatagrams.PrefixLength; bit++)
        {
            byte[] quote = datagram[..SentDatagrams.PrefixLength];
            quote[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.That(sent.Contains(quote, s_peer, Now), Is.False, $"bit {bit}");
        }
    }

    [Test]
    public void ADatagramEveryPathCarries_IsNotNoted()
    {
        var sent = new SentDatagrams(s_key);
        Add(sent, Datagram(1, SentDatagrams.UnnotedLength));

        Assert.That(sent.Contains(Datagram(1, SentDatagrams.UnnotedLength), s_peer, Now), Is.False);
    }

    [TestCase(0, true)]
    [TestCase(30, true)]
    [TestCase(31, false)]
    [TestCase(3600, false)]
    public void AfterAWhile_ItIsForgotten(int seconds, bool recognised)
    {
        var sent = new SentDatagrams(s_key);
        Add(sent, Datagram(1));

        Assert.That(sent.Contains(Datagram(1), s_peer, Now + seconds * 1000L), Is.EqualTo(recognised));
    }

    [Test]
    public void TheLastOnes_AreRemembered()
    {
        var sent = new SentDatagrams(s_key);
        for (int i = 0; i < 1000; i++)
            Add(sent, Datagram(i));

        int found = Enumerable.Range(0, 1000).Count(i => sent.Contains(Datagram(i), s_peer, Now));
        Assert.That(found, Is.GreaterThan(900), "two may share a place: the later one has it");
        Assert.That(sent.Contains(Datagram(999), s_peer, Now));
    }

    [Test]
    public void AnEmptyTable_RecognisesNothing() =>
        Gen.Byte.Array[64, 128].Sample(quote => Assert.That(new SentDatagrams(s_key, 64).Contains(quote, s_peer, 0), Is.False), iter: 1000);

    [Test]
    public void TheKey_DecidesWhereThingsLie()
    {
        var one = new SentDatagrams(s_key, 1);
        Add(one, Datagram(1));
        Add(one, Datagram(2));

        Assert.That(one.Contains(Datagram(1), s_peer, Now), Is.False, "one place: the later one has it");
        Assert.That(one.Contains(Datagram(2), s_peer, Now));
    }

    [Test]
    public void ACapacityThatIsNoPowerOfTwo_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => _ = new SentDatagrams(s_key, 1000));
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = new SentDatagrams(s_key, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = new SentDatagrams(s_key, 1 << 17));
    }

    [Test]
    public void AStartIsEnough_WhenTheLengthIsTold()
    {
        var sent = new SentDatagrams(s_key);
        sent.Add(Datagram(1).AsSpan(0, SentDatagrams.PrefixLength), 1400, s_peer, Now);

        Assert.That(sent.Contains(Datagram(1), s_peer, Now));
    }

    [Test]
    public void AddAndContains_AllocateNothing()
    {
        var sent = new SentDatagrams(s_key);
        byte[] datagram = Datagram(1);
        Add(sent, datagram);
        _ = sent.Contains(datagram, s_peer, Now);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            Add(sent, datagram);
            _ = sent.Contains(datagram, s_peer, Now);
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private static void Add(SentDatagrams sent, byte[] datagram) => sent.Add(datagram, datagram.Length, s_peer, Now);

    private static byte[] Datagram(int seed, int length = 1400)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
