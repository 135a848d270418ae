// The records a controller has told, as they are now. It applies snapshots by mark and sweep and deltas change by change, and says in
// TableChanges what that touches, so that one record costs what depends on it and no more. Records are found by owner and key here, and by
// what they claim in DirectoryTable.Index.cs; how long records stay that the store has lost is in DirectoryTable.Holds.cs.
//
// Our own records in the store are kept apart (DirectoryTable.Own.cs): a claim under our id is no claim of another node.
//
// Control loop only; time is an argument.

using System.Diagnostics.CodeAnalysis;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>Records by owner and key.</summary>
/// <param name="rules">What a record must be.</param>
/// <param name="looksUp">Says of which domains the stations are looked up: their records in snapshots are passed over.</param>
internal sealed partial class DirectoryTable(RecordRules rules, Func<Vni, bool> looksUp)
{
    /// <summary>Records one owner may have.</summary>
    public const int MaxRecordsPerOwner = 131_072;

    /// <summary>Records there may be.</summary>
    public const int MaxRecords = 1_048_576;

    /// <summary>VTEPs there may be.</summary>
    public const int MaxVteps = 4096;

    private readonly Dictionary<string, OwnerRecords> _owners = [];
    private readonly int[] _counts = new int[Enum.GetValues<RecordKind>().Length];
    private int _mark;

    /// <summary>What has to be decided anew.</summary>
    public TableChanges Changes { get; } = new();

    /// <summary>Records that weren't taken.</summary>
    public RejectedRecords Rejected { get; } = new();

    /// <summary>The store has told everything once.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>What is known was read from disk.</summary>
    public bool IsFromCache { get; private set; }

    /// <summary>Records held, all kinds.</summary>
    public int Count => _counts.Sum();

    /// <summary>Records that the store may not have any more.</summary>
    public int Stale => IsFromCache ? All.Count(held => held.IsStale) : _held.Count;

    /// <summary>All records held.</summary>
    public IEnumerable<HeldRecord> All => _owners.Values.SelectMany(owner => owner.Records.Values);

    /// <summary>Records held of a kind.</summary>
    public int CountOf(RecordKind kind) => _counts[(int)kind];

    /// <summary>Finds a record.</summary>
    public bool TryFind(RecordKey key, [NotNullWhen(true)] out HeldRecord? held)
    {
        held = null;
        return _owners.TryGetValue(key.Owner, out OwnerRecords? owner) && owner.Records.TryGetValue(key, out held);
    }

    /// <summary>Takes everything over. What it doesn't have goes, unless that is too much at once.</summary>
    public void Apply(DirectorySnapshot snapshot, long nowMilliseconds)
    {
        if (snapshot.IsFromCache && IsComplete)
            return;
        NoteRejected(snapshot.Rejected, nowMilliseconds);
        _mark++;
        IsFromCache = snapshot.IsFromCache;
        if (!snapshot.IsFromCache)
            _own.Clear();
        List<DirectoryRecord> news = RenewKnown(snapshot, nowMilliseconds);
        if (!snapshot.IsFromCache)
            Sweep(nowMilliseconds);
        // Last, when what went has made room.
        foreach (DirectoryRecord record in news)
            Put(record, nowMilliseconds, isCached: snapshot.IsFromCache);
        IsComplete |= !snapshot.IsFromCache;
    }

    /// <summary>Takes changes over. Several of one key count as the last.</summary>
    public void Apply(DirectoryDelta delta, long nowMilliseconds)
    {
        NoteRejected(delta.Rejected, nowMilliseconds);
        foreach (RejectedRecord rejected in delta.Rejected)
            Drop(rejected.Means);
        var last = new Dictionary<RecordKey, DirectoryRecord?>(delta.Changes.Count);
        foreach (DirectoryChange change in delta.Changes)
            last[change.Key] = change.Record;
        // VTEPs first: what goes with its VTEP is held with it.
        foreach ((RecordKey key, DirectoryRecord? record) in last.Where(change => change.Key.Kind == RecordKind.Vtep))
            Change(key, record, nowMilliseconds);
        foreach ((RecordKey key, DirectoryRecord? record) in last.Where(change => change.Key.Kind != RecordKind.Vtep))
            Change(key, record, nowMilliseconds);
    }

    /// <summary>Forgets the records of domains that aren't served any more, or whose stations are known in another way now.</summary>
    public void Forget(Func<DirectoryRecord, bool> isLeft)
    {
        foreach (HeldRecord held in All.Where(held => isLeft(held.Record)).ToList())
            Remove(held);
    }

