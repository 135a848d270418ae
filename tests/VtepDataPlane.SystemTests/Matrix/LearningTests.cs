// What three VTEPs learn about stations, seen from outside: who gets a frame, and what `vtep show fdb` says. Stations are MACs that
// exist only in frames made by hand, so that no IP stack refreshes or moves them.

using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Matrix;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class LearningTests : TestBed
{
    private const int Vni = 100;
    private const string Anna = "02:00:00:00:00:0a";
    private const string Berta = "02:00:00:00:00:0b";
    private VtepProcess[] _vteps = null!;
    private RawSocket[] _sockets = null!;

    [Test]
    public void UnknownUnicast_IsFloodedToAll_AndKnownUnicastGoesToOneOnly()
    {
        StartThree();
        byte[] toNobodyKnown = RawFrame.Probe(Berta, Anna, "flooded");
        _sockets[0].Send(toNobodyKnown);
        AssertCopies(toNobodyKnown, 0, 1, 1);

        byte[] reply = RawFrame.Probe(Anna, Berta, "reply");
        _sockets[1].Send(reply);
        AssertCopies(reply, 1, 0, 0);

        byte[] known = RawFrame.Probe(Berta, Anna, "known");
        _sockets[0].Send(known);
        AssertCopies(known, 0, 1, 0);
        Assert.That(_vteps[0].Fdb(Anna), Is.EqualTo(new[] { "local tap-blue" }));
        Assert.That(_vteps[0].Fdb(Berta), Is.EqualTo(new[] { $"remote {Endpoint(1)}" }));
        Assert.That(_vteps[2].Fdb(Anna), Is.EqualTo(new[] { $"remote {Endpoint(0)}" }));
    }

    [Test]
    public void StationThatMovesToAnotherHost_IsFoundThereWithItsFirstFrame()
    {
        StartThree();
        Announce(0, Anna);
        WaitUntilFdb(2, Anna, $"remote {Endpoint(0)}");
        byte[] before = RawFrame.Probe(Anna, Berta, "before");
        _sockets[2].Send(before);
        AssertCopies(before, 1, 0, 0);

        Announce(1, Anna);
        WaitUntilFdb(2, Anna, $"remote {Endpoint(1)}");
        WaitUntilFdb(0, Anna, $"remote {Endpoint(1)}");
        WaitUntilFdb(1, Anna, "local tap-blue");
        byte[] after = RawFrame.Probe(Anna, Berta, "after");
        _sockets[2].Send(after);
        AssertCopies(after, 0, 1, 0);
    }

    [Test]
    public void EntryWithoutFrames_AgesOut_AndOneThatKeepsTalkingStays()
    {
        StartThree(ageing: 2);
        Announce(0, Anna);
        Announce(0, Berta);
        WaitUntilFdb(2, Anna, $"remote {Endpoint(0)}");
        Wait.Until("the silent station is forgotten", () =>
        {
            Announce(0, Berta);
            return _vteps[2].Fdb(Anna).Count == 0 && _vteps[0].Fdb(Anna).Count == 0;
        }, seconds: 6);
        Assert.That(_vteps[2].Fdb(Berta), Is.EqualTo(new[] { $"remote {Endpoint(0)}" }));
    }

    [Test]
    public void SameMacInTwoDomains_LivesOnTwoHosts_AndFramesNeverMix()
    {
        Make(Lab.Switched(AddressFamily.InterNetwork, hosts: 3));
        LabDomain Blue(LabHost host) => Domain(host, "blue", 100, ageing: 300);
        LabDomain Red(LabHost host) => Domain(host, "red", 200, ageing: 300) with { Overlay = 1 };
        _vteps = [.. Lab.Hosts.Select(host => Start(host, Blue(host), Red(host)))];
        RawSocket[] blue = [.. Lab.Hosts.Select(host => Own(new RawSocket(host.Namespace, "tap-blue")))];
        RawSocket[] red = [.. Lab.Hosts.Select(host => Own(new RawSocket(host.Namespace, "tap-red")))];
        blue[0].Send(RawFrame.Probe(RawFrame.Broadcast, Anna, "in blue"));
        red[1].Send(RawFrame.Probe(RawFrame.Broadcast, Anna, "in red"));
        Wait.Until("both are learned", () => _vteps[2].Fdb(Anna).Count == 2);
        Assert.That(_vteps[2].Fdb(Anna, 100), Is.EqualTo(new[] { $"remote {Endpoint(0)}" }));
        Assert.That(_vteps[2].Fdb(Anna, 200), Is.EqualTo(new[] { $"remote {Endpoint(1)}" }));

        byte[] toBlue = RawFrame.Probe(Anna, Berta, "to blue Anna");
        blue[2].Send(toBlue);
        Assert.That((blue[0].CountCopies(toBlue, 1), red[0].CountCopies(toBlue, 0), red[1].CountCopies(toBlue, 0)), Is.EqualTo((1, 0, 0)));
        byte[] toRed = RawFrame.Probe(Anna, Berta, "to red Anna");
        red[2].Send(toRed);
        Assert.That((red[1].CountCopies(toRed, 1), blue[1].CountCopies(toRed, 0), blue[0].CountCopies(toRed, 0)), Is.EqualTo((1, 0, 0)));
    }

    [Test]
    public void AddressesOfThreeHosts_AreInTheFdbAfterTraffic()
    {
        StartThree();
        Ping.UntilReached(_vteps[0].Station, _vteps[1].Station.Address4);
        Ping.AssertReaches(_vteps[0].Station, _vteps[1].Station);
        Ping.AssertReaches(_vteps[0].Station, _vteps[2].Station);
        Ping.AssertReaches(_vteps[1].Station, _vteps[2].Station);
        for (int other = 1; other < 3; other++)
            Assert.That(_vteps[0].Fdb(_vteps[other].Station.Mac), Is.EqualTo(new[] { $"remote {Endpoint(other)}" }));
        Assert.That(_vteps[0].Fdb(_vteps[0].Station.Mac), Is.EqualTo(new[] { "local tap-blue" }));
    }

    private void StartThree(int ageing = 300)
    {
        Make(Lab.Switched(AddressFamily.InterNetwork, hosts: 3));
        _vteps = [.. Lab.Hosts.Select(host => Start(host, Domain(host, "blue", Vni, ageing)))];
        _sockets = [.. _vteps.Select(vtep => Own(new RawSocket(vtep.Station)))];
    }

    private LabDomain Domain(LabHost host, string name, int vni, int ageing) => new(name, vni)
    {
        Peers = [.. Lab.Hosts.Where(other => other != host).Select(other => other.Underlay)],
        Keys = new Dictionary<string, JsonNode> { ["ageing"] = ageing },
    };

    private string Endpoint(int host) => $"{Lab.Hosts[host].Underlay}:4789";

    private void Announce(int host, string mac) => _sockets[host].Send(RawFrame.Probe(RawFrame.Broadcast, mac, "here I am"));

    private void WaitUntilFdb(int host, string mac, string entry)
    {
        bool IsThere() => _vteps[host].Fdb(mac) is [{ } only] && only == entry;
        Wait.Until($"host {host + 1} has {mac} as '{entry}'", IsThere, 5, () => _vteps[host].Show("fdb").ToJsonString());
    }

    // The sender's own socket sees its frame as outgoing, which RawSocket doesn't give: its count is of frames that came back.
    private void AssertCopies(byte[] frame, params int[] expected)
    {
        int[] copies = [.. _sockets.Select((socket, host) => socket.CountCopies(frame, expected[host]))];
        Assert.That(copies, Is.EqualTo(expected), "copies at the hosts 1, 2, 3");
    }
}
