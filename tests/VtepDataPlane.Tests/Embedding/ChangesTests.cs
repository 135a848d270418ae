// Changes at run time, on both kinds of running VTEP: the same test body over each. LinuxVtep needs no root for it: its ports are the program's own, and
// its underlay is a socket on the loopback.

using NUnit.Framework;
using VtepDataPlane.Linux;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.Embedding.EmbeddedVtep;

namespace VtepDataPlane.Tests.Embedding;

internal sealed class ChangesTests
{
    private static readonly Vni s_red = new(200);

    public enum Runner
    {
        InProcess,
        Linux,
    }

    private static IRunningVtep Start(Runner runner, int workers = 2) => runner == Runner.InProcess
        ? InProcessVtep.Start(Config("192.0.2.1") with { Workers = workers }, new MemoryNetwork { IsLive = true })
        : LinuxVtep.Start(Config("127.0.0.1") with { Workers = workers, Underlay = new UnderlayConfig { Local = InetAddress.Parse("127.0.0.1"), Port = 47_891 } });

    [Test]
    public async Task DomainsAndPorts_ComeAndGo([Values] Runner runner)
    {
        await using IRunningVtep vtep = Start(runner);
        await vtep.AddDomainAsync(Domain(Blue));
        await vtep.AddDomainAsync(Domain(s_red));
        var p1 = new MemoryPort("p1", lanes: 2);
        var p2 = new MemoryPort("p2");
        var r1 = new MemoryPort("r1");
        await vtep.AddPortAsync(Blue, p1);
        await vtep.AddPortAsync(Blue, p2);
        await vtep.AddPortAsync(s_red, r1);

        p1.Inject(Broadcast(1), lane: 1);
        Assert.That((await p2.ReceiveAsync(Soon)).Bytes, Is.EqualTo(Broadcast(1)));
        p2.Inject(Frame(from: 2, to: 1));
        Assert.That((await p1.ReceiveAsync(Soon)).Bytes, Is.EqualTo(Frame(2, 1)));
        Assert.That(vtep.Vtep.Fdb(vtep.NowMilliseconds).Select(entry => $"{entry.Mac} {entry.Port}"), Is.EqualTo(new[] { $"{MacOf(1)} p1", $"{MacOf(2)} p2" }));
        Assert.That(r1.Waiting, Is.Zero);

        await vtep.RemovePortAsync("p2");
        Assert.That(p2.IsDisposed);
        Assert.That(vtep.Vtep.Fdb(vtep.NowMilliseconds).Select(entry => entry.Port), Is.EqualTo(new[] { "p1" }));
        await vtep.RemoveDomainAsync(s_red);
        Assert.That(r1.IsDisposed);
        Assert.That(vtep.Vtep.Domains().Select(domain => domain.Vni), Is.EqualTo(new[] { Blue }));
        Assert.That(vtep.Vtep.Counters().Unaccounted, Is.Zero);
    }

    [Test]
    public async Task PeersAndEntries_ComeAndGo([Values] Runner runner)
    {
        await using IRunningVtep vtep = Start(runner);
        await vtep.AddDomainAsync(Domain(Blue));
        await vtep.AddPortAsync(Blue, new MemoryPort("p1"));

        await vtep.AddPeerAsync(Blue, Peer("127.0.0.2"));
        await vtep.AddPeerAsync(Blue, Peer("127.0.0.3"));
        vtep.AddFdb(Blue, MacOf(5), Peer("127.0.0.2"));
        vtep.AddFdb(Blue, MacOf(6), "p1");
        Assert.That(vtep.Vtep.Peers(vtep.NowMilliseconds), Has.Count.EqualTo(2));
        Assert.That(vtep.Vtep.Fdb(vtep.NowMilliseconds).Select(entry => entry.Kind), Is.EqualTo(new[] { "static", "static" }));

        vtep.DeleteFdb(Blue, MacOf(5));
        await vtep.RemovePeerAsync(Blue, Peer("127.0.0.2"));
        Assert.That(vtep.Vtep.Peers(vtep.NowMilliseconds).Select(peer => peer.Endpoint), Is.EqualTo(new[] { Peer("127.0.0.3") }));
        Assert.That(vtep.Vtep.Fdb(vtep.NowMilliseconds).Select(entry => entry.Mac), Is.EqualTo(new[] { MacOf(6) }));
    }

