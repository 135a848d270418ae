// Who gets a frame, counted exactly: the flood and learning cases of the kernel's selftest forwarding/vxlan_bridge_1d.sh.
//
//   host 1   ours, two ports: tap-blue, where frames are sent, and tap-near, the neighbour on the same host
//   host 2   ours
//   host 3   the kernel's vxlan
//
// Counts are given in the order tap-near, host 2, host 3. Frames are hand-made, ten a time, to a station nobody else speaks for.

using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Selftests;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class FloodTests : TestBed
{
    private const int Vni = 100;
    private const int Each = 10;
    private static readonly int[] s_flooded = [Each, Each, Each];
    private VtepProcess _vtep = null!;
    private RawSocket _sender = null!;
    private RawSocket[] _receivers = null!;
    private int _round;

    [TestCase(AddressFamily.InterNetwork)]
    [TestCase(AddressFamily.InterNetworkV6)]
    public void UnknownUnicast_ReachesEveryoneOnce(AddressFamily underlay)
    {
        StartThree(underlay);
        Assert.That(SendAndCount(), Is.EqualTo(s_flooded));
    }

    // Three that can't be reached: no route, no answer to ARP, and a host without a VTEP, which answers with ICMP errors. What the
    // kernel reports of one must not cost another its copy, also when it is reported later.
    [Test]
    public void UnknownUnicast_WithUnreachablePeersInTheFloodList_ReachesTheOthersAllTheSame()
    {
        StartThree(AddressFamily.InterNetwork, hosts: 4, further: [IPAddress.Parse("198.19.200.1"), IPAddress.Parse("198.18.0.99"), IPAddress.Parse("198.18.0.4")]);
        Assert.That(SendAndCount(), Is.EqualTo(s_flooded), "at first");
        Wait.Until("the silent peer's address is given up", () => Lab.Hosts[0].Namespace.Ip("neigh show 198.18.0.99 dev eth0").Output.Contains("FAILED", StringComparison.Ordinal), 8);
        Assert.That(SendAndCount(), Is.EqualTo(s_flooded), "after the errors came back");
        Assert.That(SendAndCount(), Is.EqualTo(s_flooded), "and once more");
    }

    [Test]
    public void StaticEntry_TakesAllFrames_AndDeletingItFloodsAgain()
    {
        StartThree(AddressFamily.InterNetwork);
        Vtep("add", "--vtep", $"{Lab.Hosts[2].Underlay}");
        Assert.That(SendAndCount(), Is.EqualTo(new[] { 0, 0, Each }), "behind host 3");
        Vtep("add", "--vtep", $"{Lab.Hosts[1].Underlay}", "--replace");
        Assert.That(SendAndCount(), Is.EqualTo(new[] { 0, Each, 0 }), "behind host 2");
        Vtep("add", "--port", "tap-near", "--replace");
        Assert.That(SendAndCount(), Is.EqualTo(new[] { Each, 0, 0 }), "behind the other port");
        Vtep("del");
        Assert.That(SendAndCount(), Is.EqualTo(s_flooded), "deleted");
    }

    [Test]
    public void LearnedEntry_TakesAllFrames_AndDeletingItFloodsUntilItIsLearnedAgain()
    {
        StartThree(AddressFamily.InterNetwork);
        Assert.That(SendAndCount(), Is.EqualTo(s_flooded), "unknown");
        AnnounceFromHost(2);
        Assert.That(SendAndCount(), Is.EqualTo(new[] { 0, Each, 0 }), "learned");
        Vtep("del");
        Assert.That(SendAndCount(), Is.EqualTo(s_flooded), "deleted");
        AnnounceFromHost(3);
        Assert.That(SendAndCount(), Is.EqualTo(new[] { 0, 0, Each }), "learned again, elsewhere");
    }

    // Only receiving refreshes an entry: a station we merely send to may have gone long ago.
    [Test]
    public void LearnedEntry_AgesOutWhileFramesAreOnlySentToIt()
    {
        StartThree(AddressFamily.InterNetwork, keys: ("ageing", 3));
        AnnounceFromHost(2);
        Assert.That(SendAndCount(), Is.EqualTo(new[] { 0, Each, 0 }), "learned");
        byte[] frame = InnerFrame.Udp(AddressFamily.InterNetwork, "only sent");
        Wait.Until("the entry is aged out", () =>
        {
            _sender.Send(frame);
            return _vtep.Fdb(InnerFrame.Berta).Count == 0;
        }, seconds: 8);
        Assert.That(SendAndCount(), Is.EqualTo(s_flooded), "aged out");
    }

    [Test]
    public void LearningOff_MakesNoEntry()
    {
        StartThree(AddressFamily.InterNetwork, keys: ("learning", false));
        byte[] announcement = Announcement();
        _receivers[1].Send(announcement);
        Assert.That(_sender.CountCopies(announcement, expected: 1), Is.EqualTo(1), "delivered");
        Assert.That(SendAndCount(), Is.EqualTo(s_flooded));
        Assert.That((_vtep.Fdb(InnerFrame.Berta), _vtep.Fdb(InnerFrame.Anna)), Is.EqualTo((Array.Empty<string>(), Array.Empty<string>())));
    }

    [TestCase(AddressFamily.InterNetwork)]
    [TestCase(AddressFamily.InterNetworkV6)]
    public void OuterTtl_IsOneLessBehindARouter(AddressFamily underlay)
    {
        Make(Lab.Routed(underlay));
        using var far = new VxlanSender(Lab.Hosts[1]);
        _vtep = Start(Lab.Hosts[0], new LabDomain("blue", Vni) { Peers = [Lab.Hosts[1].Underlay], Keys = new Dictionary<string, JsonNode> { ["ttl"] = 100 } });
        using var tap = new RawSocket(_vtep.Station);
        using var wire = new RawSocket(Lab.Hosts[1].Namespace, "eth0");
        for (int i = 0; i < Each; i++)
            tap.Send(InnerFrame.Udp(AddressFamily.InterNetwork, "over the hill"));
        IEnumerable<byte> hops = OuterPacket.Receive(wire, text => text == "over the hill", Each).Select(packet => packet.Ip.HopLimit);
        Assert.That(hops, Is.EqualTo(Enumerable.Repeat((byte)99, Each)));
    }

    private void StartThree(AddressFamily underlay, int hosts = 3, IPAddress[]? further = null, params (string Key, JsonNode Value)[] keys)
    {
        Make(Lab.Switched(underlay, hosts));
        _round = 0;
        IPAddress Host(int number) => Lab.Hosts[number - 1].Underlay;
        VtepProcess second = Start(Lab.Hosts[1], new LabDomain("blue", Vni) { Peers = [Host(1), Host(3)] });
        var all = new Dictionary<string, JsonNode> { ["ports"] = new JsonArray(new JsonObject { ["tap"] = "tap-blue" }, new JsonObject { ["tap"] = "tap-near" }) };
        foreach ((string key, JsonNode value) in keys)
            all[key] = value;
        _vtep = Start(Lab.Hosts[0], new LabDomain("blue", Vni) { Peers = [Host(2), Host(3), .. further ?? []], Keys = all });

        // The kernel's VTEP comes last: what it floods when it comes up, with checksums left to its link, shall find VTEPs at the others.
        VethLink.FinishChecksumsOf(Lab.Hosts[2].Link.A);
        KernelVxlan kernel = KernelVxlan.WithPeers(Lab, Lab.Hosts[2], Vni, [Host(1), Host(2)]);
        _sender = Own(new RawSocket(_vtep.Station));
        _receivers = [Own(new RawSocket(_vtep.Host.Namespace, "tap-near")), Own(new RawSocket(second.Station)), Own(new RawSocket(kernel.Station))];
    }

    private int[] SendAndCount()
    {
        byte[] frame = InnerFrame.Udp(AddressFamily.InterNetwork, $"round {++_round}");
        for (int i = 0; i < Each; i++)
            _sender.Send(frame);
        return [.. _receivers.Select(receiver => Count(receiver, frame))];
    }

    // Waits for all that can come; a receiver that is to get nothing is waited for as long as it may take the others' frames.
    private static int Count(RawSocket receiver, byte[] frame)
    {
        bool Same(byte[] received) => received.AsSpan().SequenceEqual(frame);
        return receiver.Receive(Same, Each, seconds: 0.7).Count + receiver.Receive(Same, int.MaxValue, seconds: 0.1).Count;
    }

    private void AnnounceFromHost(int number)
    {
        _receivers[number - 1].Send(Announcement());
        string entry = $"remote {Lab.Hosts[number - 1].Underlay}:4789";
        Wait.Until($"Berta is learned as '{entry}'", () => _vtep.Fdb(InnerFrame.Berta) is [{ } only] && only == entry, 5, () => _vtep.Show("fdb").ToJsonString());
    }

    private static byte[] Announcement() => InnerFrame.Arp("here I am", source: InnerFrame.Berta);

    private void Vtep(string verb, params string[] arguments) =>
        Command.Run(VtepProcess.Executable, ["fdb", verb, "--vni", $"{Vni}", "--mac", InnerFrame.Berta, .. arguments, "--socket", _vtep.Socket]).OrFail();
}
