// A record as the DirectoryTable holds it, and all records of one owner. Control loop only.

using VtepDataPlane.Discovery.Records;

namespace VtepDataPlane.Discovery;

/// <summary>One record that is held.</summary>
/// <param name="record">The record.</param>
/// <param name="owner">Whose it is.</param>
/// <param name="since">Since when it is known as it is.</param>
internal sealed class HeldRecord(DirectoryRecord record, OwnerRecords owner, long since)
{
    /// <summary>The record; another one with the same key when it changes.</summary>
    public DirectoryRecord Record { get; set; } = record;

    /// <summary>Whose it is.</summary>
    public OwnerRecords Owner { get; } = owner;

    /// <summary>Since when it is known as it is.</summary>
    public long Since { get; set; } = since;

    /// <summary>Read from disk: the store hasn't confirmed it yet.</summary>
    public bool IsCached { get; set; }

    /// <summary>The store has it no more; it stays until then all the same. Null: the store has it.</summary>
    public long? HeldUntil { get; set; }

    /// <summary>It is held because a snapshot lost too many VTEPs at once.</summary>
    public bool IsShrinkHeld { get; set; }

    /// <summary>It is the answer to a question, and goes when that is too old.</summary>
    public bool IsAnswer { get; set; }

    /// <summary>The last snapshot that had it.</summary>
    public int Mark { get; set; }

    /// <summary>The store has it no more.</summary>
    public bool IsHeld => HeldUntil is not null;

    /// <summary>The store may not have it any more.</summary>
    public bool IsStale => IsHeld || IsCached;

    /// <summary>Its mobility sequence.</summary>
    public uint Sequence => Record is MacRecord station ? station.Sequence : Record is NeighborRecord neighbor ? neighbor.Sequence : 0;
}

/// <summary>The records of one owner.</summary>
/// <param name="owner">Its node id.</param>
internal sealed class OwnerRecords(string owner)
{
    /// <summary>Its node id.</summary>
    public string Owner { get; } = owner;

    /// <summary>Where it is; null: not known, and its other records are of no use.</summary>
    public HeldRecord? Vtep { get; set; }

    /// <summary>All of them, the VTEP record too.</summary>
    public Dictionary<RecordKey, HeldRecord> Records { get; } = [];
}

/// <summary>What an owner has in one domain.</summary>
/// <param name="Floods">It wants a copy of what is flooded.</param>
/// <param name="Claims">Stations and addresses.</param>
internal readonly record struct Membership(bool Floods, int Claims);
