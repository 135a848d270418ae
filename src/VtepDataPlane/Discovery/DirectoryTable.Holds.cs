// Records the store has lost, and that stay for a while all the same: control plane and data plane don't die together.
//
// * A VTEP that goes stays 5 s: a node that restarts deletes its records and makes them again, and after a store was emptied or restored every node
//   publishes anew within moments, but is missing in what the others read meanwhile. When more than 16 go within a second it is likelier that leases were revoked wrongly 
//   than that so many nodes died (etcd issue 15247): 60 s.
// * What goes together with its VTEP (one lease) is held like it. A station withdrawn by a node that is still there goes at once.
// * A snapshot that loses more than half of the VTEPs, and more than four, is believed after 30 s, or when the operator says so: a wrong prefix
//   and an emptied store look like this.
//
// A held record counts as long as nobody else claims the same.

using VtepDataPlane.Discovery.Records;

namespace VtepDataPlane.Discovery;

internal sealed partial class DirectoryTable
{
    /// <summary>A deleted VTEP stays so long.</summary>
    public const long HoldDownMilliseconds = 5000;

    /// <summary>A VTEP deleted with many others stays so long.</summary>
    public const long BurstHoldDownMilliseconds = 60_000;

    /// <summary>VTEPs deleted within a second above which it's a burst.</summary>
    public const int BurstVteps = 16;

    /// <summary>What a snapshot has lost too much of stays so long.</summary>
    public const long ShrinkHoldMilliseconds = 30_000;

    private const long BurstMilliseconds = 1000;
    private const int ShrinkVteps = 4;

    private readonly HashSet<HeldRecord> _held = [];
    private readonly Queue<(long At, HeldRecord Vtep)> _deleted = new();

    /// <summary>VTEPs a snapshot has lost that stay for now.</summary>
    public int ShrinkHeld => _held.Count(held => held is { IsShrinkHeld: true, Record: VtepRecord });

    /// <summary>When the last of them goes.</summary>
    public long ShrinkHeldUntil => _held.Where(held => held.IsShrinkHeld).Max(held => held.HeldUntil) ?? 0;

    /// <summary>Ends holds that are over.</summary>
    public void Expire(long nowMilliseconds)
    {
        foreach (HeldRecord held in _held.Where(held => held.HeldUntil <= nowMilliseconds).ToList())
            Remove(held);
    }

    /// <summary>Believes the snapshot that lost so much. False: none is held.</summary>
    public bool AcceptShrink()
    {
        List<HeldRecord> lost = [.. _held.Where(held => held.IsShrinkHeld)];
        foreach (HeldRecord held in lost)
            Remove(held);
        return lost.Count > 0;
    }

    private void Sweep(long nowMilliseconds)
    {
        List<HeldRecord> lost = [.. All.Where(held => held.Mark != _mark && !held.IsHeld && !held.IsAnswer)];
        int lostVteps = lost.Count(held => held.Record is VtepRecord);
        int goodVteps = _owners.Values.Count(owner => owner.Vtep is { IsHeld: false });
        bool isTooMuch = lostVteps > ShrinkVteps && lostVteps * 2 > goodVteps;
        foreach (HeldRecord vtep in lost.Where(held => held.Record is VtepRecord))
        {
            if (isTooMuch)
                Hold(vtep, nowMilliseconds + ShrinkHoldMilliseconds, isShrink: true);
            else
                HoldDown(vtep, nowMilliseconds);
        }

        foreach (HeldRecord held in lost.Where(held => held.Record is not VtepRecord))
            RemoveWithVtep(held);
    }

    private void TakeOut(RecordKey key, long nowMilliseconds)
    {
        if (!TryFind(key, out HeldRecord? held) || held.IsHeld)
            return;
        if (held.Record is VtepRecord)
            HoldDown(held, nowMilliseconds);
        else
            RemoveWithVtep(held);
    }

    private void RemoveWithVtep(HeldRecord held)
    {
        if (held.Owner.Vtep is { HeldUntil: { } until } vtep)
            Hold(held, until, vtep.IsShrinkHeld);
        else
            Remove(held);
    }

    private void HoldDown(HeldRecord vtep, long nowMilliseconds)
    {
        while (_deleted.TryPeek(out (long At, HeldRecord Vtep) oldest) && nowMilliseconds - oldest.At >= BurstMilliseconds)
            _deleted.Dequeue();
        _deleted.Enqueue((nowMilliseconds, vtep));
        Hold(vtep, nowMilliseconds + HoldDownMilliseconds, isShrink: false);
        if (_deleted.Count <= BurstVteps)
            return;
        // Earlier ones of the burst are prolonged once, with what is held with them.
        foreach ((long at, HeldRecord deleted) in _deleted.Where(deleted => deleted.Vtep.HeldUntil < deleted.At + BurstHoldDownMilliseconds))
            Prolong(deleted.Owner, at + BurstHoldDownMilliseconds);
    }

    private static void Prolong(OwnerRecords owner, long until)
    {
        foreach (HeldRecord held in owner.Records.Values.Where(held => held.IsHeld))
            held.HeldUntil = until;
    }

    private void Hold(HeldRecord held, long until, bool isShrink)
    {
        held.HeldUntil = until;
        held.IsShrinkHeld = isShrink;
        _held.Add(held);
        Touch(held);
    }

    // False when it wasn't held.
    private bool Release(HeldRecord held)
    {
        held.HeldUntil = null;
        held.IsShrinkHeld = false;
        return _held.Remove(held);
    }
}
