// Requests that are answered here: what the answer is, when there is one, and that everything else goes its way. The counts are those of the kernel's
// tools/testing/selftests/net/test_bridge_neigh_suppress.sh.

using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.NeighborFrames;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Forwarding;

public sealed class NeighborSuppressionTests
{
    private const string A = "198.18.0.1", B = "198.18.0.2";
    private static readonly MacAddress s_macC = MacAddress.Parse("02:00:00:00:00:0c");

    private static byte[] Request(bool isIPv6) => isIPv6 ? Solicitation(MacA, IPv6A, IPv6B) : Arp();

    private static ControllerBench NewBench(MemoryNetwork? network = null) =>
        new(new MemoryHost(network ?? new MemoryNetwork(), InetAddress.Parse(A)), A, ["a1", "a2"], B);

    private static ControllerBench NewBenchThatKnows(bool isRouter = false)
    {
        ControllerBench bench = NewBench();
        bench.Tell(MacB, peer: 0);
        bench.Tell(IPv4B, MacB);
        bench.Tell(IPv6B, MacB, isRouter);
        return bench;
    }

    // --- the answer ---

    [Test]
    public void ArpRequest_IsAnsweredInTheNeighboursName_WhereItCameFrom()
    {
        using ControllerBench bench = NewBenchThatKnows();
        bench.Inject(0, Arp());
        Assert.That(bench.Taken(0).Single(), Is.EqualTo(Hex("""
            02000000000A 02000000000B 0806 0001 0800 06 04 0002 02000000000B C6120102 02000000000A C6120101
            """)));
        Assert.That(bench.Taken(1), Is.Empty);
        Assert.That((bench.Drops(DropReason.NeighborAnswered), bench.Lane.Meters.Originated, bench.Lane.Underlay.Meters.Sent), Is.EqualTo((1, 1, 0)));
    }

    [TestCase(false, "60000000", "1C91")]
    [TestCase(true, "E0000000", "9C90")]
    public void Solicitation_IsAnsweredWithASolicitedAdvertisementThatOverrides(bool isRouter, string flags, string checksum)
    {
        using ControllerBench bench = NewBenchThatKnows(isRouter);
        bench.Inject(0, Solicitation(MacA, IPv6A, IPv6B));
        Assert.That(bench.Taken(0).Single(), Is.EqualTo(Hex($"""
            02000000000A 02000000000B 86DD
            6000 0000 0020 3A FF FD000000000000000000000000000002 FD000000000000000000000000000001
            88 00 {checksum} {flags} FD000000000000000000000000000002 02 01 02000000000B
            """)));
        Assert.That((bench.Drops(DropReason.NeighborAnswered), bench.Lane.Underlay.Meters.Sent), Is.EqualTo((1, 0)));
    }

