// Traffic by bridge domain, peer and direction: the rows of all lanes, put together. A pair that has a row on one lane and none on
// another has only that lane's traffic in its series; the rest is in "other". Any thread.

using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;

namespace VtepDataPlane.Diagnostics;

/// <summary>One quantity of the traffic with peers.</summary>
/// <param name="vteps">Names of the VTEPs.</param>
/// <param name="forwarder">Names of the domains.</param>
/// <param name="lanes">Where it is counted.</param>
/// <param name="quantity">The quantity sent and received.</param>
internal sealed class PairSeries(RemoteVteps vteps, Forwarder forwarder, Lane[] lanes, Func<VtepTraffic, (long Tx, long Rx)> quantity)
{
    private static readonly string[] s_directions = ["tx", "rx"];

    private readonly BoundedCounter<Key> _counter = new(
        2 * SeriesBudget.Pairs, s_directions.Length, key => Tags(key.Vni, key.Peer.ToString(), key.Direction), (direction, rest) => Tags(rest, rest, direction));

    /// <summary>Series summed into others.</summary>
    public int Folded => _counter.Folded;

    /// <summary>A measurement for each series.</summary>
    public IEnumerable<Measurement<long>> Read()
    {
        var pairs = new Dictionary<Pair, VtepTraffic>();
        VtepTraffic total = default;
        ForwardingState state = forwarder.State;
        foreach (Lane lane in lanes)
        {
            // named here, under the lane's lock, for an id is another VTEP's only after its row is retired
            lane.Meters.Pairs.Read(
                (int domain, int vtep, in VtepTraffic traffic) =>
                {
                    if (Find(state, domain, vtep) is { } pair)
                        CollectionsMarshal.GetValueRefOrAddDefault(pairs, pair, out _).Add(traffic);
                },
                ref total);
        }

        var counts = new List<Count<Key>>(2 * pairs.Count);
        foreach ((Pair pair, VtepTraffic traffic) in pairs)
        {
            (long tx, long rx) = quantity(traffic);
            counts.Add(new Count<Key>(new Key(pair, 0), 0, tx));
            counts.Add(new Count<Key>(new Key(pair, 1), 1, rx));
        }

        (long allTx, long allRx) = quantity(total);
        return _counter.Read(counts, [allTx, allRx]);
    }

    // null: the domain is just being removed, or has another group by now
    private Pair? Find(ForwardingState state, int domain, int vtep)
    {
        if (state.ByIndex(domain) is not { } found)
            return null;
        if (vtep > 0)
            return new Pair(domain, found.Vni.ToString(), vtep, vteps.GenerationOf(vtep), vteps.EndpointOf(vtep));
        return found.Flood.Group is { } group && group.Id == vtep ? new Pair(domain, found.Vni.ToString(), vtep, 0, group.Endpoint) : null;
    }

    private static KeyValuePair<string, object?>[] Tags(string vni, string peer, int direction) =>
        [new("vni", vni), new("peer", peer), new("direction", s_directions[direction])];

    private readonly record struct Pair(int Domain, string Vni, int Vtep, int Generation, VtepEndpoint Peer);

    private readonly record struct Key(Pair Pair, int Direction)
    {
        public string Vni => Pair.Vni;

        public VtepEndpoint Peer => Pair.Peer;
    }
}
