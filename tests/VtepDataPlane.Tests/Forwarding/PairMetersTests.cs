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
            var lane = new LaneOfDomains(domains: 9);
            var model = new Dictionary<(int, int), long>();
            long[] ofDomain = new long[10];
            long all = 0;
            foreach ((Step step, int domain, int vtep, int bytes) in steps)
            {
                if (step == Step.Count)
                {
                    lane.Count(domain, vtep, bytes);
                    model[(domain, vtep)] = model.GetValueOrDefault((domain, vtep)) + bytes;
                    ofDomain[domain] += bytes;
                    all += bytes;
                }
                else if (step == Step.RetireVtep)
                {
                    lane.Meters.RetireVteps(new HashSet<int> { vtep });
                    Remove(model, pair => pair.Vtep == vtep);
                }
                else
                {
                    lane.Replace(domain);
                    ofDomain[domain] = 0;
                    Remove(model, pair => pair.Domain == domain);
                }
            }

            Dictionary<(int, int), long> read = lane.Read(out VtepTraffic total);
            return total.TxBytes == all && read.Count == model.Count && model.All(pair => read[pair.Key] == pair.Value)
                && Enumerable.Range(1, 9).All(domain => lane.Of(domain).TxBytes == ofDomain[domain]);
        });

    [Test]
    public void MorePairsThanRows_AreCountedTogether_AndTheSumIsExact()
    {
        var lane = new LaneOfDomains(domains: 5);
        for (int round = 0; round < 3; round++)
        {
            for (int vtep = 1; vtep <= 5000; vtep++)
                lane.Count(1 + vtep % 5, vtep, 100);
        }

        Dictionary<(int, int), long> read = lane.Read(out VtepTraffic total);
        Assert.That(read, Has.Count.EqualTo(PairMeters.RowLimit));
        Assert.That(read.Values, Is.All.EqualTo(300), "who has a row has it from his first frame on");
        Assert.That((total.TxBytes, total.TxFrames), Is.EqualTo((1_500_000L, 15_000L)));
        Assert.That(Enumerable.Range(1, 5).Select(domain => lane.Of(domain).TxBytes), Is.All.EqualTo(300_000));
    }

    [Test]
    public void WhatADomainHasCounted_GoesWithIt_AndStaysInTheSum()
    {
        var lane = new LaneOfDomains(domains: 2);
        for (int vtep = 1; vtep <= PairMeters.RowLimit + 100; vtep++)
            lane.Count(1 + vtep % 2, vtep, 10);

        lane.Meters.RetireVteps(Enumerable.Range(1, 7).ToHashSet());
        lane.Replace(1);

        long all = 10 * (PairMeters.RowLimit + 100);
        Assert.That((lane.Of(1).TxBytes, lane.Of(2).TxBytes), Is.EqualTo((0L, all / 2)));
        lane.Read(out VtepTraffic total);
        Assert.That(total.TxBytes, Is.EqualTo(all));
    }

    [Test]
    public void RowsOfVtepsThatAreGone_AreGivenToOthers_ForEver()
    {
        var lane = new LaneOfDomains(domains: 100);
        for (int generation = 0; generation < 100; generation++)
        {
            for (int vtep = 1; vtep <= PairMeters.RowLimit; vtep++)
                lane.Count(1 + generation, vtep, 1);
            Assert.That(lane.Read(out _), Has.Count.EqualTo(PairMeters.RowLimit), $"generation {generation}");
            lane.Meters.RetireVteps(Enumerable.Range(1, PairMeters.RowLimit).ToHashSet());
            Assert.That(lane.Read(out VtepTraffic total), Is.Empty);
            Assert.That(total.TxBytes, Is.EqualTo((generation + 1L) * PairMeters.RowLimit));
        }
    }

    // The lane takes the VTEPs in use once a batch, as it takes the forwarding state. The control loop takes one out, waits until the lane has left the
    // batch it was in, retires its row, and puts it in again, as another VTEP's. The reader must never see a sum fall.
    [Test]
    public void WhileTheLaneCounts_RowsAreRetiredAndRead_WithoutLosingAFrame()
    {
        const int Vteps = 64, Generations = 300;
        var domains = new LaneOfDomains(domains: 1);
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
                    domains.Count(1, vteps[random.Next(vteps.Length)], 1);
                Volatile.Write(ref epoch, epoch + 1);
            }
        });
        string? fault = null;
        var reader = new Thread(() =>
        {
            long last = 0, lastOfDomain = 0;
            while (!Volatile.Read(ref stop))
            {
                domains.Read(out VtepTraffic total);
                long ofDomain = domains.Of(1).TxFrames;
                if (total.TxFrames < last || ofDomain < lastOfDomain)
                    fault = $"a sum fell: from {last} to {total.TxFrames}, the domain's from {lastOfDomain} to {ofDomain}";
                (last, lastOfDomain) = (total.TxFrames, ofDomain);
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
            domains.Meters.RetireVteps(new HashSet<int> { gone });
            if (domains.Read(out _).ContainsKey((1, gone)))
                fault = "a retired row is there still";
            Volatile.Write(ref inUse, [.. inUse, gone]);
        }

        Volatile.Write(ref stop, true);
        lane.Join();
        reader.Join();
        domains.Read(out VtepTraffic end);
        Assert.That(fault, Is.Null);
        Assert.That((end.TxFrames, end.TxBytes, domains.Of(1).TxFrames), Is.EqualTo((counted, counted, counted)));
    }

    private static void Remove(Dictionary<(int Domain, int Vtep), long> model, Func<(int Domain, int Vtep), bool> isGone)
    {
        foreach ((int, int) pair in model.Keys.Where(isGone).ToList())
            model.Remove(pair);
    }

    /// <summary>The meters of a lane that serves the domains from 1 on.</summary>
    private sealed class LaneOfDomains
    {
        private readonly DomainLaneMeters[] _domains;

        public LaneOfDomains(int domains)
        {
            _domains = [.. Enumerable.Range(0, domains + 1).Select(_ => new DomainLaneMeters())];
            for (int domain = 1; domain <= domains; domain++)
                Meters.AddDomain(domain, _domains[domain]);
        }

        public PairMeters Meters { get; } = new();

        public void Count(int domain, int vtep, int bytes)
        {
            ref VtepTraffic traffic = ref Meters.Of(domain, vtep, _domains[domain]);
            traffic.TxFrames++;
            traffic.TxBytes += bytes;
        }

        /// <summary>The domain is removed, and another gets its index.</summary>
        public void Replace(int domain)
        {
            Meters.RemoveDomains(new HashSet<int> { domain });
            Meters.AddDomain(domain, _domains[domain] = new DomainLaneMeters());
        }

        public VtepTraffic Of(int domain)
        {
            var domains = new Dictionary<int, VtepTraffic>();
            Meters.AddTo(domains);
            return domains[domain];
        }

        public Dictionary<(int, int), long> Read(out VtepTraffic total)
        {
            var read = new Dictionary<(int, int), long>();
            total = default;
            Meters.Read((int domain, int vtep, in VtepTraffic traffic) => read.Add((domain, vtep), traffic.TxBytes), ref total);
            return read;
        }
    }
}
