// Takes snapshots: walks the published state and the tables while lanes work on, so numbers of one snapshot may be some frames
// apart; at rest they are exact. Any thread; nothing is locked, nothing waits.

using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics;

/// <summary>Reads a VTEP for people and programs.</summary>
internal sealed class SnapshotReader(Fdb fdb, NeighborTable neighbors, RemoteVteps vteps, Forwarder forwarder, Lane[] lanes)
{
    public VtepSnapshot Status(IReadOnlyList<ControllerSnapshot> controllers, IReadOnlyList<string> problems)
    {
        ForwardingState state = forwarder.State;
        List<BridgeDomain> domains = [.. state.Domains];
        return new VtepSnapshot(
            state.Local, state.Port, state.IsLocalAddressPresent, lanes.Length, domains.Count, domains.Sum(domain => domain.Ports.Length),
            KnownVteps().Count, fdb.Count, fdb.Capacity, controllers, [.. problems, .. Warnings(state, domains)]);
    }

    public IReadOnlyList<DomainSnapshot> Domains()
    {
        List<BridgeDomain> domains = [.. forwarder.State.Domains.OrderBy(domain => domain.Vni)];
        var traffic = new Dictionary<int, VtepTraffic>();
        foreach (Lane lane in lanes)
            lane.Meters.Pairs.AddTo(traffic);
        return [.. domains.Select(domain => Read(domain, traffic.GetValueOrDefault(domain.Index)))];
    }

    public IReadOnlyList<PortSnapshot> Ports() =>
        [.. forwarder.State.Domains.SelectMany(domain => domain.Ports, Read).OrderBy(port => port.Name, StringComparer.Ordinal)];

    public IReadOnlyList<PeerSnapshot> Peers(uint nowSeconds)
    {
        List<BridgeDomain> domains = [.. forwarder.State.Domains.OrderBy(domain => domain.Vni)];
        ILookup<int, BridgeDomain> naming = domains.SelectMany(domain => domain.Admission.Vteps.Union(domain.Flood.Vteps), (domain, vtep) => (vtep, domain))
            .ToLookup(entry => entry.vtep, entry => entry.domain);
        return [.. KnownVteps().Select(vtep => Read(vtep, [.. naming[vtep.Id]], nowSeconds)).OrderBy(peer => peer.Endpoint.Address).ThenBy(peer => peer.Endpoint.Port)];
    }

    public IReadOnlyList<FdbSnapshot> Fdb(uint nowSeconds, Vni? vni)
    {
        ForwardingState state = forwarder.State;
        var entries = new List<FdbSnapshot>();
        foreach (FdbEntry entry in fdb)
        {
            if (state.ByIndex(entry.Domain) is { } domain && (vni is null || domain.Vni == vni))
                entries.Add(Read(domain, entry, nowSeconds));
        }

        return [.. entries.OrderBy(entry => entry.Vni).ThenBy(entry => entry.Mac)];
    }

    public FdbPage FindFdb(uint nowSeconds, string words, int most)
    {
        ForwardingState state = forwarder.State;
        var search = new FdbSearch(words, vteps);
        var first = new PriorityQueue<(BridgeDomain Domain, FdbEntry Entry), UInt128>(); // the last of the first in front
        int total = 0, found = 0;
        foreach (FdbEntry entry in fdb)
        {
            if (state.ByIndex(entry.Domain) is not { } domain)
                continue;
            total++;
            if (!search.Takes(domain, entry))
                continue;
            found++;
            UInt128 place = ~(((UInt128)domain.Vni.Value << 48) | entry.Mac.Value);
            if (first.Count < most)
                first.Enqueue((domain, entry), place);
            else if (most > 0)
                first.EnqueueDequeue((domain, entry), place);
        }

        IEnumerable<FdbSnapshot> entries = first.UnorderedItems.Select(item => Read(item.Element.Domain, item.Element.Entry, nowSeconds));
        return new FdbPage(total, found, [.. entries.OrderBy(entry => entry.Vni).ThenBy(entry => entry.Mac)]);
    }

    public IReadOnlyList<NeighborSnapshot> Neighbors()
    {
        ForwardingState state = forwarder.State;
        return
        [
            .. neighbors.All().Select(entry => (Domain: state.ByIndex(entry.Domain), entry.Address, entry.Neighbor)).Where(entry => entry.Domain is not null)
                .Select(entry => new NeighborSnapshot(entry.Domain!.Vni, entry.Address, entry.Neighbor.Mac, entry.Neighbor.IsRouter, entry.Neighbor.IsLocal))
                .OrderBy(neighbor => neighbor.Vni).ThenBy(neighbor => neighbor.Address),
        ];
    }

    public CounterSnapshot Counters(ClosedMeters closed)
    {
        long replicated = 0, originated = 0;
        var totals = new FrameTotals();
        closed.AddTo(totals);
        foreach (Lane lane in lanes)
        {
            replicated += lane.Meters.Replicated;
            originated += lane.Meters.Originated;
            DirectedDrops.AddByReason(lane.Meters.Drops, totals.Drops);
            totals.Add(lane.Underlay.Meters);
        }

        foreach (BridgeDomain domain in forwarder.State.Domains)
        {
            domain.Meters.AddDropsTo(totals.Drops);
            foreach (AccessPort port in domain.Ports)
            {
                for (int lane = 0; lane < lanes.Length; lane++)
                    totals.Add(port.Lane(lane).Queue.Meters);
            }
        }

        return new CounterSnapshot(
            totals.Received, replicated, originated, totals.Segmented, totals.Sent, totals.Coalesced, DropTotals.Occurred(totals.Drops));
    }

