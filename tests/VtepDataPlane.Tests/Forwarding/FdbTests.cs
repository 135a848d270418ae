// The rules of the FDB, one by one, on one thread. FdbModelTests compares whole sequences with a dictionary; FdbStressTests uses threads.

using NUnit.Framework;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Forwarding;

[TestFixture]
public partial class FdbTests
{
    private const int Domain = 7;
    private const int NoLimit = int.MaxValue;

    private static readonly UInt128 s_seed = new(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210);
    private static readonly MacAddress s_mac = new(0x02_00_00_00_00_01);
    private static readonly FdbTarget s_port3 = new(FdbKind.LearnedLocal, 3);
    private static readonly FdbTarget s_port4 = new(FdbKind.LearnedLocal, 4);
    private static readonly FdbTarget s_vtep3 = new(FdbKind.LearnedRemote, 3);
    private static readonly FdbTarget s_vtep4 = new(FdbKind.LearnedRemote, 4);
    private static readonly FdbTarget s_staticPort3 = new(FdbKind.StaticLocal, 3);
    private static readonly FdbTarget s_staticVtep3 = new(FdbKind.StaticRemote, 3);
    private static readonly FdbTarget s_staticVtep4 = new(FdbKind.StaticRemote, 4);
    private static readonly FdbTarget s_directoryVtep3 = new(FdbKind.DirectoryRemote, 3);
    private static readonly FdbTarget s_directoryVtep4 = new(FdbKind.DirectoryRemote, 4);
    private static readonly FdbTarget s_stickyVtep3 = new(FdbKind.StickyRemote, 3);
    private static readonly FdbTarget s_ownPort3 = new(FdbKind.Own, 3);
    private static readonly FdbTarget s_ownPort4 = new(FdbKind.Own, 4);

    private static Fdb NewFdb(int capacity = 1024) => new(capacity, s_seed);

    private static MacAddress Mac(int i) => new(0x02_00_00_00_00_00 + (ulong)i);

    // --- targets ---

    [Test]
    public void Target_KeepsKindAndId_UpToTheGreatestId()
    {
        foreach (FdbKind kind in Enum.GetValues<FdbKind>())
        {
            var target = new FdbTarget(kind, FdbTarget.MaxId);
            Assert.That((target.Kind, target.Id), Is.EqualTo((kind, 4_194_303)));
        }
    }

