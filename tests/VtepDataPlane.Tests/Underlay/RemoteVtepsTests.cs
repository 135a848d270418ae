// The rules of the table of remote VTEPs, one by one, and its races under threads.

using NUnit.Framework;
using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Underlay;

[TestFixture]
public class RemoteVtepsTests
{
    private const ushort Port = 4789;

    private static readonly UInt128 s_seed = new(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210);

    private static RemoteVteps NewVteps(int capacity = 64, int learnedLimit = 32) => new(capacity, learnedLimit, s_seed);

    private static InetAddress Address(int i) => InetAddress.Parse($"198.18.{i >> 8}.{i & 0xFF}");

    private static VtepEndpoint Endpoint(int i) => new(Address(i), Port);

    private static int Admit(RemoteVteps vteps, int i, uint now = 100) => vteps.TryAdmit(Address(i), Port, now, out int id) ? id : 0;

    // --- configured VTEPs ---

    [Test]
    public void UnknownVtep_IsNotFound() => Assert.That(NewVteps().Find(Address(1), Port), Is.EqualTo(0));

    [Test]
    public void AcquiredVtep_IsFoundUnderItsId()
    {
        RemoteVteps vteps = NewVteps();
        int id = vteps.Acquire(Endpoint(1));
        Assert.That(id, Is.InRange(1, 64));
        Assert.That(vteps.Find(Address(1), Port), Is.EqualTo(id));
        Assert.That(vteps.EndpointOf(id), Is.EqualTo(Endpoint(1)));
    }

    [Test]
    public void SameEndpoint_HasTheSameId_UntilItsLastRelease()
    {
        RemoteVteps vteps = NewVteps();
        int id = vteps.Acquire(Endpoint(1));
        Assert.That(vteps.Acquire(Endpoint(1)), Is.EqualTo(id));
        Assert.That(vteps.Release(id), Is.False);
        Assert.That(vteps.Find(Address(1), Port), Is.EqualTo(id));
        Assert.That(vteps.Release(id), Is.True);
        Assert.That(vteps.Find(Address(1), Port), Is.EqualTo(0));
    }

    [Test]
    public void AVtepThatComesAndGoesAThousandTimes_StillFindsAPlace()
    {
        var vteps = new RemoteVteps(4096, 32, s_seed);
        for (int i = 0; i < 1000; i++)
        {
            int id = vteps.Acquire(Endpoint(1));
            Assert.That(id, Is.Not.Zero, $"after {i} times");
            Assert.That(vteps.Find(Address(1), Port), Is.EqualTo(id));
            vteps.Release(id);
            vteps.Reclaim(id);
        }
    }

    [Test]
    public void ALearnedVtepThatWasConfiguredForAWhile_IsLearnedAgainAfter()
    {
        RemoteVteps vteps = NewVteps();
        int id = Admit(vteps, 1);
        Assert.That(vteps.Acquire(Endpoint(1)), Is.EqualTo(id));
        Assert.That(vteps.LearnedCount, Is.Zero);
        Assert.That(vteps.Release(id), Is.False, "nothing to reclaim");
        Assert.That(vteps.Find(Address(1), Port), Is.EqualTo(id));
        Assert.That(vteps.LearnedCount, Is.EqualTo(1));
        int[] expired = new int[4];
        Assert.That(vteps.Expire(1000, 300, expired), Is.EqualTo(1), "and ages as such");
        vteps.Reclaim(id);
        Assert.That(vteps.LearnedCount, Is.Zero);
        Assert.That(vteps.Release(vteps.Acquire(Endpoint(1))), Is.True, "the next one in the slot has no such past");
    }

    [Test]
    public void SameAddressWithAnotherPortOrFamily_IsAnotherVtep()
    {
        RemoteVteps vteps = NewVteps();
        int id = vteps.Acquire(Endpoint(1));
        int otherPort = vteps.Acquire(new VtepEndpoint(Address(1), 8472));
        // ::198.18.0.1 has the same low 64 bits
        int otherFamily = vteps.Acquire(new VtepEndpoint(InetAddress.Parse("::198.18.0.1"), Port));
        Assert.That(new[] { id, otherPort, otherFamily }, Is.Unique);
        Assert.That(vteps.Find(Address(1), 8472), Is.EqualTo(otherPort));
        Assert.That(vteps.Find(InetAddress.Parse("::198.18.0.1"), Port), Is.EqualTo(otherFamily));
    }

