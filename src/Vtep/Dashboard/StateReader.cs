// Takes the state for the page, and bounds what that costs, however many pages are open and however large the configuration is:
//
// * An answer is good for half a second: all pages that ask meanwhile get the same bytes.
// * A page is told when to ask again (PollCost): seldom, when an answer takes long to make.
//
// Any thread, one at a time.

using System.Text.Json;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Diagnostics;

namespace VtepDataPlane.Daemon.Dashboard;

/// <summary>Reads the state as JSON.</summary>
internal sealed class StateReader(DataPlane dataPlane, TimeProvider time)
{
    /// <summary>Domains that are told at most.</summary>
    public const int MostDomains = 100;

    /// <summary>Ports that are told at most.</summary>
    public const int MostPorts = 200;

    /// <summary>VTEPs that are told at most.</summary>
    public const int MostPeers = 200;

    private static readonly TimeSpan s_goodFor = TimeSpan.FromMilliseconds(PollCost.Interval / 2);

    private readonly Lock _gate = new();
    private readonly long _started = time.GetTimestamp();
    private readonly string _start = Guid.NewGuid().ToString("N");
    private readonly PollCost _cost = new();
    private byte[] _json = [];
    private long _taken;

    /// <summary>A <see cref="DashboardState"/> as JSON, at most half a second old.</summary>
    public ReadOnlyMemory<byte> Read()
    {
        lock (_gate)
        {
            if (_json.Length > 0 && time.GetElapsedTime(_taken) < s_goodFor)
                return _json;
            _taken = time.GetTimestamp();
            _json = _cost.Measure(() => JsonSerializer.SerializeToUtf8Bytes(Take(), DashboardJson.Default.DashboardState));
            return _json;
        }
    }

    private DashboardState Take()
    {
        Vtep vtep = dataPlane.Vtep;
        TimeSpan uptime = time.GetElapsedTime(_started);
        IReadOnlyList<PortSnapshot> ports = vtep.Ports();
        ILookup<Wire.Vni, PortSnapshot> byVni = ports.ToLookup(port => port.Vni);
        IReadOnlyList<DomainSnapshot> domains = Busiest(vtep.Domains(), MostDomains, domain => domain.ToUnderlay + domain.FromUnderlay);
        IReadOnlyList<PeerSnapshot> peers = Busiest(vtep.Peers(dataPlane.Now()), MostPeers, peer => peer.TxFrames + peer.RxFrames);
        HashSet<Wire.Vni> told = [.. domains.Select(domain => domain.Vni)];
        return new DashboardState(
            DaemonHost.Version, _start, (long)uptime.TotalSeconds, (long)uptime.TotalMilliseconds, _cost.NextMilliseconds, dataPlane.FindStall(), vtep.Status(),
            PortTotals.Of(ports), [.. domains.Select(domain => Tell(domain, [.. byVni[domain.Vni]]))],
            Busiest(ports, MostPorts, port => port.RxFrames + port.TxFrames), [.. peers.Select(peer => Tell(peer, told))], vtep.Counters());
    }

    // Membership is told once, by the peer, and for the domains that are told.
    private static DashboardDomain Tell(DomainSnapshot domain, PortSnapshot[] ports) =>
        new(domain with { FloodList = [], Ports = [.. domain.Ports.Take(1)] }, PortTotals.Of(ports));

    private static PeerSnapshot Tell(PeerSnapshot peer, HashSet<Wire.Vni> told) => peer with { Vnis = [.. peer.Vnis.Where(told.Contains)] };

    // In their own order, without those that moved least.
    private static IReadOnlyList<T> Busiest<T>(IReadOnlyList<T> all, int most, Func<T, long> traffic)
    {
        if (all.Count <= most)
            return all;
        IEnumerable<int> places = Enumerable.Range(0, all.Count).OrderByDescending(i => traffic(all[i])).Take(most).Order();
        return [.. places.Select(i => all[i])];
    }
}
