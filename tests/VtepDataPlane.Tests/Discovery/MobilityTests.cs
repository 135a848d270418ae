// Stations and addresses of this node: what is claimed, with which sequence, when it is given up, and what freezes.

using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using static VtepDataPlane.Tests.Discovery.TestDirectory;

namespace VtepDataPlane.Tests.Discovery;

public sealed class MobilityTests
{
    private static TestDirectory Started(params DirectoryRecord[] records)
    {
        var directory = new TestDirectory();
        directory.Snapshot([Host(2), Host(3), Floods(2), Floods(3), .. records]);
        return directory;
    }

    [Test]
    public void AStationNobodyClaims_IsClaimedWithSequence0_AndItsAddressWithIt()
    {
        TestDirectory directory = Started();
        directory.Bound("198.19.0.1", Mac(1));
        Assert.That(directory.Published("198.19.0.1"), Is.Null, "the station isn't claimed yet");
        directory.Seen(Mac(1));
        Assert.That((directory.Published(Mac(1)), directory.Published("198.19.0.1")), Is.EqualTo(((uint?)0, "02:00:00:00:00:01 0")));
        Assert.That(directory.NeighborAt("198.19.0.1"), Is.EqualTo("02:00:00:00:00:01 local"));
        Assert.That(directory.StationAt(Mac(1)), Is.Null, "its port has learned it");
    }

    [Test]
    public void AStationThatMovedHere_GetsTheNextSequence_AndTheDirectorysEntryGoes()
    {
        TestDirectory directory = Started(Station(2, 1), Address(2, "198.19.0.1", 1));
        Assert.That(directory.StationAt(Mac(1)), Is.EqualTo("198.18.0.2"));
        directory.Seen(Mac(1));
        Assert.That((directory.Published(Mac(1)), directory.StationAt(Mac(1))), Is.EqualTo(((uint?)1, (string?)null)));
        directory.Put(Station(2, 1, sequence: 0));
        directory.Delete(Station(2, 1), Address(2, "198.19.0.1", 1));
        Assert.That(directory.Published(Mac(1)), Is.EqualTo(1));
    }

    [Test]
    public void AStationThatMovedAway_IsGivenUp_WithItsAddresses()
    {
        TestDirectory directory = Started();
        directory.Seen(Mac(1));
        directory.Bound("198.19.0.1", Mac(1));
        directory.Put(Station(3, 1, sequence: 1), Address(3, "198.19.0.1", 1, sequence: 1));
        Assert.That((directory.Published(Mac(1)), directory.Published("198.19.0.1")), Is.EqualTo(((uint?)null, (string?)null)));
        Assert.That((directory.StationAt(Mac(1)), directory.NeighborAt("198.19.0.1")), Is.EqualTo(("198.18.0.3", "02:00:00:00:00:01")));
    }

    [Test]
    public void AStationThatIsGone_IsWithdrawn_AndComesBackWithItsSequence()
    {
        TestDirectory directory = Started(Station(2, 1, sequence: 4));
        directory.Seen(Mac(1));
        directory.Delete(Station(2, 1));
        directory.Bound("198.19.0.1", Mac(1));
        directory.Gone(Mac(1));
        Assert.That((directory.Published(Mac(1)), directory.Published("198.19.0.1"), directory.NeighborAt("198.19.0.1")), Is.EqualTo(((uint?)null, (string?)null, (string?)null)));
        directory.Seen(Mac(1));
        Assert.That(directory.Published(Mac(1)), Is.EqualTo(5));
    }

    [TestCase(599_999, 8u)]
    [TestCase(600_000, 0u)]
    public void AWithdrawnClaimsSequence_IsRememberedForTenMinutes(long milliseconds, uint expected)
    {
        TestDirectory directory = Started(Station(2, 1, sequence: 7));
        directory.Delete(Station(2, 1));
        directory.Pass(milliseconds);
        directory.Seen(Mac(1));
        Assert.That(directory.Published(Mac(1)), Is.EqualTo(expected));
    }

    [Test]
    public void AClaimOfOurFormerLife_GoesOn()
    {
        TestDirectory directory = Started(Station(0, 1, sequence: 5), Station(2, 1, sequence: 3));
        directory.Seen(Mac(1));
        Assert.That(directory.Published(Mac(1)), Is.EqualTo(5));
    }

    [Test]
    public void AClaimOfOurFormerLife_ThatLostMeanwhile_IsOutbid()
    {
        TestDirectory directory = Started(Station(0, 1, sequence: 5), Station(2, 1, sequence: 6));
        directory.Seen(Mac(1));
        Assert.That(directory.Published(Mac(1)), Is.EqualTo(7));
    }

