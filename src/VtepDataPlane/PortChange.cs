// The ports that differ between two configurations, and the order in which devices open and close: first what is new opens
// (if that fails, nothing has happened yet), then what is old closes, then what replaces it opens (a TAP can't be open twice); if
// that fails, the old ones are opened again as they were. Control loop only.
//
// A port of the program's own (PortConfig.Device) is open already. It stays the program's until the change is in force, and is closed when a change
// without it is: so a change that fails has closed none. What else its configuration says (the MTU) may change while it stays open; it may not move to
// another domain, where its counters would be counted twice.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;

namespace VtepDataPlane;

/// <summary>One change of ports.</summary>
internal sealed class PortChange
{
    private readonly IHostNetwork _host;
    private readonly int _lanes;
    private readonly Action<VtepFault> _faulted;
    private readonly List<IAccessPort> _ofHost = []; // opened ones
    private readonly List<(Vni Vni, PortConfig Config)> _new = [];
    private readonly List<(Vni Vni, PortConfig Config)> _replacements = [];
    private readonly List<(DomainRecord Domain, AccessPort Port, PortConfig Config)> _old = [];

    /// <summary>Compares.</summary>
    /// <param name="host">Opens devices.</param>
    /// <param name="domains">What is.</param>
    /// <param name="next">What is to be.</param>
    /// <param name="lanes">Queues a port needs.</param>
    /// <param name="faulted">Is told what ports of the program do wrong; any thread.</param>
    /// <exception cref="VtepException">A port of the program would have to move between domains.</exception>
    public PortChange(
        IHostNetwork host, IEnumerable<DomainRecord> domains, IReadOnlyList<BridgeDomainConfig> next, int lanes, Action<VtepFault> faulted)
    {
        _faulted = faulted;
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
                if (wanted.TryGetValue(config.Tap, out (Vni Vni, PortConfig Config) same) && Stays(config, domain.Config.Vni, same.Config, same.Vni))
                    wanted.Remove(config.Tap);
                else
                    _old.Add((domain, port, config));
            }
        }

        foreach ((Vni vni, PortConfig config) in wanted.Values)
            (open.Contains(config.Tap) && config.Device is null ? _replacements : _new).Add((vni, config));
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

    /// <summary>Closes the host's ports among the old ones: nobody uses them any more, and what replaces them may need their names.</summary>
    public void CloseOldOfHost()
    {
        foreach ((_, AccessPort port, PortConfig config) in _old)
        {
            if (config.Device is null)
                port.Device.Dispose();
        }
    }

    /// <summary>The change is in force: closes the program's ports among the old ones.</summary>
    public void CloseOldOfProgram()
    {
        foreach ((_, AccessPort port, PortConfig config) in _old)
        {
            if (config.Device is not null)
                port.Device.Dispose();
        }
    }

    private static bool Stays(PortConfig old, Vni oldVni, PortConfig next, Vni nextVni)
    {
        bool isSameDevice = old.Device is not null && old.Device == next.Device;
        if (isSameDevice && oldVni != nextVni)
            throw new VtepException($"Port {old.Tap} can't move from VNI {oldVni} to {nextVni} while it is open: remove it, and add a new one there.");
        return oldVni == nextVni && (isSameDevice || next.Equals(old));
    }

    private void Open(List<(Vni Vni, PortConfig Config)> ports)
    {
        foreach ((Vni vni, PortConfig config) in ports)
            Opened.Add((vni, Open(config)));
    }

    private IAccessPort Open(PortConfig config)
    {
        if (config.Device is { } own)
        {
            IAccessPort guarded = GuardedPort.Of(config.Tap, own, _lanes);
            (guarded as GuardedPort)?.Guard.ReportTo(_faulted);
            return guarded;
        }

        IAccessPort opened = _host.OpenPort(config, _lanes);
        _ofHost.Add(opened);
        return opened;
    }

    private void CloseOpened()
    {
        _ofHost.ForEach(device => device.Dispose());
        _ofHost.Clear();
        Opened.Clear();
    }

    private void Reopen(Action<DomainRecord, IAccessPort> reinstate, VtepException failure)
    {
        foreach ((DomainRecord domain, _, PortConfig config) in _old)
        {
            try
            {
                reinstate(domain, Open(config));
            }
            catch (VtepException second)
            {
                throw new VtepException($"{failure.Message} Moreover, {config.Tap}, closed for the change, could not be opened again: {second.Message}", failure);
            }
        }
    }
}