    [TestCase(-1)]
    [TestCase(FdbTarget.MaxId + 1)]
    public void Target_WithAnIdThatDoesNotFit_IsRefused(int id) =>
        Assert.That(() => new FdbTarget(FdbKind.LearnedLocal, id), Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public void Target_IsLocalOrRemoteOrAMiss_ByItsKind()
    {
        FdbKind[] local = [FdbKind.LearnedLocal, FdbKind.StaticLocal, FdbKind.Own];
        FdbKind[] remote = [FdbKind.LearnedRemote, FdbKind.StaticRemote, FdbKind.DirectoryRemote, FdbKind.StickyRemote];
        foreach (FdbKind kind in Enum.GetValues<FdbKind>())
        {
            var target = new FdbTarget(kind, 1);
            Assert.That(target.IsLocal, Is.EqualTo(local.Contains(kind)), kind.ToString());
            Assert.That(target.IsRemote, Is.EqualTo(remote.Contains(kind)), kind.ToString());
            Assert.That(target.IsMiss, Is.EqualTo(kind == FdbKind.None), kind.ToString());
        }
    }

    // --- lookup ---

    [Test]
    public void UnknownMac_IsAMiss() => Assert.That(NewFdb().Lookup(Domain, s_mac).IsMiss, Is.True);

    [Test]
    public void ZeroMac_IsAMissInEveryDomain_AlthoughEmptySlotsAreZero()
    {
        Fdb fdb = NewFdb();
        Assert.That(fdb.Lookup(0, MacAddress.Zero).IsMiss, Is.True);
        Assert.That(fdb.Lookup(Domain, MacAddress.Zero).IsMiss, Is.True);
    }

    [Test]
    public void ZeroMac_CanNotBeAdded() =>
        Assert.That(() => NewFdb().TryAdd(Domain, MacAddress.Zero, s_staticVtep3, replace: false), Throws.ArgumentException);

    [Test]
    public void SameMacInTwoDomains_IsTwoEntries()
    {
        Fdb fdb = NewFdb();
        fdb.Learn(0, s_mac, s_port3, 100, NoLimit);
        fdb.Learn(65_535, s_mac, s_vtep4, 100, NoLimit);
        Assert.That(fdb.Lookup(0, s_mac), Is.EqualTo(s_port3));
        Assert.That(fdb.Lookup(65_535, s_mac), Is.EqualTo(s_vtep4));
        Assert.That(fdb.Lookup(1, s_mac).IsMiss, Is.True);
    }

    // --- learning ---

    [Test]
    public void NewSource_IsLearned()
    {
        Fdb fdb = NewFdb();
        Assert.That(fdb.Learn(Domain, s_mac, s_vtep3, 100, NoLimit), Is.EqualTo(LearnResult.Learned));
        Assert.That(fdb.Lookup(Domain, s_mac), Is.EqualTo(s_vtep3));
    }

    [Test]
    public void KnownSource_IsRefreshedOnceASecond()
    {
        Fdb fdb = NewFdb();
        fdb.Learn(Domain, s_mac, s_vtep3, 100, NoLimit);
        Assert.That(fdb.Learn(Domain, s_mac, s_vtep3, 100, NoLimit), Is.EqualTo(LearnResult.Unchanged));
        Assert.That(fdb.Learn(Domain, s_mac, s_vtep3, 101, NoLimit), Is.EqualTo(LearnResult.Refreshed));
        Assert.That(fdb.Learn(Domain, s_mac, s_vtep3, 101, NoLimit), Is.EqualTo(LearnResult.Unchanged));
    }

    [Test]
    public void SlowerClockOfAnotherWorker_DoesNotSetAnEntryBack()
    {
        Fdb fdb = NewFdb();
        fdb.Learn(Domain, s_mac, s_vtep3, 100, NoLimit);
        Assert.That(fdb.Learn(Domain, s_mac, s_vtep3, 99, NoLimit), Is.EqualTo(LearnResult.Unchanged));
        Assert.That(Entries(fdb).Single().LastSeen, Is.EqualTo(100));
    }

    [Test]
    public void SourceSeenElsewhere_Moves()
    {
        Fdb fdb = NewFdb();
        fdb.Learn(Domain, s_mac, s_vtep3, 100, NoLimit);
        foreach (FdbTarget next in new[] { s_vtep4, s_port4, s_port3, s_vtep3 })
        {
            Assert.That(fdb.Learn(Domain, s_mac, next, 100, NoLimit), Is.EqualTo(LearnResult.Moved));
            Assert.That(fdb.Lookup(Domain, s_mac), Is.EqualTo(next));
        }
        Assert.That(fdb.Count, Is.EqualTo(1));
    }

    [Test]
    public void StaticEntry_IsNeitherMovedNorRefreshed()
    {
        Fdb fdb = NewFdb();
        fdb.TryAdd(Domain, s_mac, s_staticVtep3, replace: false);
        Assert.That(fdb.Learn(Domain, s_mac, s_vtep3, 100, NoLimit), Is.EqualTo(LearnResult.Unchanged));
        Assert.That(fdb.Learn(Domain, s_mac, s_vtep4, 100, NoLimit), Is.EqualTo(LearnResult.Conflict));
        Assert.That(fdb.Learn(Domain, s_mac, s_port3, 100, NoLimit), Is.EqualTo(LearnResult.Conflict), "port 3 is not VTEP 3");
        Assert.That(Entries(fdb), Is.EqualTo(new[] { new FdbEntry(Domain, s_mac, s_staticVtep3, 0) }));
    }

    [Test]
    public void OwnMac_FromItsOwnPortIsFine_FromAnywhereElseIsReported()
    {
        Fdb fdb = NewFdb();
        fdb.TryAdd(Domain, s_mac, s_ownPort3, replace: false);
        Assert.That(fdb.Learn(Domain, s_mac, s_port3, 100, NoLimit), Is.EqualTo(LearnResult.Unchanged));
        Assert.That(fdb.Learn(Domain, s_mac, s_port4, 100, NoLimit), Is.EqualTo(LearnResult.OwnMac));
        Assert.That(fdb.Learn(Domain, s_mac, s_vtep3, 100, NoLimit), Is.EqualTo(LearnResult.OwnMac));
        Assert.That(fdb.Lookup(Domain, s_mac), Is.EqualTo(s_ownPort3));
    }

    // --- limits ---

    [Test]
    public void DomainLimit_CountsLearnedEntriesOfThatDomainOnly()
    {
        Fdb fdb = NewFdb();
        fdb.TryAdd(Domain, Mac(90), s_staticVtep3, replace: false);
        fdb.TryAdd(Domain, Mac(91), s_ownPort3, replace: false);
        fdb.Learn(Domain + 1, Mac(92), s_port3, 100, 2);
        Assert.That(fdb.Learn(Domain, Mac(1), s_port3, 100, 2), Is.EqualTo(LearnResult.Learned));
        Assert.That(fdb.Learn(Domain, Mac(2), s_port3, 100, 2), Is.EqualTo(LearnResult.Learned));
        Assert.That(fdb.Learn(Domain, Mac(3), s_port3, 100, 2), Is.EqualTo(LearnResult.LimitReached));
        Assert.That((fdb.CountOf(Domain), fdb.LearnedCountOf(Domain)), Is.EqualTo((4, 2)));
    }

    [Test]
    public void AtTheDomainLimit_OldEntriesAreFoundRefreshedAndMoved()
    {
        Fdb fdb = NewFdb();
        fdb.Learn(Domain, Mac(1), s_port3, 100, 1);
        Assert.That(fdb.Learn(Domain, Mac(2), s_port3, 100, 1), Is.EqualTo(LearnResult.LimitReached));
        Assert.That(fdb.Lookup(Domain, Mac(1)), Is.EqualTo(s_port3));
        Assert.That(fdb.Lookup(Domain, Mac(2)).IsMiss, Is.True);
        Assert.That(fdb.Learn(Domain, Mac(1), s_port3, 101, 1), Is.EqualTo(LearnResult.Refreshed));
        Assert.That(fdb.Learn(Domain, Mac(1), s_vtep4, 101, 1), Is.EqualTo(LearnResult.Moved));
    }

    [Test]
    public void RoomUnderTheDomainLimit_ComesBackWithEveryWayAnEntryGoes()
    {
        Fdb fdb = NewFdb();
        LearnResult Fill() => fdb.Learn(Domain, s_mac, s_port3, 100, 1);

        Assert.That(Fill(), Is.EqualTo(LearnResult.Learned));
        fdb.Delete(Domain, s_mac);
        Assert.That(Fill(), Is.EqualTo(LearnResult.Learned));
        fdb.Flush(new FdbFilter(FdbKinds.All));
        Assert.That(Fill(), Is.EqualTo(LearnResult.Learned));
        fdb.Age([0, 0, 0, 0, 0, 0, 0, 1], 101);
        Assert.That(Fill(), Is.EqualTo(LearnResult.Learned));
        fdb.TryAdd(Domain, s_mac, s_staticVtep3, replace: false);
        Assert.That(fdb.Learn(Domain, Mac(2), s_port3, 100, 1), Is.EqualTo(LearnResult.Learned), "a static entry is no learned one");
        Assert.That((fdb.Count, fdb.CountOf(Domain), fdb.LearnedCountOf(Domain)), Is.EqualTo((2, 2, 1)));
    }

    [Test]
    public void LimitOfZero_LearnsNothing() =>
        Assert.That(NewFdb().Learn(Domain, s_mac, s_port3, 100, 0), Is.EqualTo(LearnResult.LimitReached));

    [Test]
    public void FullTable_TakesNothingNew_AndStillServesTheOld()
    {
        Fdb fdb = NewFdb(capacity: 100);
        for (int i = 1; i <= 100; i++)
            Assert.That(fdb.Learn(Domain, Mac(i), s_port3, 100, NoLimit), Is.EqualTo(LearnResult.Learned));
        Assert.That(fdb.Learn(Domain, Mac(101), s_port3, 100, NoLimit), Is.EqualTo(LearnResult.TableFull));
        Assert.That(fdb.TryAdd(Domain, Mac(101), s_staticVtep3, replace: false), Is.EqualTo(FdbAddResult.Full));
        Assert.That(fdb.TryAdd(Domain, Mac(50), s_staticVtep3, replace: false), Is.EqualTo(FdbAddResult.Added), "it replaces a learned one");
        Assert.That(fdb.Count, Is.EqualTo(100));
        for (int i = 1; i <= 100; i++)
            Assert.That(fdb.Lookup(Domain, Mac(i)).IsMiss, Is.False);
    }

    [Test]
    public void MacsChosenToCollide_FillSixteenSlots_AndThenAreNotLearned()
    {
        Fdb fdb = NewFdb(capacity: 64);
        // as if the seed were known: 17 MACs that hash to the same two buckets
        (int, int) pair = fdb.BucketsOf(Domain, s_mac);
        MacAddress[] macs = [.. Enumerable.Range(1, 10_000).Select(Mac).Where(mac => fdb.BucketsOf(Domain, mac) == pair).Take(Fdb.ProbeBound + 1)];
        Assert.That(macs, Has.Length.EqualTo(17));

        LearnResult[] results = [.. macs.Select(mac => fdb.Learn(Domain, mac, s_port3, 100, NoLimit))];
        Assert.That(results[..16], Is.All.EqualTo(LearnResult.Learned));
        Assert.That(results[16], Is.EqualTo(LearnResult.TableFull));
        Assert.That(fdb.TryAdd(Domain, macs[16], s_staticVtep3, replace: false), Is.EqualTo(FdbAddResult.Full));
        Assert.That((fdb.Count, fdb.CountOf(Domain), fdb.LearnedCountOf(Domain)), Is.EqualTo((16, 16, 16)));
        Assert.That(macs[..16].Select(mac => fdb.Lookup(Domain, mac)), Is.All.EqualTo(s_port3));
        Assert.That(fdb.Lookup(Domain, macs[16]).IsMiss, Is.True);
    }

    [Test]
    public void AnotherSeed_PutsTheSameMacsIntoOtherBuckets()
    {
        var other = new Fdb(4096, s_seed + 1);
        Fdb fdb = NewFdb(4096);
        int same = Enumerable.Range(1, 1000).Count(i => fdb.BucketsOf(Domain, Mac(i)) == other.BucketsOf(Domain, Mac(i)));
        Assert.That(same, Is.LessThan(10));
    }

    [Test]
    public void AMillionEntries_FitIntoTheTableMadeForThem()
    {
        const int Capacity = 1_000_000;
        Fdb fdb = NewFdb(Capacity);
        int learned = 0;
        for (int i = 1; i <= Capacity; i++)
            learned += fdb.Learn(i & 0xFF, Mac(i), s_vtep3, 100, NoLimit) == LearnResult.Learned ? 1 : 0;
        Assert.That(learned, Is.EqualTo(Capacity), "at half load two choices of 8 slots leave no key outside");
        int found = 0;
        for (int i = 1; i <= Capacity; i++)
            found += fdb.Lookup(i & 0xFF, Mac(i)) == s_vtep3 ? 1 : 0;
        Assert.That(found, Is.EqualTo(Capacity));
    }

    [TestCase(1)]
    [TestCase(1000)]
    [TestCase(262_144)]
    public void Memory_Is32BytesForEachEntry_AndTheCounters(int capacity)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Fdb fdb = NewFdb(capacity);
        long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(fdb.Capacity, Is.EqualTo(capacity));
        Assert.That(bytes, Is.LessThan(capacity * 32L + 65_536 * 8 + 1024));
    }

