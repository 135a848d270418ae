// The tables of `vtep show`, one for each kind of snapshot.

using VtepDataPlane.Diagnostics;
using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Daemon.Tables;

/// <summary>Snapshots as tables.</summary>
internal static class SnapshotTables
{
    public static void Write(VtepSnapshot status, TextWriter output, Terminal terminal)
    {
        var table = new TextTable("", "");
        table.Add("local", status.Local.IsNone ? null : new VtepEndpoint(status.Local, status.Port));
        table.Add("local address present", status.LocalAddressPresent ? "yes" : "no");
        table.Add("workers", status.Workers);
        table.Add("bridge domains", status.BridgeDomains);
        table.Add("ports", status.Ports);
        table.Add("peers", status.Peers);
        table.Add("fdb entries", $"{status.FdbEntries} of {status.FdbCapacity}");
        foreach (ControllerSnapshot controller in status.Controllers)
            DirectoryTables.AddController(table, controller);
        foreach (string warning in status.Warnings)
            table.Add("warning", warning);
        table.Write(output, terminal);
    }

    public static void Write(IReadOnlyList<DomainSnapshot> domains, TextWriter output, Terminal terminal)
    {
        var table = new TextTable(
            "#VNI", "NAME", "DISCOVERY", "PORTS", "FLOOD TO", "#MTU",
            "#FDB", "#AGEING", "#MOVES", "#TO UNDERLAY", "#FROM UNDERLAY", "#DROPS");
        foreach (DomainSnapshot domain in domains)
        {
            string floodTo = domain.Group?.ToString() ?? Listed(domain.FloodList);
            table.Add(domain.Vni, domain.Name, domain.Discovery, Listed(domain.Ports), floodTo, domain.Mtu,
                domain.FdbEntries, domain.Ageing, domain.Moves, domain.ToUnderlay, domain.FromUnderlay, domain.Drops.Values.Sum());
        }

        table.Write(output, terminal);
    }

    public static void Write(IReadOnlyList<PortSnapshot> ports, TextWriter output, Terminal terminal)
    {
        var table = new TextTable("NAME", "#VNI", "STATE", "MAC", "#MTU", "#RX FRAMES", "#RX BYTES", "#TX FRAMES", "#TX BYTES", "#DROPS");
        foreach (PortSnapshot port in ports)
        {
            table.Add(port.Name, port.Vni, port.Up ? "up" : "down", port.Mac, port.Mtu,
                port.RxFrames, port.RxBytes, port.TxFrames, port.TxBytes, port.Drops.Values.Sum());
        }

        table.Write(output, terminal);
    }

    public static void Write(IReadOnlyList<PeerSnapshot> peers, TextWriter output, Terminal terminal)
    {
        var table = new TextTable(
            "VTEP", "KIND", "STATE", "VNIS", "#PATH MTU", "#IDLE", "#TX FRAMES", "#TX BYTES", "#RX FRAMES", "#RX BYTES");
        foreach (PeerSnapshot peer in peers)
        {
            table.Add(peer.Endpoint, peer.Kind, peer.State, Listed(peer.Vnis), peer.PathMtu == 0 ? null : peer.PathMtu,
                peer.IdleSeconds is { } idle ? $"{idle} s" : null, peer.TxFrames, peer.TxBytes, peer.RxFrames, peer.RxBytes);
        }

        table.Write(output, terminal);
    }

    public static void Write(IReadOnlyList<FdbSnapshot> entries, TextWriter output, Terminal terminal)
    {
        var table = new TextTable("#VNI", "MAC", "KIND", "PORT", "VTEP", "#AGE");
        foreach (FdbSnapshot entry in entries)
            table.Add(entry.Vni, entry.Mac, entry.Kind, entry.Port, entry.Vtep, $"{entry.AgeSeconds} s");
        table.Write(output, terminal);
    }

    public static void Write(CounterSnapshot counters, TextWriter output, Terminal terminal)
    {
        var table = new TextTable("COUNTER", "#FRAMES");
        table.Add("received", counters.Received);
        table.Add("replicated", counters.Replicated);
        table.Add("originated", counters.Originated);
        table.Add("segmented", counters.Segmented);
        table.Add("sent", counters.Sent);
        table.Add("coalesced", counters.Coalesced);
        foreach ((DropReason reason, long count) in counters.Drops.OrderBy(drop => drop.Key))
            table.Add($"dropped: {reason.Name()}", count);
        table.Add("in work", counters.Unaccounted);
        table.Write(output, terminal);
    }

    // Some names, then how many more: a domain may have 4,096 peers.
    private static string Listed<T>(IReadOnlyList<T> items)
    {
        const int Most = 4;
        string some = string.Join(',', items.Take(Most));
        return items.Count > Most ? $"{some},+{items.Count - Most}" : some;
    }
}