    [Test]
    public void AStationHeardBeforeTheStoreAnswered_StaysHere_WhenItIsStillHere()
    {
        var directory = new TestDirectory();
        directory.Seen(Mac(1));
        directory.Seen(Mac(2));
        directory.Seen(Mac(3));
        Assert.That(directory.Published(Mac(1)), Is.EqualTo(0));
        directory.Target.Locals.Remove((Vni100, Mac(2)));
        directory.Snapshot(Host(2), Station(2, 1, sequence: 8), Station(2, 2, sequence: 8), Station(0, 3, sequence: 4));
        Assert.That((directory.Published(Mac(1)), directory.Published(Mac(2)), directory.Published(Mac(3))), Is.EqualTo(((uint?)9, (uint?)null, (uint?)4)));
        directory.Put(Station(2, 1, sequence: 10));
        Assert.That(directory.Published(Mac(1)), Is.Null, "from now on the higher sequence decides");
    }

    [Test]
    public void AStationTheDirectoryWithdraws_IsClaimed_WhenItIsHere()
    {
        TestDirectory directory = Started(Station(2, 1, sequence: 3, sticky: true));
        directory.Seen(Mac(1));
        Assert.That((directory.Published(Mac(1)), directory.StationAt(Mac(1))), Is.EqualTo(((uint?)null, "198.18.0.2 sticky")), "a sticky one isn't claimed");
        directory.Delete(Station(2, 1));
        Assert.That((directory.Published(Mac(1)), directory.StationAt(Mac(1))), Is.EqualTo(((uint?)4, (string?)null)));
    }

    [Test]
    public void WithEqualSequences_TheLowestVtepAddressHolds()
    {
        TestDirectory directory = Started();
        directory.Seen(Mac(1));
        directory.Put(Station(3, 1));
        Assert.That((directory.Published(Mac(1)), directory.StationAt(Mac(1))), Is.EqualTo(((uint?)null, "198.18.0.3")), "198.18.0.3 is before 198.18.0.250");
        Assert.That(directory.WhyOf(Station(3, 1)), Is.EqualTo("only claim"));
    }

    [Test]
    public void SequencesEnd_AndAreNotWrapped()
    {
        TestDirectory directory = Started(Station(2, 1, sequence: uint.MaxValue - 1));
        directory.Seen(Mac(1));
        Assert.That(directory.Published(Mac(1)), Is.EqualTo(uint.MaxValue));
        directory.Put(Station(2, 1, sequence: uint.MaxValue));
        directory.Seen(Mac(1));
        Assert.That((directory.Published(Mac(1)), directory.StationAt(Mac(1))), Is.EqualTo(((uint?)null, "198.18.0.2")));
    }

    [Test]
    public void FiveMovesWithinThreeMinutes_FreezeAStation()
    {
        TestDirectory directory = Started(Station(2, 1));
        for (uint sequence = 1; sequence <= 4; sequence++)
        {
            directory.Now += 40_000;
            if (sequence % 2 == 1)
                directory.Seen(Mac(1));
            else
                directory.Put(Station(2, 1, sequence));
        }

        Assert.That(directory.Status().Frozen, Is.Zero);
        directory.Put(Station(3, 1, sequence: 5));
        Assert.That(directory.StationAt(Mac(1)), Is.EqualTo("198.18.0.3 sticky"));
        Assert.That(directory.Status().Frozen, Is.EqualTo(1));
        Assert.That(directory.Reconciler.Warnings(directory.Now), Is.EqualTo(new[]
        {
            "MAC 02:00:00:00:00:01 of VNI 100 moved 5 times in 180 s between h2 and h3: frozen behind h3 for 1800 s more; find the duplicate.",
        }));
    }

    [Test]
    public void AFrozenStation_IsNotClaimed_AndStaysWhereItIs_UntilItThaws()
    {
        TestDirectory directory = Started(Station(2, 1));
        for (uint sequence = 1; sequence <= 5; sequence++)
            directory.Put(Station(sequence % 2 == 1 ? 3 : 2, 1, sequence));
        directory.Seen(Mac(1));
        Assert.That(directory.Published(Mac(1)), Is.Null);
        directory.Put(Station(2, 1, sequence: 9));
        Assert.That((directory.StationAt(Mac(1)), directory.WhyOf(Station(3, 1))), Is.EqualTo(("198.18.0.3 sticky", "frozen")));
        directory.Pass(MoveHistory.FrozenMilliseconds - 1);
        Assert.That(directory.StationAt(Mac(1)), Is.EqualTo("198.18.0.3 sticky"));
        directory.Pass(1);
        Assert.That((directory.StationAt(Mac(1)), directory.Status().Frozen), Is.EqualTo(("198.18.0.2", 0)));
        directory.Seen(Mac(1));
        Assert.That(directory.Published(Mac(1)), Is.EqualTo(10));
    }