    // --- static, directory and own entries ---

    [Test]
    public void LearnedEntry_GivesWayToEveryFixedOne()
    {
        foreach (FdbTarget target in new[] { s_staticPort3, s_staticVtep3, s_directoryVtep3, s_stickyVtep3, s_ownPort3 })
        {
            Fdb fdb = NewFdb();
            fdb.Learn(Domain, s_mac, s_vtep4, 100, NoLimit);
            Assert.That(fdb.TryAdd(Domain, s_mac, target, replace: false), Is.EqualTo(FdbAddResult.Added));
            Assert.That(Entries(fdb), Is.EqualTo(new[] { new FdbEntry(Domain, s_mac, target, 0) }));
            Assert.That((fdb.CountOf(Domain), fdb.LearnedCountOf(Domain)), Is.EqualTo((1, 0)));
        }
    }

    [Test]
    public void FixedEntry_IsReplacedOnlyWhenAskedTo()
    {
        Fdb fdb = NewFdb();
        Assert.That(fdb.TryAdd(Domain, s_mac, s_staticVtep3, replace: false), Is.EqualTo(FdbAddResult.Added));
        Assert.That(fdb.TryAdd(Domain, s_mac, s_staticVtep3, replace: false), Is.EqualTo(FdbAddResult.Exists));
        Assert.That(fdb.Lookup(Domain, s_mac), Is.EqualTo(s_staticVtep3));
        Assert.That(fdb.TryAdd(Domain, s_mac, s_staticVtep4, replace: true), Is.EqualTo(FdbAddResult.Added));
        Assert.That(fdb.Lookup(Domain, s_mac), Is.EqualTo(s_staticVtep4));
        Assert.That(fdb.Count, Is.EqualTo(1));
    }

