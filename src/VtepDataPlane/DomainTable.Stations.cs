// DomainTable: stations and flood list members that the operator fixes, in the configuration or at run time.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane;

internal sealed partial class DomainTable
{
    public string? AddFdb(Vni vni, MacAddress mac, VtepEndpoint? vtep, string? port, bool replace)
    {
        if (!_domains.TryGetValue(vni, out DomainRecord? domain))
            return $"There is no bridge domain with VNI {vni}.";
        string? why = mac.IsZero ? AddFlood(domain, vtep) : AddStation(domain, mac, vtep, port, replace);
        if (why is null)
            ReadPaths();
        return why;
    }

    public string? DeleteFdb(Vni vni, MacAddress mac, VtepEndpoint? vtep)
    {
        if (!_domains.TryGetValue(vni, out DomainRecord? domain))
            return $"There is no bridge domain with VNI {vni}.";
        if (mac.IsZero)
        {
            if (vtep is not { } member || !domain.Peering.TryRemoveFlood(member))
                return $"{(vtep is null ? "Name the VTEP to take from the flood list" : $"VTEP {vtep} is not in the flood list")} of VNI {vni}.";
        }
        else
        {
            if (_fdb.Lookup(domain.Index, mac).IsOneOf(FdbKinds.Directory))
                return $"{mac} in VNI {vni} is told by the domain's controller: take its record out there.";
            if (!_fdb.Delete(domain.Index, mac))
                return $"There is no entry for {mac} in VNI {vni} that can be deleted.";
            domain.Peering.RemoveStation(mac);
        }

        ReadPaths();
        FreeVteps();
        return null;
    }

    private void UnfixStations(DomainRecord domain, BridgeDomainConfig next)
    {
        foreach (StaticFdbEntry entry in domain.Config.Fdb.Where(entry => !next.Fdb.Contains(entry)))
        {
            _fdb.Delete(domain.Index, entry.Mac);
            domain.Peering.RemoveStation(entry.Mac);
        }
    }

    private IEnumerable<string> FixStations(DomainRecord domain)
    {
        foreach (StaticFdbEntry entry in domain.Config.Fdb)
        {
            if (AddStation(domain, entry.Mac, entry.Vtep, entry.Port, replace: true) is { } why)
                yield return $"A configured FDB entry of {domain.Config.Name} is not in force: {why}";
        }
    }

    private static string? AddFlood(DomainRecord domain, VtepEndpoint? vtep)
    {
        if (vtep is not { } member)
            return "The all-zeros MAC is the flood list: name a VTEP to add to it.";
        return domain.Peering.TryAddFlood(member) ? null : $"VTEP {member} is in the flood list of VNI {domain.Config.Vni} already.";
    }

    private string? AddStation(DomainRecord domain, MacAddress mac, VtepEndpoint? vtep, string? portName, bool replace)
    {
        if (!mac.IsValidSource)
            return $"{mac} is a group address: only one station's MAC can have an entry.";
        if (vtep is null == portName is null)
            return "Name either a VTEP or a port, not both.";
        AccessPort? port = portName is null ? null : domain.Port(portName);
        if (portName is not null && port is null)
            return $"Bridge domain {domain.Config.Name} has no port {portName}.";
        FdbTarget target = port is not null
            ? new FdbTarget(FdbKind.StaticLocal, port.Ordinal)
            : new FdbTarget(FdbKind.StaticRemote, domain.Peering.AddStation(mac, vtep!.Value));
        FdbAddResult result = _fdb.TryAdd(domain.Index, mac, target, replace);
        if (result == FdbAddResult.Added)
            return null;
        domain.Peering.RemoveStation(mac);
        return result == FdbAddResult.Exists
            ? $"{mac} has a fixed entry in VNI {domain.Config.Vni} already; use replace to change it."
            : "The FDB is full: raise fdb.capacity.";
    }
}