    [Test]
    public void ReleasedVtep_KeepsItsEndpointUntilReclaimed_AndItsIdIsNotGivenToAnother()
    {
        RemoteVteps vteps = NewVteps(capacity: 2, learnedLimit: 0);
        int first = vteps.Acquire(Endpoint(1));
        vteps.Release(first);
        Assert.That(vteps.EndpointOf(first), Is.EqualTo(Endpoint(1)));
        int second = vteps.Acquire(Endpoint(1));
        Assert.That(second, Is.Not.EqualTo(first), "workers may still use the old id in another sense");
        Assert.That(vteps.Acquire(Endpoint(2)), Is.EqualTo(0));
        vteps.Reclaim(first);
        Assert.That(vteps.Acquire(Endpoint(2)), Is.EqualTo(first));
        Assert.That(vteps.Find(Address(1), Port), Is.EqualTo(second));
    }

    [Test]
    public void FullTable_AcquiresNothingNew_AndStillFindsTheOld()
    {
        RemoteVteps vteps = NewVteps(capacity: 3, learnedLimit: 0);
        int[] ids = [vteps.Acquire(Endpoint(1)), vteps.Acquire(Endpoint(2)), vteps.Acquire(Endpoint(3))];
        Assert.That(ids, Is.EquivalentTo(new[] { 1, 2, 3 }));
        Assert.That(vteps.Acquire(Endpoint(4)), Is.EqualTo(0));
        Assert.That(vteps.Acquire(Endpoint(2)), Is.EqualTo(ids[1]));
    }

    [Test]
    public void ReleasingTooOften_IsRefused()
    {
        RemoteVteps vteps = NewVteps();
        int id = vteps.Acquire(Endpoint(1));
        vteps.Release(id);
        Assert.That(() => vteps.Release(id), Throws.InvalidOperationException);
        Assert.That(() => vteps.Release(63), Throws.InvalidOperationException);
    }

    [Test]
    public void ReclaimingWhatIsInUse_IsRefused()
    {
        RemoteVteps vteps = NewVteps();
        int configured = vteps.Acquire(Endpoint(1));
        int learned = Admit(vteps, 2);
        Assert.That(() => vteps.Reclaim(configured), Throws.InvalidOperationException);
        Assert.That(() => vteps.Reclaim(learned), Throws.InvalidOperationException);
        Assert.That(() => vteps.Reclaim(63), Throws.InvalidOperationException);
    }

    // --- learned VTEPs ---

    [Test]
    public void FirstDatagram_AdmitsItsSource()
    {
        RemoteVteps vteps = NewVteps();
        Assert.That(vteps.TryAdmit(InetAddress.Parse("fd00::2"), Port, 100, out int id), Is.True);
        Assert.That(vteps.Find(InetAddress.Parse("fd00::2"), Port), Is.EqualTo(id));
        Assert.That(vteps.EndpointOf(id).ToString(), Is.EqualTo("[fd00::2]:4789"));
        Assert.That(Rows(vteps), Is.EqualTo(new[] { new RemoteVtep(id, vteps.EndpointOf(id), false, 100, 0, PathState.Unknown) }));
    }

    [Test]
    public void FurtherDatagrams_FindTheSameIdAndRefreshItsTime()
    {
        RemoteVteps vteps = NewVteps();
        int id = Admit(vteps, 1, now: 100);
        Assert.That(Admit(vteps, 1, now: 107), Is.EqualTo(id));
        Assert.That(Rows(vteps).Single().LastSeen, Is.EqualTo(107));
        vteps.Touch(id, 106);
        Assert.That(Rows(vteps).Single().LastSeen, Is.EqualTo(107), "a slower clock doesn't set it back");
        Assert.That(vteps.LearnedCount, Is.EqualTo(1));
    }

