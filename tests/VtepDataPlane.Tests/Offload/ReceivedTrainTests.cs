// A buffer with a segment size: a train, or a kernel peer's super-frame in one datagram.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Offload;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Offload;

internal sealed class ReceivedTrainTests
{
    private static readonly byte[] s_header = Hex("0800000000006400");

    [TestCase(IPv4A, IPv4B)]
    [TestCase(IPv6A, IPv6B)]
    public void AFrameAsLongAsItsIpHeaderSays_IsOne(string source, string destination)
    {
        byte[] frame = Udp(payload: Pattern(8000), sourceIp: source, destinationIp: destination);
        Assert.That(ReceivedTrain.IsOneDatagram([.. s_header, .. frame]));
    }

    [Test]
    public void FramesOneBehindTheOther_AreATrain()
    {
        byte[] datagram = [.. s_header, .. Udp(payload: Pattern(1000))];
        Assert.That(ReceivedTrain.IsOneDatagram([.. datagram, .. datagram, .. datagram[..100]]), Is.False);
    }

    [Test]
    public void FramesThatArentIp_AreATrain()
    {
        byte[] datagram = [.. s_header, .. Arp(MacA)];
        Assert.That(ReceivedTrain.IsOneDatagram([.. datagram, .. datagram]), Is.False);
    }

    [Test]
    public void APaddedFirstFrame_IsATrain()
    {
        byte[] datagram = [.. s_header, .. Udp(payload: Pattern(4)), .. new byte[14]];
        Assert.That(ReceivedTrain.IsOneDatagram([.. datagram, .. datagram]), Is.False);
    }

    [Test]
    public void AnyBytes_AreJudgedWithoutAnException() =>
        Gen.Byte.Array[0, 200].Sample(bytes => { _ = ReceivedTrain.IsOneDatagram(bytes); });
}