    [Test]
    public void MovesFarApart_FreezeNothing()
    {
        TestDirectory directory = Started(Station(2, 1));
        for (uint sequence = 1; sequence <= 50; sequence++)
        {
            directory.Pass(45_001);
            directory.Put(Station(sequence % 2 == 1 ? 3 : 2, 1, sequence));
        }

        Assert.That(directory.Status().Frozen, Is.Zero);
    }

    [Test]
    public void MovesOfMoreStationsThanThereIsRoomFor_AreForgotten()
    {
        var moves = new MoveHistory();
        for (int i = 0; i < MoveHistory.Capacity + 10; i++)
            moves.Add(new LookupKey(Vni100, Mac(i + 1)), "h1", "h2", 0);
        LookupKey last = new(Vni100, Mac(MoveHistory.Capacity + 10));
        for (int i = 0; i < MoveHistory.FreezingMoves; i++)
            moves.Add(last, "h1", "h2", 1);
        Assert.That(moves.FrozenCount, Is.Zero, "no room while the others are fresh");
        for (int i = 0; i < MoveHistory.FreezingMoves; i++)
            moves.Add(last, "h1", "h2", MoveHistory.WindowMilliseconds + 1);
        Assert.That(moves.FrozenOwner(last), Is.EqualTo("h2"));
    }

    [Test]
    public void AnAddressSeenAtAnotherStation_HasMoved()
    {
        TestDirectory directory = Started();
        directory.Seen(Mac(1));
        directory.Seen(Mac(2));
        directory.Bound("198.19.0.1", Mac(1));
        directory.Bound("198.19.0.1", Mac(2));
        Assert.That((directory.Published("198.19.0.1"), directory.NeighborAt("198.19.0.1")), Is.EqualTo(("02:00:00:00:00:02 0", "02:00:00:00:00:02 local")));
        directory.Bound("198.19.0.1", Mac(3));
        Assert.That(directory.Published("198.19.0.1"), Is.Null, "nobody has heard of that station yet");
    }

    [Test]
    public void AnAddressThatMovedHereFromAStationElsewhere_IsClaimedAboveIt()
    {
        TestDirectory directory = Started(Station(2, 1, sequence: 3), Address(2, "198.19.0.1", 1, sequence: 3));
        directory.Seen(Mac(9));
        directory.Bound("198.19.0.1", Mac(9));
        Assert.That((directory.Published("198.19.0.1"), directory.Published(Mac(9))), Is.EqualTo(("02:00:00:00:00:09 4", (uint?)4)));
        Assert.That(directory.NeighborAt("198.19.0.1"), Is.EqualTo("02:00:00:00:00:09 local"));
    }

    [Test]
    public void AnAddressThatMovedAway_IsGivenUp_AndItsStationStays()
    {
        TestDirectory directory = Started();
        directory.Seen(Mac(9));
        directory.Bound("198.19.0.1", Mac(9));
        directory.Put(Station(2, 1, sequence: 1), Address(2, "198.19.0.1", 1, sequence: 1));
        Assert.That((directory.Published("198.19.0.1"), directory.Published(Mac(9))), Is.EqualTo(((string?)null, (uint?)0)));
        Assert.That(directory.NeighborAt("198.19.0.1"), Is.EqualTo("02:00:00:00:00:01"));
    }

    [Test]
    public void AStation_HasAtMost32Addresses()
    {
        TestDirectory directory = Started();
        directory.Seen(Mac(1));
        for (int i = 1; i <= 40; i++)
            directory.Bound($"198.19.0.{i}", Mac(1));
        directory.Bound("fe80::1", Mac(2));
        directory.Seen(Mac(2));
        Assert.That(directory.Target.Neighbors, Has.Count.EqualTo(33));
        Assert.That(directory.NeighborAt("fe80::1"), Is.EqualTo("02:00:00:00:00:02 local"));
    }

    [Test]
    public void WhatCannotBeAStation_OrIsntServed_IsNotClaimed()
    {
        TestDirectory directory = Started();
        int count = directory.Own.Count;
        directory.Reconciler.StationSeen(new VtepDataPlane.Wire.Vni(300), Mac(1), 0);
        directory.Reconciler.StationSeen(Vni100, VtepDataPlane.Wire.MacAddress.Broadcast, 0);
        directory.Reconciler.BindingSeen(Vni100, VtepDataPlane.Wire.InetAddress.Parse("0.0.0.0"), Mac(1), false, 0);
        directory.Seen(Mac(1));
        Assert.That(directory.Own.Count, Is.EqualTo(count + 1));
    }
}