    [Test]
    public void OwnMac_ReplacesEverything_AndGivesWayToAnotherOwnPortOnly()
    {
        Fdb fdb = NewFdb();
        fdb.TryAdd(Domain, s_mac, s_staticVtep3, replace: false);
        Assert.That(fdb.TryAdd(Domain, s_mac, s_ownPort3, replace: false), Is.EqualTo(FdbAddResult.Added));
        Assert.That(fdb.TryAdd(Domain, s_mac, s_staticVtep3, replace: true), Is.EqualTo(FdbAddResult.Exists));
        Assert.That(fdb.TryAdd(Domain, s_mac, s_ownPort3, replace: true), Is.EqualTo(FdbAddResult.Exists));
        Assert.That(fdb.Lookup(Domain, s_mac), Is.EqualTo(s_ownPort3));
        Assert.That(fdb.TryAdd(Domain, s_mac, s_ownPort4, replace: false), Is.EqualTo(FdbAddResult.Added));
        Assert.That(fdb.Lookup(Domain, s_mac), Is.EqualTo(s_ownPort4));
    }

    [TestCase((int)FdbKind.None)]
    [TestCase((int)FdbKind.LearnedLocal)]
    [TestCase((int)FdbKind.LearnedRemote)]
    public void EntryThatAges_CanNotBeAddedAsFixed(int kind) =>
        Assert.That(() => NewFdb().TryAdd(Domain, s_mac, new FdbTarget((FdbKind)kind, 1), replace: false), Throws.ArgumentException);

