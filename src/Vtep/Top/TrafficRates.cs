// The arithmetic of `vtep top`: two samples in, rates out, in the order in which they are shown. Pure: no clock, no terminal, no daemon.
//
// A rate is a difference over the time that was measured between the samples. Where there is nothing to compare with, it is unknown (null), never
// 0: in the first picture, for a domain or peer that was not there before, for a counter that fell (its domain was removed and came back), and
// for all of them when the books themselves fell, for then the daemon was started anew. Bits are those of the frames inside the
// tunnel with their VXLAN header, as the counters have them: outer Ethernet, IP and UDP headers are not in it.

using VtepDataPlane.Diagnostics;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Top;

/// <summary>Traffic one way.</summary>
/// <param name="FramesPerSecond">Frames; null: unknown.</param>
/// <param name="BitsPerSecond">Bits; null: unknown.</param>
internal sealed record FlowRate(double? FramesPerSecond, double? BitsPerSecond)
{
    private const int BitsPerByte = 8;

    public static FlowRate Unknown { get; } = new(null, null);

    /// <summary>From what was counted before, or null, and now.</summary>
    public static FlowRate Between((long Frames, long Bytes)? before, (long Frames, long Bytes) now, double seconds) => new(
        Rate.Between(before?.Frames, now.Frames, seconds), BitsPerByte * Rate.Between(before?.Bytes, now.Bytes, seconds));

    /// <summary>Of all that is known; unknown when nothing is.</summary>
    public static FlowRate Sum(IEnumerable<FlowRate> flows)
    {
        FlowRate[] known = [.. flows.Where(flow => flow.FramesPerSecond is not null)];
        return known.Length == 0 ? Unknown : new(known.Sum(flow => flow.FramesPerSecond), known.Sum(flow => flow.BitsPerSecond));
    }
}

/// <summary>Differences over time.</summary>
internal static class Rate
{
    /// <summary>A second's; null when it can't be told: no earlier count, a count that fell, no time between.</summary>
    public static double? Between(long? before, long now, double seconds) =>
        before is { } earlier && now >= earlier && seconds > 0 ? Math.Round((now - earlier) / seconds, 3) : null;
}

/// <summary>One bridge domain.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Vni">Its VNI.</param>
/// <param name="ToUnderlay">Encapsulated, each copy.</param>
/// <param name="FromUnderlay">Accepted from peers.</param>
/// <param name="DropsPerSecond">Frames dropped; null: unknown.</param>
/// <param name="FdbEntries">Entries of all kinds.</param>
internal sealed record DomainRates(string Name, Vni Vni, FlowRate ToUnderlay, FlowRate FromUnderlay, double? DropsPerSecond, int FdbEntries);

/// <summary>One peer.</summary>
/// <param name="Endpoint">Address and port.</param>
/// <param name="State"><c>ok</c>, <c>no-route</c> or <c>loop</c>.</param>
/// <param name="Rx">From it.</param>
/// <param name="Tx">To it.</param>
/// <param name="IdleSeconds">Since the last datagram from it; null: never heard of.</param>
internal sealed record PeerRates(VtepEndpoint Endpoint, string State, FlowRate Rx, FlowRate Tx, long? IdleSeconds);

/// <summary>One drop reason.</summary>
/// <param name="Reason">In snake case.</param>
/// <param name="PerSecond">Frames; null: unknown.</param>
/// <param name="Total">Frames since the daemon started.</param>
internal sealed record DropRate(string Reason, double? PerSecond, long Total);

