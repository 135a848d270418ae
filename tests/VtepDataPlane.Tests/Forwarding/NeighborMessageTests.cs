// Whatever a frame holds, nothing is read beyond it, and what is believed keeps the rules. (What is read of good frames, the tests of suppression and of
// telling show.)

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.NeighborFrames;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Forwarding;

public sealed class NeighborMessageTests
{
    private static byte[][] Frames() =>
    [
        Arp(),
        Arp(targetMac: MacB),
        Arp(vlans: [1, 2]),
        Solicitation(MacA, IPv6A, IPv6B),
        Solicitation(MacA, "::", IPv6B),
        Advertisement(MacA, IPv6A, 8 + 2),
        Dhcp(MacA, MacB, IPv4B),
        Dhcp(MacA, MacB, IPv4B, checksum: TestChecksum.Zero),
    ];

    [Test]
    public void DamagedFrames_AreNotReadBeyond_AndWhatIsBelievedKeepsTheRules()
    {
        using var memory = new GuardedBuffer(1024);
        byte[][] valid = Frames();
        int said = 0;
        Gen.Select(Gen.Int[0, valid.Length - 1], Gen.Select(Gen.Int[0, 89], Gen.Byte).Array[0, 3], Gen.Int[0, 400]).Sample(
            (which, changes, length) =>
            {
                byte[] frame = [.. valid[which]];
                foreach ((int offset, byte value) in changes)
                    frame[offset % frame.Length] = value;
                frame = frame[..Math.Min(length, frame.Length)];
                said += Read(memory.First(frame)) + Read(memory.Last(frame));
            },
            iter: 50_000, threads: 1);
        Assert.That(said, Is.GreaterThan(1000), "some get through");
    }

    private static int Read(Span<byte> bytes)
    {
        var info = new FrameInfo { Length = bytes.Length };
        var frame = new Frame(bytes, ref info);
        if (FrameHeaders.Parse(bytes, out info.Headers) != FrameFault.None)
            return 0;
        bool says = NeighborMessage.TryRead(bytes, info.Headers, out NeighborMessage message);
        if (says && (message.Binds ? message.Mac != info.Headers.Source : !message.Asks))
            throw new InvalidOperationException($"{message} of {Convert.ToHexString(bytes)}");
        if (says && message.Asks && !(info.Headers.Destination.IsGroup && message.Asker.IsUnicast && message.Asked.IsUnicast && message.Asked != message.Asker))
            throw new InvalidOperationException($"{message} of {Convert.ToHexString(bytes)}");
        bool leases = NeighborMessage.TryReadLease(frame, out message);
        if (leases && !(message.Binds && message.Address.IsUnicast && message.Mac.IsValidSource && !message.Asks))
            throw new InvalidOperationException($"{message} of {Convert.ToHexString(bytes)}");
        return says || leases ? 1 : 0;
    }
}
