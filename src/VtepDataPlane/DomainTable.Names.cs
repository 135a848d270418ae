// DomainTable: what the numbers in FDB entries mean, for events. A lane's or a flush's event may come when what it names has just been closed: names are
// kept until the number is given away again, or the domain's entries are gone.

using VtepDataPlane.Diagnostics.Events;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane;

internal sealed partial class DomainTable : IStationNames
{
    private readonly Dictionary<int, (Vni Vni, Dictionary<int, string> Ports)> _names = [];

    /// <inheritdoc/>
    public Vni? VniOf(int domain) => _names.TryGetValue(domain, out (Vni Vni, Dictionary<int, string> Ports) names) ? names.Vni : null;

    /// <inheritdoc/>
    public string? PortOf(int domain, int ordinal) =>
        _names.TryGetValue(domain, out (Vni Vni, Dictionary<int, string> Ports) names) ? names.Ports.GetValueOrDefault(ordinal) : null;

    /// <inheritdoc/>
    public VtepEndpoint VtepOf(int vtep) => _vteps.EndpointOf(vtep);
}