    // --- deleting ---

    [Test]
    public void Delete_TakesEveryKindButOwn()
    {
        foreach (FdbKind kind in Enum.GetValues<FdbKind>().Where(kind => kind != FdbKind.None))
        {
            Fdb fdb = NewFdb();
            Put(fdb, Domain, s_mac, new FdbTarget(kind, 3));
            Assert.That(fdb.Delete(Domain, s_mac), Is.EqualTo(kind != FdbKind.Own), kind.ToString());
            Assert.That(fdb.Lookup(Domain, s_mac).IsMiss, Is.EqualTo(kind != FdbKind.Own), kind.ToString());
            Assert.That(fdb.DeleteOwn(Domain, s_mac), Is.EqualTo(kind == FdbKind.Own), kind.ToString());
            Assert.That((fdb.Count, fdb.CountOf(Domain), fdb.LearnedCountOf(Domain)), Is.EqualTo((0, 0, 0)), kind.ToString());
        }
    }

    [Test]
    public void Delete_OfAnAbsentEntry_IsFalse()
    {
        Fdb fdb = NewFdb();
        fdb.Learn(Domain, s_mac, s_port3, 100, NoLimit);
        Assert.That(fdb.Delete(Domain + 1, s_mac), Is.False);
        Assert.That(fdb.Delete(Domain, Mac(2)), Is.False);
        Assert.That(fdb.DeleteOwn(Domain, s_mac), Is.False);
        Assert.That(fdb.Count, Is.EqualTo(1));
    }

