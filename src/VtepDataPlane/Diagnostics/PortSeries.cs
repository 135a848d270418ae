// Traffic of ports by direction, as seen from the VTEP: rx was read from the device, tx was written to it. Any thread.

using System.Diagnostics.Metrics;
using VtepDataPlane.Forwarding;

namespace VtepDataPlane.Diagnostics;

/// <summary>One quantity of the ports' traffic.</summary>
/// <param name="domains">The ports there are.</param>
/// <param name="lanes">Number of lanes.</param>
/// <param name="closed">What closed ports had counted.</param>
/// <param name="quantity">The quantity written and read.</param>
internal sealed class PortSeries(OrderedDomains domains, int lanes, ClosedMeters closed, Func<FrameTotals, (long Tx, long Rx)> quantity)
{
    private static readonly string[] s_directions = ["tx", "rx"];

    private readonly BoundedCounter<Key> _counter = new(
        2 * SeriesBudget.Ports, s_directions.Length,
        key => Tags(key.Port.Device.Name, key.Vni, key.Direction), (direction, rest) => Tags(rest, rest, direction));

    /// <summary>Series summed into others.</summary>
    public int Folded => _counter.Folded;

    /// <summary>A measurement for each series.</summary>
    public IEnumerable<Measurement<long>> Read()
    {
        var totals = new FrameTotals();
        closed.AddTo(totals);
        (long allTx, long allRx) = quantity(totals);
        var counts = new List<Count<Key>>();
        foreach (BridgeDomain domain in domains.Read())
        {
            foreach (AccessPort port in domain.Ports)
            {
                (long tx, long rx) = quantity(Sum(port));
                counts.Add(new Count<Key>(new Key(port, domain.Vni.ToString(), 0), 0, tx));
                counts.Add(new Count<Key>(new Key(port, domain.Vni.ToString(), 1), 1, rx));
                (allTx, allRx) = (allTx + tx, allRx + rx);
            }
        }

        return _counter.Read(counts, [allTx, allRx]);
    }

    private FrameTotals Sum(AccessPort port)
    {
        var sum = new FrameTotals();
        for (int lane = 0; lane < lanes; lane++)
            sum.Add(port.Lane(lane).Queue.Meters);
        return sum;
    }

    private static KeyValuePair<string, object?>[] Tags(string port, string vni, int direction) =>
        [new("port", port), new("vni", vni), new("direction", s_directions[direction])];

    private readonly record struct Key(AccessPort Port, string Vni, int Direction);
}
