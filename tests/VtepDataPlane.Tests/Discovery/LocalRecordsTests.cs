// What is wanted in the store and what is due, from both sides: the reconciler's and the source's.

using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using static VtepDataPlane.Tests.Discovery.TestDirectory;

namespace VtepDataPlane.Tests.Discovery;

public sealed class LocalRecordsTests
{
    [Test]
    public void ARecordThatIsWantedAlready_IsntDueAgain()
    {
        var own = new LocalRecords();
        own.Set(Station(0, 1));
        Assert.That(own.Take(10), Is.EqualTo(new[] { new DirectoryChange(Station(0, 1).Key, Station(0, 1)) }));
        own.Set(Station(0, 1));
        Assert.That((own.Count, own.Due), Is.EqualTo((1, 0)));
        own.Set(Station(0, 1, sequence: 1));
        Assert.That(own.Take(10).Single().Record, Is.EqualTo(Station(0, 1, sequence: 1)));
    }

    [Test]
    public void WhateverHappensToAKey_OneWriteBringsItUpToDate()
    {
        var own = new LocalRecords();
        own.Set(Station(0, 1));
        own.Remove(Station(0, 1).Key);
        own.Remove(Station(0, 2).Key);
        Assert.That(own.Take(10), Is.EqualTo(new[] { new DirectoryChange(Station(0, 1).Key, null) }));
    }

    [Test]
    public void WhatIsGivenBack_IsDueAsItIsWantedThen()
    {
        var own = new LocalRecords();
        own.Set(Station(0, 1));
        own.Set(Station(0, 2));
        IReadOnlyList<DirectoryChange> taken = own.Take(1);
        Assert.That((taken.Count, own.Due), Is.EqualTo((1, 1)));
        own.Set(Station(0, 1, sequence: 3));
        own.GiveBack(taken.Select(change => change.Key));
        Assert.That(own.Take(10).Select(change => change.Record), Is.EquivalentTo(new[] { Station(0, 1, sequence: 3), Station(0, 2) }));
        own.GiveBackAll();
        Assert.That(own.Due, Is.EqualTo(2));
    }

    [Test]
    public async Task Waiting_EndsWhenSomethingIsDue()
    {
        var own = new LocalRecords();
        Task waiting = own.WaitAsync(CancellationToken.None);
        Assert.That(waiting.IsCompleted, Is.False);
        own.Set(Station(0, 1));
        await waiting.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.That(own.WaitAsync(CancellationToken.None).IsCompleted, Is.True);
        own.Take(10);
        Assert.That(own.WaitAsync(CancellationToken.None).IsCompleted, Is.False);
    }

    [Test]
    public async Task ASourceThatFailsNowAndThen_HasEverythingInTheEnd()
    {
        var own = new LocalRecords();
        var store = new Dictionary<RecordKey, DirectoryRecord>();
        using var stop = new CancellationTokenSource();
        Task source = Task.Run(() => Serve(own, store, stop.Token));
        var random = new Random(1);
        for (int i = 0; i < 50_000; i++)
        {
            MacRecord record = Station(0, random.Next(1, 50), (uint)i);
            if (random.Next(3) == 0)
                own.Remove(record.Key);
            else
                own.Set(record);
        }

        own.Set(Floods(0));
        await Until(() =>
        {
            lock (store)
                return own.Due == 0 && store.Values.ToHashSet().SetEquals(own.All());
        });
        await stop.CancelAsync();
        Assert.That(async () => await source, Throws.InstanceOf<OperationCanceledException>());
    }

    private static async Task Serve(LocalRecords own, Dictionary<RecordKey, DirectoryRecord> store, CancellationToken stop)
    {
        var random = new Random(2);
        while (true)
        {
            await own.WaitAsync(stop);
            IReadOnlyList<DirectoryChange> due = own.Take(7);
            if (random.Next(4) == 0)
            {
                own.GiveBack(due.Select(change => change.Key));
                continue;
            }

            lock (store)
            {
                foreach ((RecordKey key, DirectoryRecord? record) in due)
                {
                    if (record is null)
                        store.Remove(key);
                    else
                        store[key] = record;
                }
            }
        }
    }

    internal static async Task Until(Func<bool> condition)
    {
        using var tooLong = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
        {
            tooLong.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
