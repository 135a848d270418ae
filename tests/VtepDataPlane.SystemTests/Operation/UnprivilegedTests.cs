// A whole daemon without any right: its TAP was made beforehand, by root, for its user id. That is how it runs as a service.

using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Operation;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class UnprivilegedTests
{
    [TestCase("multi_queue", 1)]
    [TestCase("multi_queue", 2)]
    [TestCase("", 2)]
    public void DaemonWithoutAnyCapability_OnATapMadeForIt_CarriesPings(string queues, int workers)
    {
        using var lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 2);
        (LabHost one, LabHost two) = (lab.Hosts[0], lab.Hosts[1]);
        Station here = MakeTap(one, lab.OverlayMtu, queues);
        var configuration = VtepRun.Configuration($"{one.Underlay}", VtepRun.Domain("blue", 100, $"{two.Underlay}"));
        configuration["workers"] = workers;
        using var run = new VtepRun(one.Namespace, configuration);
        run.Start(through: [.. Privileges.NodeOfMode("666"), .. Privileges.None]);
        Assert.That((run.Status("CapEff"), run.Status("CapPrm")), Is.EqualTo((new string('0', 16), new string('0', 16))), "capabilities");
        Assert.That(run.Status("Uid").Split('\t'), Is.All.EqualTo($"{Privileges.UserId}"));

        using var other = new VtepProcess(two, new LabDomain("blue", 100) { Peers = [one.Underlay] });
        Ping.UntilReached(here, other.Station.Address4);
        Ping.AssertReaches(here, other.Station, count: 20);
        Ping.AssertReaches(other.Station, here, count: 20);
        run.Stop();
        Assert.That(one.Namespace.HasDevice("tap-blue"), "the TAP belongs to somebody else and stays");
        Assert.That(run.Process.Lines.Where(line => line.Contains("Z warn", StringComparison.Ordinal) || line.Contains("Z error", StringComparison.Ordinal)), Is.Empty);
        other.Stop();
    }

    [Test]
    public void DaemonStartedInAFolderItCannotReach_Runs()
    {
        using var lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 1);
        LabHost host = lab.Hosts[0];
        MakeTap(host, lab.OverlayMtu, "multi_queue");
        string closed = Directory.CreateTempSubdirectory("vtep-test-").FullName; // mode 0700, root's
        string inside = Directory.CreateDirectory(Path.Combine(closed, "inside")).FullName;
        try
        {
            using var run = new VtepRun(host.Namespace, VtepRun.Configuration($"{host.Underlay}", VtepRun.Domain("blue", 100, "198.18.0.2")));
            run.Start(through: ["sh", "-c", $"cd {inside} && exec \"$@\"", "sh", .. Privileges.NodeOfMode("666"), .. Privileges.None]);
            run.Stop();
        }
        finally
        {
            Directory.Delete(closed, recursive: true);
        }
    }

    [Test]
    public void Setup_MakesTheDevicesForADaemonWithoutRights_AndMayRunAgainWhileItHoldsThem()
    {
        using var lab = Lab.Switched(AddressFamily.InterNetwork, hosts: 2);
        (LabHost one, LabHost two) = (lab.Hosts[0], lab.Hosts[1]);
        Station here = one.Station("tap-blue");
        var domain = VtepRun.Domain("blue", 100, $"{two.Underlay}");
        domain["ports"]![0]!["addresses"] = new System.Text.Json.Nodes.JsonArray([.. here.Prefixes.Select(prefix => System.Text.Json.Nodes.JsonValue.Create($"{prefix}"))]);
        var configuration = VtepRun.Configuration($"{one.Underlay}", domain);
        configuration["workers"] = 2;
        using var run = new VtepRun(one.Namespace, configuration);
        Assert.That(run.Setup().OrFail().Output, Is.EqualTo($"tap-blue: made for {Privileges.UserId}; MTU {lab.OverlayMtu}\n"));

        run.Start(through: [.. Privileges.NodeOfMode("666"), .. Privileges.None]);
        Assert.That(run.Setup().OrFail().Output, Is.EqualTo($"tap-blue: right already; MTU {lab.OverlayMtu}\n"));
        using var other = new VtepProcess(two, new LabDomain("blue", 100) { Peers = [one.Underlay] });
        Ping.UntilReached(here, other.Station.Address4);
        Ping.AssertReaches(here, other.Station, count: 20);
        run.Stop();
        other.Stop();
        Assert.That(run.Setup("--remove").OrFail().Output, Is.EqualTo("tap-blue: removed\n"));
        Assert.That(one.Namespace.HasDevice("tap-blue"), Is.False);
    }

    private static Station MakeTap(LabHost host, int mtu, string queues)
    {
        Station station = host.Station("tap-blue");
        host.Namespace.Ip($"tuntap add dev {station.Device} mode tap user {Privileges.UserId} {queues}");
        foreach (string prefix in station.Prefixes)
            host.Namespace.Ip($"addr add {prefix} dev {station.Device}");
        host.Namespace.Ip($"link set {station.Device} mtu {mtu} up");
        return station;
    }
}
