// Samples of daemons that don't exist.

using VtepDataPlane.Daemon.Top;
using VtepDataPlane.Diagnostics;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

internal static class Samples
{
    public static TrafficSample Of(double seconds, DomainSnapshot[] domains, PeerSnapshot[] peers, long drops = 0, params string[] warnings) => new(
        TimeSpan.FromSeconds(seconds), new VtepSnapshot(InetAddress.Parse("198.18.0.1"), 4789, true, 2, domains.Length, domains.Length, peers.Length, 5, 262_144, [], warnings),
        domains, peers, new CounterSnapshot(1000, 0, 0, 0, 900, 0, Drops(drops)));

    public static DomainSnapshot Domain(string name, int vni, (long Frames, long Bytes) to, (long Frames, long Bytes) from, long drops = 0) => new(
        name, new Vni(vni), "static", null, [], [], 1450, 3, 8192, 300, 0, 0, 0, to.Frames, from.Frames, to.Bytes, from.Bytes, Drops(drops));

    public static PeerSnapshot Peer(string address, (long Frames, long Bytes) rx = default, (long Frames, long Bytes) tx = default, long? idle = 3) => new(
        new VtepEndpoint(InetAddress.Parse(address), 4789), "static", [], 1500, "ok", idle, tx.Frames, tx.Bytes, rx.Frames, rx.Bytes);

    /// <summary>Thirty domains and peers, each a little busier than the one before, after so many seconds.</summary>
    public static TrafficSample Busy(int seconds) => Of(
        seconds, [.. Enumerable.Range(1, 30).Select(i => Domain($"domain-{i}", i, (i * 1000L * seconds, i * 100_000L * seconds), (i * seconds, i * 100L * seconds)))],
        [.. Enumerable.Range(1, 30).Select(i => Peer($"198.18.1.{i}", (i * 10L * seconds, i * 1000L * seconds), (i * seconds, i * 100L * seconds)))],
        drops: 10L * seconds);

    private static Dictionary<DropReason, long> Drops(long count) => count == 0 ? [] : new() { [DropReason.VniNotFound] = count };
}
