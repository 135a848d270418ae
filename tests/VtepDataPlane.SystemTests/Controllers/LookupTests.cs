// Lookup mode: the store is asked when a frame needs it, and only then.

using NUnit.Framework;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Controllers;

[Parallelizable(ParallelScope.Self)] // these wait more than they work
internal sealed class LookupTests : ControllerTestBed
{
    [Test]
    public void FirstFrameToAStation_CostsOneQuestion_AndReachesItAlone()
    {
        MakeStore();
        StartThree(null, ("mode", "lookup"), ("floodUnknown", false), ("lookupTimeout", 5000));
        Announce(Vteps[1], Anna);
        Announce(Vteps[0], Berta);
        Wait.Until("both are published", () => Etcd.Value($"{Prefix}/s/h2/mac/{Vni}/{Anna}") is not null && Etcd.Value($"{Prefix}/s/h1/mac/{Vni}/{Berta}") is not null);
        Wait.Until("it has been asked whether somebody else claims the stations here, Berta and the TAP itself", () => Asked() == 2, 5, () => Controller(Vteps[0]).ToJsonString());
        Assert.That(Vteps[0].Fdb(Anna), Is.Empty, "not known before it is needed");
        using var sender = new RawSocket(Vteps[0].Station);
        using var receiver = new RawSocket(Vteps[1].Station);
        using var third = new RawSocket(Vteps[2].Station);
        long asked = Asked();
        byte[] frame = RawFrame.Probe(Anna, Berta, "to somebody unknown");

        for (int i = 0; i < 5; i++)
            sender.Send(frame);

        Assert.That(receiver.CountCopies(frame, 5), Is.EqualTo(5));
        Assert.That(third.CountCopies(frame, 0), Is.Zero, "nothing is flooded");
        Assert.That(Asked() - asked, Is.EqualTo(1), "questions, however many frames wait");
        Assert.That(Vteps[0].Fdb(Anna), Is.EqualTo(new[] { Behind(Vteps[1]) }));
    }

    [Test]
    public void StationNobodyKnows_IsDroppedOrFlooded_AsTheDomainSays()
    {
        MakeStore();
        StartThree(null, ("mode", "lookup"), ("floodUnknown", false), ("lookupTimeout", 5000));
        using var sender = new RawSocket(Vteps[0].Station);
        sender.Send(RawFrame.Probe(Anna, Berta, "to nobody"));
        Wait.Until("it is dropped", () => Vteps[0].Drops("station_unknown") == 1, 5, () => Vteps[0].Show("counters").ToJsonString());
    }

    [Test]
    public void PingInLookupMode_FindsTheAddressByOneQuestion()
    {
        MakeStore();
        StartThree(null, ("mode", "lookup"), ("floodUnknown", false), ("lookupTimeout", 5000));
        Ping.Run(Vteps[1].Station, System.Net.IPAddress.Parse("198.19.0.250"), count: 1); // its request tells the VTEP its address
        Ping.Run(Vteps[0].Station, System.Net.IPAddress.Parse("198.19.0.251"), count: 1);
        Wait.Until("the addresses are published", () => Etcd.Value($"{Prefix}/s/h2/ip/{Vni}/{Vteps[1].Station.Address4}") is not null
            && Etcd.Value($"{Prefix}/s/h1/ip/{Vni}/{Vteps[0].Station.Address4}") is not null);

        PingResult result = Ping.Run(Vteps[0].Station, Vteps[1].Station.Address4);

        Assert.That((result.Received, result.Duplicates), Is.EqualTo((5, 0)), result.Text);
        WaitUntilNoDifference();
    }

    [Test]
    public void StoreAway_WhatWasFoundIsUsedOn()
    {
        MakeStore();
        StartThree(null, ("mode", "lookup"), ("positiveSeconds", 1));
        AnnounceStoreTrouble();
        Ping.UntilReached(Vteps[0].Station, Vteps[1].Station.Address4);
        BackgroundProcess ping = Ping.Start(Vteps[0].Station, Vteps[1].Station.Address4, 0.01);
        Etcd.Kill();
        WaitUntilState(Vteps[0], "degraded");
        long unanswered = (long)Controller(Vteps[0])["lookupsUnanswered"]!;
        Wait.Until("answers have become too old, and couldn't be renewed", () => (long)Controller(Vteps[0])["lookupsUnanswered"]! > unanswered, 10,
            () => Controller(Vteps[0]).ToJsonString());
        AssertNothingLost(ping, "an outage longer than answers are good for");
        Etcd.Restart();
    }

    private long Asked() => (long)Controller(Vteps[0])["lookups"]!;
}
