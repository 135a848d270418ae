// What a fresh and complete reading of the store means, beside what the target was told and what this node wants in the store. Everything is worked
// out anew, from nothing but the reading and our own stations, so a mistake made with differences shows here. A record that is held for a
// while shows too: the store has it no more.

using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

internal sealed partial class Reconciler
{
    /// <summary>What a complete reading of the store means for peers, stations, neighbours and our own records, beside what the target was told.</summary>
    public IReadOnlyList<DirectoryDifference> Compare(DirectorySnapshot store)
    {
        var read = new DirectoryTable(_rules, LooksUp);
        read.Apply(store, 0);
        List<DirectoryDifference> differences = [];
        foreach (Vni vni in _domains.Keys.Order())
            ComparePeers(vni, read, differences);
        CompareStations(read, differences);
        CompareNeighbors(read, differences);
        ComparePublished(store, differences);
        return differences;
    }

    // Answers make VTEPs known that no snapshot tells of.
    private void ComparePeers(Vni vni, DirectoryTable read, List<DirectoryDifference> differences)
    {
        DomainPeers wanted = PeersOf(vni, read);
        DomainPeers told = _peers.GetValueOrDefault(vni, DomainPeers.None);
        CompareSets(vni, "flood", wanted.Flood, told.Flood, differences);
        if (LooksUp(vni))
            CompareSets(vni, "peer", wanted.Admitted, [.. told.Admitted.Where(told.Flood.Contains)], differences);
        else
            CompareSets(vni, "peer", wanted.Admitted, told.Admitted, differences);
    }

    private void CompareSets(Vni vni, string what, HashSet<VtepEndpoint> wanted, HashSet<VtepEndpoint> told, List<DirectoryDifference> differences)
    {
        foreach (VtepEndpoint vtep in wanted.Union(told).OrderBy(vtep => vtep.Address).ThenBy(vtep => vtep.Port))
            Note(vni, what, vtep.ToString(), wanted.Contains(vtep) ? "yes" : null, told.Contains(vtep) ? "yes" : null, differences);
    }

    private void CompareStations(DirectoryTable read, List<DirectoryDifference> differences)
    {
        IEnumerable<LookupKey> keys = read.Claimed.Where(key => key.Address.IsNone).Union(_places.Keys).Where(key => !LooksUp(key.Vni));
        foreach (LookupKey key in keys.OrderBy(key => key.Vni).ThenBy(key => key.Mac))
        {
            Claim? winner = Resolver.Choose(ClaimsFor(key, read), _moves.FrozenOwner(key));
            string? wanted = winner is { IsOurs: false } remote ? $"{remote.Vtep}" : null;
            string? told = _places.GetValueOrDefault(key) is { IsTold: true } place ? $"{place.Vtep}" : null;
            Note(key.Vni, "station", key.Mac.ToString(), wanted, told, differences);
        }
    }

    private void CompareNeighbors(DirectoryTable read, List<DirectoryDifference> differences)
    {
        IEnumerable<LookupKey> keys = read.Claimed.Where(key => !key.Address.IsNone).Union(_addresses.Keys).Where(key => !LooksUp(key.Vni));
        foreach (LookupKey key in keys.OrderBy(key => key.Vni).ThenBy(key => key.Address))
        {
            Claim? winner = Resolver.Choose(ClaimsFor(key, read), _moves.FrozenOwner(key));
            string? wanted = winner is { } holder ? NeighborText(holder.Mac, holder.IsRouter, holder.IsOurs) : null;
            string? told = _addresses.GetValueOrDefault(key) is { IsTold: true } at ? NeighborText(at.Mac, at.IsRouter, at.IsLocal) : null;
            Note(key.Vni, "neighbor", key.Address.ToString(), wanted, told, differences);
        }
    }

    private static string NeighborText(MacAddress mac, bool isRouter, bool isLocal) => $"{mac}{(isRouter ? " router" : "")}{(isLocal ? " local" : "")}";

    // A reading may leave out stations of domains that are looked up.
    private void ComparePublished(DirectorySnapshot store, List<DirectoryDifference> differences)
    {
        Dictionary<RecordKey, DirectoryRecord> wanted = _own.All().Where(IsCompared).ToDictionary(record => record.Key);
        Dictionary<RecordKey, DirectoryRecord> stored = [];
        foreach (DirectoryRecord record in store.Records.Where(record => record.Owner == _config.Node && IsCompared(record)))
            stored[record.Key] = record;
        foreach (RecordKey key in wanted.Keys.Union(stored.Keys).OrderBy(RecordRules.NameOf, StringComparer.Ordinal))
            Note(key.Kind == RecordKind.Vtep ? null : key.Vni, DirectoryDifference.Published, RecordRules.NameOf(key), Text(stored, key), Text(wanted, key), differences);
    }

    private bool IsCompared(DirectoryRecord record) => record is not PrefixRecord && !(record is MacRecord or NeighborRecord && LooksUp(record.Key.Vni));

    // By meaning: the source may have added to a VTEP's record.
    private string? Text(Dictionary<RecordKey, DirectoryRecord> records, RecordKey key) => records.GetValueOrDefault(key) switch
    {
        VtepRecord vtep => $"{vtep.EndpointFor(_here.Address.Version)}",
        MacRecord station => $"sequence {station.Sequence}{(station.Sticky ? " sticky" : "")}",
        NeighborRecord neighbor => $"{NeighborText(neighbor.Mac, neighbor.IsRouter, false)} sequence {neighbor.Sequence}",
        FloodRecord => "yes",
        _ => null,
    };

    private void Note(Vni? vni, string what, string key, string? wanted, string? told, List<DirectoryDifference> differences)
    {
        if (wanted != told)
            differences.Add(new DirectoryDifference(_config.Name, vni, what, key, wanted, told));
    }
}
