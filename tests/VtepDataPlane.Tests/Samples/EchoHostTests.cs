// The host of samples/PipeHost, frame by frame, with checksums that aren't its own; and over a PipePort of a VTEP with threads.

using System.IO.Pipelines;
using NUnit.Framework;
using VtepDataPlane.Ports;
using VtepDataPlane.Samples;
using VtepDataPlane.Tests.Embedding;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Samples;

public sealed class EchoHostTests
{
    private static EchoHost Host => new(MacB, [InetAddress.Parse(IPv4B), InetAddress.Parse(IPv6B)]);

    [Test]
    public void ARequestForItsMac_IsAnswered() =>
        Assert.That(Answer(Host, Arp()), Is.EqualTo(Convert.ToHexString(Arp(MacB, IPv4B, IPv4A, MacA))));

    [Test]
    public void ASolicitation_IsAnswered()
    {
        byte[] answer = Convert.FromHexString(Answer(Host, NeighborFrames.Solicitation(MacA, IPv6A, IPv6B)));
        Assert.That(NeighborAdvertisement.TryParse(answer.AsSpan(14), out NeighborAdvertisement message), "with a right checksum");
        Assert.That(message, Is.EqualTo(new NeighborAdvertisement(
            InetAddress.Parse(IPv6B), InetAddress.Parse(IPv6A), InetAddress.Parse(IPv6B), MacB, IsRouter: false, IsSolicited: true, IsOverride: true)));
    }

    [Test]
    public void APing_IsAnswered_WithARightChecksum()
    {
        Assert.That(Answer(Host, IcmpEcho()), Is.EqualTo(Convert.ToHexString(IcmpEcho(MacB, MacA, IPv4B, IPv4A, reply: true))));
        Assert.That(Answer(Host, IcmpEcho(sourceIp: IPv6A, destinationIp: IPv6B)),
            Is.EqualTo(Convert.ToHexString(IcmpEcho(MacB, MacA, IPv6B, IPv6A, reply: true))));
    }

    [Test]
    public void WhatAsksNothingOfIt_IsNotAnswered()
    {
        EchoHost host = Host;
        byte[][] frames =
        [
            [], new byte[13], Arp(targetIp: "198.18.1.99"), Arp(MacA, targetMac: MacB), Udp(), Udp(sourceIp: IPv6A, destinationIp: IPv6B),
            IcmpEcho(reply: true), IcmpEcho(destinationIp: "198.18.1.99"), IcmpEcho()[..40], IcmpEcho(destination: MacAddress.Parse("02:00:00:00:00:77")),
            NeighborFrames.Solicitation(MacA, IPv6A, "fd00::99"),
        ];
        Assert.That(frames.Select(frame => Answer(host, frame)), Is.All.Empty);
        Assert.That((host.Others, host.Echoes, host.Neighbors), Is.EqualTo((frames.Length, 0, 0)));
    }

    [Test]
    [CancelAfter(20_000)]
    public async Task OverAPipePort_OfAVtepWithThreads_ItAnswersAHostOfAnotherPort(CancellationToken cancellation)
    {
        (PipePort port, IDuplexPipe pipe) = PipePort.CreatePair("echo");
        var asker = new MemoryPort("asker");
        await using var vtep = InProcessVtep.Start(
            EmbeddedVtep.Config("192.0.2.1", EmbeddedVtep.Domain(EmbeddedVtep.Blue)), new MemoryNetwork { IsLive = true });
        await vtep.AddPortAsync(EmbeddedVtep.Blue, port);
        await vtep.AddPortAsync(EmbeddedVtep.Blue, asker);
        EchoHost host = Host;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task running = host.RunAsync(pipe, stop.Token);

        asker.Inject(Arp());
        Assert.That((await asker.ReceiveAsync(cancellation)).Bytes, Is.EqualTo(Arp(MacB, IPv4B, IPv4A, MacA)));
        for (int i = 0; i < 1000; i++)
        {
            byte[] ping = IcmpEcho(sequence: i);
            asker.Inject(ping);
            Assert.That((await asker.ReceiveAsync(cancellation)).Bytes, Is.EqualTo(IcmpEcho(MacB, MacA, IPv4B, IPv4A, sequence: i, reply: true)));
        }

        await stop.CancelAsync();
        await running;
        Assert.That((host.Neighbors, host.Echoes), Is.EqualTo((1, 1000)));
        await vtep.RemovePortAsync("echo");
        Assert.That(port.IsUp, Is.False);
    }

    private static string Answer(EchoHost host, byte[] frame)
    {
        byte[] room = new byte[2000];
        room.AsSpan().Fill(0xA5);
        frame.CopyTo(room, 0);
        return Convert.ToHexString(room.AsSpan(0, host.Answer(room, frame.Length)));
    }
}
