// Stations and addresses of this node: what is claimed, with which sequence, and what is given up. A station heard behind one of our ports has come
// from wherever it was: its claim gets the next sequence (RFC 7432 section 7.7). When another node then claims it with a higher one, it has gone there.
//
// Claims made before the store has told everything are blind. When the store then shows an older claim that would win, the station is still here:
// the claim is raised. In a domain that looks up that can happen at any time.

using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

internal sealed partial class Reconciler
{
    private bool _isFull;

    /// <summary>A station was heard behind one of our ports, or is a port's own MAC.</summary>
    public void StationSeen(Vni vni, MacAddress mac, long nowMilliseconds)
    {
        var key = new LookupKey(vni, mac);
        if (!_domains.ContainsKey(vni) || !mac.IsValidSource || _local.TryFind(key, out _) || !TryClaim(key, nowMilliseconds))
            return;
        _table.Changes.Touch(key);
        Settle(nowMilliseconds);
    }

    /// <summary>A station is behind our ports no more.</summary>
    public void StationGone(Vni vni, MacAddress mac, long nowMilliseconds)
    {
        var key = new LookupKey(vni, mac);
        Lose(key, nowMilliseconds);
        _table.Changes.Touch(key);
        Settle(nowMilliseconds, mayClaim: false);
    }

    /// <summary>An address is at a station behind one of our ports.</summary>
    public void BindingSeen(Vni vni, InetAddress address, MacAddress mac, bool isRouter, long nowMilliseconds)
    {
        var key = new LookupKey(vni, default, address);
        bool isValid = _domains.ContainsKey(vni) && mac.IsValidSource && RecordRules.IsNeighborAddress(address);
        if (!isValid || !_local.TryBind(key, new Binding(mac, isRouter)))
            return;
        RaiseAbove(key, new LookupKey(vni, mac));
        if (OwnClaim(key) is null)
            _own.Remove(NeighborKey(key));
        _table.Changes.Touch(key);
        Settle(nowMilliseconds);
    }

    private Claim? OwnClaim(LookupKey key)
    {
        if (key.Address.IsNone)
            return _local.TryFind(key, out LocalStation? station) ? OwnClaim(station.Sequence, new Binding(key.Mac, false)) : null;
        bool isOurs = _local.Bindings.TryGetValue(key, out Binding binding);
        return isOurs && _local.TryFind(new LookupKey(key.Vni, binding.Mac), out LocalStation? at) ? OwnClaim(at.Sequence, binding) : null;
    }

    private Claim OwnClaim(uint sequence, Binding binding) =>
        new(_config.Node, _here, sequence, IsOurs: true, Mac: binding.Mac, IsRouter: binding.IsRouter);

    // False: it is sticky elsewhere or frozen, the sequences are used up, or we have more records than others take.
    private bool TryClaim(LookupKey key, long nowMilliseconds)
    {
        List<Claim> others = ClaimsFor(key, _table);
        if (_moves.FrozenOwner(key) is not null || others.Any(claim => claim is { IsSticky: true, IsHeld: false }))
            return false;
        _isFull = _own.Count >= DirectoryTable.MaxRecordsPerOwner;
        if (_isFull)
            return false;
        bool isBlind = !_table.IsComplete || (LooksUp(key.Vni) && _table.ClaimsOf(key).Count == 0);
        _local.Add(key, FirstSequence(key, others, nowMilliseconds), isBlind);
        if (Choose(key) is not { IsOurs: true })
        {
            _local.Remove(key);
            return false;
        }

        TouchAddresses(key);
        if (isBlind && LooksUp(key.Vni))
            AskSoon(key, nowMilliseconds);
        return true;
    }

    // A claim of our former life that still holds goes on as it was.
    private uint FirstSequence(LookupKey key, List<Claim> others, long nowMilliseconds)
    {
        uint? former = _table.OwnSequence(key);
        uint floor = Math.Max(former ?? 0, _memory.Floor(key, nowMilliseconds));
        if (former is { } sequence && Resolver.Choose([.. others, OwnClaim(sequence, default)]) is { IsOurs: true })
            return floor;
        return Above(key, floor);
    }

