// Answers to questions, in domains whose stations are looked up: held beside what is watched, until they are too old.

using VtepDataPlane.Discovery.Records;

namespace VtepDataPlane.Discovery;

internal sealed partial class DirectoryTable
{
    /// <summary>All claims for a station or an address as the store told when it was asked; earlier ones by others go.</summary>
    public void Answer(LookupKey key, IEnumerable<DirectoryRecord> records, long nowMilliseconds)
    {
        var claimants = new HashSet<string>();
        foreach (DirectoryRecord record in records.Where(record => KeyOf(record) == key))
        {
            if (record.Owner == rules.Node)
                ChangeOwn(record.Key, record, nowMilliseconds);
            else if (IsBelieved(record, nowMilliseconds) && Put(record, nowMilliseconds) is { } held)
                claimants.Add(MarkAnswer(held).Record.Owner);
        }

        foreach (HeldRecord held in ClaimsOf(key).Where(held => held.IsAnswer && !claimants.Contains(held.Record.Owner)).ToList())
            Remove(held);
    }

    /// <summary>The answer is too old: its claims go, but not those that follow from another answer.</summary>
    public void ForgetAnswer(LookupKey key)
    {
        foreach (HeldRecord held in ClaimsOf(key).Where(held => held.IsAnswer && KeyOf(held.Record) == key).ToList())
            Remove(held);
    }

    // What the record was made to say; that an address implies its station isn't meant.
    private static LookupKey? KeyOf(DirectoryRecord record) => record switch
    {
        MacRecord station => new LookupKey(station.Vni, station.Mac),
        NeighborRecord neighbor => new LookupKey(neighbor.Vni, default, neighbor.Address),
        _ => null,
    };

    private static HeldRecord MarkAnswer(HeldRecord held)
    {
        held.IsAnswer = true;
        return held;
    }
}
