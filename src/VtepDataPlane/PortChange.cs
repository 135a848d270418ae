// The ports that differ between two configurations, and the order in which devices open and close: first what is new opens
// (if that fails, nothing has happened yet), then what is old closes, then what replaces it opens (a TAP can't be open twice); if
// that fails, the old ones are opened again as they were. Control loop only.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;

namespace VtepDataPlane;

/// <summary>One change of ports.</summary>
internal sealed class PortChange
{
    private readonly IHostNetwork _host;
    private readonly int _lanes;
    private readonly List<(Vni Vni, PortConfig Config)> _new = [];
    private readonly List<(Vni Vni, PortConfig Config)> _replacements = [];
    private readonly List<(DomainRecord Domain, AccessPort Port, PortConfig Config)> _old = [];

    public PortChange(IHostNetwork host, IEnumerable<DomainRecord> domains, IReadOnlyList<BridgeDomainConfig> next, int lanes)
    {
        _host = host;
        _lanes = lanes;
        var wanted = next.SelectMany(domain => domain.Ports, (domain, port) => (domain.Vni, port)).ToDictionary(entry => entry.port.Tap);
        var open = new HashSet<string>();
        foreach (DomainRecord domain in domains)
        {
            foreach (PortConfig config in domain.Config.Ports)
            {
                if (domain.Port(config.Tap) is not { } port)
                    continue;
                open.Add(config.Tap);
                if (wanted.TryGetValue(config.Tap, out (Vni Vni, PortConfig Config) same) && same.Vni == domain.Config.Vni && same.Config.Equals(config))
                    wanted.Remove(config.Tap);
                else
                    _old.Add((domain, port, config));
            }
        }

        foreach ((Vni vni, PortConfig config) in wanted.Values)
            (open.Contains(config.Tap) ? _replacements : _new).Add((vni, config));
    }

    /// <summary>To be closed.</summary>
    public IReadOnlyCollection<(DomainRecord Domain, AccessPort Port)> Old => [.. _old.Select(entry => (entry.Domain, entry.Port))];

    /// <summary>Opened, for the domains of these VNIs.</summary>
    public List<(Vni Vni, IAccessPort Device)> Opened { get; } = [];

    /// <summary>Opens what no port had open before.</summary>
    /// <exception cref="VtepException">One can't be opened; none is.</exception>
    public void OpenNew()
    {
        try
        {
            Open(_new);
        }
        catch (VtepException)
        {
            CloseOpened();
            throw;
        }
    }

    /// <summary>Opens what was closed to be set up differently.</summary>
    /// <exception cref="VtepException">One can't be opened; the old ones are open again.</exception>
    public void OpenReplacements(Action<DomainRecord, IAccessPort> reinstate)
    {
        try
        {
            Open(_replacements);
        }
        catch (VtepException failure)
        {
            CloseOpened();
            Reopen(reinstate, failure);
            throw;
        }
    }

    private void Open(List<(Vni Vni, PortConfig Config)> ports)
    {
        foreach ((Vni vni, PortConfig config) in ports)
            Opened.Add((vni, _host.OpenPort(config, _lanes)));
    }

    private void CloseOpened()
    {
        foreach ((_, IAccessPort device) in Opened)
            device.Dispose();
        Opened.Clear();
    }

    private void Reopen(Action<DomainRecord, IAccessPort> reinstate, VtepException failure)
    {
        foreach ((DomainRecord domain, _, PortConfig config) in _old)
        {
            try
            {
                reinstate(domain, _host.OpenPort(config, _lanes));
            }
            catch (VtepException second)
            {
                throw new VtepException($"{failure.Message} Moreover, {config.Tap}, closed for the change, could not be opened again: {second.Message}", failure);
            }
        }
    }
}