    [Test]
    public void ConfiguredVtep_IsAdmittedAsItself_AndItsTimeNoted()
    {
        RemoteVteps vteps = NewVteps();
        int id = vteps.Acquire(Endpoint(1));
        Assert.That(Rows(vteps).Single().LastSeen, Is.Null);
        Assert.That(Admit(vteps, 1, now: 0), Is.EqualTo(id));
        Assert.That(Rows(vteps).Single(), Is.EqualTo(new RemoteVtep(id, Endpoint(1), true, 0, 0, PathState.Unknown)));
        Assert.That(vteps.LearnedCount, Is.EqualTo(0));
    }

    [Test]
    public void AtTheLimit_NewSourcesAreRefused_KnownOnesServed()
    {
        RemoteVteps vteps = NewVteps(capacity: 10, learnedLimit: 2);
        int one = Admit(vteps, 1), two = Admit(vteps, 2);
        Assert.That(Admit(vteps, 3), Is.EqualTo(0));
        Assert.That(Admit(vteps, 1), Is.EqualTo(one));
        Assert.That(Admit(vteps, 2), Is.EqualTo(two));
        Assert.That(vteps.Find(Address(3), Port), Is.EqualTo(0));
        Assert.That(Rows(vteps), Has.Count.EqualTo(2));
    }

    [Test]
    public void LearnedVtepThatIsConfigured_KeepsItsId_AndLeavesRoomUnderTheLimit()
    {
        RemoteVteps vteps = NewVteps(capacity: 10, learnedLimit: 1);
        int id = Admit(vteps, 1);
        Assert.That(vteps.Acquire(Endpoint(1)), Is.EqualTo(id));
        Assert.That(vteps.LearnedCount, Is.EqualTo(0));
        Assert.That(Admit(vteps, 2), Is.Not.EqualTo(0));
        int[] expired = new int[10];
        Assert.That(vteps.Expire(100_000, 300, expired), Is.EqualTo(1), "only the learned one expires");
        Assert.That(vteps.Find(Address(1), Port), Is.EqualTo(id));
    }

    [Test]
    public void IdleLearnedVtep_ExpiresWhenItsTimeIsOver()
    {
        RemoteVteps vteps = NewVteps();
        int[] expired = new int[8];
        int idle = Admit(vteps, 1, now: 1000);
        int busy = Admit(vteps, 2, now: 1000);
        vteps.Touch(busy, 1001);
        Assert.That(vteps.Expire(1299, 300, expired), Is.EqualTo(0));
        Assert.That(vteps.Expire(1300, 300, expired), Is.EqualTo(1));
        Assert.That(expired[0], Is.EqualTo(idle));
        Assert.That(vteps.Find(Address(1), Port), Is.EqualTo(0));
        Assert.That(vteps.Find(Address(2), Port), Is.EqualTo(busy));
        Assert.That(vteps.EndpointOf(idle), Is.EqualTo(Endpoint(1)), "workers in a batch may still send to it");
    }

    [Test]
    public void AgeingOfZero_AndAClockAMomentAhead_ExpireNothing()
    {
        RemoteVteps vteps = NewVteps();
        int[] expired = new int[8];
        Admit(vteps, 1, now: 1001);
        Assert.That(vteps.Expire(1_000_000, 0, expired), Is.EqualTo(0));
        Assert.That(vteps.Expire(1000, 300, expired), Is.EqualTo(0));
    }

    [Test]
    public void ExpiredVtep_CountsAgainstTheLimitUntilReclaimed()
    {
        RemoteVteps vteps = NewVteps(capacity: 10, learnedLimit: 1);
        int id = Admit(vteps, 1, now: 0);
        int[] expired = new int[8];
        vteps.Expire(300, 300, expired);
        Assert.That(Admit(vteps, 2), Is.EqualTo(0));
        vteps.Reclaim(id);
        Assert.That(Admit(vteps, 2), Is.Not.EqualTo(0));
    }

    [Test]
    public void Expire_LeavesForTheNextCallWhatDoesNotFit()
    {
        RemoteVteps vteps = NewVteps();
        for (int i = 1; i <= 5; i++)
            Admit(vteps, i, now: 0);
        int[] expired = new int[3];
        Assert.That(vteps.Expire(300, 300, expired), Is.EqualTo(3));
        Assert.That(Rows(vteps), Has.Count.EqualTo(2));
        Assert.That(vteps.Expire(300, 300, expired), Is.EqualTo(2));
        Assert.That(Rows(vteps), Is.Empty);
    }

