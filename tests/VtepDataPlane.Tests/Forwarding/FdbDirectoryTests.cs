// The rules of the FDB for entries a directory told: who may overrule them, who gives way to them, and what their time means.

using NUnit.Framework;
using VtepDataPlane.Forwarding;

namespace VtepDataPlane.Tests.Forwarding;

public partial class FdbTests
{
    [Test]
    public void StationThatSpeaksBehindOurPort_WinsOverTheDirectory()
    {
        Fdb fdb = NewFdb();
        fdb.TryAdd(Domain, s_mac, s_directoryVtep3, replace: false);
        Assert.That(fdb.Learn(Domain, s_mac, s_port3, 100, NoLimit), Is.EqualTo(LearnResult.Moved), "port 3 is not VTEP 3");
        Assert.That(Entries(fdb), Is.EqualTo(new[] { new FdbEntry(Domain, s_mac, s_port3, 100) }));
        Assert.That((fdb.CountOf(Domain), fdb.LearnedCountOf(Domain)), Is.EqualTo((1, 1)));
    }

    [Test]
    public void StationThatSpeaksBehindOurPort_ComesUnderTheDomainLimit()
    {
        Fdb fdb = NewFdb();
        fdb.TryAdd(Domain, s_mac, s_directoryVtep3, replace: false);
        fdb.Learn(Domain, Mac(2), s_port3, 100, 1);
        Assert.That(fdb.Learn(Domain, s_mac, s_port3, 100, 1), Is.EqualTo(LearnResult.LimitReached));
        Assert.That(fdb.Lookup(Domain, s_mac), Is.EqualTo(s_directoryVtep3));
        Assert.That((fdb.CountOf(Domain), fdb.LearnedCountOf(Domain)), Is.EqualTo((2, 1)));
    }

