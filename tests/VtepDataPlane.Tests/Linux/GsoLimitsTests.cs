// One super-frame of full-size segments, one send: computed for every MTU as the kernel computes it (tcp_tso_autosize), for every
// MAX_TCP_HEADER a kernel is built with.

using NUnit.Framework;
using VtepDataPlane.Linux.Tap;

namespace VtepDataPlane.Tests.Linux;

public sealed class GsoLimitsTests
{
    private static readonly int[] s_maxTcpHeaders = [192, 256, 320];

    [TestCase(1450, ExpectedResult = 62_018)]
    [TestCase(8950, ExpectedResult = 65_536)]
    [TestCase(576, ExpectedResult = 65_536)]
    [TestCase(65_521, ExpectedResult = 65_536)]
    public int TheSize_FollowsFromTheMtu(int mtu) => GsoLimits.For(mtu).MaxSize;

    [Test]
    public void SegmentsAreBoundedBySendsOfOldKernels() => Assert.That(GsoLimits.For(1450).MaxSegments, Is.EqualTo(64));

    [Test]
    public void ASuperFrameOfFullSizeSegments_NeverNeedsASecondSend([Values(52, 72)] int headers)
    {
        foreach (int maxTcpHeader in s_maxTcpHeaders)
        {
            for (int mtu = 1280; mtu <= 32_000; mtu++)
                Assert.That(Segments(mtu, headers, maxTcpHeader) * (22 + mtu), Is.LessThanOrEqualTo(65_507), $"MTU {mtu}");
        }
    }

    // IPv4 with timestamps, which nearly every host uses
    [Test]
    public void TheMostCommonTcp_FillsTheSend()
    {
        foreach (int maxTcpHeader in s_maxTcpHeaders)
        {
            for (int mtu = 1280; mtu <= 9000; mtu++)
                Assert.That(Segments(mtu, 52, maxTcpHeader), Is.EqualTo(Math.Min(65_507 / (22 + mtu), 64)), $"MTU {mtu}");
        }
    }

    private static int Segments(int mtu, int headers, int maxTcpHeader)
    {
        GsoLimits limits = GsoLimits.For(mtu);
        return Math.Min((limits.MaxSize - 1 - maxTcpHeader) / (mtu - headers), limits.MaxSegments);
    }
}
