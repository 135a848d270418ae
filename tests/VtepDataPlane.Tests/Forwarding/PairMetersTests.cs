// PairMeters beside a naive model, over its bounds, and under a lane, a control loop and a reader at the same time.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Forwarding;

namespace VtepDataPlane.Tests.Forwarding;

public sealed class PairMetersTests
{
    private enum Step
    {
        Count,
        RetireDomain,
        RetireVtep,
    }

    [Test]
    public void ItCounts_AsADictionaryDoes() =>
        Gen.Select(Gen.Enum<Step>(), Gen.Int[1, 9], Gen.Int[-3, 9], Gen.Int[1, 1000]).List[0, 300].Sample(steps =>
        {
            var meters = new PairMeters();
            var model = new Dictionary<(int, int), long>();
            long all = 0;
            foreach ((Step step, int domain, int vtep, int bytes) in steps)
            {
                if (step == Step.Count)
                {
                    Count(meters, domain, vtep, bytes);
                    model[(domain, vtep)] = model.GetValueOrDefault((domain, vtep)) + bytes;
                    all += bytes;
                    continue;
                }

                bool IsGone(int ofDomain, int ofVtep) => step == Step.RetireDomain ? ofDomain == domain : ofVtep == vtep;
                meters.Retire(IsGone);
                foreach ((int, int) pair in model.Keys.Where(pair => IsGone(pair.Item1, pair.Item2)).ToList())
                    model.Remove(pair);
            }

            Dictionary<(int, int), long> read = Read(meters, out VtepTraffic total);
            return total.TxBytes == all && read.Count == model.Count && model.All(pair => read[pair.Key] == pair.Value);
        });

    [Test]
    public void MorePairsThanRows_AreCountedTogether_AndTheSumIsExact()
    {
        var meters = new PairMeters();
        for (int round = 0; round < 3; round++)
        {
            for (int vtep = 1; vtep <= 5000; vtep++)
                Count(meters, 1 + vtep % 7, vtep, 100);
        }

        Dictionary<(int, int), long> read = Read(meters, out VtepTraffic total);
        Assert.That(read, Has.Count.EqualTo(PairMeters.RowLimit));
        Assert.That(read.Values, Is.All.EqualTo(300), "who has a row has it from his first frame on");
        Assert.That((total.TxBytes, total.TxFrames), Is.EqualTo((1_500_000L, 15_000L)));
    }

    [Test]
    public void RowsOfVtepsThatAreGone_AreGivenToOthers_ForEver()
    {
        var meters = new PairMeters();
        for (int generation = 0; generation < 100; generation++)
        {
            for (int vtep = 1; vtep <= PairMeters.RowLimit; vtep++)
                Count(meters, 1 + generation, vtep, 1);
            Assert.That(Read(meters, out _), Has.Count.EqualTo(PairMeters.RowLimit), $"generation {generation}");
            meters.Retire((_, vtep) => vtep > 0);
            Assert.That(Read(meters, out VtepTraffic total), Is.Empty);
            Assert.That(total.TxBytes, Is.EqualTo((generation + 1L) * PairMeters.RowLimit));
        }
    }

    // The lane takes the VTEPs in use once a batch, as it takes the forwarding state. The control loop takes one out, waits until the lane has left the
    // batch it was in, retires its row, and puts it in again, as another VTEP's. The reader must never see the sum fall.
    [Test]
    public void WhileTheLaneCounts_RowsAreRetiredAndRead_WithoutLosingAFrame()
    {
        const int Vteps = 64, Generations = 300;
        var meters = new PairMeters();
        int[] inUse = [.. Enumerable.Range(1, Vteps)];
        long epoch = 0, counted = 0;
        bool stop = false;
        var lane = new Thread(() =>
        {
            var random = new Random(1);
            while (!Volatile.Read(ref stop))
            {
                Interlocked.Increment(ref epoch);
                int[] vteps = Volatile.Read(ref inUse);
                for (int i = 0; i < 64; i++, counted++)
                    Count(meters, 1, vteps[random.Next(vteps.Length)], 1);
                Volatile.Write(ref epoch, epoch + 1);
            }
        });
        string? fault = null;
        var reader = new Thread(() =>
        {
            long last = 0;
            while (!Volatile.Read(ref stop))
            {
                Read(meters, out VtepTraffic total);
                if (total.TxFrames < last)
                    fault = $"the sum fell from {last} to {total.TxFrames}";
                last = total.TxFrames;
            }
        });
        lane.Start();
        reader.Start();
        for (int generation = 0; generation < Generations; generation++)
        {
            int gone = 1 + generation % Vteps;
            Volatile.Write(ref inUse, [.. inUse.Where(vtep => vtep != gone)]);
            Interlocked.MemoryBarrier();
            long seen = Volatile.Read(ref epoch);
            if ((seen & 1) != 0)
                SpinWait.SpinUntil(() => Volatile.Read(ref epoch) != seen);
            meters.Retire((_, vtep) => vtep == gone);
            if (Read(meters, out _).ContainsKey((1, gone)))
                fault = "a retired row is there still";
            Volatile.Write(ref inUse, [.. inUse, gone]);
        }

        Volatile.Write(ref stop, true);
        lane.Join();
        reader.Join();
        Read(meters, out VtepTraffic end);
        Assert.That(fault, Is.Null);
        Assert.That((end.TxFrames, end.TxBytes), Is.EqualTo((counted, counted)));
    }

    private static void Count(PairMeters meters, int domain, int vtep, int bytes)
    {
        ref VtepTraffic traffic = ref meters.Of(domain, vtep);
        traffic.TxFrames++;
        traffic.TxBytes += bytes;
    }

    private static Dictionary<(int, int), long> Read(PairMeters meters, out VtepTraffic total)
    {
        var read = new Dictionary<(int, int), long>();
        total = default;
        meters.Read((int domain, int vtep, in VtepTraffic traffic) => read.Add((domain, vtep), traffic.TxBytes), ref total);
        return read;
    }
}