/// <summary>What changed between two samples, each list busiest first.</summary>
/// <param name="Status">The VTEP as a whole.</param>
/// <param name="Seconds">Between the samples; null: there is only one.</param>
/// <param name="Restarted">The counters fell, so the daemon was started anew: nothing is known but totals.</param>
/// <param name="ToUnderlay">Of all domains.</param>
/// <param name="FromUnderlay">Of all domains.</param>
/// <param name="DropsPerSecond">Of all reasons; null: unknown.</param>
/// <param name="Domains">By domain.</param>
/// <param name="Peers">By peer.</param>
/// <param name="Drops">By reason; those that occurred.</param>
internal sealed record TrafficRates(
    VtepSnapshot Status, double? Seconds, bool Restarted, FlowRate ToUnderlay, FlowRate FromUnderlay, double? DropsPerSecond,
    IReadOnlyList<DomainRates> Domains, IReadOnlyList<PeerRates> Peers, IReadOnlyList<DropRate> Drops)
{
    /// <summary>Compares two samples.</summary>
    /// <param name="before">The earlier one, or null.</param>
    /// <param name="now">The later one.</param>
    public static TrafficRates Between(TrafficSample? before, TrafficSample now)
    {
        bool restarted = before is not null && HasFallen(before.Counters, now.Counters);
        if (restarted)
            before = null;
        double seconds = before is null ? 0 : (now.At - before.At).TotalSeconds;
        DomainRates[] domains = [.. Domain(before, now, seconds).OrderByDescending(domain => Busy(domain.ToUnderlay, domain.FromUnderlay))
            .ThenByDescending(domain => domain.DropsPerSecond ?? -1).ThenBy(domain => domain.Vni)];
        return new TrafficRates(
            now.Status, before is null ? null : seconds, restarted, FlowRate.Sum(domains.Select(domain => domain.ToUnderlay)),
            FlowRate.Sum(domains.Select(domain => domain.FromUnderlay)),
            Rate.Between(before?.Counters.Drops.Values.Sum(), now.Counters.Drops.Values.Sum(), seconds), domains,
            [.. Peer(before, now, seconds).OrderByDescending(peer => Busy(peer.Rx, peer.Tx)).ThenBy(peer => peer.Endpoint.Address).ThenBy(peer => peer.Endpoint.Port)],
            [.. Drop(before, now, seconds).OrderByDescending(drop => drop.PerSecond ?? -1).ThenByDescending(drop => drop.Total).ThenBy(drop => drop.Reason, StringComparer.Ordinal)]);
    }

    // These never fall while a daemon lives, whatever is reconfigured.
    private static bool HasFallen(CounterSnapshot before, CounterSnapshot now) =>
        now.Received < before.Received || now.Sent < before.Sent || now.Drops.Values.Sum() < before.Drops.Values.Sum();

    private static double Busy(FlowRate one, FlowRate other) => FlowRate.Sum([one, other]).FramesPerSecond ?? -1;

    private static IEnumerable<DomainRates> Domain(TrafficSample? before, TrafficSample now, double seconds)
    {
        ILookup<Vni, DomainSnapshot>? earlier = before?.Domains.ToLookup(domain => domain.Vni);
        foreach (DomainSnapshot domain in now.Domains)
        {
            DomainSnapshot? then = earlier?[domain.Vni].FirstOrDefault();
            yield return new DomainRates(
                domain.Name, domain.Vni,
                FlowRate.Between(then is null ? null : (then.ToUnderlay, then.ToUnderlayBytes), (domain.ToUnderlay, domain.ToUnderlayBytes), seconds),
                FlowRate.Between(then is null ? null : (then.FromUnderlay, then.FromUnderlayBytes), (domain.FromUnderlay, domain.FromUnderlayBytes), seconds),
                Rate.Between(then?.Drops.Values.Sum(), domain.Drops.Values.Sum(), seconds), domain.FdbEntries);
        }
    }

    private static IEnumerable<PeerRates> Peer(TrafficSample? before, TrafficSample now, double seconds)
    {
        ILookup<VtepEndpoint, PeerSnapshot>? earlier = before?.Peers.ToLookup(peer => peer.Endpoint);
        foreach (PeerSnapshot peer in now.Peers)
        {
            PeerSnapshot? then = earlier?[peer.Endpoint].FirstOrDefault();
            yield return new PeerRates(
                peer.Endpoint, peer.State,
                FlowRate.Between(then is null ? null : (then.RxFrames, then.RxBytes), (peer.RxFrames, peer.RxBytes), seconds),
                FlowRate.Between(then is null ? null : (then.TxFrames, then.TxBytes), (peer.TxFrames, peer.TxBytes), seconds), peer.IdleSeconds);
        }
    }

    // A reason that was not there before had not occurred.
    private static IEnumerable<DropRate> Drop(TrafficSample? before, TrafficSample now, double seconds) => now.Counters.Drops.Select(
        drop => new DropRate(drop.Key.Name(), Rate.Between(before?.Counters.Drops.GetValueOrDefault(drop.Key), drop.Value, seconds), drop.Value));
}
