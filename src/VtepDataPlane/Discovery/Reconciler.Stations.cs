// Stations: who holds one, and what the target is told of it. A station of ours needs no telling, its port has learned it.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>Where a station is.</summary>
/// <param name="Owner">The node that holds it.</param>
/// <param name="Vtep">Its VTEP.</param>
/// <param name="IsSticky">Frames can't move it.</param>
/// <param name="IsTold">The target has taken it.</param>
internal readonly record struct StationPlace(string Owner, VtepEndpoint Vtep, bool IsSticky, bool IsTold);

internal sealed partial class Reconciler
{
    private const int MostRetries = 1024;

    private readonly Dictionary<LookupKey, StationPlace> _places = [];
    private readonly HashSet<LookupKey> _refused = [];

    /// <summary>What stood in the way of a station's entry is gone, and the entry may be too: the target is told once more.</summary>
    public void TellAgain(Vni vni, MacAddress mac, long nowMilliseconds)
    {
        var key = new LookupKey(vni, mac);
        if (!_places.TryGetValue(key, out StationPlace place))
            return;
        _places[key] = place with { IsTold = false };
        _table.Changes.Touch(key);
        Settle(nowMilliseconds);
    }

    private void SettleStation(LookupKey key, long nowMilliseconds, bool mayClaim)
    {
        Claim? winner = Defend(key, Choose(key), nowMilliseconds);
        if (winner is { } holder && _places.TryGetValue(key, out StationPlace before) && before.Owner != holder.Owner)
            _moves.Add(key, before.Owner, holder.Owner, nowMilliseconds);
        TellStation(key, winner);
        bool isWanted = winner is null && mayClaim && _domains.ContainsKey(key.Vni);
        if (isWanted && _target.IsLocal(key.Vni, key.Mac) && TryClaim(key, nowMilliseconds))
            TellStation(key, winner = Choose(key));
        if (winner is { IsOurs: true })
            PublishStation(key);
    }

    private void TellStation(LookupKey key, Claim? winner)
    {
        StationPlace before = _places.GetValueOrDefault(key);
        if (winner is not { } holder)
        {
            _places.Remove(key);
            Untell(key, before);
            return;
        }

        bool isSticky = !holder.IsOurs && (holder.IsSticky || _moves.FrozenOwner(key) is not null);
        var wanted = new StationPlace(holder.Owner, holder.Vtep, isSticky, IsTold: !holder.IsOurs);
        if (wanted == before)
            return;
        if (holder.IsOurs)
            Untell(key, before);
        else if (before with { Owner = wanted.Owner } != wanted)
            wanted = wanted with { IsTold = TrySetStation(key, wanted, before) };
        _places[key] = wanted;
    }

    private bool TrySetStation(LookupKey key, StationPlace wanted, StationPlace before)
    {
        bool isTaken = _target.TrySetStation(key.Vni, key.Mac, wanted.Vtep, wanted.IsSticky);
        if (isTaken)
            _refused.Remove(key);
        else
            _refused.Add(key);
        if (!isTaken && before.IsTold)
            _target.RemoveStation(key.Vni, key.Mac);
        return isTaken;
    }

    private void Untell(LookupKey key, StationPlace before)
    {
        _refused.Remove(key);
        if (before.IsTold)
            _target.RemoveStation(key.Vni, key.Mac);
    }

    // What the target refused for want of room, or because the operator's own entry stood there, is offered again.
    private void TouchRefused()
    {
        foreach (LookupKey key in _refused.Take(MostRetries))
            _table.Changes.Touch(key);
    }
}