    [Test]
    public void LearnedVteps_NeverTakeTheSlotsOfConfiguredOnes()
    {
        RemoteVteps vteps = NewVteps(capacity: 10, learnedLimit: 4);
        for (int i = 1; i <= 20; i++)
            Admit(vteps, i);
        for (int i = 101; i <= 106; i++)
            Assert.That(vteps.Acquire(Endpoint(i)), Is.Not.EqualTo(0));
    }

    // --- paths ---

    [Test]
    public void Path_IsUnknownAtFirst_AndForgottenWithTheVtep()
    {
        RemoteVteps vteps = NewVteps(capacity: 1, learnedLimit: 0);
        int id = vteps.Acquire(Endpoint(1));
        Assert.That(vteps.PathOf(id), Is.EqualTo(new RemotePath(0, PathState.Unknown)));
        vteps.SetPath(id, 1500, PathState.Ok);
        Assert.That(vteps.PathOf(id), Is.EqualTo(new RemotePath(1500, PathState.Ok)));
        vteps.SetPath(id, 0, PathState.NoRoute);
        Assert.That(vteps.PathOf(id), Is.EqualTo(new RemotePath(0, PathState.NoRoute)));
        vteps.SetPath(id, 9000, PathState.Loop);
        vteps.Release(id);
        vteps.Reclaim(id);
        Assert.That(vteps.Acquire(Endpoint(2)), Is.EqualTo(id));
        Assert.That(vteps.PathOf(id), Is.EqualTo(new RemotePath(0, PathState.Unknown)));
    }

    // --- the index ---

    [Test]
    public void FullTableOf4352_FindsEveryOne()
    {
        RemoteVteps vteps = NewVteps(capacity: 4352, learnedLimit: 256);
        for (int i = 0; i < 4096; i++)
            Assert.That(vteps.Acquire(Endpoint(i)), Is.Not.EqualTo(0));
        for (int i = 4096; i < 4352; i++)
            Assert.That(Admit(vteps, i), Is.Not.EqualTo(0));
        int[] ids = [.. Enumerable.Range(0, 4352).Select(i => vteps.Find(Address(i), Port))];
        Assert.That(ids.Order(), Is.EqualTo(Enumerable.Range(1, 4352)));
    }

    [Test]
    public void ManyGenerationsOfVteps_LeaveNoTraceInTheIndex()
    {
        RemoteVteps vteps = NewVteps(capacity: 16, learnedLimit: 8);
        int stays = vteps.Acquire(Endpoint(60_000));
        int[] expired = new int[16];
        for (uint round = 0; round < 1000; round++)
        {
            for (int i = 0; i < 8; i++)
                Assert.That(Admit(vteps, (int)round * 8 + i, round * 10), Is.Not.EqualTo(0));
            int count = vteps.Expire((round + 1) * 10, 10, expired);
            Assert.That(count, Is.EqualTo(8));
            foreach (int id in expired.AsSpan(0, count))
                vteps.Reclaim(id);
            Assert.That(vteps.Find(Address(60_000), Port), Is.EqualTo(stays));
        }
        Assert.That(vteps.LearnedCount, Is.EqualTo(0));
    }

    [Test]
    public void OneVtepThatComesAndGoesForever_IsAlwaysTakenBack()
    {
        RemoteVteps vteps = NewVteps(capacity: 4096, learnedLimit: 256);
        int[] expired = new int[1];
        for (uint round = 0; round < 1000; round++)
        {
            int id = Admit(vteps, 1, round * 10);
            Assert.That(id, Is.Not.EqualTo(0));
            Assert.That(vteps.Expire(round * 10 + 5, 5, expired), Is.EqualTo(1));
            vteps.Reclaim(id);
        }
    }

