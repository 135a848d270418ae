// What runs for every frame allocates nothing, shown on all kinds of frames.

using NUnit.Framework;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Wire;

public sealed class WireAllocationTests
{
    private const int Rounds = 1000;

    private static readonly byte[][] s_frames =
    [
        TestFrames.Udp(vlans: [1]),
        TestFrames.Tcp(checksum: TestChecksum.Partial, payload: TestFrames.Pattern(1400)),
        TestFrames.Tcp(sourceIp: TestFrames.IPv6A, destinationIp: TestFrames.IPv6B, checksum: TestChecksum.Partial),
        TestFrames.UdpBehindExtensions(3),
        TestFrames.Arp(),
        [1, 2, 3],
        TestFrames.Tcp()[..40],
    ];

    [Test]
    public void FramePath_AllocatesNothing()
    {
        byte[] answer = new byte[IcmpErrors.MaximumFrame];
        FlowHash hash = new(42);
        uint sum = Run(hash, answer); // compiles
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Rounds; i++)
            sum += Run(hash, answer);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(allocated, Is.Zero);
        Assert.That(sum, Is.Not.Zero);
    }

    private static uint Run(FlowHash hash, byte[] answer)
    {
        uint sum = 0;
        foreach (byte[] frame in s_frames)
        {
            if (FrameHeaders.Parse(frame, out FrameHeaders headers) != FrameFault.None)
                continue;
            sum += hash.Compute(frame, headers) + FlowHash.SourcePort(sum);
            sum += InternetChecksum.Fold(InternetChecksum.Sum(frame));
            if (TransportChecksum.IsPartial(frame, headers, out ushort start, out ushort offset))
                sum += TransportChecksum.TryComplete(answer.AsSpan(0, 100), start, offset) ? 1u : 0;
            sum += TransportChecksum.IsValid(frame, headers) ? 1u : 0;
            sum += Ecn.TryDecapsulate(headers.TrafficClass, 0, out byte ecn) ? ecn : 0u;
            Ecn.Set(answer, headers, ecn);
            VxlanHeader.Write(answer, new Vni(7));
            sum += VxlanHeader.TryRead(answer, out VxlanHeader vxlan) ? (uint)vxlan.Vni.Value : 0;
            if (!IcmpErrors.MayAnswer(frame, headers))
                continue;
            _ = IcmpErrors.TryWriteFragmentationNeeded(frame, headers, 1450, answer, out _)
                || IcmpErrors.TryWritePacketTooBig(frame, headers, 1430, answer, out _);
        }

        return sum;
    }
}