    [Test]
    public async Task WhatCantBe_IsRefused_WithWhatThereIsInstead([Values] Runner runner)
    {
        await using IRunningVtep vtep = Start(runner);
        await vtep.AddDomainAsync(Domain(Blue, "127.0.0.2"));
        await vtep.AddPortAsync(Blue, new MemoryPort("p1"));
        var twice = new MemoryPort("p1");

        await Refused(vtep.AddPortAsync(new Vni(7), twice), "There is no bridge domain with VNI 7; there are: 100.");
        await Refused(vtep.RemoveDomainAsync(new Vni(7)), "There is no bridge domain with VNI 7; there are: 100.");
        await Refused(vtep.AddPortAsync(Blue, twice), "Port p1 is in bridge domain d100 already: remove it there first, or take another name.");
        await Refused(vtep.RemovePortAsync("p9"), "There is no port 'p9'; there are: p1.");
        await Refused(vtep.AddDomainAsync(Domain(Blue)), "VNI 100 is bridge domain d100 already: take another VNI, or remove that domain first.");
        await Refused(vtep.AddPeerAsync(Blue, Peer("127.0.0.2")), "127.0.0.2:4789 is a peer of bridge domain d100 already.");
        await Refused(vtep.RemovePeerAsync(Blue, Peer("127.0.0.9")), "127.0.0.9:4789 is no peer of bridge domain d100; there are: 127.0.0.2:4789.");
        Assert.That(() => vtep.AddFdb(Blue, MacOf(1), "p9"), Throws.TypeOf<VtepException>().With.Message.EqualTo("Bridge domain d100 has no port p9."));
        Assert.That(twice.IsDisposed, Is.False);
        await vtep.RemovePortAsync("p1");
        await vtep.AddPortAsync(Blue, twice);
        Assert.That(vtep.Vtep.Ports(), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task ChangesThatComeAtTheSameTime_DontLoseEachOther([Values] Runner runner)
    {
        await using IRunningVtep vtep = Start(runner);
        await vtep.AddDomainAsync(Domain(Blue));
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(() => vtep.AddPortAsync(Blue, new MemoryPort($"p{i}")))));
        Assert.That(vtep.Vtep.Ports(), Has.Count.EqualTo(50));
        await Task.WhenAll(Enumerable.Range(0, 49).Select(i => Task.Run(() => vtep.RemovePortAsync($"p{i}"))));
        Assert.That(vtep.Vtep.Ports().Select(port => port.Name), Is.EqualTo(new[] { "p49" }));
    }

    [Test]
    public async Task AnEdit_ThatThrowsOrGivesNothingRight_ChangesNothing_AndTheNextIsMade([Values] Runner runner)
    {
        await using IRunningVtep vtep = Start(runner);
        await Assert.ThrowsAsync<DivideByZeroException>(() => vtep.EditAsync(_ => throw new DivideByZeroException()));
        await Refused(vtep.EditAsync(_ => null!), "A change of the configuration gave none: return the configuration it is to become.");
        await Assert.ThrowsAsync<ArgumentNullException>(() => vtep.EditAsync(config => config with { BridgeDomains = null! }));
        await Assert.ThrowsAsync<VtepException>(() => vtep.EditAsync(config => config with { Workers = 1 }));
        await vtep.AddDomainAsync(Domain(Blue));
        Assert.That(vtep.Vtep.Domains(), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task AClosedVtep_SaysSo_AndClosingTwiceIsOnce([Values] Runner runner)
    {
        IRunningVtep vtep = Start(runner);
        await Task.WhenAll(vtep.DisposeAsync().AsTask(), vtep.DisposeAsync().AsTask());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => vtep.AddDomainAsync(Domain(Blue)));
        Assert.That(() => vtep.Vtep.SubscribeDrops(_ => { }), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public async Task UnderTraffic_WhatIsAddedAndRemovedBeside_LosesNoFrame([Values] Runner runner)
    {
        await using IRunningVtep vtep = Start(runner);
        await vtep.AddDomainAsync(Domain(Blue));
        var p1 = new MemoryPort("p1");
        var p2 = new MemoryPort("p2");
        await vtep.AddPortAsync(Blue, p1);
        await vtep.AddPortAsync(Blue, p2);
        vtep.AddFdb(Blue, MacOf(2), "p2"); // so that the ports that come and go get none of it
        using var enough = new CancellationTokenSource();
        Task<int> traffic = Task.Run(() => PingPongAsync(p1, p2, enough.Token));

        for (int i = 0; i < 25; i++)
        {
            await vtep.AddDomainAsync(Domain(s_red, "127.0.0.2"));
            await vtep.AddPortAsync(s_red, new MemoryPort($"r{i}"));
            await vtep.AddPortAsync(Blue, new MemoryPort($"b{i}"));
            await vtep.RemovePortAsync($"b{i}");
            await vtep.RemoveDomainAsync(s_red);
        }

        await enough.CancelAsync();
        int sent = await traffic;
        Assert.That(sent, Is.GreaterThan(0));
        Assert.That(vtep.Vtep.Counters().Drops, Is.Empty);
    }

    // one frame at a time, each answered before the next: a single lost one would stop it
    private static async Task<int> PingPongAsync(MemoryPort p1, MemoryPort p2, CancellationToken enough)
    {
        int sent = 0;
        for (; !enough.IsCancellationRequested; sent++)
        {
            p1.Inject(Frame(1, 2));
            await p2.ReceiveAsync(Soon);
            p2.Inject(Frame(2, 1));
            await p1.ReceiveAsync(Soon);
        }

        return sent;
    }

    private static async Task Refused(Task change, string message)
    {
        VtepException? refused = await Assert.ThrowsAsync<VtepException>(() => change);
        Assert.That(refused!.Message, Is.EqualTo(message));
    }
}
