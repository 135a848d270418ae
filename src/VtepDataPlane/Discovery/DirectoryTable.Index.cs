// Records by what they claim: who says where a station or an address is, and who takes part in a domain. A NeighborRecord says where its
// station is, too. From here follows what a change touches: a station's or an address's record touches that one, a VTEP's touches everything
// its owner says.

using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

internal sealed partial class DirectoryTable
{
    private static readonly Dictionary<string, Membership> s_noMembers = [];

    private readonly Dictionary<LookupKey, List<HeldRecord>> _claims = [];
    private readonly Dictionary<Vni, Dictionary<string, Membership>> _members = [];

    /// <summary>Stations and addresses somebody claims.</summary>
    public IReadOnlyCollection<LookupKey> Claimed => _claims.Keys;

    /// <summary>Domains somebody takes part in.</summary>
    public IReadOnlyCollection<Vni> Domains => _members.Keys;

    /// <summary>Records that say where a station or an address is.</summary>
    public IReadOnlyList<HeldRecord> ClaimsOf(LookupKey key) => _claims.TryGetValue(key, out List<HeldRecord>? claims) ? claims : [];

    /// <summary>Who takes part in a domain, and how.</summary>
    public IReadOnlyDictionary<string, Membership> MembersOf(Vni vni) => _members.GetValueOrDefault(vni, s_noMembers);

    /// <summary>Where an owner's VTEP is; null: not known.</summary>
    public VtepRecord? VtepOf(string owner) => _owners.GetValueOrDefault(owner)?.Vtep?.Record as VtepRecord;

    // A VTEP that only changes its name touches nothing.
    private void Replace(HeldRecord held, DirectoryRecord record)
    {
        if (held.Record is VtepRecord before && record is VtepRecord after)
        {
            held.Record = record;
            if (before.EndpointFor(rules.Local.Version) != after.EndpointFor(rules.Local.Version))
                TouchAll(held.Owner);
            return;
        }

        Exit(held);
        held.Record = record;
        Enter(held);
    }

    private void Enter(HeldRecord held)
    {
        if (held.Record is VtepRecord)
        {
            held.Owner.Vtep = held;
            TouchAll(held.Owner);
        }
        else if (held.Record is FloodRecord flood)
        {
            Join(held, flood.Vni, membership => membership with { Floods = true });
        }
        else if (held.Record is MacRecord or NeighborRecord)
        {
            Join(held, held.Record.Key.Vni, membership => membership with { Claims = membership.Claims + 1 });
            foreach (LookupKey key in KeysOf(held.Record))
                EnterClaim(key, held);
        }
    }

    private void Exit(HeldRecord held)
    {
        if (held.Record is VtepRecord)
        {
            held.Owner.Vtep = null;
            TouchAll(held.Owner);
        }
        else if (held.Record is FloodRecord flood)
        {
            Join(held, flood.Vni, membership => membership with { Floods = false });
        }
        else if (held.Record is MacRecord or NeighborRecord)
        {
            Join(held, held.Record.Key.Vni, membership => membership with { Claims = membership.Claims - 1 });
            foreach (LookupKey key in KeysOf(held.Record))
                ExitClaim(key, held);
        }
    }

    /// <summary>What a record says something about: its station, its address.</summary>
    public static IEnumerable<LookupKey> KeysOf(DirectoryRecord record)
    {
        if (record is MacRecord station)
            yield return new LookupKey(station.Vni, station.Mac);
        if (record is not NeighborRecord neighbor)
            yield break;
        yield return new LookupKey(neighbor.Vni, neighbor.Mac);
        yield return new LookupKey(neighbor.Vni, default, neighbor.Address);
    }

    private void Join(HeldRecord held, Vni vni, Func<Membership, Membership> change)
    {
        if (!_members.TryGetValue(vni, out Dictionary<string, Membership>? members))
            _members.Add(vni, members = []);
        Membership before = members.GetValueOrDefault(held.Owner.Owner);
        Membership after = change(before);
        if (after == default)
            members.Remove(held.Owner.Owner);
        else
            members[held.Owner.Owner] = after;
        if (members.Count == 0)
            _members.Remove(vni);
        if (before.Floods != after.Floods || before.Claims == 0 != (after.Claims == 0))
            Changes.TouchDomain(vni);
    }

    private void EnterClaim(LookupKey key, HeldRecord held)
    {
        if (!_claims.TryGetValue(key, out List<HeldRecord>? claims))
            _claims.Add(key, claims = new List<HeldRecord>(1));
        claims.Add(held);
        Changes.Touch(key);
    }

    private void ExitClaim(LookupKey key, HeldRecord held)
    {
        List<HeldRecord> claims = _claims[key];
        claims.Remove(held);
        if (claims.Count == 0)
            _claims.Remove(key);
        Changes.Touch(key);
        Changes.Withdraw(key, held.Sequence);
    }

    private void TouchAll(OwnerRecords owner)
    {
        foreach (HeldRecord held in owner.Records.Values)
            Touch(held);
    }

    private void Touch(HeldRecord held)
    {
        if (held.Record is FloodRecord or MacRecord or NeighborRecord)
            Changes.TouchDomain(held.Record.Key.Vni);
        foreach (LookupKey key in KeysOf(held.Record))
            Changes.Touch(key);
    }
}
