// Ports over pipes, in a VTEP that is served step by step: what goes through, what holds back whom, and what it costs. How pipes end stands in PipePortEndTests.

using System.IO.Pipelines;
using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Ports.PipeNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Ports;

public sealed class PipePortTests
{
    private static readonly MacAddress s_macC = MacAddress.Parse("02:00:00:00:00:0c");

    // --- frames ---

    [Test]
    public void AFloodedRequest_ReachesTheOtherHosts_AndTheReplyOnlyTheAsker()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b"), c = PipeNetwork.Host("c");
        using var network = new PipeNetwork(a, b, c);
        byte[] request = Arp(MacA), reply = Arp(MacB, IPv4B, IPv4A, MacA);

        a.Write(request);
        network.Run();
        Assert.That(b.TakeFrames(), Is.EqualTo(new[] { Convert.ToHexString(request) }));
        Assert.That(c.TakeFrames(), Has.Count.EqualTo(1));
        Assert.That(a.TakeFrames(), Is.Empty);

        b.Write(reply);
        network.Run();
        Assert.That(a.TakeFrames(), Is.EqualTo(new[] { Convert.ToHexString(reply) }));
        Assert.That(c.TakeFrames(), Is.Empty);
        Assert.That(network.Vtep.Ports().Select(port => (port.Name, port.Up)), Is.EqualTo(new[] { ("a", true), ("b", true), ("c", true) }));
    }

    [Test]
    public void AFrameForTheTunnel_IsEncapsulated_AndOneFromItReachesTheHost()
    {
        PipeHost a = PipeNetwork.Host("a");
        using var network = new PipeNetwork(workers: 1, [PipeNetwork.Peer], a);
        byte[] request = Arp(MacA), reply = Arp(MacB, IPv4B, IPv4A, MacA);

        a.Write(request);
        network.Run();
        Assert.That(network.Datagrams.Select(datagram => Convert.ToHexString(datagram.Payload)),
            Is.EqualTo(new[] { "0800000000006400" + Convert.ToHexString(request) }));

        network.Deliver(reply);
        Assert.That(a.TakeFrames(), Is.EqualTo(new[] { Convert.ToHexString(reply) }));
    }

    [Test]
    public void AnyFrames_ChoppedAnywhere_ArriveWholeAndInOrder() =>
        Gen.Select(Gen.Byte.Array[0, 400].Array[1, 40], Gen.Int[1, 700].Array[1, 200], Gen.Int[16, 600]).Sample((payloads, cuts, segment) =>
        {
            var toPort = new Pipe(new PipeOptions(
                pauseWriterThreshold: 0, minimumSegmentSize: segment, readerScheduler: PipeScheduler.Inline, useSynchronizationContext: false));
            var toHost = new Pipe(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: segment));
            var a = new PipeHost(new PipePort("a", new Ends(toPort.Reader, toHost.Writer)), new Ends(toHost.Reader, toPort.Writer));
            PipeHost b = PipeNetwork.Host("b");
            using var network = new PipeNetwork(a, b);
            byte[][] frames = [.. payloads.Select(payload => Ethernet(0x88B5, payload, MacA, MacB))];
            var received = new List<string>();
            foreach (byte[] piece in Chop(frames, cuts))
            {
                a.WriteRaw(piece);
                network.Run();
                received.AddRange(b.TakeFrames());
            }

            return received.SequenceEqual(frames.Select(Convert.ToHexString)) && a.Port.IsUp && a.Port.Problem is null;
        }, iter: 200);

    [Test]
    public void AFrameInManySegments_ArrivesOnlyWhenItIsWhole()
    {
        PipeHost a = PipeNetwork.Host("a", new PipePortOptions { Mtu = 65_000, PauseBytes = 1 }), b = PipeNetwork.Host("b", new PipePortOptions { Mtu = 65_000 });
        using var network = new PipeNetwork(a, b);
        byte[] frame = Ethernet(0x88B5, Pattern(60_000), MacA, MacB);
        byte[] bytes = Framed(frame);
        for (int i = 0; i < bytes.Length; i += 999)
        {
            Assert.That(b.TakeFrames(), Is.Empty, $"{i} bytes");
            Task<FlushResult> flush = a.WriteRaw(bytes.AsSpan(i, Math.Min(999, bytes.Length - i)));
            network.Run();
            Assert.That(flush.Wait(TimeSpan.FromSeconds(10)), "what was looked at holds nobody back, or a frame longer than the threshold would never come");
        }

        Assert.That(b.TakeFrames(), Is.EqualTo(new[] { Convert.ToHexString(frame) }));
    }

    [Test]
    public void AFrameTooShortForEthernet_IsCounted_AndTheNextOneGoesThrough()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b");
        using var network = new PipeNetwork(a, b);
        a.Write([], new byte[13], Arp(MacA));
        network.Run();
        Assert.That(network.Drops(DropReason.FrameTruncated), Is.EqualTo(2));
        Assert.That(b.TakeFrames(), Has.Count.EqualTo(1));
        Assert.That(a.Port.IsUp);
    }

    [Test]
    public void AFrameLongerThanThePort_IsDropped_AndCounted()
    {
        PipeHost a = PipeNetwork.Host("a", new PipePortOptions { Mtu = 9000 }), b = PipeNetwork.Host("b");
        using var network = new PipeNetwork(a, b);
        a.Write(Ethernet(0x88B5, Pattern(1450), MacA, MacB), Ethernet(0x88B5, Pattern(1451), MacA, MacB));
        network.Run();
        Assert.That(b.TakeFrames(), Has.Count.EqualTo(1));
        Assert.That(network.Drops(DropReason.PortMtuExceeded), Is.EqualTo(1));
    }

    [Test]
    public void ASuperFrame_IsCutUp_ForItsHost()
    {
        PipeHost a = PipeNetwork.Host("a");
        using var network = new PipeNetwork(workers: 1, [PipeNetwork.Peer], a);
        network.Deliver(Tcp(MacB, MacA, payload: Pattern(4000), checksum: TestChecksum.Partial));

        List<string> frames = a.TakeFrames();
        Assert.That(frames.Select(frame => frame.Length / 2), Is.EqualTo(new[] { 1464, 1464, 54 + 4000 - 2 * 1410 }));
        Assert.That(frames.All(frame => HasRightChecksum(Convert.FromHexString(frame))));
        Assert.That(network.Vtep.Counters().Segmented, Is.EqualTo(2));
    }

    [Test]
    public void AnUnfinishedChecksum_IsFinished_InTheHostsCopyOnly()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b");
        using var network = new PipeNetwork(workers: 1, [PipeNetwork.Peer], a, b);
        byte[] partial = Udp(MacB, s_macC, checksum: TestChecksum.Partial);
        network.Deliver(partial);
        foreach (PipeHost host in new[] { a, b })
        {
            byte[] frame = Convert.FromHexString(host.TakeFrames().Single());
            Assert.That(HasRightChecksum(frame), host.Port.Name);
            Assert.That(frame, Is.EqualTo(Udp(MacB, s_macC)));
        }
    }

    // --- back-pressure ---

    [Test]
    public void AHostThatWritesFasterThanItIsServed_WaitsInItsFlush()
    {
        PipeHost a = PipeNetwork.Host("a", new PipePortOptions { PauseBytes = 1000 }), b = PipeNetwork.Host("b");
        using var network = new PipeNetwork(a, b);
        Task<FlushResult> flush = a.Write([.. Enumerable.Repeat(Udp(MacA, MacB), 20)]);
        Assert.That(flush.IsCompleted, Is.False);
        network.Run();
        Assert.That(flush.Wait(TimeSpan.FromSeconds(10)));
        Assert.That(b.TakeFrames(), Has.Count.EqualTo(20));
    }

    [Test]
    public void FramesForAHostThatDoesntRead_AreDropped_AndGoOnWhenItReads()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b", new PipePortOptions { PauseBytes = 300 });
        using var network = new PipeNetwork(a, b);
        for (int i = 0; i < 10; i++)
        {
            a.Write(Udp(MacA, MacB, payload: [(byte)i]));
            network.Run();
        }

        List<string> first = b.TakeFrames();
        Assert.That(first, Has.Count.EqualTo(7), "43 bytes and a length each, up to the first flush that waits");
        Assert.That(network.Drops(DropReason.PortNoBuffer), Is.EqualTo(3));
        Assert.That(b.Port.IsUp);

        a.Write(Udp(MacA, MacB));
        network.Run();
        Assert.That(b.TakeFrames(), Is.EqualTo(new[] { Convert.ToHexString(Udp(MacA, MacB)) }));
    }

    [Test]
    public void ABatchLargerThanThePipe_IsBounded()
    {
        PipeHost a = PipeNetwork.Host("a", new PipePortOptions { Mtu = 65_000, PauseBytes = 64 << 20 });
        PipeHost b = PipeNetwork.Host("b", new PipePortOptions { Mtu = 65_000, PauseBytes = 1 });
        using var network = new PipeNetwork(workers: 1, [PipeNetwork.Peer], a, b);
        byte[] frame = Ethernet(0x88B5, Pattern(60_000), MacA, MacB);
        a.Write([.. Enumerable.Repeat(frame, 60)]);
        network.Run();
        int got = b.TakeFrames().Count;
        Assert.That(got, Is.InRange(1, 6));
        Assert.That(network.Drops(DropReason.PortNoBuffer), Is.EqualTo(60 - got));
    }

    // --- lanes ---

    [Test]
    public void FramesOfOtherLanes_AreHandedToTheOwner_WhichIsWoken()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b", new PipePortOptions { Lane = 1 });
        using var network = new PipeNetwork(workers: 2, [], a, b);
        var woken = new List<int>();
        b.Port.WakeBy(woken.Add);
        Assert.That(woken, Is.EqualTo(new[] { 1 }), "to ask what is there already");
        woken.Clear();
        byte[][] frames = [.. Enumerable.Range(0, 300).Select(i => Udp(MacA, MacB, payload: [(byte)i, (byte)(i >> 8)]))];
        a.Write(frames);
        network.Run();
        Assert.That(b.TakeFrames(), Is.EqualTo(frames.Select(Convert.ToHexString)));
        Assert.That(woken, Is.Not.Empty.And.All.EqualTo(1));
    }

    [Test]
    public void FramesOfOtherLanes_WaitWhileTheHostIsBehind_AndAreBounded()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b", new PipePortOptions { Lane = 1, PauseBytes = 1 });
        using var network = new PipeNetwork(workers: 2, [], a, b);
        byte[][] frames = [.. Enumerable.Range(0, 1500).Select(i => Udp(MacA, MacB, payload: [(byte)i, (byte)(i >> 8)]))];
        foreach (byte[][] some in frames.Chunk(100))
        {
            a.Write(some);
            network.Run();
        }

        var got = new List<string>();
        for (List<string> taken = b.TakeFrames(); taken.Count > 0; taken = b.TakeFrames())
        {
            got.AddRange(taken);
            network.Run();
        }

        Assert.That(got, Has.Count.EqualTo(1024 + 100), "a ring full, and what was in the pipe");
        Assert.That(got, Is.EqualTo(frames.Take(got.Count).Select(Convert.ToHexString)));
        Assert.That(network.Drops(DropReason.PortNoBuffer), Is.EqualTo(1500 - got.Count));
    }

    [Test]
    public void APortForALaneThatIsNotThere_SaysSo()
    {
        PipeHost a = PipeNetwork.Host("a", new PipePortOptions { Lane = 2 });
        using var network = new PipeNetwork(workers: 2, [], a);
        a.Port.WakeBy(_ => { });
        Assert.That(a.Port.Problem, Is.EqualTo(
            "Port 'a': it is to be served by lane 2, and the VTEP has 2: lower PipePortOptions.Lane, or raise the VTEP's workers."));
        Assert.That(a.Port.IsUp, Is.False);
    }

    // --- waking ---

    [Test]
    public void AHostThatWritesToAnIdlePort_WakesItsLaneOnce_OnItsOwnThread()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b");
        using var network = new PipeNetwork(a, b);
        network.Run(); // nothing there: the port waits
        int thread = 0, wakes = 0;
        a.Port.WakeBy(_ => (thread, wakes) = (Environment.CurrentManagedThreadId, wakes + 1));
        wakes = 0;
        a.Write(Arp(MacA));
        a.Write(Arp(MacA));
        Assert.That((thread, wakes), Is.EqualTo((Environment.CurrentManagedThreadId, 1)));
        network.Run();
        a.Write(Arp(MacA));
        Assert.That(wakes, Is.EqualTo(2));
    }

    // --- set-up ---

    [Test]
    public void WhatMakesNoSense_IsRefused_WithASentence()
    {
        Assert.That(() => PipePort.CreatePair(""), Throws.ArgumentException);
        Assert.That(() => PipePort.CreatePair("a", new PipePortOptions { Mtu = 67 }), Throws.InstanceOf<ArgumentOutOfRangeException>()
            .With.Message.StartsWith("Port 'a': an MTU of 67 bytes can't be: it is 68 to 65535."));
        Assert.That(() => PipePort.CreatePair("a", new PipePortOptions { Lane = -1 }), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => PipePort.CreatePair("a", new PipePortOptions { PauseBytes = 0 }), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void ItsMtu_CanBeSet()
    {
        (PipePort port, _) = PipePort.CreatePair("a");
        Assert.That(port.TrySetMtu(1400, out string? why) && why is null && port.Mtu == 1400);
        Assert.That(port.TrySetMtu(70_000, out why), Is.False);
        Assert.That(why, Is.EqualTo("Port 'a': an MTU of 70000 bytes can't be: it is 68 to 65535."));
        Assert.That(port.Mtu, Is.EqualTo(1400));
    }

    [Test]
    public void APortThatIsTakenOutOfTheConfiguration_IsClosed_AndTheOthersLoseNothing()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b"), c = PipeNetwork.Host("c");
        using var network = new PipeNetwork(a, b, c);
        a.Write(Arp(MacA));
        network.Run();
        network.Vtep.Apply(PipeNetwork.Config(1, [], b, c), nowMilliseconds: 2000);
        Assert.That(a.Port.Problem, Is.EqualTo("Port 'a': it is closed."));
        _ = b.TakeFrames();
        _ = c.TakeFrames();
        network.AssertGoesOn(b, c);
    }

    // --- cost ---

    [Test]
    public void AFrameThroughTwoPipes_AllocatesNothing()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b");
        using var network = new PipeNetwork(a, b);
        byte[] frame = Udp(MacA, MacB);
        long leanest = long.MaxValue, passed = 0;
        for (int window = 0; window < 5; window++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int round = 0; round < 50; round++)
                passed += PassABatch(network, a, b, frame);
            leanest = Math.Min(leanest, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.That(leanest, Is.Zero);
        Assert.That(passed, Is.EqualTo(5 * 50 * 100 * (FramePipe.PrefixLength + frame.Length)));
    }

    // --- help ---

    // The second Receive finds nothing and leaves a read with the pipe, as on a lane that sleeps.
    private static long PassABatch(PipeNetwork network, PipeHost from, PipeHost to, byte[] frame)
    {
        for (int i = 0; i < 100; i++)
            FramePipe.WriteFrame(from.Output, frame);
        ValueTask<FlushResult> flush = from.Output.FlushAsync();
        if (!flush.IsCompleted || flush.Result.IsCompleted)
            return 0;
        while (network.Serve(port: 0) > 0)
        {
        }

        if (!to.Input.TryRead(out ReadResult result))
            return 0;
        to.Input.AdvanceTo(result.Buffer.End);
        return result.Buffer.Length;
    }

    private static IEnumerable<byte[]> Chop(byte[][] frames, int[] cuts)
    {
        byte[] bytes = [.. frames.SelectMany(Framed)];
        int at = 0;
        for (int i = 0; at < bytes.Length; i++)
        {
            int length = Math.Min(cuts[i % cuts.Length], bytes.Length - at);
            yield return bytes[at..(at + length)];
            at += length;
        }
    }

    private static bool HasRightChecksum(byte[] frame) =>
        FrameHeaders.Parse(frame, out FrameHeaders headers) == FrameFault.None && TransportChecksum.IsValid(frame, headers);
}
