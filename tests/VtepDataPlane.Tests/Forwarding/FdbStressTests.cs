// The FDB under threads: three workers and the control loop on few keys in few slots, so that every race in its header happens often.
// Bounded by operations, not by time.

using NUnit.Framework;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Forwarding;

[TestFixture]
public class FdbStressTests
{
    private const int Workers = 3;
    private const int Keys = 24;
    private const int Domains = 3;
    private const int Places = 4;

    private static MacAddress MacOf(int key) => new(0x02_00_00_00_00_01 + (ulong)key);

    private static int DomainOf(int key) => key % Domains;

    /// <summary>The key is part of the id, so a target that strayed to another key is recognised.</summary>
    private static FdbTarget TargetOf(int key, int place, FdbKind kind) => new(kind, key * Places + place);

    [TestCase(16, 250_000)]
    [TestCase(64, 250_000)]
    public void WorkersAndControlLoop_NeverSeeATargetOfAnotherKey(int capacity, int operations)
    {
        var fdb = new Fdb(capacity, 42);
        int strays = 0;
        int running = Workers;
        void Work(int worker)
        {
            var random = new Random(worker);
            for (int i = 0; i < operations; i++)
            {
                int key = random.Next(Keys);
                FdbTarget found = fdb.Lookup(DomainOf(key), MacOf(key));
                if (!found.IsMiss && found.Id / Places != key)
                    Interlocked.Increment(ref strays);
                FdbKind kind = random.Next(2) == 0 ? FdbKind.LearnedLocal : FdbKind.LearnedRemote;
                fdb.Learn(DomainOf(key), MacOf(key), TargetOf(key, random.Next(Places), kind), (uint)(i >> 6), 6);
                fdb.Check(DomainOf(key), MacOf(key), fdb.LineOf(DomainOf(key), MacOf(key)), TargetOf(key, 2, FdbKind.LearnedRemote), (uint)(i >> 6));
            }
            Interlocked.Decrement(ref running);
        }

        RunThreads(Workers, Work, control: () =>
        {
            var random = new Random(99);
            uint[] ageing = [1, 2, 3];
            for (int i = 0; Volatile.Read(ref running) > 0; i++)
            {
                Disturb(fdb, random, ageing, (uint)(i >> 6));
                foreach (FdbEntry entry in fdb)
                {
                    if (MacOf(entry.Target.Id / Places) != entry.Mac)
                        Interlocked.Increment(ref strays);
                }
            }
        });

        Assert.That(strays, Is.EqualTo(0));
        AssertConsistentAtRest(fdb);
    }