    [Test]
    public void FindingAndTouching_AllocateNothing()
    {
        RemoteVteps vteps = NewVteps(capacity: 4096, learnedLimit: 4096);
        InetAddress[] addresses = [.. Enumerable.Range(0, 4000).Select(Address)];
        UseEverything(vteps, addresses.AsSpan(0, 1000));
        long least = long.MaxValue;
        // the least of a few passes: the runtime may allocate on this thread while it compiles methods anew
        for (int pass = 0; pass < 5; pass++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            int found = UseEverything(vteps, addresses);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.That(found, Is.EqualTo(4000), "it did the work");
        }
        Assert.That(least, Is.EqualTo(0));
    }

    [Test]
    public void Admitting_AllocatesNothing()
    {
        InetAddress[] addresses = [.. Enumerable.Range(0, 1000).Select(Address)];
        long least = long.MaxValue;
        for (int pass = 0; pass < 5; pass++)
        {
            RemoteVteps vteps = NewVteps(capacity: 1000, learnedLimit: 1000);
            long before = GC.GetAllocatedBytesForCurrentThread();
            int found = UseEverything(vteps, addresses);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.That((found, vteps.LearnedCount), Is.EqualTo((1000, 1000)), "it did the work");
        }
        Assert.That(least, Is.EqualTo(0));
    }

    private static int UseEverything(RemoteVteps vteps, ReadOnlySpan<InetAddress> addresses)
    {
        int found = 0;
        foreach (InetAddress address in addresses)
        {
            vteps.TryAdmit(address, Port, 100, out int id);
            vteps.TryAdmit(address, Port, 101, out id);
            vteps.Touch(id, 102);
            found += vteps.Find(address, Port) == id && vteps.EndpointOf(id).Port == Port ? 1 : 0;
        }
        return found;
    }

    // --- threads ---