    private DomainSnapshot Read(BridgeDomain domain, in VtepTraffic traffic)
    {
        Span<long> drops = stackalloc long[DropReasonText.Count];
        drops.Clear();
        domain.Meters.AddDropsTo(drops);
        return new DomainSnapshot(
            domain.Name, domain.Vni, domain.Controller is not null ? "controller" : domain.Flood.Group is null ? "static" : "multicast", domain.Flood.Group?.Endpoint.Address,
            [.. domain.Ports.Select(port => port.Device.Name)], [.. domain.Flood.Vteps.Select(vtep => vteps.EndpointOf(vtep))],
            domain.Mtu, fdb.CountOf(domain.Index), domain.FdbLimit, (int)domain.Ageing, domain.Meters.Sum(lane => lane.Moves),
            domain.Meters.Sum(lane => lane.LearnLimitHits), domain.Meters.Sum(lane => lane.ReservedBitsIgnored),
            traffic.TxFrames, traffic.RxFrames, traffic.TxBytes, traffic.RxBytes, DropTotals.Occurred(drops));
    }

    private PortSnapshot Read(BridgeDomain domain, AccessPort port)
    {
        List<QueueMeters> meters = [.. lanes.Select(lane => port.Lane(lane.Index).Queue.Meters)];
        Span<long> drops = stackalloc long[DropReasonText.Count];
        drops.Clear();
        foreach (QueueMeters queue in meters)
            DropTotals.Add(queue, drops);
        return new PortSnapshot(
            port.Device.Name, domain.Vni, port.Device.Mac, port.Mtu, port.Device.IsUp, meters.Sum(queue => queue.Received),
            meters.Sum(queue => queue.ReceivedBytes), meters.Sum(queue => queue.Sent), meters.Sum(queue => queue.SentBytes), DropTotals.Occurred(drops));
    }

    private List<RemoteVtep> KnownVteps()
    {
        var known = new List<RemoteVtep>();
        foreach (RemoteVtep vtep in vteps)
            known.Add(vtep);
        return known;
    }

    private PeerSnapshot Read(RemoteVtep vtep, IReadOnlyList<BridgeDomain> naming, uint nowSeconds)
    {
        VtepTraffic sum = default;
        foreach (Lane lane in lanes)
        {
            VtepTraffic traffic = lane.Meters.Traffic(vtep.Id);
            sum.TxFrames += traffic.TxFrames;
            sum.TxBytes += traffic.TxBytes;
            sum.RxFrames += traffic.RxFrames;
            sum.RxBytes += traffic.RxBytes;
        }

        string state = vtep.State switch { PathState.Loop => "loop", PathState.NoRoute => "no-route", _ => "ok" };
        long? idle = vtep.LastSeen is { } seen ? Math.Max(0L, (long)nowSeconds - seen) : null;
        return new PeerSnapshot(
            vtep.Endpoint, KindOf(vtep, naming), [.. naming.Select(domain => domain.Vni)], vtep.PathMtu, state, idle, sum.TxFrames, sum.TxBytes, sum.RxFrames, sum.RxBytes);
    }

    private static string KindOf(RemoteVtep vtep, IReadOnlyList<BridgeDomain> naming) =>
        !vtep.IsStatic ? "learned" : naming.Count > 0 && naming.All(domain => domain.Controller is not null) ? "directory" : "static";

    private FdbSnapshot Read(BridgeDomain domain, FdbEntry entry, uint nowSeconds)
    {
        FdbTarget target = entry.Target;
        string kind = FdbSearch.KindOf(target);
        bool ages = target.IsOneOf(FdbKinds.Learned | FdbKinds.Directory);
        return new FdbSnapshot(
            domain.Vni, entry.Mac, kind, target.IsLocal ? domain.Port(target.Id)?.Device.Name : null,
            target.IsRemote ? vteps.EndpointOf(target.Id) : null, ages && entry.LastSeen != 0 ? Math.Max(0L, (long)nowSeconds - entry.LastSeen) : 0);
    }

    private IEnumerable<string> Warnings(ForwardingState state, List<BridgeDomain> domains)
    {
        if (!state.IsLocalAddressPresent)
            yield return $"The local VTEP address {state.Local} is not on this host: nothing is sent until it is back.";
        foreach (RemoteVtep vtep in KnownVteps())
        {
            if (vtep.State == PathState.Loop)
                yield return $"The route to VTEP {vtep.Endpoint.Address} leaves through one of our own ports: nothing is sent there.";
            if (vtep.State == PathState.NoRoute)
                yield return $"There is no route to VTEP {vtep.Endpoint.Address}.";
        }

        foreach (BridgeDomain domain in domains)
        {
            foreach (AccessPort port in domain.Ports)
            {
                if (port.Device is GuardedPort { Guard.Problem: { } problem })
                    yield return problem;
                else if (!port.Device.IsUp)
                    yield return $"Port {port.Device.Name} is down or gone.";
                else if (domain.Mtu > 0 && port.Mtu > domain.Mtu)
                    yield return $"Port {port.Device.Name} has MTU {port.Mtu}, but the paths of {domain.Name} carry {domain.Mtu}: longer packets are dropped and answered.";
            }
        }
    }
}