    [Test]
    public void FixedEntryAddedWhileAWorkerLearnsTheSameMac_AlwaysWins()
    {
        var fdb = new Fdb(16, 42);
        var wrong = new List<string>();
        Rounds(
            100_000,
            worker: round => fdb.Learn(0, MacOf(round % Keys), TargetOf(round % Keys, 1, FdbKind.LearnedRemote), 1, int.MaxValue),
            control: round => fdb.TryAdd(0, MacOf(round % Keys), TargetOf(round % Keys, 3, FdbKind.StaticRemote), replace: false),
            after: round =>
            {
                FdbTarget found = fdb.Lookup(0, MacOf(round % Keys));
                int entries = FdbTests.Entries(fdb).Count;
                if (found != TargetOf(round % Keys, 3, FdbKind.StaticRemote) || (entries, fdb.Count, fdb.LearnedCountOf(0)) != (1, 1, 0))
                    wrong.Add($"round {round}: found {found}, {entries} entries, counted {fdb.Count} and {fdb.LearnedCountOf(0)}");
                fdb.Delete(0, MacOf(round % Keys));
            });
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void TwoWorkersThatLearnTheSameNewMacAtOnce_LeaveOneEntry_OrSeldomNone()
    {
        const int Total = 100_000;
        var fdb = new Fdb(16, 42);
        int learned = 0;
        var wrong = new List<string>();
        Rounds(
            Total,
            worker: round => fdb.Learn(0, MacOf(round % Keys), TargetOf(round % Keys, 1, FdbKind.LearnedRemote), 1, int.MaxValue),
            control: round => fdb.Learn(0, MacOf(round % Keys), TargetOf(round % Keys, 2, FdbKind.LearnedRemote), 1, int.MaxValue),
            after: round =>
            {
                int entries = FdbTests.Entries(fdb).Count;
                if (entries > 1 || entries != fdb.Count || entries != fdb.LearnedCountOf(0))
                    wrong.Add($"round {round}: {entries} entries, counted {fdb.Count} and {fdb.LearnedCountOf(0)}");
                learned += entries;
                fdb.Flush(new FdbFilter(FdbKinds.All));
            });
        Assert.That(wrong, Is.Empty);
        Assert.That(learned, Is.GreaterThan(Total * 99 / 100));
    }

    [Test]
    public void StationThatComesHereWhileTheDirectoryTellsAgainOrForgets_IsCountedOnce()
    {
        var fdb = new Fdb(16, 42);
        var wrong = new List<string>();
        Rounds(
            100_000,
            worker: round => fdb.Learn(0, MacOf(round % Keys), TargetOf(round % Keys, 1, FdbKind.LearnedLocal), 1, int.MaxValue),
            control: round =>
            {
                if (round % 2 == 0)
                    fdb.TryAdd(0, MacOf(round % Keys), TargetOf(round % Keys, 2, FdbKind.DirectoryRemote), replace: false);
                else
                    fdb.DeleteDirectory(0, MacOf(round % Keys));
            },
            after: round =>
            {
                List<FdbEntry> entries = FdbTests.Entries(fdb);
                int learned = entries.Count(entry => entry.Target.IsLearned);
                if (entries.Count(entry => entry.Mac == MacOf(round % Keys)) > 1 || (entries.Count, learned) != (fdb.Count, fdb.LearnedCountOf(0)))
                    wrong.Add($"round {round}: {entries.Count} entries, {learned} learned, counted {fdb.Count} and {fdb.LearnedCountOf(0)}");
                fdb.Flush(new FdbFilter(FdbKinds.All));
                fdb.TryAdd(0, MacOf((round + 1) % Keys), TargetOf((round + 1) % Keys, 3, FdbKind.DirectoryRemote), replace: false);
            });
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void DomainLimitAndCapacity_HoldUnderThreads()
    {
        const int Limit = 50;
        const int Capacity = 120;
        var fdb = new Fdb(Capacity, 42);
        RunThreads(
            4,
            worker =>
            {
                for (int i = 0; i < 50_000; i++)
                    fdb.Learn(i % 4, new MacAddress(0x02_00_00_00_00_00 + (ulong)(i * 4 + worker)), new FdbTarget(FdbKind.LearnedLocal, 1), 1, Limit);
            },
            control: () => { });
        List<FdbEntry> entries = FdbTests.Entries(fdb);
        Assert.That(entries, Has.Count.EqualTo(Capacity));
        Assert.That(entries.GroupBy(entry => entry.Domain).Max(group => group.Count()), Is.LessThanOrEqualTo(Limit));
        AssertConsistentAtRest(fdb);
    }

    private static void Disturb(Fdb fdb, Random random, uint[] ageing, uint now)
    {
        int key = random.Next(Keys);
        switch (random.Next(8))
        {
            case 0:
                fdb.TryAdd(DomainOf(key), MacOf(key), TargetOf(key, 0, FdbKind.StaticRemote), replace: random.Next(2) == 0);
                break;
            case 1:
                fdb.TryAdd(DomainOf(key), MacOf(key), TargetOf(key, 1, FdbKind.Own), replace: false);
                break;
            case 2:
                fdb.DeleteOwn(DomainOf(key), MacOf(key));
                break;
            case 3:
                fdb.Age(ageing, now);
                break;
            case 4:
                fdb.Flush(new FdbFilter(FdbKinds.LearnedRemote, domain: DomainOf(key)));
                break;
            case 5:
                fdb.TryAdd(DomainOf(key), MacOf(key), TargetOf(key, 2, FdbKind.DirectoryRemote), replace: false);
                break;
            case 6:
                fdb.DeleteDirectory(DomainOf(key), MacOf(key));
                break;
            default:
                fdb.Delete(DomainOf(key), MacOf(key));
                break;
        }
    }

    private static void AssertConsistentAtRest(Fdb fdb)
    {
        List<FdbEntry> entries = FdbTests.Entries(fdb);
        Assert.That(entries.Select(entry => (entry.Domain, entry.Mac)), Is.Unique);
        Assert.That(fdb.Count, Is.EqualTo(entries.Count));
        for (int domain = 0; domain < 4; domain++)
        {
            Assert.That(fdb.CountOf(domain), Is.EqualTo(entries.Count(entry => entry.Domain == domain)));
            Assert.That(fdb.LearnedCountOf(domain), Is.EqualTo(entries.Count(entry => entry.Domain == domain && entry.Target.IsLearned)));
        }
        foreach (FdbEntry entry in entries)
            Assert.That(fdb.Lookup(entry.Domain, entry.Mac), Is.EqualTo(entry.Target));
    }

    /// <summary>Runs workers and the control loop to their ends; an exception on any of them fails the test.</summary>
    private static void RunThreads(int workers, Action<int> work, Action control)
    {
        Task[] tasks = [.. Enumerable.Range(0, workers).Select(worker =>
            Task.Factory.StartNew(() => work(worker), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        control();
        Task.WaitAll(tasks);
    }

    /// <summary>
    /// Lets a worker and the control loop do one thing each at the same moment, many times. They meet by spinning, which brings them
    /// within nanoseconds of each other; waiting in the kernel would let one of them be long done.
    /// </summary>
    private static void Rounds(int rounds, Action<int> worker, Action<int> control, Action<int> after)
    {
        int started = 0, finished = 0;
        RunThreads(
            1,
            _ =>
            {
                for (int round = 1; round <= rounds; round++)
                {
                    SpinUntil(ref started, round);
                    Delay(round * 7 % 251); // meet at different points, a nanosecond or so apart
                    worker(round);
                    Volatile.Write(ref finished, round);
                }
            },
            control: () =>
            {
                for (int round = 1; round <= rounds; round++)
                {
                    Volatile.Write(ref started, round);
                    Delay(round * 13 % 509);
                    control(round);
                    SpinUntil(ref finished, round);
                    after(round);
                }
            });
    }

    private static void Delay(int steps)
    {
        for (int i = 0; i < steps; i++)
            Volatile.Read(ref i);
    }

    private static void SpinUntil(ref int counter, int value)
    {
        var wait = default(SpinWait);
        while (Volatile.Read(ref counter) < value)
        {
            wait.SpinOnce(sleep1Threshold: -1); // gives the core away, should there be only one
        }
    }
}
