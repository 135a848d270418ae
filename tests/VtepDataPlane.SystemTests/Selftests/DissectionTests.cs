// What a VTEP emits, judged field by field by tshark. (That it finds no fault with any datagram of any other test is checked by
// TestBed when the test ends.)

using System.Globalization;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Selftests;

[TestFixture(AddressFamily.InterNetwork)]
[TestFixture(AddressFamily.InterNetworkV6)]
[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class DissectionTests(AddressFamily underlay) : TestBed
{
    private const int Vni = 0xABCDEF;
    private const int Flows = 64;

    [Test]
    public void EveryDatagram_HasTheFieldsOfRfc7348_AndRightChecksums()
    {
        Make(Lab.Switched(underlay, hosts: 2));
        LabHost host = Lab.Hosts[0];
        using var far = new VxlanSender(Lab.Hosts[1]);
        VtepProcess vtep = Start(host, new LabDomain("blue", Vni) { Peers = [Lab.Hosts[1].Underlay], Keys = new Dictionary<string, JsonNode> { ["innerVlan"] = "pass" } });
        using var capture = new Capture(host.Link.B.Namespace, host.Link.B.Device, $"src host {host.Underlay} and udp port 4789");
        using RawSocket tap = new(vtep.Station), wire = OuterPacket.Wire(host);
        SendEveryKind(tap);
        Assert.That(OuterPacket.Receive(wire, text => text.StartsWith("kind ", StringComparison.Ordinal), Flows + 6), Has.Count.EqualTo(Flows + 6));

        Dissection sent = capture.Stop();
        Dissection.AssertNoExpertWarnings([sent]);
        sent.AssertNoOuterFragments();
        bool v6 = underlay == AddressFamily.InterNetworkV6;
        IReadOnlyList<Packet> packets = sent.Read("vxlan", "vxlan.flags", "vxlan.vni", "vxlan.reserved8", "vxlan.gbp", "udp.srcport", "udp.checksum.status", v6 ? "ipv6.src" : "ip.flags.df");
        Assert.Multiple(() =>
        {
            Assert.That(packets, Has.Count.EqualTo(sent.Packets), "all of it is VXLAN");
            foreach (Packet packet in packets)
                AssertFields(packet, v6);
            Assert.That(packets.Select(packet => packet["udp.srcport"][0]).Distinct().Count(), Is.GreaterThanOrEqualTo(8), "source ports of the flows");
        });
    }

    private static void SendEveryKind(RawSocket tap)
    {
        foreach (int vlan in (int[])[0, 99])
        {
            tap.Send(InnerFrame.Udp(AddressFamily.InterNetwork, $"kind IPv4 {vlan}", vlan: vlan));
            tap.Send(InnerFrame.Udp(AddressFamily.InterNetworkV6, $"kind IPv6 {vlan}", vlan: vlan));
            tap.Send(InnerFrame.Arp($"kind ARP {vlan}", vlan: vlan));
        }

        for (int flow = 0; flow < Flows; flow++)
            tap.Send(InnerFrame.Udp(AddressFamily.InterNetwork, $"kind flow {flow}", flow: flow));
    }

    // With an inner UDP header a field has two values, the outer one first.
    private static void AssertFields(Packet packet, bool v6)
    {
        Assert.That(packet["vxlan.flags"], Is.EqualTo(new[] { "0x0800" }), "flags: I alone");
        Assert.That(packet["vxlan.vni"], Is.EqualTo(new[] { $"{Vni}" }));
        Assert.That(packet["vxlan.reserved8"], Is.EqualTo(new[] { "0" }));
        Assert.That(packet["vxlan.gbp"], Is.EqualTo(new[] { "0" }), "the first reserved field, where an extension has a policy id");
        Assert.That(int.Parse(packet["udp.srcport"][0], CultureInfo.InvariantCulture), Is.InRange(49_152, 65_535));
        Assert.That(packet["udp.checksum.status"], Is.All.EqualTo("1"), "UDP checksums are there and right");
        if (!v6)
            Assert.That(packet["ip.flags.df"][0], Is.AnyOf("1", "True"), "outer DF");
    }
}