    [Test]
    public void Flush_TakesTheEntriesAllConditionsHoldFor()
    {
        Fdb fdb = NewFdb();
        Put(fdb, 1, Mac(1), s_port3);
        Put(fdb, 1, Mac(2), s_vtep3);
        Put(fdb, 1, Mac(3), s_vtep4);
        Put(fdb, 1, Mac(4), s_staticVtep3);
        Put(fdb, 2, Mac(5), s_vtep3);
        Put(fdb, 2, Mac(6), s_ownPort3);

        Assert.That(fdb.Flush(new FdbFilter(FdbKinds.LearnedRemote, domain: 1, id: 3)), Is.EqualTo(1));
        Assert.That(Macs(fdb), Is.EqualTo(new[] { Mac(1), Mac(3), Mac(4), Mac(5), Mac(6) }));
        Assert.That(fdb.Flush(new FdbFilter(FdbKinds.Remote, id: 3)), Is.EqualTo(2));
        Assert.That(Macs(fdb), Is.EqualTo(new[] { Mac(1), Mac(3), Mac(6) }));
        Assert.That(fdb.Flush(new FdbFilter(FdbKinds.Learned)), Is.EqualTo(2));
        Assert.That(Macs(fdb), Is.EqualTo(new[] { Mac(6) }));
        Assert.That(fdb.Flush(new FdbFilter(FdbKinds.All, domain: 1)), Is.EqualTo(0));
        Assert.That(fdb.Flush(new FdbFilter(FdbKinds.All, domain: 2)), Is.EqualTo(1));
        Assert.That(fdb.Count, Is.EqualTo(0));
    }

    // --- ageing, under a clock of our own ---

    [Test]
    public void LearnedEntry_GoesWhenItsDomainsAgeingTimeIsOver()
    {
        Fdb fdb = NewFdb();
        fdb.Learn(0, s_mac, s_port3, 1000, NoLimit);
        fdb.Learn(1, s_mac, s_vtep3, 1000, NoLimit);
        Assert.That(fdb.Age([300, 30], 1029), Is.EqualTo(0));
        Assert.That(fdb.Age([300, 30], 1030), Is.EqualTo(1));
        Assert.That(fdb.Lookup(0, s_mac), Is.EqualTo(s_port3));
        Assert.That(fdb.Lookup(1, s_mac).IsMiss, Is.True);
        Assert.That(fdb.Age([300, 30], 1300), Is.EqualTo(1));
        Assert.That(fdb.Count, Is.EqualTo(0));
    }

    [Test]
    public void Lookup_DoesNotKeepAnEntryAlive_ReceivingDoes()
    {
        Fdb fdb = NewFdb();
        fdb.Learn(0, Mac(1), s_port3, 1000, NoLimit);
        fdb.Learn(0, Mac(2), s_port3, 1000, NoLimit);
        for (uint now = 1000; now < 1030; now++)
        {
            fdb.Lookup(0, Mac(1));
            fdb.Learn(0, Mac(2), s_port3, now, NoLimit);
        }
        Assert.That(fdb.Age([30], 1030), Is.EqualTo(1));
        Assert.That(Macs(fdb), Is.EqualTo(new[] { Mac(2) }));
    }

    [Test]
    public void Move_StartsTheAgeingTimeAnew()
    {
        Fdb fdb = NewFdb();
        fdb.Learn(0, s_mac, s_port3, 1000, NoLimit);
        fdb.Learn(0, s_mac, s_vtep3, 1020, NoLimit);
        Assert.That(fdb.Age([30], 1049), Is.EqualTo(0));
        Assert.That(fdb.Age([30], 1050), Is.EqualTo(1));
    }

    [Test]
    public void AgeingOfZero_AndDomainsWithoutATime_NeverAge()
    {
        Fdb fdb = NewFdb();
        fdb.Learn(0, s_mac, s_port3, 1000, NoLimit);
        fdb.Learn(1, s_mac, s_port3, 1000, NoLimit);
        Assert.That(fdb.Age([0], 1_000_000), Is.EqualTo(0));
    }

    [Test]
    public void FixedEntries_NeverAge()
    {
        Fdb fdb = NewFdb();
        foreach (FdbTarget target in new[] { s_staticPort3, s_staticVtep3, s_directoryVtep3, s_ownPort3 })
            Put(fdb, 0, new MacAddress(0x0200 + (ulong)target.Kind), target);
        Assert.That(fdb.Age([1], 1_000_000), Is.EqualTo(0));
        Assert.That(fdb.Count, Is.EqualTo(4));
    }

