// A counter by some key that gives a bounded number of series, whose sum is always the whole. Keys get a series in the order in which they
// are met, and keep it for as long as they live; who found no room is without one for as long as it lives, for what it had counted
// can't be taken back. What those count is in one series "other" of their class (a direction, say), which is no sum but a difference:
//
//   other = total - series - removed
//
// so nothing is remembered of keys that are gone, however many come and go. When a key with a series is gone, what was read
// of it last moves to "removed", for otherwise "other" would jump by it and look like traffic; "removed" jumps instead, so leave it out of rates. What
// was counted since that reading is in "other", where it belongs: nobody has seen it yet.
//
// Counters never fall, though a reading may: while a domain or port is being closed it is in nobody's sum for a moment. So a value is
// never given lower than before. That takes keys which are never reused for another thing, and a total that is read before the parts it
// may be moved to: closed counters first, live ones then.
//
// Thread-safety: any thread, one at a time inside.

using System.Diagnostics.Metrics;

namespace VtepDataPlane.Diagnostics;

/// <summary>What a live key has counted.</summary>
/// <param name="Key">Never used for another thing.</param>
/// <param name="Class">Which of the totals it is part of.</param>
/// <param name="Value">Its count.</param>
internal readonly record struct Count<TKey>(TKey Key, int Class, long Value);

/// <summary>A bounded number of series over any number of keys.</summary>
/// <param name="capacity">Keys with a series of their own, at most.</param>
/// <param name="classes">Number of totals.</param>
/// <param name="tagsOf">The labels of a key, read once, when it gets its series.</param>
/// <param name="tagsOfRest">The labels of a class's rest: the first argument is the class, the second <see cref="SeriesBudget.Other"/> or <see cref="SeriesBudget.Removed"/>.</param>
internal sealed class BoundedCounter<TKey>(
    int capacity, int classes, Func<TKey, KeyValuePair<string, object?>[]> tagsOf, Func<int, string, KeyValuePair<string, object?>[]> tagsOfRest)
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly long[] _removed = new long[classes];
    private readonly long[] _other = new long[classes];
    private Dictionary<TKey, Series> _series = [];
    private HashSet<TKey> _folded = [];

    /// <summary>Live keys without a series, when it was read last.</summary>
    public int Folded => Volatile.Read(ref _folded).Count;

    /// <summary>One measurement for each series.</summary>
    /// <param name="live">All keys there are.</param>
    /// <param name="totals">By class: all that was ever counted.</param>
    public List<Measurement<long>> Read(IReadOnlyCollection<Count<TKey>> live, ReadOnlySpan<long> totals)
    {
        lock (_gate)
        {
            Update(live);
            var measurements = new List<Measurement<long>>(_series.Count + 2 * classes);
            Span<long> shown = stackalloc long[classes];
            shown.Clear();
            foreach (Series series in _series.Values)
            {
                shown[series.Class] += series.Value;
                measurements.Add(new Measurement<long>(series.Value, series.Tags));
            }

            for (int i = 0; i < classes; i++)
                AddRest(measurements, i, totals[i] - shown[i]);
            return measurements;
        }
    }

    private void Update(IReadOnlyCollection<Count<TKey>> live)
    {
        var next = new Dictionary<TKey, Series>(Math.Min(capacity, live.Count));
        var others = new List<Count<TKey>>();
        foreach (Count<TKey> count in live)
        {
            if (_series.Remove(count.Key, out Series? series))
                next.Add(count.Key, series with { Value = Math.Max(series.Value, count.Value) });
            else
                others.Add(count);
        }

        foreach (Series gone in _series.Values)
            _removed[gone.Class] += gone.Value;
        _series = next;
        Volatile.Write(ref _folded, Fold(others));
    }

    private HashSet<TKey> Fold(List<Count<TKey>> others)
    {
        HashSet<TKey> folded = [];
        foreach (Count<TKey> count in others)
        {
            if (_series.Count < capacity && !_folded.Contains(count.Key))
                _series.Add(count.Key, new Series(count.Class, count.Value, tagsOf(count.Key)));
            else
                folded.Add(count.Key);
        }

        return folded;
    }

    private void AddRest(List<Measurement<long>> measurements, int index, long rest)
    {
        _other[index] = Math.Max(_other[index], rest - _removed[index]);
        if (_other[index] > 0)
            measurements.Add(new Measurement<long>(_other[index], tagsOfRest(index, SeriesBudget.Other)));
        if (_removed[index] > 0)
            measurements.Add(new Measurement<long>(_removed[index], tagsOfRest(index, SeriesBudget.Removed)));
    }

    private sealed record Series(int Class, long Value, KeyValuePair<string, object?>[] Tags);
}
