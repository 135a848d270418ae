// The test bench against itself: kernel vxlan at both ends. When these fail, the bench or the machine is at fault, not the VTEP.

using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Matrix;

[TestFixture(AddressFamily.InterNetwork, "static")]
[TestFixture(AddressFamily.InterNetwork, "multicast")]
[TestFixture(AddressFamily.InterNetworkV6, "static")]
[TestFixture(AddressFamily.InterNetworkV6, "multicast")]
[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class KernelVxlanTests(AddressFamily underlay, string discovery)
{
    [Test]
    public void KernelVxlan_AgainstKernelVxlan_CarriesPingTcpAndUdpWithoutAFault()
    {
        using var lab = Lab.Switched(underlay, hosts: 2);
        (KernelVxlan a, KernelVxlan b) = (Make(lab, lab.Hosts[0], lab.Hosts[1]), Make(lab, lab.Hosts[1], lab.Hosts[0]));
        VethLink.FinishChecksumsOf(lab.Hosts[0].Link.A);
        using var capture = new Capture(lab.Middle, "p1", $"src host {lab.Hosts[0].Underlay} and udp port 4789");
        Ping.UntilReached(a.Station, b.Station.Address4);
        Ping.AssertReaches(a.Station, b.Station);
        Ping.AssertReaches(b.Station, a.Station);
        TcpTransfer.AssertArrives(a.Station, b.Station, AddressFamily.InterNetwork);
        TcpTransfer.AssertArrives(b.Station, a.Station, AddressFamily.InterNetworkV6);
        UdpTransfer.AssertArrive(a.Station, b.Station, AddressFamily.InterNetwork);
        UdpTransfer.AssertArrive(b.Station, a.Station, AddressFamily.InterNetworkV6);
        Dissection.AssertNoExpertWarnings([capture.Stop()]);
    }

    private KernelVxlan Make(Lab lab, LabHost host, LabHost peer) => discovery == "static"
        ? KernelVxlan.WithPeers(lab, host, vni: 100, [peer.Underlay])
        : KernelVxlan.WithGroup(lab, host, vni: 100, IPAddress.Parse(host.IsIPv6 ? "ff05::100" : "239.1.1.100"));
}
