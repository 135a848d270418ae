// The network misbehaves: it loses, duplicates and reorders. No VTEP's books may go wrong for it, nothing loops, and whoever got a
// frame got it whole. Runs are repeated from a seed.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Network.TestNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Network;

public sealed class LossyNetworkTests
{
    private static readonly string[] s_addresses = ["198.18.0.1", "198.18.0.2", "198.18.0.3", "198.18.0.4"];

    [Test]
    public void LossDuplicationAndReordering_NeverUpsetTheBooks([Values(false, true)] bool multicast)
    {
        Gen.Select(Gen.Int[1, 1_000_000], Gen.Double[0, 0.6], Gen.Double[0, 0.4], Gen.Double[0, 1]).Sample(
            (seed, loss, duplication, reordering) =>
            {
                using var network = new TestNetwork(seed);
                (network.Wire.Loss, network.Wire.Duplication, network.Wire.Reordering) = (loss, duplication, reordering);
                List<Node> nodes = [.. s_addresses.Select((address, i) => network.Add(address, workers: 2, DomainOf(i, multicast)))];
                Exchange(network, nodes, new Random(seed), frames: 200);
                return network.Wire.Offered + network.Wire.Multiplied == network.Wire.Delivered + network.Wire.Lost;
            },
            iter: 60);
    }

    private static BridgeDomainConfig DomainOf(int node, bool multicast) => multicast
        ? MulticastDomain(100, [$"p{node}"])
        : Domain(100, [$"p{node}"], [.. s_addresses.Where((_, i) => i != node)]);

    private static void Exchange(TestNetwork network, List<Node> nodes, Random random, int frames)
    {
        var sent = new HashSet<string>();
        for (int i = 0; i < frames; i++)
        {
            int from = random.Next(nodes.Count), to = random.Next(nodes.Count);
            MacAddress destination = random.Next(5) == 0 ? MacAddress.Broadcast : Station(to);
            byte[] frame = Udp(Station(from), destination, payload: Pattern(random.Next(1, 200)), sourcePort: 1000 + i);
            sent.Add(Convert.ToHexString(frame));
            nodes[from].Port($"p{from}").Inject(frame);
            if (random.Next(4) == 0)
                network.Run();
        }

        network.Run();
        for (int i = 0; i < nodes.Count; i++)
        {
            foreach (MemoryFrame frame in nodes[i].Port($"p{i}").TakeAll())
            {
                Assert.That(sent, Does.Contain(Convert.ToHexString(frame.Bytes)), "whole, or not at all");
                Assert.That(MacAddress.Read(frame.Bytes.AsSpan(6)), Is.Not.EqualTo(Station(i)), "never back to who sent it");
            }
        }
    }

    private static MacAddress Station(int node) => new(0x0200_0000_0100UL + (ulong)node);

    [Test]
    public void WithoutFaults_EveryFrameArrivesOnce_AtThoseItIsFor()
    {
        using var network = new TestNetwork();
        List<Node> nodes = [.. s_addresses.Select((address, i) => network.Add(address, workers: 2, DomainOf(i, multicast: false)))];
        for (int i = 0; i < nodes.Count; i++)
        {
            nodes[i].Port($"p{i}").Inject(Arp(Station(i)));
            network.Run();
        }

        Assert.That(nodes.Select((node, i) => node.Port($"p{i}").TakeAll().Count), Is.All.EqualTo(3));
        nodes[0].Port("p0").Inject(Udp(Station(0), Station(2)));
        network.Run();
        Assert.That(nodes.Select((node, i) => node.Port($"p{i}").TakeAll().Count), Is.EqualTo(new[] { 0, 0, 1, 0 }));
    }
}
