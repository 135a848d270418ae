// The ten lines the README shows, and what they promise.

using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Embedding.EmbeddedVtep;

namespace VtepDataPlane.Tests.Embedding;

internal sealed class TenLinesTests
{
    [Test]
    public async Task TenLines_MakeTwoVteps_ThatCarryAFrame()
    {
        var network = new MemoryNetwork { IsLive = true };
        await using var a = InProcessVtep.Start(new() { Underlay = new() { Local = InetAddress.Parse("192.0.2.1") } }, network);
        await using var b = InProcessVtep.Start(new() { Underlay = new() { Local = InetAddress.Parse("192.0.2.2") } }, network);
        await a.AddDomainAsync(new() { Name = "blue", Vni = new(100), Discovery = new StaticDiscovery { Peers = [new(InetAddress.Parse("192.0.2.2"), 4789)] } });
        await b.AddDomainAsync(new() { Name = "blue", Vni = new(100), Discovery = new StaticDiscovery { Peers = [new(InetAddress.Parse("192.0.2.1"), 4789)] } });
        var here = new MemoryPort("here");
        var there = new MemoryPort("there");
        await a.AddPortAsync(new(100), here);
        await b.AddPortAsync(new(100), there);

        here.Inject(Broadcast(1));

        MemoryFrame frame = await there.ReceiveAsync(Soon);
        Assert.That(frame.Bytes, Is.EqualTo(Broadcast(1)));
        Assert.That(b.Vtep.Fdb(b.NowMilliseconds).Single().Vtep, Is.EqualTo(Peer("192.0.2.1")));
    }
}
