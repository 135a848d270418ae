// Addresses: at which station one is. An address that goes to another station is a move of its own.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>At which station an address is.</summary>
/// <param name="Owner">The node that says so.</param>
/// <param name="Mac">The station.</param>
/// <param name="IsRouter">It is an IPv6 router.</param>
/// <param name="IsLocal">It is behind one of our own ports.</param>
/// <param name="IsTold">The target has taken it.</param>
internal readonly record struct AddressPlace(string Owner, MacAddress Mac, bool IsRouter, bool IsLocal, bool IsTold);

internal sealed partial class Reconciler
{
    private readonly Dictionary<LookupKey, AddressPlace> _addresses = [];

    private void SettleNeighbor(LookupKey key, long nowMilliseconds)
    {
        Claim? winner = DefendAddress(key, Choose(key));
        if (winner is { } holder && _addresses.TryGetValue(key, out AddressPlace before) && before.Owner != holder.Owner && before.Mac != holder.Mac)
            _moves.Add(key, before.Owner, holder.Owner, nowMilliseconds);
        TellNeighbor(key, winner);
        if (winner is { IsOurs: true } ours)
            PublishBinding(key, ours);
    }

    private void TellNeighbor(LookupKey key, Claim? winner)
    {
        AddressPlace before = _addresses.GetValueOrDefault(key);
        if (winner is not { } holder)
        {
            _refused.Remove(key);
            _addresses.Remove(key);
            if (before.IsTold)
                _target.RemoveNeighbor(key.Vni, key.Address);
            return;
        }

        var wanted = new AddressPlace(holder.Owner, holder.Mac, holder.IsRouter, holder.IsOurs, IsTold: true);
        if (before with { Owner = wanted.Owner } != wanted)
            wanted = wanted with { IsTold = TrySetNeighbor(key, wanted) };
        _addresses[key] = wanted;
    }

    private bool TrySetNeighbor(LookupKey key, AddressPlace wanted)
    {
        bool isTaken = _target.TrySetNeighbor(key.Vni, key.Address, wanted.Mac, wanted.IsRouter, wanted.IsLocal);
        if (isTaken)
            _refused.Remove(key);
        else
            _refused.Add(key);
        return isTaken;
    }
}
