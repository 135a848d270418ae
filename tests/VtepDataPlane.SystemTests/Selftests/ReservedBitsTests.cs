// The 39 reserved bits of the VXLAN header, each alone, as the kernel's selftest forwarding/vxlan_reserved.sh sends them. RFC 7348
// says that they are ignored (policy "rfc"); the kernel drops (policy "linux"), and gets the same datagrams to show it.

using System.Globalization;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Selftests;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class ReservedBitsTests : TestBed
{
    private const int Clean = 10;
    private const int RfcVni = 100;
    private const int LinuxVni = 200;

    // Bit 0 is the first on the wire; 4 is the I flag, 32 to 55 are the VNI.
    private static readonly int[] s_bits = [.. Enumerable.Range(0, 64).Where(bit => bit != 4 && bit is < 32 or > 55)];

    [Test]
    public void EachReservedBitAlone_IsIgnoredOrDroppedByPolicy_AndCounted()
    {
        Assert.That(s_bits, Has.Length.EqualTo(39));
        Make(Lab.Switched(AddressFamily.InterNetwork, hosts: 3));
        (LabHost ours, LabHost sender, LabHost reference) = (Lab.Hosts[0], Lab.Hosts[1], Lab.Hosts[2]);
        using var far = new VxlanSender(sender);
        KernelVxlan kernel = KernelVxlan.WithPeers(Lab, reference, LinuxVni, [sender.Underlay]);
        VtepProcess vtep = Start(ours, Domain("rfc", RfcVni, sender), Domain("linux", LinuxVni, sender));
        using var rfc = new RawSocket(ours.Namespace, "tap-rfc");
        using var linux = new RawSocket(ours.Namespace, "tap-linux");
        using var device = new RawSocket(kernel.Station);
        SendAll(far, ours, RfcVni);
        SendAll(far, ours, LinuxVni);
        SendAll(far, reference, LinuxVni);

        string[] clean = [.. Enumerable.Repeat("clean", Clean)];
        Assert.Multiple(() =>
        {
            Assert.That(Delivered(rfc, s_bits.Length + 1 + Clean), Is.EquivalentTo((string[])[.. clean, .. s_bits.Select(bit => $"bit {bit}"), "all bits"]), "policy rfc");
            Assert.That(Delivered(linux, Clean), Is.EqualTo(clean), "policy linux");
            Assert.That(Delivered(device, Clean), Is.EqualTo(clean), "the kernel's vxlan");
            Assert.That(Ignored(vtep, RfcVni), Is.EqualTo(s_bits.Length + 1), "counted as ignored");
            Assert.That(vtep.Drops("vxlan_reserved_bits"), Is.EqualTo(s_bits.Length + 1), "counted as dropped");
        });
    }

    private static void SendAll(VxlanSender far, LabHost to, int vni)
    {
        ulong header = VxlanSender.Header(vni), all = 0;
        for (int i = 0; i < Clean; i++)
            Send(header, "clean");
        foreach (int bit in s_bits)
        {
            ulong mask = 1ul << (63 - bit);
            Send(header | mask, $"bit {bit.ToString(CultureInfo.InvariantCulture)}");
            all |= mask;
        }

        Send(header | all, "all bits");
        void Send(ulong bits, string text) => far.Send(to.Underlay, VxlanSender.Datagram(bits, InnerFrame.Udp(AddressFamily.InterNetwork, text)));
    }

    private static List<string> Delivered(RawSocket device, int expected)
    {
        static bool Wanted(byte[] frame) => InnerFrame.Text(frame) is var text && (text == "clean" || text.Contains("bit", StringComparison.Ordinal));
        List<byte[]> frames = [.. device.Receive(Wanted, expected, seconds: 3)];
        frames.AddRange(device.Receive(Wanted, int.MaxValue, seconds: 0.3));
        return [.. frames.Select(frame => InnerFrame.Text(frame))];
    }

    private static long Ignored(VtepProcess vtep, int vni) =>
        vtep.Show("domains").AsArray().Where(domain => (int)domain!["vni"]! == vni).Sum(domain => (long)domain!["reservedBitsIgnored"]!);

    private static LabDomain Domain(string policy, int vni, LabHost peer) => new(policy, vni)
    {
        Peers = [peer.Underlay],
        Overlay = vni / 100,
        Keys = new Dictionary<string, JsonNode> { ["reservedBits"] = policy },
    };
}