    [Test]
    public void SolicitationWithoutTheAskersMac_IsAnsweredToWhereItCameFrom()
    {
        using ControllerBench bench = NewBenchThatKnows();
        bench.Inject(0, Solicitation(MacA, IPv6A, IPv6B, options: []));
        Assert.That(bench.Taken(0).Single()[..12], Is.EqualTo(Hex("02000000000A 02000000000B")));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void NeighbourBehindAnotherPortOfOurs_IsAnsweredForToo(bool isIPv6)
    {
        using ControllerBench bench = NewBench();
        bench.Inject(1, Udp(MacB, s_macC));
        bench.Tell(IPv4B, MacB, isLocal: true);
        bench.Tell(IPv6B, MacB, isLocal: true);
        bench.Taken(0);
        bench.Inject(0, Request(isIPv6));
        Assert.That((bench.Taken(0).Length, bench.Taken(1).Length, bench.Drops(DropReason.NeighborAnswered)), Is.EqualTo((1, 0, 1)));
    }

    // --- no answer ---

    private static IEnumerable<TestCaseData> Others()
    {
        byte[] wrongChecksum = Solicitation(MacA, IPv6A, IPv6B);
        wrongChecksum[57] ^= 1;
        byte[] tooShort = Solicitation(MacA, IPv6A, IPv6B)[..^8];
        tooShort[19] -= 8; // the IP header is right, the checksum isn't
        MacAddress everybody = MacAddress.Broadcast;
        return
        [
            Named("a probe", Arp(sourceIp: "0.0.0.0")),
            Named("a gratuitous request", Arp(targetIp: IPv4A)),
            Named("a gratuitous reply", Arp(targetIp: IPv4A, targetMac: MacA, destination: everybody)),
            Named("a tagged request", Arp(vlans: [7])),
            Named("an address nobody knows", Arp(targetIp: "198.18.1.77")),
            Named("a sender that isn't the frame's", [.. MacBytes(everybody), .. MacBytes(s_macC), .. Arp()[12..]]),
            Named("a request cut short", Arp()[..40]),
            Named("a search for duplicates", Solicitation(MacA, "::", IPv6B)),
            Named("a solicitation of one's own address", Solicitation(MacA, IPv6B, IPv6B)),
            Named("an IPv6 address nobody knows", Solicitation(MacA, IPv6A, "fd00::77")),
            Named("an option of length 0", Solicitation(MacA, IPv6A, IPv6B, options: [1, 0, 2, 0, 0, 0, 0, 10])),
            Named("a solicitation a router has passed on", Solicitation(MacA, IPv6A, IPv6B, hopLimit: 254)),
            Named("a wrong checksum", wrongChecksum),
            Named("a solicitation cut short", tooShort),
            Named("another's MAC as the asker's", Solicitation(MacA, IPv6A, IPv6B, options: Option(1, s_macC))),
            Named("an advertisement", Advertisement(MacA, IPv6A, 2)),
        ];
    }

    private static TestCaseData Named(string name, byte[] frame) => new TestCaseData(frame).SetArgDisplayNames(name);

    private static byte[] MacBytes(MacAddress mac)
    {
        byte[] bytes = new byte[6];
        mac.Write(bytes);
        return bytes;
    }

    [TestCaseSource(nameof(Others))]
    public void EverythingElse_IsFlooded_AsItCame(byte[] frame)
    {
        using ControllerBench bench = NewBenchThatKnows();
        bench.Inject(0, frame);
        Assert.That(bench.Taken(0), Is.Empty);
        Assert.That(bench.Taken(1).Single(), Is.EqualTo(frame));
        Assert.That(bench.Lane.Underlay.Meters.Sent, Is.EqualTo(1));
        Assert.That(bench.Drops(DropReason.NeighborAnswered), Is.Zero);
    }

    [TestCase(false)]
    [TestCase(true)]
    public void RequestToOneStation_IsForItAlone(bool isIPv6)
    {
        using ControllerBench bench = NewBenchThatKnows();
        bench.Inject(0, isIPv6 ? Solicitation(MacA, IPv6A, IPv6B, destination: MacB) : Arp(destination: MacB));
        Assert.That((bench.Taken(0).Length, bench.Taken(1).Length, bench.Lane.Underlay.Meters.Sent), Is.EqualTo((0, 0, 1)));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void NeighbourBehindTheAskingPort_AnswersItself(bool isIPv6)
    {
        using ControllerBench bench = NewBench();
        bench.Inject(0, Udp(MacB, s_macC));
        bench.Tell(IPv4B, MacB, isLocal: true);
        bench.Tell(IPv6B, MacB, isLocal: true);
        bench.Inject(0, Request(isIPv6));
        Assert.That((bench.Taken(0).Length, bench.Drops(DropReason.NeighborAnswered)), Is.EqualTo((0, 0)));
    }

    [Test]
    public void NoRoomForAnAnswer_FloodsTheRequest()
    {
        using ControllerBench bench = NewBenchThatKnows();
        for (int i = 0; i < 70; i++)
            bench.Memory(0).Inject(Arp());
        bench.Run();
        Assert.That(bench.Taken(0), Has.Length.EqualTo(64));
        Assert.That((bench.Drops(DropReason.NeighborAnswered), bench.Lane.Underlay.Meters.Sent), Is.EqualTo((64, 6)));
    }

    [Test]
    public void WithoutAController_NothingIsAnsweredOrHeard()
    {
        using ControllerBench bench = NewBenchThatKnows();
        bench.Policy = null;
        bench.Inject(0, Arp());
        Assert.That((bench.Taken(0).Length, bench.Lane.Underlay.Meters.Sent), Is.EqualTo((0, 1)));
        Assert.That(bench.Events(), Is.Empty);
    }

    // --- the kernel's test, step by step ---

    [TestCase(false)]
    [TestCase(true)]
    public void RequestsThatLeaveTheTunnel_AreAsManyAsOfTheKernel(bool isIPv6)
    {
        using var test = new TwoHosts(isIPv6);
        ControllerBench bench = test.A;
        var steps = new List<(string Step, int Left, int Replies)>();
        void Ask(string step)
        {
            int replies = test.Ask();
            steps.Add((step, test.Left, replies));
        }

        bench.Policy = ControllerBench.Suppressing with { SuppressesNeighbors = false };
        Ask("off");
        bench.Policy = ControllerBench.Suppressing;
        Ask("on, no data");
        bench.Tell(MacB, peer: 0);
        Ask("on, station known");
        bench.Tell(isIPv6 ? IPv6B : IPv4B, MacB);
        Ask("on, station and neighbour known");
        test.IsRemoteUp = false;
        Ask("on, remote host down");
        test.IsRemoteUp = true;
        bench.Policy = ControllerBench.Suppressing with { SuppressesNeighbors = false };
        Ask("off again");
        test.IsRemoteUp = false;
        Ask("off, remote host down");

        Assert.That(steps, Is.EqualTo(new[]
        {
            ("off", 1, 1),
            ("on, no data", 2, 1),
            ("on, station known", 3, 1),
            ("on, station and neighbour known", 3, 1),
            ("on, remote host down", 3, 1),
            ("off again", 4, 1),
            ("off, remote host down", 5, 0),
        }));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void UnicastRequest_GetsOneReply_FromTheRealHost(bool isIPv6)
    {
        using var test = new TwoHosts(isIPv6);
        test.A.Tell(MacB, peer: 0);
        test.A.Tell(isIPv6 ? IPv6B : IPv4B, MacB);
        Assert.That(test.Ask(destination: MacB), Is.EqualTo(1));
        Assert.That((test.Answered, test.A.Lane.Meters.Originated), Is.EqualTo((1, 0)));
    }

    /// <summary>A host behind each of two VTEPs; the remote one answers itself while it is up.</summary>
    private sealed class TwoHosts : IDisposable
    {
        private readonly MemoryNetwork _network = new() { Recording = [] };
        private readonly ControllerBench _b;
        private readonly bool _isIPv6;

        public TwoHosts(bool isIPv6)
        {
            _isIPv6 = isIPv6;
            A = new ControllerBench(new MemoryHost(_network, InetAddress.Parse(NeighborSuppressionTests.A)), NeighborSuppressionTests.A, ["a1"], B);
            _b = new ControllerBench(new MemoryHost(_network, InetAddress.Parse(B)), B, ["b1"], NeighborSuppressionTests.A) { Policy = null };
        }

        public ControllerBench A { get; }

        public bool IsRemoteUp { get; set; } = true;

        /// <summary>Datagrams the first VTEP sent.</summary>
        public int Left => _network.Recording!.Count(datagram => datagram.Source.Address.ToString() == NeighborSuppressionTests.A);

        /// <summary>Times the remote host answered itself.</summary>
        public int Answered { get; private set; }

        /// <summary>Lets the first host ask for the second, and returns the replies it gets.</summary>
        public int Ask(MacAddress? destination = null)
        {
            A.Memory(0).Inject(_isIPv6 ? Solicitation(MacA, IPv6A, IPv6B, destination) : Arp(destination: destination));
            Run();
            foreach (byte[] frame in IsRemoteUp ? _b.Taken(0) : _b.Taken(0)[..0])
            {
                Assert.That(frame[6..12], Is.EqualTo(MacBytes(MacA)));
                Answered++;
                _b.Memory(0).Inject(_isIPv6 ? Advertisement(MacB, IPv6B, 6, MacA, IPv6A) : Arp(MacB, IPv4B, IPv4A, MacA));
            }

            Run();
            byte[][] replies = A.Taken(0);
            foreach (byte[] reply in replies)
                Assert.That(reply, Is.EqualTo(_isIPv6 ? Advertisement(MacB, IPv6B, 6, MacA, IPv6A) : Arp(MacB, IPv4B, IPv4A, MacA)));
            return replies.Length;
        }

        public void Dispose()
        {
            A.Dispose();
            _b.Dispose();
        }

        private void Run()
        {
            while (A.Run() + _b.Run() + _network.Deliver() > 0)
            {
            }
        }
    }
}
