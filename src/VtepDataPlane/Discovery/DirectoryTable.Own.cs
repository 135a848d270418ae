// Our own records as the store has them. After a restart they tell what we claimed in our former life; a VTEP record that isn't ours tells that another
// node was given our id.

using VtepDataPlane.Discovery.Records;

namespace VtepDataPlane.Discovery;

internal sealed partial class DirectoryTable
{
    private readonly Dictionary<RecordKey, DirectoryRecord> _own = [];

    /// <summary>The VTEP record under our own id; null: none.</summary>
    public VtepRecord? OwnVtep => _own.GetValueOrDefault(new RecordKey(RecordKind.Vtep, rules.Node)) as VtepRecord;

    /// <summary>The sequence the store has of a station under our own id; null: none.</summary>
    public uint? OwnSequence(LookupKey key) =>
        (_own.GetValueOrDefault(new RecordKey(RecordKind.Mac, rules.Node, key.Vni, key.Mac)) as MacRecord)?.Sequence;

    private void ChangeOwn(RecordKey key, DirectoryRecord? record, long nowMilliseconds)
    {
        if (record is null)
            _own.Remove(key);
        else if (IsBelieved(record, nowMilliseconds))
            PutOwn(record, nowMilliseconds, isCached: false);
    }

    private void PutOwn(DirectoryRecord record, long nowMilliseconds, bool isCached)
    {
        if (isCached || record is not (VtepRecord or MacRecord) || (_own.Count >= MaxRecordsPerOwner && !_own.ContainsKey(record.Key)))
            return;
        _own[record.Key] = record;
        if (record is not VtepRecord vtep || vtep.EndpointFor(rules.Local.Version).Address == rules.Local)
            return;
        string detail = $"{vtep.EndpointFor(rules.Local.Version)} uses our id {rules.Node}";
        Rejected.Add(new RejectedRecord(RecordRules.NameOf(record.Key), RejectReason.OwnerIsUs, detail), nowMilliseconds);
    }
}
