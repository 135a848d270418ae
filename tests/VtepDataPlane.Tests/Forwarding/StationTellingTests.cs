// What a lane tells the control loop in a domain with a controller: stations behind our ports, their addresses, and frames that contradict the directory.

using NUnit.Framework;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;
using static VtepDataPlane.Tests.NeighborFrames;
using static VtepDataPlane.Tests.Network.TestNetwork;
using static VtepDataPlane.Tests.TestFrames;

namespace VtepDataPlane.Tests.Forwarding;

public sealed class StationTellingTests
{
    private const string A = "198.18.0.1", B = "198.18.0.2", C = "198.18.0.3";
    private static readonly MacAddress s_macC = MacAddress.Parse("02:00:00:00:00:0c");

    private readonly MemoryNetwork _network = new();
    private ControllerBench _bench = null!;

    [SetUp]
    public void SetUp() => _bench = new ControllerBench(new MemoryHost(_network, InetAddress.Parse(A)), A, ["a1", "a2"], B, C);

    [TearDown]
    public void TearDown() => _bench.Dispose();

    private void InjectFrom(string vtep, byte[] frame)
    {
        var outer = new OuterHeader { Remote = new VtepEndpoint(InetAddress.Parse(A), 4789) };
        _network.Send(new MemoryDatagram(new VtepEndpoint(InetAddress.Parse(vtep), 50_000), outer, Vxlan(100, frame)));
        _network.Deliver();
        _bench.Run();
    }

    // --- stations ---

