// Drops by bridge domain, direction and reason, wherever they are counted: in the forwarder, by domain or, before one is known, by lane ("none");
// in the queues of ports and of the underlay; and of what is closed. Every drop is in exactly one series, so their sum is that of
// the counters. The direction is where the frame came from, if the forwarder or a receiving queue dropped it, and where it was going,
// if a sending queue did. Only what occurred has a series. Any thread.

using System.Diagnostics.Metrics;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Diagnostics;

/// <summary>All drops.</summary>
internal sealed class DropSeries(OrderedDomains domains, Lane[] lanes, ClosedMeters closed)
{
    private const int FromPort = 0;
    private const int FromUnderlay = 1;
    private const int ToPort = 2;
    private const int ToUnderlay = 3;
    private const string NoDomain = "none";

    private static readonly string[] s_directions = ["from_port", "from_underlay", "to_port", "to_underlay"];
    private static readonly int s_classes = s_directions.Length * DropReasonText.Count;

    private readonly BoundedCounter<Key> _counter = new(
        SeriesBudget.Drops, s_classes, key => Tags(key.Vni, key.Class), (kind, rest) => Tags(rest, kind));

    /// <summary>Series summed into others.</summary>
    public int Folded => _counter.Folded;

    /// <summary>A measurement for each series.</summary>
    public IEnumerable<Measurement<long>> Read()
    {
        Span<long> totals = stackalloc long[s_classes];
        totals.Clear();
        AddClosed(totals);
        var counts = new List<Count<Key>>();
        foreach (BridgeDomain domain in domains.Read())
            AddDomain(domain, totals, counts);
        List<Measurement<long>> measurements = _counter.Read(counts, totals);
        AddDomainless(measurements);
        return measurements;
    }

    private static int ClassOf(int direction, int reason) => direction * DropReasonText.Count + reason;

    private static KeyValuePair<string, object?>[] Tags(string vni, int kind) =>
    [
        new("vni", vni), new("direction", s_directions[kind / DropReasonText.Count]), new("reason", ((DropReason)(kind % DropReasonText.Count)).Name()),
    ];

    private void AddClosed(Span<long> totals)
    {
        Span<long> ofDomains = stackalloc long[DirectedDrops.Count];
        Span<long> ofPorts = stackalloc long[DropReasonText.Count];
        ofDomains.Clear();
        ofPorts.Clear();
        closed.AddDropsTo(ofDomains, ofPorts);
        AddForwarder(ofDomains, totals);
        AddPorts(ofPorts, totals);
    }

    private void AddDomain(BridgeDomain domain, Span<long> totals, List<Count<Key>> counts)
    {
        Span<long> sums = stackalloc long[s_classes];
        Span<long> bySide = stackalloc long[DirectedDrops.Count];
        Span<long> byPort = stackalloc long[DropReasonText.Count];
        sums.Clear();
        bySide.Clear();
        byPort.Clear();
        domain.Meters.AddDirectedDropsTo(bySide);
        AddForwarder(bySide, sums);
        foreach (AccessPort port in domain.Ports)
        {
            foreach (Lane lane in lanes)
                DropTotals.Add(port.Lane(lane.Index).Queue.Meters, byPort);
        }

        AddPorts(byPort, sums);
        DropTotals.Add(sums, totals);
        byPort.Clear();
        domain.Meters.AddClosedPortsTo(byPort); // in the totals they are by way of what is closed
        AddPorts(byPort, sums);
        for (int kind = 0; kind < sums.Length; kind++)
        {
            if (sums[kind] != 0)
                counts.Add(new Count<Key>(new Key(domain.Index, kind, domain.Vni.ToString()), kind, sums[kind]));
        }
    }

    private void AddDomainless(List<Measurement<long>> measurements)
    {
        Span<long> sums = stackalloc long[s_classes];
        sums.Clear();
        foreach (Lane lane in lanes)
        {
            AddForwarder(lane.Meters.Drops, sums);
            foreach (DropReason reason in DropReasonText.All)
                sums[ClassOf(reason == DropReason.DatagramTruncated ? FromUnderlay : ToUnderlay, (int)reason)] += lane.Underlay.Meters.Drops(reason);
        }

        for (int kind = 0; kind < sums.Length; kind++)
        {
            if (sums[kind] != 0)
                measurements.Add(new Measurement<long>(sums[kind], Tags(NoDomain, kind)));
        }
    }

    private static void AddForwarder(ReadOnlySpan<long> drops, Span<long> sums)
    {
        for (int i = 0; i < drops.Length; i++)
            sums[ClassOf(i % 2 == 0 ? FromPort : FromUnderlay, i / 2)] += drops[i];
    }

    // a port's queue drops one kind of frame on receiving: with an offload header that makes no sense
    private static void AddPorts(ReadOnlySpan<long> drops, Span<long> sums)
    {
        for (int reason = 0; reason < drops.Length; reason++)
            sums[ClassOf(reason == (int)DropReason.OffloadInvalid ? FromPort : ToPort, reason)] += drops[reason];
    }

    private readonly record struct Key(int Domain, int Class, string Vni);
}
