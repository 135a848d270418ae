// Three VTEPs that find each other through a real etcd, and what they do when it, or one of them, goes wrong.

using System.Text.Json.Nodes;
using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Operation;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Controllers;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class EtcdTests : ControllerTestBed
{
    [Test]
    public void KnownStation_IsReachedWithoutAFloodedFrame()
    {
        MakeStore();
        StartThree();
        foreach (VtepProcess vtep in Vteps)
            Ping.Run(vtep.Station, System.Net.IPAddress.Parse("198.19.0.250"), count: 1); // nobody's address: the request is heard by the VTEP
        (VtepProcess a, VtepProcess b, VtepProcess c) = (Vteps[0], Vteps[1], Vteps[2]);
        WaitUntilFdb(a, b.Station.Mac, Behind(b));
        WaitUntilFdb(b, a.Station.Mac, Behind(a));
        Wait.Until("a knows b's address", () => HasNeighbor(a, b.Station.Address4.ToString()), 5, () => a.Show("neighbors").ToJsonString());
        Wait.Until("b knows a's address", () => HasNeighbor(b, a.Station.Address4.ToString()), 5, () => b.Show("neighbors").ToJsonString());
        WaitUntilNoDifference();
        long before = FromUnderlay(c);

        PingResult result = Ping.Run(a.Station, b.Station.Address4);

        Assert.That((result.Received, result.Duplicates), Is.EqualTo((5, 0)), result.Text);
        Assert.That(FromUnderlay(c), Is.EqualTo(before), "frames the third VTEP got: it is asked for nothing");
        Assert.That(a.Drops("neighbor_answered"), Is.GreaterThanOrEqualTo(1), "requests answered on the spot");
    }

    [Test]
    public void StationThatMoves_IsFoundAtItsNewPlace_ByAHigherSequence()
    {
        MakeStore();
        StartThree();
        Announce(Vteps[2], Anna);
        WaitUntilFdb(Vteps[0], Anna, Behind(Vteps[2]));

        Announce(Vteps[1], Anna);

        Report("a moved station is found", WaitUntilFdb(Vteps[0], Anna, Behind(Vteps[1]), seconds: 1));
        WaitUntilFdb(Vteps[1], Anna, "local tap-blue");
        WaitUntilFdb(Vteps[2], Anna, Behind(Vteps[1]));
        WaitUntilNoDifference();
        Assert.That((int?)Etcd.Value($"{Prefix}/s/h2/mac/{Vni}/{Anna}")?["seq"], Is.EqualTo(1));
        Assert.That(Etcd.Value($"{Prefix}/s/h3/mac/{Vni}/{Anna}"), Is.Null, "the loser's claim");
    }

    [Test]
    public void NodeThatIsKilled_IsForgottenWithItsLease_AndTrafficToOthersIsUntouched()
    {
        MakeStore();
        StartThree(Main(leaseSeconds: 5));
        Announce(Vteps[2], Anna);
        WaitUntilFdb(Vteps[0], Anna, Behind(Vteps[2]));
        Ping.UntilReached(Vteps[0].Station, Vteps[1].Station.Address4);
        BackgroundProcess ping = Ping.Start(Vteps[0].Station, Vteps[1].Station.Address4, 0.01);

        Kill(Vteps[2]);
        Vteps = [Vteps[0], Vteps[1]];

        TimeSpan time = Wait.Until("its records are gone", () => FloodList(Vteps[0]) == 1 && Vteps[0].Fdb(Anna).Count == 0, 20);
        Report("a killed node is forgotten", time);
        Assert.That(Etcd.Keys($"{Prefix}/n/h3/").Concat(Etcd.Keys($"{Prefix}/s/h3/")), Is.Empty);
        AssertNothingLost(ping, "the death of another node");
        WaitUntilNoDifference();
    }

    [Test]
    public void EtcdKilledAndRestarted_FramesFlowOn_AndWhatHappenedMeanwhileIsPublished()
    {
        MakeStore();
        StartThree();
        AnnounceStoreTrouble();
        Ping.UntilReached(Vteps[0].Station, Vteps[1].Station.Address4);
        BackgroundProcess ping = Ping.Start(Vteps[0].Station, Vteps[1].Station.Address4, 0.01);

        Etcd.Kill();
        WaitUntilState(Vteps[0], "degraded");
        Announce(Vteps[2], Anna);
        Wait.Until("it waits to be published", () => (int)Controller(Vteps[2])["publishPending"]! > 0, 5);
        Etcd.Restart();

        Report("connected again", WaitUntilState(Vteps[0], "connected"));
        WaitUntilFdb(Vteps[0], Anna, Behind(Vteps[2]), seconds: 10);
        AssertNothingLost(ping, "an outage of the store");
        Report("no difference", WaitUntilNoDifference());
    }

    [Test]
    public void EtcdWiped_EveryNodePublishesAnew_AndNothingIsLost()
    {
        MakeStore();
        StartThree();
        AnnounceStoreTrouble();
        Announce(Vteps[2], Anna);
        WaitUntilFdb(Vteps[0], Anna, Behind(Vteps[2]));
        Ping.UntilReached(Vteps[0].Station, Vteps[1].Station.Address4);
        BackgroundProcess ping = Ping.Start(Vteps[0].Station, Vteps[1].Station.Address4, 0.01);

        Etcd.Kill();
        Etcd.Wipe();
        Etcd.Restart();

        Report("everything is published anew", Wait.Until("the store is full again",
            () => Etcd.Keys($"{Prefix}/n/").Count == 6 && Etcd.Value($"{Prefix}/s/h3/mac/{Vni}/{Anna}") is not null, 20, () => Vteps[0].Show("status").ToJsonString()));
        WaitUntilNoDifference(45);
        WaitUntilFdb(Vteps[0], Anna, Behind(Vteps[2]));
        AssertNothingLost(ping, "the loss of all data");
    }

    [Test]
    public void EtcdRestoredToAnOlderRevision_IsReadAnew_AndBroughtUpToDate()
    {
        MakeStore();
        StartThree();
        AnnounceStoreTrouble();
        string saved = Etcd.Save();
        Announce(Vteps[2], Anna);
        WaitUntilFdb(Vteps[0], Anna, Behind(Vteps[2]));
        Ping.UntilReached(Vteps[0].Station, Vteps[1].Station.Address4);
        BackgroundProcess ping = Ping.Start(Vteps[0].Station, Vteps[1].Station.Address4, 0.01);

        Etcd.Kill();
        Etcd.Restore(saved);
        Etcd.Restart();

        Wait.Until("what the old state lacks is published again", () => Etcd.Value($"{Prefix}/s/h3/mac/{Vni}/{Anna}") is not null, 20,
            () => Vteps[2].Show("status").ToJsonString());
        WaitUntilNoDifference(45);
        Announce(Vteps[1], Berta);
        WaitUntilFdb(Vteps[0], Berta, Behind(Vteps[1]), seconds: 10);
        AssertNothingLost(ping, "a restore");
    }

    [Test]
    public void NodeCutOffFromTheStore_ForwardsOn_AndCatchesUp()
    {
        MakeStore();
        StartThree();
        AnnounceStoreTrouble();
        Ping.UntilReached(Vteps[0].Station, Vteps[1].Station.Address4);
        BackgroundProcess ping = Ping.Start(Vteps[0].Station, Vteps[1].Station.Address4, 0.01);

        Lab.Hosts[0].Namespace.Exec("nft", "add table inet cut; add chain inet cut out { type filter hook output priority 0; }; "
            + $"add rule inet cut out ip daddr {StoreHost.Underlay} drop");
        WaitUntilState(Vteps[0], "degraded", seconds: 30);
        Announce(Vteps[0], Anna);
        Announce(Vteps[2], Berta);
        WaitUntilFdb(Vteps[1], Berta, Behind(Vteps[2]));
        Lab.Hosts[0].Namespace.Exec("nft", "delete table inet cut");

        WaitUntilFdb(Vteps[1], Anna, Behind(Vteps[0]), seconds: 20);
        WaitUntilFdb(Vteps[0], Berta, Behind(Vteps[2]), seconds: 20);
        AssertNothingLost(ping, "a partition");
        WaitUntilNoDifference();
    }

    [Test]
    public void StoreCompactedAllTheTimeUnderChurn_NobodyMissesAChange()
    {
        MakeStore();
        StartThree();
        AnnounceStoreTrouble();
        using var socket = new RawSocket(Vteps[2].Station);
        for (int round = 0; round < 20; round++)
        {
            for (int i = 0; i < 10; i++)
                socket.Send(RawFrame.Probe(RawFrame.Broadcast, $"02:00:00:00:{round:x2}:{i:x2}", "churn"));
            Etcd.Compact();
        }

        int Told(VtepProcess vtep) => vtep.Show("fdb").AsArray().Count(entry =>
            (string?)entry!["kind"] == "directory" && ((string?)entry["mac"])!.StartsWith("02:00:00:00:", StringComparison.Ordinal));
        Wait.Until("every change has arrived", () => Told(Vteps[0]) == 200 && Told(Vteps[1]) == 200, 15, () => $"{Told(Vteps[0])} and {Told(Vteps[1])} of 200");
        WaitUntilNoDifference();
    }

    [Test]
    public void RestartedNode_ForwardsByWhatItKnew_BeforeTheStoreIsBack()
    {
        MakeStore();
        LabController main = Main();
        Vteps = [.. Lab.Hosts.Take(3).Select(host => Start(host, WithLastingMac(Domain(main), host)))];
        WaitUntilAcquainted();
        AnnounceStoreTrouble();
        Announce(Vteps[2], Anna);
        WaitUntilFdb(Vteps[0], Anna, Behind(Vteps[2]));
        Wait.Until("it is on disk", () => File.Exists(Vteps[0].CacheFile) && File.ReadAllText(Vteps[0].CacheFile).Contains(Anna, StringComparison.Ordinal), 10);
        Etcd.Kill();
        WaitUntilState(Vteps[0], "degraded");

        Vteps[0].Restart();

        WaitUntilFdb(Vteps[0], Anna, Behind(Vteps[2]));
        Assert.That((bool)Controller(Vteps[0])["fromCache"]!, Is.True);
        Ping.UntilReached(Vteps[0].Station, Vteps[1].Station.Address4);
        Etcd.Restart();
        WaitUntilState(Vteps[0], "connected", seconds: 20);
        WaitUntilNoDifference(45);
    }

    [Test]
    public void SuspendedNode_TakesUpItsLeaseAgain_AndPublishesEverythingAnew()
    {
        MakeStore();
        StartThree(Main(leaseSeconds: 5));
        AnnounceStoreTrouble();
        Announce(Vteps[2], Anna);
        WaitUntilFdb(Vteps[0], Anna, Behind(Vteps[2]));

        Vteps[2].Signal("STOP");
        Wait.Until("its lease has ended", () => Etcd.Keys($"{Prefix}/n/h3/").Count == 0, 20);
        Vteps[2].Signal("CONT");

        Report("published anew", Wait.Until("it is published anew",
            () => Etcd.Keys($"{Prefix}/n/h3/").Count == 2 && Etcd.Value($"{Prefix}/s/h3/mac/{Vni}/{Anna}") is not null, 15));
        WaitUntilNoDifference();
    }

    [Test]
    public void NativeBuild_TakesPartLikeTheOthers()
    {
        MakeStore();
        LabController main = Main();
        Vteps = [Start(Lab.Hosts[0], NativeProgram.Executable, Domain(main)), Start(Lab.Hosts[1], Domain(main))];
        WaitUntilAcquainted();
        Announce(Vteps[0], Anna);
        Announce(Vteps[1], Berta);
        WaitUntilFdb(Vteps[1], Anna, Behind(Vteps[0]));
        WaitUntilFdb(Vteps[0], Berta, Behind(Vteps[1]));
        Ping.UntilReached(Vteps[0].Station, Vteps[1].Station.Address4);
        WaitUntilNoDifference();
    }

    // A TAP that is made anew would have another MAC otherwise, and the old one's record would stay for its time of grace.
    private static LabDomain WithLastingMac(LabDomain domain, LabHost host) => domain with
    {
        PortKeys = new Dictionary<string, JsonNode> { ["mac"] = $"02:00:00:02:00:0{host.Number}" },
    };

    private static bool HasNeighbor(VtepProcess vtep, string address) =>
        vtep.Show("neighbors").AsArray().Any(neighbor => (string?)neighbor!["address"] == address);

    private static long FromUnderlay(VtepProcess vtep) => (long)vtep.Show("domains")[0]!["fromUnderlay"]!;
}
