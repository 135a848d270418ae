// All records with who won and why: those of others as they are held, ours as they are wanted in the store.

using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Discovery;

internal sealed partial class Reconciler
{
    /// <summary>All records with who won and why, and the last ones rejected.</summary>
    public DirectoryContentSnapshot Content(long nowMilliseconds)
    {
        IEnumerable<DirectoryRecordSnapshot> others =
            _table.All.Select(held => Show(held.Record, held.IsStale, Seconds(held.Since, nowMilliseconds) ?? 0));
        IEnumerable<DirectoryRecordSnapshot> ours = _own.All().Select(record => Show(record, isStale: false, age: 0));
        DirectoryRecordSnapshot[] records =
        [
            .. others.Concat(ours).OrderBy(record => record.Vni?.Value ?? -1).ThenBy(record => record.Kind, StringComparer.Ordinal)
                .ThenBy(record => record.Mac ?? default).ThenBy(record => record.Address, StringComparer.Ordinal)
                .ThenBy(record => record.Owner, StringComparer.Ordinal),
        ];
        return new DirectoryContentSnapshot(records, [.. _table.Rejected.Last.Select(rejected => Show(rejected.Record, rejected.Since, nowMilliseconds))]);
    }

    private RejectedRecordSnapshot Show(RejectedRecord rejected, long since, long nowMilliseconds) => new(
        _config.Name, VtepConfigRules.Escape(rejected.Name), RejectedRecords.TextOf(rejected.Reason), VtepConfigRules.Escape(rejected.Detail),
        Seconds(since, nowMilliseconds) ?? 0);

    private DirectoryRecordSnapshot Show(DirectoryRecord record, bool isStale, long age)
    {
        RecordKey key = record.Key;
        VtepEndpoint? vtep = EndpointOf(record.Owner);
        (bool isWinner, string why) = Explain(record, vtep is not null);
        string? address = record is PrefixRecord ? $"{key.Address}/{key.PrefixLength}" : record is NeighborRecord ? key.Address.ToString() : null;
        uint? sequence = record is MacRecord station ? station.Sequence : (record as NeighborRecord)?.Sequence;
        return new DirectoryRecordSnapshot(
            _config.Name, RecordRules.KindText(key.Kind), record.Owner, record is VtepRecord ? null : key.Vni,
            record is NeighborRecord neighbor ? neighbor.Mac : record is MacRecord ? key.Mac : null, address, vtep?.ToString(), sequence,
            record is MacRecord { Sticky: true }, age, isStale, isWinner, why);
    }

    private VtepEndpoint? EndpointOf(string owner) =>
        owner == _config.Node ? _here : _table.VtepOf(owner)?.EndpointFor(_here.Address.Version);

    private (bool IsWinner, string Why) Explain(DirectoryRecord record, bool hasVtep)
    {
        if (!hasVtep)
            return (false, $"no VTEP record of {record.Owner}");
        if (record is PrefixRecord)
            return (false, "prefixes aren't used yet");
        if (record is VtepRecord or FloodRecord)
            return (true, "only claim");
        LookupKey key = record is NeighborRecord neighbor ? new(neighbor.Vni, default, neighbor.Address) : new(record.Key.Vni, record.Key.Mac);
        List<Claim> claims = ClaimsFor(key, _table);
        string? frozen = _moves.FrozenOwner(key);
        if (Resolver.Choose(claims, frozen) is not { } winner)
            return (false, "not claimed any more");
        string why = Resolver.Why(claims, winner, frozen);
        return winner.Owner == record.Owner ? (true, why) : (false, $"{winner.Owner} holds it: {why}");
    }
}