    [Test]
    public void StickyEntry_ConflictsWithEveryOtherPlace()
    {
        Fdb fdb = NewFdb();
        fdb.TryAdd(Domain, s_mac, s_stickyVtep3, replace: false);
        Assert.That(fdb.Learn(Domain, s_mac, s_port3, 100, NoLimit), Is.EqualTo(LearnResult.Conflict));
        Assert.That(fdb.Learn(Domain, s_mac, s_vtep4, 100, NoLimit), Is.EqualTo(LearnResult.Conflict));
        Assert.That(Check(fdb, s_port3, 100), Is.EqualTo(LearnResult.Conflict));
        Assert.That(Check(fdb, s_vtep4, 100), Is.EqualTo(LearnResult.Conflict));
        Assert.That(Entries(fdb), Is.EqualTo(new[] { new FdbEntry(Domain, s_mac, s_stickyVtep3, 0) }));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void FrameFromAnotherVtepThanTheDirectorySays_ChangesNothing_AndIsReportedOnceASecond(bool learns)
    {
        Fdb fdb = NewFdb();
        fdb.TryAdd(Domain, s_mac, s_directoryVtep3, replace: false);
        LearnResult Hear(uint now) => learns ? fdb.Learn(Domain, s_mac, s_vtep4, now, NoLimit) : Check(fdb, s_vtep4, now);

        LearnResult[] results = [Hear(100), Hear(100), Hear(99), Hear(101), Hear(101)];
        Assert.That(results, Is.EqualTo(new[]
        {
            LearnResult.Contradicted, LearnResult.Unchanged, LearnResult.Unchanged, LearnResult.Contradicted, LearnResult.Unchanged,
        }));
        Assert.That(fdb.Lookup(Domain, s_mac), Is.EqualTo(s_directoryVtep3));
    }

    [TestCase((int)FdbKind.DirectoryRemote, true)]
    [TestCase((int)FdbKind.DirectoryRemote, false)]
    [TestCase((int)FdbKind.StickyRemote, true)]
    [TestCase((int)FdbKind.StickyRemote, false)]
    public void FrameFromWhereTheDirectorySays_RefreshesTheEntryOnceASecond(int kind, bool learns)
    {
        Fdb fdb = NewFdb();
        var told = new FdbTarget((FdbKind)kind, 3);
        fdb.TryAdd(Domain, s_mac, told, replace: false);
        LearnResult Hear(uint now) => learns ? fdb.Learn(Domain, s_mac, s_vtep3, now, NoLimit) : Check(fdb, s_vtep3, now);

        LearnResult[] results = [Hear(100), Hear(100), Hear(99), Hear(105)];
        Assert.That(results, Is.EqualTo(new[] { LearnResult.Refreshed, LearnResult.Unchanged, LearnResult.Unchanged, LearnResult.Refreshed }));
        Assert.That(Entries(fdb), Is.EqualTo(new[] { new FdbEntry(Domain, s_mac, told, 105) }));
        Assert.That((fdb.CountOf(Domain), fdb.LearnedCountOf(Domain)), Is.EqualTo((1, 0)));
    }

    [Test]
    public void WhereNothingIsLearned_AStationOfOursAtADirectorysMac_IsAConflict()
    {
        Fdb fdb = NewFdb();
        fdb.TryAdd(Domain, s_mac, s_directoryVtep3, replace: false);
        Assert.That(Check(fdb, s_port3, 100), Is.EqualTo(LearnResult.Conflict));
    }

    [Test]
    public void Check_PassesWhatIsLearned_AndProtectsWhatIsFixed()
    {
        Fdb fdb = NewFdb();
        Assert.That(Check(fdb, s_vtep4, 100), Is.EqualTo(LearnResult.Unchanged), "nobody knows it");
        fdb.Learn(Domain, s_mac, s_port3, 100, NoLimit);
        Assert.That(Check(fdb, s_vtep4, 200), Is.EqualTo(LearnResult.Unchanged));
        Assert.That(Entries(fdb).Single(), Is.EqualTo(new FdbEntry(Domain, s_mac, s_port3, 100)), "neither moved nor refreshed");
        fdb.TryAdd(Domain, s_mac, s_staticVtep3, replace: false);
        Assert.That(Check(fdb, s_vtep3, 200), Is.EqualTo(LearnResult.Unchanged));
        Assert.That(Check(fdb, s_vtep4, 200), Is.EqualTo(LearnResult.Conflict));
        fdb.TryAdd(Domain, s_mac, s_ownPort3, replace: false);
        Assert.That(Check(fdb, s_port3, 200), Is.EqualTo(LearnResult.Unchanged));
        Assert.That(Check(fdb, s_vtep3, 200), Is.EqualTo(LearnResult.OwnMac));
    }

    [Test]
    public void DirectoryEntry_GivesWayToTheOperatorAndToTheDirectory_WithoutBeingAskedTo()
    {
        foreach (FdbTarget next in new[] { s_directoryVtep4, s_stickyVtep3, s_staticVtep4, s_staticPort3, s_ownPort3 })
        {
            foreach (FdbTarget told in new[] { s_directoryVtep3, new FdbTarget(FdbKind.StickyRemote, 4) })
            {
                Fdb fdb = NewFdb();
                fdb.TryAdd(Domain, s_mac, told, replace: false);
                Assert.That(fdb.TryAdd(Domain, s_mac, next, replace: false), Is.EqualTo(FdbAddResult.Added));
                Assert.That(Entries(fdb), Is.EqualTo(new[] { new FdbEntry(Domain, s_mac, next, 0) }));
            }
        }
    }

    [Test]
    public void WhatTheOperatorFixed_AndOurOwnMacs_AreNotTheDirectorysToReplace()
    {
        foreach (FdbTarget kept in new[] { s_staticPort3, s_staticVtep4, s_ownPort3 })
        {
            Fdb fdb = NewFdb();
            fdb.TryAdd(Domain, s_mac, kept, replace: false);
            foreach (FdbTarget told in new[] { s_directoryVtep3, s_stickyVtep3 })
                Assert.That(fdb.TryAdd(Domain, s_mac, told, replace: true), Is.EqualTo(FdbAddResult.Exists));
            Assert.That(fdb.DeleteDirectory(Domain, s_mac), Is.False);
            Assert.That(fdb.Lookup(Domain, s_mac), Is.EqualTo(kept));
        }
    }

    [Test]
    public void DirectoryEntry_ToldAgain_IsAsOldAsItWas_AndElsewhereItIsNew()
    {
        Fdb fdb = NewFdb();
        fdb.Learn(Domain, s_mac, s_vtep3, 100, NoLimit);
        fdb.TryAdd(Domain, s_mac, s_directoryVtep3, replace: false);
        Assert.That(fdb.TryGet(Domain, s_mac, out FdbEntry entry), Is.True);
        Assert.That(entry, Is.EqualTo(new FdbEntry(Domain, s_mac, s_directoryVtep3, 100)));
        fdb.TryAdd(Domain, s_mac, s_stickyVtep3, replace: false);
        Assert.That(fdb.TryGet(Domain, s_mac, out entry) ? entry.LastSeen : 0, Is.EqualTo(100));
        fdb.TryAdd(Domain, s_mac, s_directoryVtep4, replace: false);
        Assert.That(fdb.TryGet(Domain, s_mac, out entry) ? entry.LastSeen : 1, Is.Zero);
        Assert.That(fdb.TryGet(Domain, Mac(2), out _), Is.False);
    }

    [Test]
    public void DeleteDirectory_TakesWhatADirectoryTold_AndNothingElse()
    {
        foreach (FdbKind kind in Enum.GetValues<FdbKind>().Where(kind => kind != FdbKind.None))
        {
            Fdb fdb = NewFdb();
            Put(fdb, Domain, s_mac, new FdbTarget(kind, 3));
            bool isDirectory = kind is FdbKind.DirectoryRemote or FdbKind.StickyRemote;
            Assert.That(fdb.DeleteDirectory(Domain, s_mac), Is.EqualTo(isDirectory), kind.ToString());
            Assert.That((fdb.Count, fdb.CountOf(Domain)), Is.EqualTo(isDirectory ? (0, 0) : (1, 1)), kind.ToString());
        }
    }

    private static LearnResult Check(Fdb fdb, FdbTarget source, uint now) => fdb.Check(Domain, s_mac, fdb.LineOf(Domain, s_mac), source, now);
}
