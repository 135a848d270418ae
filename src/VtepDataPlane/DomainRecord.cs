// One bridge domain as the control loop keeps it: its configuration, its open ports, its peering, and what was added at run
// time. BridgeDomain, the immutable value the frame path sees, is made from it.

using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Ports;

namespace VtepDataPlane;

/// <summary>A domain's mutable state. Control loop only.</summary>
internal sealed class DomainRecord(int index, BridgeDomainConfig config, Peering peering, DomainMeters meters)
{
    private readonly Dictionary<string, AccessPort> _ports = [];

    /// <summary>The domain's number in the FDB's key.</summary>
    public int Index { get; } = index;

    public BridgeDomainConfig Config { get; set; } = config;

    public Peering Peering { get; } = peering;

    public DomainMeters Meters { get; } = meters;

    /// <summary>What the ports may carry over every path, bytes; 0 while unknown.</summary>
    public int Mtu { get; set; }

    /// <summary>Open ports in configured order.</summary>
    public IEnumerable<AccessPort> Ports => Config.Ports.Select(port => _ports.GetValueOrDefault(port.Tap)).OfType<AccessPort>();

    public AccessPort? Port(string name) => _ports.GetValueOrDefault(name);

    public AccessPort Add(IAccessPort device, int lanes)
    {
        var port = new AccessPort(device, Index, FreeOrdinal(), lanes);
        _ports.Add(device.Name, port);
        return port;
    }

    public void Remove(AccessPort port) => _ports.Remove(port.Device.Name);

    /// <summary>Ports by ordinal, with holes.</summary>
    public AccessPort?[] PortsByOrdinal()
    {
        var ports = new AccessPort?[_ports.Count == 0 ? 0 : _ports.Values.Max(port => port.Ordinal) + 1];
        foreach (AccessPort port in _ports.Values)
            ports[port.Ordinal] = port;
        return ports;
    }

    // A removed port's ordinal is free again: its FDB entries were flushed, and a grace period passed, before it was removed here.
    private int FreeOrdinal()
    {
        int ordinal = 0;
        while (_ports.Values.Any(port => port.Ordinal == ordinal))
            ordinal++;
        return ordinal;
    }
}
