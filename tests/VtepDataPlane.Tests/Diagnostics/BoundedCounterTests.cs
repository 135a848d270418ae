// BoundedCounter: whatever comes and goes, its series sum up to the whole, are few, and never fall.

using System.Diagnostics.Metrics;
using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Diagnostics;

namespace VtepDataPlane.Tests.Diagnostics;

public sealed class BoundedCounterTests
{
    private const int Capacity = 3;

    [Test]
    public void Series_SumUpToTheWhole_AreFew_AndNeverFall() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 7], Gen.Int[1, 100]).List[0, 60].Sample(steps =>
        {
            BoundedCounter<int> counter = Counter();
            var live = new Dictionary<int, (int Key, long Value)>();
            Dictionary<string, long> last = [];
            long total = 0;
            int nextKey = 100; // keys are never used again
            foreach ((int what, int which, int by) in steps)
            {
                if (what == 0)
                {
                    live.Remove(which);
                }
                else
                {
                    (int key, long value) = live.TryGetValue(which, out (int, long) found) ? found : (nextKey++, 0);
                    live[which] = (key, value + by);
                    total += by;
                }

                if (what == 3)
                    continue; // not every change is seen
                Dictionary<string, long> read = Read(counter, live.Values, total);
                if (read.Values.Sum() != total || read.Count > Capacity + 2 || last.Any(series => read.TryGetValue(series.Key, out long now) && now < series.Value))
                    return false;
                last = read;
            }

            return true;
        });

    [Test]
    public void ASeries_BelongsToItsKeyForLife_AndIsGivenToAnotherThen()
    {
        BoundedCounter<int> counter = Counter();
        Assert.That(Read(counter, [(1, 10), (2, 20), (3, 30), (4, 40)], 100), Is.EquivalentTo(new Dictionary<string, long> { ["1"] = 10, ["2"] = 20, ["3"] = 30, ["other"] = 40 }));
        Assert.That(counter.Folded, Is.EqualTo(1));
        Assert.That(Read(counter, [(4, 41), (3, 30), (2, 20), (1, 10)], 101)["other"], Is.EqualTo(41), "whatever order they come in");
        Assert.That(Read(counter, [(4, 41), (3, 30), (1, 10)], 101), Is.EquivalentTo(new Dictionary<string, long> { ["1"] = 10, ["3"] = 30, ["other"] = 41, ["removed"] = 20 }),
            "what was once given as part of the others can't be taken back");
        Assert.That(Read(counter, [(4, 41), (3, 30), (5, 5), (1, 10)], 106), Is.EquivalentTo(new Dictionary<string, long>
        {
            ["1"] = 10,
            ["3"] = 30,
            ["5"] = 5,
            ["other"] = 41,
            ["removed"] = 20,
        }));
    }

    [Test]
    public void AValueThatFallsForAMoment_IsNotGiven()
    {
        BoundedCounter<int> counter = Counter();
        Read(counter, [(1, 10)], 10);
        Assert.That(Read(counter, [(1, 4)], 4), Is.EquivalentTo(new Dictionary<string, long> { ["1"] = 10 }), "its port is just being closed");
        Assert.That(Read(counter, [(1, 11)], 11), Is.EquivalentTo(new Dictionary<string, long> { ["1"] = 11 }));
    }

    private static BoundedCounter<int> Counter() => new(Capacity, classes: 1, key => [new("key", $"{key}")], (_, rest) => [new("key", rest)]);

    private static Dictionary<string, long> Read(BoundedCounter<int> counter, IEnumerable<(int Key, long Value)> live, long total)
    {
        List<Measurement<long>> measurements = counter.Read([.. live.Select(key => new Count<int>(key.Key, 0, key.Value))], [total]);
        return measurements.ToDictionary(measurement => (string)measurement.Tags[0].Value!, measurement => measurement.Value);
    }
}