    [Test]
    public void WorkersThatAdmitTheSameSourceAtOnce_AgreeOnOneId()
    {
        const int Workers = 3;
        const int Rounds = 3_000;
        var vteps = new RemoteVteps(Rounds + Workers, Rounds + Workers, s_seed);
        InetAddress[] addresses = [.. Enumerable.Range(0, Rounds).Select(Address)];
        int[][] ids = [new int[Rounds], new int[Rounds], new int[Rounds]];
        using var barrier = new Barrier(Workers);
        RunThreads(Workers, worker =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                barrier.SignalAndWait();
                vteps.TryAdmit(addresses[round], Port, 1, out ids[worker][round]);
            }
        });
        Assert.That(ids[0], Has.None.EqualTo(0).And.Unique);
        Assert.That(ids[1], Is.EqualTo(ids[0]));
        Assert.That(ids[2], Is.EqualTo(ids[0]));
        Assert.That(vteps.LearnedCount, Is.EqualTo(Rounds), "losers gave their slots back");
    }

    [Test]
    public void LimitOfLearnedVteps_HoldsUnderThreads()
    {
        const int Limit = 100;
        var vteps = new RemoteVteps(1000, Limit, s_seed);
        InetAddress[] addresses = [.. Enumerable.Range(0, 4000).Select(Address)];
        RunThreads(4, worker =>
        {
            for (int i = worker; i < addresses.Length; i += 4)
                vteps.TryAdmit(addresses[i], Port, 1, out _);
        });
        Assert.That(Rows(vteps), Has.Count.EqualTo(Limit));
        Assert.That(vteps.LearnedCount, Is.EqualTo(Limit));
    }

    [Test]
    public void AdmittingFindingAcquiringAndExpiring_NeverGiveAnIdOfAnotherEndpoint()
    {
        const int Workers = 3;
        const int Batches = 20_000;
        const int BatchSize = 8;
        const int Sources = 24;
        var vteps = new RemoteVteps(16, 10, s_seed);
        InetAddress[] addresses = [.. Enumerable.Range(0, Sources).Select(Address)];
        int[] batchOf = new int[Workers * 16];
        int wrong = 0;

        Task[] workers = Start(Workers, worker =>
        {
            var random = new Random(worker);
            for (int batch = 1; batch <= Batches; batch++)
            {
                Interlocked.Exchange(ref batchOf[worker * 16], batch); // a full fence: no read of this batch comes before it
                for (int i = 0; i < BatchSize; i++)
                {
                    InetAddress source = addresses[random.Next(Sources)];
                    if (vteps.TryAdmit(source, Port, (uint)batch, out int id) && vteps.EndpointOf(id) != new VtepEndpoint(source, Port))
                        Interlocked.Increment(ref wrong);
                }
            }
            Volatile.Write(ref batchOf[worker * 16], int.MaxValue);
        });

        Churn(vteps, addresses, batchOf, workers, ref wrong);
        Task.WaitAll(workers);
        Assert.That(wrong, Is.EqualTo(0));

        RemoteVtep[] rows = [.. Rows(vteps)];
        Assert.That(rows.Select(row => row.Endpoint), Is.Unique);
        Assert.That(rows.Select(row => vteps.Find(row.Endpoint.Address, Port)), Is.EqualTo(rows.Select(row => row.Id)));
        Assert.That(vteps.LearnedCount, Is.EqualTo(rows.Count(row => !row.IsStatic)));
    }

    [Test]
    public void SourcesAdmittedWhileTheIndexIsReplaced_AreAllFound()
    {
        const int Sources = 500;
        InetAddress[] addresses = [.. Enumerable.Range(0, Sources).Select(Address)];
        int lost = 0;
        for (int round = 0; round < 100; round++)
        {
            var vteps = new RemoteVteps(Sources + 8, Sources, s_seed);
            int[] ids = new int[Sources];
            Task[] worker = Start(1, _ =>
            {
                for (int i = 0; i < Sources; i++)
                {
                    // false only for the moment in which the index is being replaced
                    while (!vteps.TryAdmit(addresses[i], Port, 1, out ids[i]))
                        Thread.SpinWait(10);
                    Thread.SpinWait(50);
                }
            });
            while (!worker[0].IsCompleted)
            {
                int id = vteps.Acquire(Endpoint(60_000));
                vteps.Release(id); // leaves a tombstone; thousands of them make a new index
                vteps.Reclaim(id);
            }
            Task.WaitAll(worker);
            lost += Enumerable.Range(0, Sources).Count(i => vteps.Find(addresses[i], Port) != ids[i]);
        }
        Assert.That(lost, Is.EqualTo(0));
    }

    /// <summary>The control loop: acquires, releases, expires, and reclaims once every worker has left the batch it was in.</summary>
    private static void Churn(RemoteVteps vteps, InetAddress[] addresses, int[] batchOf, Task[] workers, ref int wrong)
    {
        var random = new Random(99);
        var held = new Queue<int>();
        int[] gone = new int[16];
        while (!workers.All(worker => worker.IsCompleted))
        {
            var endpoint = new VtepEndpoint(addresses[random.Next(addresses.Length)], Port);
            int id = vteps.Acquire(endpoint);
            if (id != 0)
            {
                if (vteps.EndpointOf(id) != endpoint)
                    Interlocked.Increment(ref wrong);
                held.Enqueue(id);
            }
            int count = 0;
            if (held.Count > 3 && held.Dequeue() is int last && vteps.Release(last))
                gone[count++] = last;
            count += vteps.Expire(int.MaxValue, 1, gone.AsSpan(count, 4));
            WaitForBatches(batchOf);
            foreach (int old in gone.AsSpan(0, count))
                vteps.Reclaim(old);
        }
        while (held.TryDequeue(out int id))
        {
            if (vteps.Release(id))
                vteps.Reclaim(id);
        }
    }

    private static void WaitForBatches(int[] batchOf)
    {
        for (int worker = 0; worker < batchOf.Length; worker += 16)
        {
            int batch = Volatile.Read(ref batchOf[worker]);
            int at = worker;
            if (batch is not (0 or int.MaxValue))
                SpinWait.SpinUntil(() => Volatile.Read(ref batchOf[at]) != batch);
        }
    }

    private static List<RemoteVtep> Rows(RemoteVteps vteps)
    {
        var rows = new List<RemoteVtep>();
        foreach (RemoteVtep vtep in vteps)
            rows.Add(vtep);
        return rows;
    }

    private static Task[] Start(int workers, Action<int> work) =>
        [.. Enumerable.Range(0, workers).Select(worker =>
            Task.Factory.StartNew(() => work(worker), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];

    private static void RunThreads(int workers, Action<int> work) => Task.WaitAll(Start(workers, work));
}