    [Test]
    public void EntryFromAClockAMomentAhead_IsNotAnIdleCentury()
    {
        Fdb fdb = NewFdb();
        fdb.Learn(0, s_mac, s_port3, 1001, NoLimit);
        Assert.That(fdb.Age([300], 1000), Is.EqualTo(0));
    }

    [Test]
    public void Ageing_WorksOverTheWrapOfTheClock()
    {
        Fdb fdb = NewFdb();
        fdb.Learn(0, s_mac, s_port3, uint.MaxValue - 9, NoLimit);
        Assert.That(fdb.Age([30], 19), Is.EqualTo(0));
        Assert.That(fdb.Learn(0, s_mac, s_port3, 19, NoLimit), Is.EqualTo(LearnResult.Refreshed));
        Assert.That(fdb.Age([30], 48), Is.EqualTo(0));
        Assert.That(fdb.Age([30], 49), Is.EqualTo(1));
    }

    [Test]
    public void AgeingInSlices_ReachesEveryEntryOnce()
    {
        Fdb fdb = NewFdb(capacity: 1000);
        for (int i = 1; i <= 500; i++)
            fdb.Learn(0, Mac(i), s_port3, 1000, NoLimit);
        int cursor = 0, removed = 0, slices = 0;
        do
        {
            removed += fdb.Age([30], 1030, ref cursor, 10);
            slices++;
        }
        while (cursor != 0);
        Assert.That((removed, slices, fdb.Count), Is.EqualTo((500, 25, 0)));
    }

    // --- enumeration ---

    [Test]
    public void Enumeration_ShowsEveryEntryWithItsTime()
    {
        Fdb fdb = NewFdb();
        fdb.Learn(1, Mac(1), s_port3, 100, NoLimit);
        fdb.Learn(65_535, Mac(2), s_vtep4, 200, NoLimit);
        fdb.TryAdd(3, Mac(3), s_staticVtep3, replace: false);
        Assert.That(Entries(fdb), Is.EquivalentTo(new[]
        {
            new FdbEntry(1, Mac(1), s_port3, 100),
            new FdbEntry(65_535, Mac(2), s_vtep4, 200),
            new FdbEntry(3, Mac(3), s_staticVtep3, 0),
        }));
    }

    // --- allocation ---

    [Test]
    public void NothingAllocates_AfterConstruction()
    {
        Fdb fdb = NewFdb(capacity: 4096);
        uint[] ageing = [30, 30, 30, 30, 30, 30, 30, 30];
        long least = long.MaxValue;
        // the least of a few passes: the runtime may allocate on this thread while it compiles methods anew
        for (int pass = 0; pass < 5; pass++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            int found = UseEverything(fdb, ageing);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.That(found, Is.EqualTo(3000), "it did the work");
        }
        Assert.That(least, Is.EqualTo(0));
    }

    private static int UseEverything(Fdb fdb, uint[] ageing)
    {
        int found = 0;
        for (int i = 1; i <= 3000; i++)
        {
            fdb.Learn(Domain, Mac(i), s_port3, 100, NoLimit);
            fdb.Learn(Domain, Mac(i), s_port3, 101, NoLimit);
            fdb.Learn(Domain, Mac(i), s_vtep3, 101, NoLimit);
            found += fdb.Lookup(Domain, Mac(i)).IsMiss ? 0 : 1;
        }
        for (int i = 1; i <= 300; i++)
            fdb.TryAdd(Domain, Mac(i), s_staticVtep3, replace: true);
        foreach (FdbEntry entry in fdb)
            found += entry.Domain - Domain;
        fdb.Age(ageing, 131);
        for (int i = 1; i <= 100; i++)
            fdb.Delete(Domain, Mac(i));
        fdb.Flush(new FdbFilter(FdbKinds.All));
        return found;
    }

    internal static List<FdbEntry> Entries(Fdb fdb)
    {
        var entries = new List<FdbEntry>();
        foreach (FdbEntry entry in fdb)
            entries.Add(entry);
        return entries;
    }

    private static MacAddress[] Macs(Fdb fdb) => [.. Entries(fdb).Select(entry => entry.Mac).Order()];

    private static void Put(Fdb fdb, int domain, MacAddress mac, FdbTarget target)
    {
        if (target.IsLearned)
            fdb.Learn(domain, mac, target, 100, NoLimit);
        else
            fdb.TryAdd(domain, mac, target, replace: false);
    }
}
