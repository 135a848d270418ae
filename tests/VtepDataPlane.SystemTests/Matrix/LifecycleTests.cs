// Start, reload and end of the program, beside real traffic.

using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Matrix;

internal sealed class LifecycleTests : TestBed
{
    [Test]
    public void Reload_ThatChangesOtherDomains_LosesNoFrameOfAnUnchangedOne()
    {
        Make(Lab.Switched(AddressFamily.InterNetwork, hosts: 2));
        (LabHost one, LabHost two) = (Lab.Hosts[0], Lab.Hosts[1]);
        VtepProcess b = Start(two, Domain("blue", 100, one), Domain("red", 200, one));
        VtepProcess a = Start(one, Domain("blue", 100, two));
        Ping.UntilReached(a.Station, b.Station.Address4);

        BackgroundProcess ping = Ping.Start(a.Station, b.Station.Address4, interval: 0.002);
        LabDomain blue = Domain("blue", 100, two), red = Domain("red", 200, two);
        a.Reload(() => Domains(a) == 2, blue, red);
        Ping.UntilReached(red.StationOn(one), red.StationOn(two).Address4);
        LabDomain changed = red with { Keys = new Dictionary<string, JsonNode> { ["ageing"] = 17 } };
        a.Reload(() => a.Show("domains").AsArray().Any(domain => (int)domain!["ageing"]! == 17), blue, changed);
        a.Reload(() => Domains(a) == 1 && !one.Namespace.HasDevice(red.Tap), blue);
        PingResult result = Ping.StopAndRead(ping);
        Assert.That((result.Lost, result.Duplicates, result.Sent > 50), Is.EqualTo((0, 0, true)), result.Text);
    }

    [Test]
    public void Reload_OfABadFile_ChangesNothingAndSaysWhy()
    {
        Make(Lab.Switched(AddressFamily.InterNetwork, hosts: 2));
        (LabHost one, LabHost two) = (Lab.Hosts[0], Lab.Hosts[1]);
        VtepProcess b = Start(two, Domain("blue", 100, one));
        LabDomain good = Domain("blue", 100, two);
        VtepProcess a = Start(one, good);
        a.Announce("agein");
        LabDomain bad = good with { Keys = new Dictionary<string, JsonNode> { ["agein"] = 17 } };
        a.Reload(() => a.Log.Contains("agein", StringComparison.Ordinal), bad);
        Ping.UntilReached(a.Station, b.Station.Address4);
        Ping.AssertReaches(a.Station, b.Station);
    }

    [TestCase("TERM")]
    [TestCase("INT")]
    public void End_BySignal_LeavesNoTapNoSocketAndNoMembership(string signal)
    {
        Make(Lab.Switched(AddressFamily.InterNetwork, hosts: 1));
        LabHost host = Lab.Hosts[0];
        var domain = new LabDomain("blue", 100) { Group = IPAddress.Parse("239.1.1.100") };
        string devices = Devices(host);
        using var vtep = new VtepProcess(host, domain);
        Assert.That(host.Namespace.HasDevice(domain.Tap), "the TAP is there while vtep runs");
        Assert.That(Memberships(host), Does.Contain("239.1.1.100"), "the group is joined while vtep runs");
        vtep.Stop(signal);
        Assert.That(Memberships(host), Does.Not.Contain("239.1.1.100"));
        Assert.That(Devices(host), Is.EqualTo(devices));
    }

    private static LabDomain Domain(string name, int vni, LabHost peer) => new(name, vni) { Peers = [peer.Underlay], Overlay = vni / 100 };

    private static int Domains(VtepProcess vtep) => vtep.Show("domains").AsArray().Count;

    private static string Memberships(LabHost host) => host.Namespace.Ip("maddr show dev eth0").Output;

    private static string Devices(LabHost host) => host.Namespace.Ip("-o link show").Output;
}
