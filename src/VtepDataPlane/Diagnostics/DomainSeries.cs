// A counter of the lanes by bridge domain. Any thread.

using System.Diagnostics.Metrics;
using VtepDataPlane.Forwarding;

namespace VtepDataPlane.Diagnostics;

/// <summary>One counter by domain.</summary>
/// <param name="domains">The domains there are.</param>
/// <param name="closed">What domains that are gone had counted.</param>
/// <param name="counter">Reads it.</param>
internal sealed class DomainSeries(OrderedDomains domains, Func<long> closed, Func<DomainLaneMeters, long> counter)
{
    private readonly BoundedCounter<Key> _counter = new(SeriesBudget.Domains, classes: 1, key => [new("vni", key.Vni)], (_, rest) => [new("vni", rest)]);

    /// <summary>Series summed into others.</summary>
    public int Folded => _counter.Folded;

    /// <summary>A measurement for each series.</summary>
    public IEnumerable<Measurement<long>> Read()
    {
        long total = closed();
        var counts = new List<Count<Key>>();
        foreach (BridgeDomain domain in domains.Read())
        {
            long value = domain.Meters.Sum(counter);
            total += value;
            counts.Add(new Count<Key>(new Key(domain.Index, domain.Vni.ToString()), 0, value));
        }

        return _counter.Read(counts, [total]);
    }

    private readonly record struct Key(int Domain, string Vni);
}