    private List<DirectoryRecord> RenewKnown(DirectorySnapshot snapshot, long nowMilliseconds)
    {
        var news = new List<DirectoryRecord>();
        foreach (DirectoryRecord record in snapshot.Records)
        {
            if (!IsBelieved(record, nowMilliseconds) || IsPassedOver(record))
                continue;
            if (record.Owner == rules.Node)
                PutOwn(record, nowMilliseconds, snapshot.IsFromCache);
            else if (TryFind(record.Key, out HeldRecord? held))
                Renew(held, record, nowMilliseconds, snapshot.IsFromCache);
            else
                news.Add(record);
        }

        return news;
    }

    private void Change(RecordKey key, DirectoryRecord? record, long nowMilliseconds)
    {
        if (key.Owner == rules.Node)
            ChangeOwn(key, record, nowMilliseconds);
        else if (record is null)
            TakeOut(key, nowMilliseconds);
        else if (!IsBelieved(record, nowMilliseconds))
            Drop(key);
        else if (!IsPassedOver(record) || TryFind(key, out _))
            Put(record, nowMilliseconds);
    }

    private bool IsBelieved(DirectoryRecord record, long nowMilliseconds)
    {
        RejectedRecord? rejected = rules.Check(record);
        if (rejected is not null)
            Rejected.Add(rejected, nowMilliseconds);
        return rejected is null;
    }

    private bool IsPassedOver(DirectoryRecord record) => record is MacRecord or NeighborRecord && looksUp(record.Key.Vni);

    private void NoteRejected(IReadOnlyList<RejectedRecord> rejected, long nowMilliseconds)
    {
        foreach (RejectedRecord one in rejected)
            Rejected.Add(one, nowMilliseconds);
    }

    private HeldRecord? Put(DirectoryRecord record, long nowMilliseconds, bool isCached = false)
    {
        if (TryFind(record.Key, out HeldRecord? held))
        {
            Renew(held, record, nowMilliseconds, isCached);
            return held;
        }

        if (!HasRoom(record, nowMilliseconds))
            return null;
        if (!_owners.TryGetValue(record.Owner, out OwnerRecords? owner))
            _owners.Add(record.Owner, owner = new OwnerRecords(record.Owner));
        held = new HeldRecord(record, owner, nowMilliseconds) { IsCached = isCached, Mark = _mark };
        owner.Records.Add(record.Key, held);
        _counts[(int)record.Key.Kind]++;
        Enter(held);
        return held;
    }

    private bool HasRoom(DirectoryRecord record, long nowMilliseconds)
    {
        int owned = _owners.TryGetValue(record.Owner, out OwnerRecords? owner) ? owner.Records.Count : 0;
        (RejectReason Reason, string Detail)? why = owned >= MaxRecordsPerOwner
            ? (RejectReason.OwnerLimit, $"{record.Owner} has {MaxRecordsPerOwner} records already; a node may have no more")
            : Count >= MaxRecords ? (RejectReason.Limit, $"there are {MaxRecords} records already")
            : record is VtepRecord && CountOf(RecordKind.Vtep) >= MaxVteps ? (RejectReason.Limit, $"there are {MaxVteps} VTEPs already")
            : null;
        if (why is { } reason)
            Rejected.Add(new RejectedRecord(RecordRules.NameOf(record.Key), reason.Reason, reason.Detail, record.Key), nowMilliseconds);
        return why is null;
    }

    // A record that was held is simply good again.
    private void Renew(HeldRecord held, DirectoryRecord record, long nowMilliseconds, bool isCached)
    {
        held.Mark = _mark;
        held.IsCached = isCached;
        bool isBack = Release(held);
        if (held.Record == record)
        {
            if (isBack)
                Touch(held);
            return;
        }

        held.Since = nowMilliseconds;
        Replace(held, record);
    }

    private void Drop(RecordKey? key)
    {
        if (key is { } known && TryFind(known, out HeldRecord? held))
            Remove(held);
        if (key is { } own && own.Owner == rules.Node)
            _own.Remove(own);
    }

    private void Remove(HeldRecord held)
    {
        Release(held);
        Exit(held);
        OwnerRecords owner = held.Owner;
        owner.Records.Remove(held.Record.Key);
        _counts[(int)held.Record.Key.Kind]--;
        if (owner.Records.Count == 0)
            _owners.Remove(owner.Owner);
    }
}
