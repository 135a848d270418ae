// A VTEP that can't publish: the kernel's, programmed by bridge(8), its records written by the operator.

using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Controllers;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class HandWrittenRecordTests : ControllerTestBed
{
    [TestCase(AddressFamily.InterNetwork)]
    [TestCase(AddressFamily.InterNetworkV6)]
    public void KernelVtep_WithRecordsWrittenByVtepDirectoryAdd_IsAPeerLikeAnyOther(AddressFamily family)
    {
        MakeStore(family);
        LabHost kernelHost = Lab.Hosts[1];
        KernelVxlan kernel = KernelVxlan.WithPeers(Lab, kernelHost, Vni, [Lab.Hosts[0].Underlay], "nolearning");
        VtepProcess vtep = Start(Lab.Hosts[0], Domain(Main()));
        Vteps = [vtep];
        WaitUntilState(vtep, "connected");
        kernel.AppendFdb(vtep.Station.Mac, vtep.Host.Underlay);

        vtep.Ask("directory", "add", "--node", "kernel", "--vtep", $"{kernelHost.Underlay}").OrFail();
        vtep.Ask("directory", "add", "--node", "kernel", "--vni", $"{Vni}").OrFail();
        vtep.Ask("directory", "add", "--node", "kernel", "--vni", $"{Vni}", "--mac", kernel.Station.Mac, "--ip", $"{kernel.Station.Address4}").OrFail();
        vtep.Ask("directory", "add", "--node", "kernel", "--vni", $"{Vni}", "--mac", kernel.Station.Mac, "--ip", $"{kernel.Station.Address6}").OrFail();

        WaitUntilFdb(vtep, kernel.Station.Mac, $"directory {new System.Net.IPEndPoint(kernelHost.Underlay, 4789)}");
        Ping.UntilReached(vtep.Station, kernel.Station.Address4);
        Ping.AssertReaches(vtep.Station, kernel.Station);
        Ping.AssertReaches(kernel.Station, vtep.Station);
        TcpTransfer.AssertArrives(vtep.Station, kernel.Station, AddressFamily.InterNetwork, 8 << 20);
        WaitUntilNoDifference();

        foreach (System.Net.IPAddress address in (System.Net.IPAddress[])[kernel.Station.Address4, kernel.Station.Address6])
            vtep.Ask("directory", "del", "--node", "kernel", "--vni", $"{Vni}", "--mac", kernel.Station.Mac, "--ip", $"{address}").OrFail();
        Wait.Until("the station is forgotten", () => vtep.Fdb(kernel.Station.Mac).Count == 0);
    }

    [Test]
    public void RecordWrittenByEtcdctl_IsTaken_AndJunkBesideItIsRejectedAndShown()
    {
        MakeStore();
        VtepProcess vtep = Start(Lab.Hosts[0], Domain(Main()));
        Vteps = [vtep];
        WaitUntilState(vtep, "connected");
        Etcd.Ctl("put", $"{Prefix}/n/gw/self", """{"v":1,"vtep":[{"ip":"198.18.0.2","port":4789}]}""");
        Etcd.Ctl("put", $"{Prefix}/n/gw/vni/{Vni}", """{"flood":"ingress"}""");
        Etcd.Ctl("put", $"{Prefix}/s/gw/mac/{Vni}/{Anna}", """{"seq":0,"sticky":false}""");
        Etcd.Ctl("put", $"{Prefix}/s/gw/mac/{Vni}/ff:ff:ff:ff:ff:ff", """{"seq":0,"sticky":false}""");
        Etcd.Ctl("put", $"{Prefix}/s/gw/mac/{Vni}/{Berta}", "\u001b[31mnot json");
        Etcd.Ctl("put", $"{Prefix}/n/evil/self", """{"v":1,"vtep":[{"ip":"127.0.0.1","port":4789}]}""");
        Etcd.Ctl("put", $"{Prefix}/junk", new string('x', 5000));

        WaitUntilFdb(vtep, Anna, "directory 198.18.0.2:4789");
        Wait.Until("four are rejected", () => vtep.Show("directory")["rejected"]!.AsArray().Count == 4, 5, () => vtep.Show("directory").ToJsonString());
        string shown = vtep.Ask("show", "directory").OrFail().Output;
        Assert.That(shown, Does.Not.Contain("\u001b"), "escape sequences never reach the terminal");
        Assert.That(vtep.Show("domains")[0]!["floodList"]!.AsArray().Select(peer => (string?)peer), Is.EqualTo(new[] { "198.18.0.2:4789" }));
        WaitUntilNoDifference();
    }
}