    // Claims whose VTEP isn't known yet count too: it may come.
    private uint Above(LookupKey key, uint floor)
    {
        foreach (HeldRecord held in _table.ClaimsOf(key))
            floor = Math.Max(floor, SequenceMemory.Next(held.Sequence));
        return floor;
    }

    // A blind claim of a station that is still here is raised above what turned up. Returns who holds the station.
    private Claim? Defend(LookupKey key, Claim? winner, long nowMilliseconds)
    {
        if (winner is not { IsOurs: false } other || !_local.TryFind(key, out LocalStation? station))
            return winner;
        // A cache is no reason to give anything up.
        if (!_table.IsComplete && !LooksUp(key.Vni))
            return OwnClaim(key);
        bool mayRaise = (station.IsBlind || LooksUp(key.Vni)) && !other.IsSticky && _moves.FrozenOwner(key) is null;
        if (mayRaise && _target.IsLocal(key.Vni, key.Mac))
        {
            station.Sequence = Above(key, station.Sequence);
            TouchAddresses(key);
            winner = Choose(key);
        }

        if (winner is { IsOurs: false })
            Lose(key, nowMilliseconds);
        return winner;
    }

    // An address that another node has a younger claim for is at our station no more.
    private Claim? DefendAddress(LookupKey key, Claim? winner)
    {
        if (winner is not { IsOurs: false } || OwnClaim(key) is not { } ours)
            return winner;
        if (!_table.IsComplete && !LooksUp(key.Vni))
            return ours;
        DropBinding(key);
        return winner;
    }

    // An address just seen here, that another node says is at another station, has moved: its station's sequence says so.
    private void RaiseAbove(LookupKey address, LookupKey stationKey)
    {
        if (!_local.TryFind(stationKey, out LocalStation? station) || _moves.FrozenOwner(address) is not null || Choose(address) is not { IsOurs: false })
            return;
        station.Sequence = Above(address, station.Sequence);
        _table.Changes.Touch(stationKey);
        TouchAddresses(stationKey);
    }

    private void PublishStation(LookupKey key)
    {
        if (_local.TryFind(key, out LocalStation? station))
            _own.Set(new MacRecord(_config.Node, key.Vni, key.Mac, station.Sequence));
    }

    private void PublishBinding(LookupKey key, Claim ours)
    {
        _isFull = _own.Count >= DirectoryTable.MaxRecordsPerOwner;
        if (!_isFull || _own.TryGet(NeighborKey(key), out _))
            _own.Set(new NeighborRecord(_config.Node, key.Vni, key.Address, ours.Mac, ours.Sequence, ours.IsRouter));
    }

    // The station has gone, and what was at it.
    private void Lose(LookupKey key, long nowMilliseconds)
    {
        TouchAddresses(key);
        foreach (InetAddress address in _local.AddressesOf(key).ToList())
            DropBinding(new LookupKey(key.Vni, default, address));
        if (!_local.TryFind(key, out LocalStation? station))
            return;
        _memory.AddOwn(key, station.Sequence, nowMilliseconds);
        _local.Remove(key);
        _own.Remove(new RecordKey(RecordKind.Mac, _config.Node, key.Vni, key.Mac));
    }

    private void DropBinding(LookupKey key)
    {
        _local.Unbind(key);
        _own.Remove(NeighborKey(key));
    }

    private void TouchAddresses(LookupKey station)
    {
        foreach (InetAddress address in _local.AddressesOf(station))
            _table.Changes.Touch(new LookupKey(station.Vni, default, address));
    }

    private RecordKey NeighborKey(LookupKey key) => new(RecordKind.Neighbor, _config.Node, key.Vni, default, key.Address);

    // Stations heard before the store told what we claimed before we were restarted.
    private void GoOnFromFormerLife()
    {
        foreach ((LookupKey key, LocalStation station) in _local.Stations.Where(station => station.Value.IsBlind))
        {
            if (_table.OwnSequence(key) is not { } former || former <= station.Sequence)
                continue;
            station.Sequence = former;
            _table.Changes.Touch(key);
            TouchAddresses(key);
        }
    }

    // From now on a higher claim of another node is news.
    private void NoteComplete()
    {
        foreach ((LookupKey key, LocalStation station) in _local.Stations)
            station.IsBlind &= LooksUp(key.Vni);
    }
}
