// TTL and TOS of the outer header, fixed and inherited, for inner IPv4, IPv6 and ARP, untagged and tagged: the cases of the kernel's
// selftest l2_tos_ttl_inherit.sh. The ECN bits of the inner header are zero here; EcnTests has the others.

using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Selftests;

[TestFixture(AddressFamily.InterNetwork)]
[TestFixture(AddressFamily.InterNetworkV6)]
[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class InheritanceTests(AddressFamily underlay) : TestBed
{
    private const byte InnerTos = 0xB8;     // DSCP 46, expedited forwarding
    private const byte InnerTtl = 33;
    private const byte FixedTtl = 100;
    private const byte FixedDscp = 10;      // AF11, as TOS 0x28
    private const byte FixedTos = FixedDscp << 2;
    private const byte DefaultTtl = 64;
    private const int FixedVni = 100;
    private const int InheritVni = 200;
    private static readonly int[] s_vlans = [0, 99];

    [Test]
    public void OuterTtlAndTos_AreFixedOrThoseOfTheInnerIpHeader()
    {
        Make(Lab.Switched(underlay, hosts: 2));
        LabHost host = Lab.Hosts[0];
        using var far = new VxlanSender(Lab.Hosts[1]);
        _ = Start(host, Domain("fixed", FixedVni, FixedTtl, FixedDscp), Domain("inherit", InheritVni, "inherit", "inherit"));
        using RawSocket wire = OuterPacket.Wire(host);
        SendAll(host, "tap-fixed");
        SendAll(host, "tap-inherit");

        IReadOnlyList<OuterPacket> sent = OuterPacket.Receive(wire, text => text.StartsWith("inner ", StringComparison.Ordinal), 12);
        string[] seen = [.. sent.Select(packet => $"{packet.Vni}: {InnerFrame.Text(packet.Inner)}: ttl {packet.Ip.HopLimit}, tos {packet.Ip.TrafficClass:x2}")];
        Assert.That(seen, Is.EquivalentTo(Expected()));
    }

    private static void SendAll(LabHost host, string device)
    {
        using var tap = new RawSocket(host.Namespace, device);
        foreach (int vlan in s_vlans)
        {
            tap.Send(InnerFrame.Udp(AddressFamily.InterNetwork, $"inner IPv4, vlan {vlan}", trafficClass: InnerTos, hopLimit: InnerTtl, vlan: vlan));
            tap.Send(InnerFrame.Udp(AddressFamily.InterNetworkV6, $"inner IPv6, vlan {vlan}", trafficClass: InnerTos, hopLimit: InnerTtl, vlan: vlan));
            tap.Send(InnerFrame.Arp($"inner ARP, vlan {vlan}", vlan: vlan));
        }
    }

    private static IEnumerable<string> Expected()
    {
        foreach (int vlan in s_vlans)
        {
            foreach (string inner in (string[])["IPv4", "IPv6", "ARP"])
            {
                yield return $"{FixedVni}: inner {inner}, vlan {vlan}: ttl {FixedTtl}, tos {FixedTos:x2}";
                (byte ttl, byte tos) = inner == "ARP" ? (DefaultTtl, (byte)0) : (InnerTtl, InnerTos);
                yield return $"{InheritVni}: inner {inner}, vlan {vlan}: ttl {ttl}, tos {tos:x2}";
            }
        }
    }

    private LabDomain Domain(string name, int vni, JsonNode ttl, JsonNode dscp) => new(name, vni)
    {
        Peers = [Lab.Hosts[1].Underlay],
        Overlay = vni / 100,
        Keys = new Dictionary<string, JsonNode> { ["ttl"] = ttl, ["dscp"] = dscp, ["innerVlan"] = "pass" },
    };
}
