// Every way in which a port's pipe can end: what is still forwarded, what is counted, what whoever is left is told; and that no other port notices.

using System.IO.Pipelines;
using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using static VtepDataPlane.Tests.Ports.PipeNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Ports;

public sealed class PipePortEndTests
{
    [Test]
    public void AHostThatHasWrittenAll_IsForwarded_AndStillHears()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b");
        using var network = new PipeNetwork(a, b);
        a.Write(Arp(MacA));
        a.Output.Complete();
        network.Run();
        Assert.That(b.TakeFrames(), Has.Count.EqualTo(1));
        Assert.That(a.Port.Problem, Is.EqualTo("Port 'a': the host has completed its writer: nothing more comes from it."));
        Assert.That(a.Port.IsUp);

        b.Write(Arp(MacB, IPv4B, IPv4A, MacA));
        network.Run();
        Assert.That(a.TakeFrames(), Has.Count.EqualTo(1));
    }

    [Test]
    public void FramesForAHostThatReadsNoMore_ArePortDown_AndItStillSpeaks()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b");
        using var network = new PipeNetwork(a, b);
        b.Input.Complete();
        a.Write(Arp(MacA), Arp(MacA));
        network.Run();
        a.Write(Arp(MacA));
        network.Run();
        Assert.That(network.Drops(DropReason.PortDown), Is.EqualTo(3));
        Assert.That(b.Port.Problem, Is.EqualTo("Port 'b': the host has completed its reader: frames for it are dropped."));
        Assert.That(b.Port.IsUp, Is.False);

        b.Write(Arp(MacB, IPv4B, IPv4A, MacA));
        network.Run();
        Assert.That(a.TakeFrames(), Has.Count.EqualTo(1));
        Assert.That(a.Port.IsUp);
    }

    [Test]
    public void AHostWhoseReaderFailed_IsDown_WithItsReason()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b");
        using var network = new PipeNetwork(a, b);
        b.Input.Complete(new IOException("The monitor has crashed."));
        a.Write(Arp(MacA));
        network.Run();
        Assert.That(b.Port.Problem, Is.EqualTo("Port 'b': the host completed its reader with an error: The monitor has crashed."));
        Assert.That(network.Drops(DropReason.PortDown), Is.EqualTo(1));
    }

    [Test]
    public void AHostThatStopsInTheMidstOfAFrame_IsDown_TheFrameIsCounted_AndOthersGoOn()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b"), c = PipeNetwork.Host("c");
        using var network = new PipeNetwork(a, b, c);
        a.Write(Arp(MacA));
        a.WriteRaw(Framed(Udp(MacA, MacB)).AsSpan(0, 20));
        a.Output.Complete();
        network.Run();
        Assert.That(b.TakeFrames(), Has.Count.EqualTo(1), "what came before");
        Assert.That(a.Port.Problem, Is.EqualTo("Port 'a': the host completed its writer 20 bytes into a frame."));
        Assert.That(a.Port.IsUp, Is.False);
        Assert.That(network.Drops(DropReason.FrameTruncated), Is.EqualTo(1));
        Assert.That(() => a.Input.TryRead(out _), Throws.InstanceOf<InvalidDataException>().With.Message.EqualTo(a.Port.Problem));
        network.AssertGoesOn(b, c);
    }

    [Test]
    public void AHostThatFailsInTheMidstOfAFrame_IsDown_WithItsReason_AndOthersGoOn()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b"), c = PipeNetwork.Host("c");
        using var network = new PipeNetwork(a, b, c);
        a.Write(Arp(MacA));
        a.WriteRaw(Framed(Udp(MacA, MacB)).AsSpan(0, 3));
        network.Run();
        a.Output.Complete(new IOException("The guest has gone."));
        network.Run();
        Assert.That(b.TakeFrames(), Has.Count.EqualTo(1));
        Assert.That(a.Port.Problem, Is.EqualTo("Port 'a': the host completed its writer with an error, 3 bytes into a frame: The guest has gone."));
        Assert.That(network.Drops(DropReason.FrameTruncated), Is.EqualTo(1));
        Assert.That(() => a.Input.TryRead(out _), Throws.InstanceOf<InvalidDataException>().With.InnerException.Message.EqualTo("The guest has gone."));
        network.AssertGoesOn(b, c);
    }

    [TestCase("FFFFFFFF", 4294967295)]
    [TestCase("00010016", 65558)]
    public void ALengthThatLies_EndsTheStream_WhatCameBeforeIsDelivered_AndOthersGoOn(string length, long said)
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b"), c = PipeNetwork.Host("c");
        using var network = new PipeNetwork(a, b, c);
        a.WriteRaw([.. Framed(Arp(MacA)), .. Hex(length), .. Framed(Arp(MacA))]);
        network.Run();
        Assert.That(b.TakeFrames(), Has.Count.EqualTo(1));
        Assert.That(network.Drops(DropReason.PortError), Is.EqualTo(1));
        Assert.That(a.Port.Problem, Is.EqualTo(
            $"Port 'a': the host's stream is broken: a frame's length says {said} bytes, and the longest frame has 65557: nothing behind it can be read."));
        Assert.That(a.Port.IsUp, Is.False);
        Assert.That(network.Vtep.Ports().Single(port => port.Name == "a").Up, Is.False);
        Assert.That(() => a.Input.TryRead(out _), Throws.InstanceOf<InvalidDataException>().With.Message.EqualTo(a.Port.Problem));
        Assert.That(() => a.Write(Arp(MacA)).GetAwaiter().GetResult(), Throws.InstanceOf<InvalidDataException>().With.Message.EqualTo(a.Port.Problem));
        network.AssertGoesOn(b, c);
    }

    [Test]
    public void ALengthThatIsShortOfItsFrame_MakesALieOfTheNext()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b");
        using var network = new PipeNetwork(a, b);
        byte[] bytes = Framed(Udp(MacA, MacB, payload: [.. Enumerable.Repeat((byte)0xEE, 32)]));
        bytes[3] -= 16;
        a.WriteRaw(bytes);
        network.Run();
        Assert.That(a.Port.Problem, Does.Contain("a frame's length says 4008636142 bytes"));
        Assert.That(network.Drops(DropReason.PortError), Is.EqualTo(1));
    }

    [Test]
    public void ReadsAndFlushesThatAreCancelled_LoseNothing()
    {
        Pipe toPort = new(), toHost = new(new PipeOptions(pauseWriterThreshold: 10, resumeWriterThreshold: 5, writerScheduler: PipeScheduler.Inline));
        var a = new PipeHost(new PipePort("a", new Ends(toPort.Reader, toHost.Writer)), new Ends(toHost.Reader, toPort.Writer));
        PipeHost b = PipeNetwork.Host("b");
        using var network = new PipeNetwork(a, b);
        toPort.Reader.CancelPendingRead();
        a.Write(Arp(MacA));
        network.Run();
        Assert.That(b.TakeFrames(), Has.Count.EqualTo(1));

        b.Write(Arp(MacB, IPv4B, IPv4A, MacA));
        network.Run();
        toHost.Writer.CancelPendingFlush();
        b.Write(Udp(MacB, MacA));
        network.Run();
        Assert.That(a.TakeFrames(), Has.Count.EqualTo(2));
        Assert.That(a.Port.IsUp);
    }

    [Test]
    public void AClosedPort_LetsItsHostReadToTheEnd()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b");
        using (var network = new PipeNetwork(a, b))
        {
            a.Write(Arp(MacA));
            network.Run();
        }

        Assert.That(b.Input.TryRead(out ReadResult result));
        Assert.That((result.Buffer.Length, result.IsCompleted), Is.EqualTo((4L + 42, true)));
        Assert.That(a.Write(Arp(MacA)).GetAwaiter().GetResult().IsCompleted, "the host's writer learns that nobody reads");
        Assert.That(a.Port.Problem, Is.EqualTo("Port 'a': it is closed."));
        Assert.That(a.Port.IsUp, Is.False);
        a.Port.Dispose(); // a second time does nothing
    }

    [Test]
    public void APortThatIsClosedWhileItsHostIsBehind_TellsItSo()
    {
        PipeHost a = PipeNetwork.Host("a"), b = PipeNetwork.Host("b", new PipePortOptions { PauseBytes = 1 });
        using (var network = new PipeNetwork(a, b))
        {
            a.Write(Arp(MacA));
            network.Run();
        }

        Assert.That(() => b.Input.TryRead(out _), Throws.InstanceOf<IOException>()
            .With.Message.EqualTo("Port 'b': it was closed while the host was behind with reading; what it had not read is lost."));
    }

    [Test]
    public void ACallbackAfterTheEnd_DoesNothing()
    {
        Pipe toPort = new(), toHost = new();
        var a = new PipeHost(new PipePort("a", new Ends(toPort.Reader, toHost.Writer)), new Ends(toHost.Reader, toPort.Writer));
        using (var network = new PipeNetwork(a))
            network.Run();
        Assert.That(() => a.Write(Arp(MacA)).Result.IsCompleted, Is.True.After(5000, 10), "the read that was with the pipe is called back");
        Assert.That(a.Port.Queue(0).Meters.Received, Is.Zero);
    }

    [Test]
    public void APortWhosePipeSomebodyElseCompleted_SaysSo()
    {
        Pipe toPort = new(), toHost = new();
        var a = new PipeHost(new PipePort("a", new Ends(toPort.Reader, toHost.Writer)), new Ends(toHost.Reader, toPort.Writer));
        PipeHost b = PipeNetwork.Host("b");
        using var network = new PipeNetwork(a, b);
        toHost.Writer.Complete();
        b.Write(Arp(MacB));
        network.Run();
        Assert.That(network.Drops(DropReason.PortDown), Is.EqualTo(1));
        Assert.That(a.Port.Problem, Does.StartWith("Port 'a': the host completed its reader with an error: "));
    }
}
