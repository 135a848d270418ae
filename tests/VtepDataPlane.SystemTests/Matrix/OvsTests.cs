// Open vSwitch, userspace datapath, at the other end; first against the kernel's vxlan, to know that the bench is right.

using System.Net.Sockets;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Matrix;

internal sealed class OvsTests : TestBed
{
    private const int Vni = 100;

    [Test]
    public void Ovs_AgainstKernelVxlan_CarriesPingTcpAndUdp()
    {
        Make(Lab.Switched(AddressFamily.InterNetwork, hosts: 2));
        VethLink.FinishChecksumsOf(Lab.Hosts[0].Link.A);
        Station kernel = KernelVxlan.WithPeers(Lab, Lab.Hosts[0], Vni, [Lab.Hosts[1].Underlay]).Station;
        AssertCarries(kernel, StartOvs());
    }

    [Test]
    public void Ovs_AgainstVtep_CarriesPingTcpAndUdp()
    {
        Make(Lab.Switched(AddressFamily.InterNetwork, hosts: 2));
        Station ovs = StartOvs();
        Station ours = Start(Lab.Hosts[0], new LabDomain("blue", Vni) { Peers = [Lab.Hosts[1].Underlay] }).Station;
        AssertCarries(ours, ovs);
    }

    private Station StartOvs() => Own(new OvsPeer(Lab, Lab.Hosts[1], Vni, Lab.Hosts[0].Underlay)).Station;

    private static void AssertCarries(Station ours, Station ovs)
    {
        Ping.UntilReached(ours, ovs.Address4);
        Ping.AssertReaches(ours, ovs, count: 20);
        Ping.AssertReaches(ovs, ours, count: 20);
        TcpTransfer.AssertArrives(ours, ovs, AddressFamily.InterNetwork, bytes: 16 << 20);
        TcpTransfer.AssertArrives(ovs, ours, AddressFamily.InterNetwork, bytes: 16 << 20);
        UdpTransfer.AssertArrive(ours, ovs, AddressFamily.InterNetwork, count: 20);
        UdpTransfer.AssertArrive(ovs, ours, AddressFamily.InterNetwork, count: 20);
        byte[] discover = RawFrame.DhcpDiscover("02:00:00:00:00:a1");
        using var sender = new RawSocket(ours);
        using var receiver = new RawSocket(ovs);
        sender.Send(discover);
        Assert.That(receiver.CountCopies(discover, expected: 1), Is.EqualTo(1), "DHCP discover");
    }
}