    [Test]
    public void StationBehindAPort_IsToldWhenItIsNew_AndWhenItMoves()
    {
        _bench.Inject(0, Udp(MacA, MacB));
        Assert.That(_bench.Events(), Is.EqualTo(new[] { $"Seen {MacA}" }));
        _bench.Inject(0, Udp(MacA, MacB));
        _bench.Now += 5000;
        _bench.Inject(0, Udp(MacA, MacB));
        Assert.That(_bench.Events(), Is.Empty, "known, and refreshed");
        _bench.Inject(1, Udp(MacA, MacB));
        Assert.That(_bench.Events(), Is.EqualTo(new[] { $"Seen {MacA}" }));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void StationBehindAVtep_IsNotTold_LearnedOrNot(bool learnsFromPeers)
    {
        _bench.Policy = ControllerBench.Suppressing with { LearnsFromPeers = learnsFromPeers };
        InjectFrom(B, Udp(MacB, MacA));
        Assert.That(_bench.Events(), Is.Empty);
        Assert.That(_bench.Fdb.Lookup(ControllerBench.Domain, MacB).IsMiss, Is.EqualTo(!learnsFromPeers));
    }

    [Test]
    public void StationThatComesHere_TakesItsEntryFromTheDirectory_AndIsTold()
    {
        _bench.Tell(MacA, peer: 0);
        _bench.Inject(0, Udp(MacA, MacB));
        Assert.That(_bench.Events(), Is.EqualTo(new[] { $"Seen {MacA}" }));
        Assert.That(_bench.Fdb.Lookup(ControllerBench.Domain, MacA), Is.EqualTo(FdbTarget.LearnedLocal(0)));
    }

    [Test]
    public void StickyStation_CanNotSpeakFromElsewhere()
    {
        _bench.Tell(MacA, peer: 0, FdbKind.StickyRemote);
        _bench.Inject(0, Udp(MacA, MacB));
        InjectFrom(C, Udp(MacA, MacB));
        Assert.That(_bench.Drops(DropReason.EntryExists), Is.EqualTo(2));
        Assert.That(_bench.Events(), Is.Empty);
        InjectFrom(B, Udp(MacA, MacB));
        Assert.That(_bench.Memory(0).TakeAll(), Has.Count.EqualTo(1), "from where it is, it may");
    }

    [Test]
    public void WhereNothingIsLearned_NobodyIsTold_AndTheDirectoryHasTheWord()
    {
        _bench.Learning = false;
        _bench.Inject(0, Udp(s_macC, MacB));
        _bench.Tell(MacA, peer: 0);
        _bench.Inject(0, Udp(MacA, MacB));
        Assert.That(_bench.Drops(DropReason.EntryExists), Is.EqualTo(1));
        Assert.That(_bench.Events(), Is.Empty);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void FrameFromAnotherVtepThanTheDirectorySays_Passes_AndIsToldOnceASecond(bool learnsFromPeers)
    {
        _bench.Policy = ControllerBench.Suppressing with { LearnsFromPeers = learnsFromPeers };
        _bench.Tell(MacB, peer: 0);
        for (int i = 0; i < 5; i++)
            InjectFrom(C, Udp(MacB, MacA));
        Assert.That(_bench.Events(), Is.EqualTo(new[] { $"Contradicted {MacB}" }));
        _bench.Now += 1000;
        InjectFrom(C, Udp(MacB, MacA));
        Assert.That(_bench.Events(), Is.EqualTo(new[] { $"Contradicted {MacB}" }));
        Assert.That(_bench.Memory(0).TakeAll(), Has.Count.EqualTo(6));
        Assert.That(_bench.Fdb.Lookup(ControllerBench.Domain, MacB).Id, Is.EqualTo(_bench.Peer(0)));
    }

    [Test]
    public void FrameFromAVtepInTheNameOfAStationOfOurs_PassesWithoutLearning()
    {
        _bench.Inject(0, Udp(MacA, MacB));
        _bench.Events();
        InjectFrom(B, Udp(MacA, MacB));
        Assert.That(_bench.Fdb.Lookup(ControllerBench.Domain, MacA), Is.EqualTo(FdbTarget.LearnedLocal(0)));
        Assert.That(_bench.Events(), Is.Empty);
        Assert.That(_bench.Memory(1).TakeAll(), Has.Count.EqualTo(2));
    }

    [Test]
    public void FramesOfAStationTheDirectoryTold_KeepItsEntryFresh()
    {
        _bench.Tell(MacB, peer: 0);
        _bench.Now += 7000;
        InjectFrom(B, Udp(MacB, MacA));
        Assert.That(_bench.Fdb.TryGet(ControllerBench.Domain, MacB, out FdbEntry entry), Is.True);
        Assert.That(entry.LastSeen, Is.EqualTo(_bench.Seconds));
    }

    // --- bindings ---

    private static IEnumerable<TestCaseData> Frames()
    {
        string a = $"Bound {MacA} {IPv4A}", a6 = $"Bound {MacA} {IPv6A}";
        return
        [
            Named("a request", Arp(), a),
            Named("a reply", Arp(targetMac: MacB), a),
            Named("a gratuitous request", Arp(targetIp: IPv4A), a),
            Named("a gratuitous reply", Arp(targetIp: IPv4A, targetMac: MacA, destination: MacAddress.Broadcast), a),
            Named("a solicitation", Solicitation(MacA, IPv6A, IPv6B), a6),
            Named("a solicitation of one station", Solicitation(MacA, IPv6A, IPv6B, destination: MacB), a6),
            Named("an unsolicited advertisement", Advertisement(MacA, IPv6A, 2), a6),
            Named("a router's advertisement", Advertisement(MacA, IPv6A, 8 + 2), a6 + " router"),
            Named("an answer", Advertisement(MacA, IPv6A, 4 + 2, MacB, IPv6B), a6),
            Named("an advertisement without a MAC", Advertisement(MacA, IPv6A, 2, options: []), a6),
            Named("a link-local address", Advertisement(MacA, "fe80::a", 2), $"Bound {MacA} fe80::a"),
            Named("a probe", Arp(sourceIp: "0.0.0.0"), null),
            Named("a broadcast address", Arp(sourceIp: "255.255.255.255"), null),
            Named("a loopback address", Arp(sourceIp: "127.0.0.1"), null),
            Named("a tagged request", Arp(vlans: [7]), null),
            Named("another's MAC in ARP", [.. Arp()[..6], .. Arp(s_macC)[6..12], .. Arp()[12..]], null),
            Named("another's MAC in a solicitation", Solicitation(MacA, IPv6A, IPv6B, options: Option(1, s_macC)), null),
            Named("another's MAC in an advertisement", Advertisement(MacA, IPv6A, 2, options: Option(2, s_macC)), null),
            Named("a solicitation without a MAC", Solicitation(MacA, IPv6A, IPv6B, options: []), null),
            Named("a search for duplicates", Solicitation(MacA, "::", IPv6A), null),
            Named("a solicitation a router has passed on", Solicitation(MacA, IPv6A, IPv6B, hopLimit: 64), null),
            Named("an option of length 0", Advertisement(MacA, IPv6A, 2, options: [2, 0, 2, 0, 0, 0, 0, 10]), null),
            Named("a ping", IcmpEcho(sourceIp: IPv6A, destinationIp: IPv6B), null),
            Named("data", Udp(), null),
        ];
    }

    private static TestCaseData Named(string name, byte[] frame, string? told) => new TestCaseData(frame, told).SetArgDisplayNames(name);

    [TestCaseSource(nameof(Frames))]
    public void WhatAStationSaysOfItself_IsTold_AndForwarded(byte[] frame, string? told)
    {
        foreach (bool suppresses in new[] { true, false })
        {
            _bench.Policy = ControllerBench.Suppressing with { SuppressesNeighbors = suppresses };
            _bench.Inject(0, frame);
            Assert.That(_bench.Events().Where(text => !text.StartsWith("Seen", StringComparison.Ordinal)), Is.EqualTo(told is null ? [] : new[] { told }));
            Assert.That(_bench.Memory(1).TakeAll().Single().Bytes, Is.EqualTo(frame));
        }
    }

    [TestCaseSource(nameof(Frames))]
    public void WhatAStationBehindAVtepSaysOfItself_IsItsVtepsToTell(byte[] frame, string? told)
    {
        InjectFrom(B, frame);
        Assert.That(_bench.Events(), Is.Empty, told);
    }

    [Test]
    public void BindingThatIsKnownAsItIs_IsNotToldAgain()
    {
        _bench.Tell(IPv4A, MacA, isLocal: true);
        _bench.Tell(IPv6A, MacA, isRouter: true, isLocal: true);
        _bench.Inject(0, Udp(MacA, MacB));
        _bench.Events();

        _bench.Inject(0, Arp());
        _bench.Inject(0, Advertisement(MacA, IPv6A, 8 + 2));
        _bench.Inject(0, Solicitation(MacA, IPv6A, IPv6B));
        Assert.That(_bench.Events(), Is.Empty, "a solicitation doesn't say that it is no router any more");
        _bench.Inject(0, Advertisement(MacA, IPv6A, 2));
        Assert.That(_bench.Events(), Is.EqualTo(new[] { $"Bound {MacA} {IPv6A}" }));
    }

    [TestCase(false, "02:00:00:00:00:0a", TestName = "it was behind a VTEP")]
    [TestCase(true, "02:00:00:00:00:0c", TestName = "it was at another MAC")]
    public void BindingThatChanged_IsTold(bool isLocal, string mac)
    {
        _bench.Tell(IPv4A, MacAddress.Parse(mac), isLocal: isLocal);
        _bench.Inject(0, Arp(targetIp: IPv4A));
        Assert.That(_bench.Events(), Does.Contain($"Bound {MacA} {IPv4A}"));
    }

    // --- leases ---

    [Test]
    public void LeaseOfAStationOfOurs_IsTold_WhereverTheServerIs([Values] bool isServerHere, [Values] bool isUnfinished)
    {
        _bench.Inject(0, Udp(MacA, MacB));
        byte[] lease = Dhcp(s_macC, MacA, IPv4A, checksum: isUnfinished ? TestChecksum.Partial : TestChecksum.Right);
        if (isServerHere)
            _bench.Inject(1, lease, isUnfinished ? new OffloadInfo { NeedsChecksum = true, ChecksumStart = 34, ChecksumOffset = 6 } : default);
        else
            InjectFrom(B, lease);
        Assert.That(_bench.Events(), Does.Contain($"Bound {MacA} {IPv4A}"));
        Assert.That(_bench.Memory(0).TakeAll(), Has.Count.EqualTo(1), "and the station gets it");
        _bench.Tell(IPv4A, MacA, isLocal: true);
        InjectFrom(B, lease);
        Assert.That(_bench.Events(), Is.Empty);
    }

    private static IEnumerable<TestCaseData> OtherLeases() =>
    [
        Named("an offer", Dhcp(s_macC, MacA, IPv4A, type: 2), null),
        Named("a refusal", Dhcp(s_macC, MacA, IPv4A, type: 6), null),
        Named("configuration without an address", Dhcp(s_macC, MacA, "0.0.0.0"), null),
        Named("a client behind a VTEP", Dhcp(s_macC, MacB, IPv4B), null),
        Named("a wrong checksum", Dhcp(s_macC, MacA, IPv4A, checksum: TestChecksum.Wrong), null),
        Named("other ports", Udp(s_macC, MacA, sourcePort: 67, destinationPort: 67, payload: DhcpMessage(MacA, IPv4A, 5)), null),
        Named("a message cut short", Udp(s_macC, MacA, sourcePort: 67, destinationPort: 68, payload: DhcpMessage(MacA, IPv4A, 5)[..245]), null),
        Named("a fragment", Ip(17, Udp(s_macC, MacA, sourcePort: 67, destinationPort: 68, payload: DhcpMessage(MacA, IPv4A, 5))[34..], s_macC, MacA, moreFragments: true), null),
    ];

    [TestCaseSource(nameof(OtherLeases))]
    public void OtherMessages_AreNoLease(byte[] frame, string? told)
    {
        _bench.Inject(0, Udp(MacA, MacB));
        _bench.Tell(MacB, peer: 0);
        _bench.Events();
        InjectFrom(B, frame);
        Assert.That(_bench.Events(), Is.Empty, told);
    }
}
