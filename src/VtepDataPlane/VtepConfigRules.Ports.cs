// The rules of ports: names, what they are set up with, and that no port is the way to the other VTEPs.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;

namespace VtepDataPlane;

public sealed partial class VtepConfigRules
{
    // IPv4: 65535 bytes of packet - 20 IP - 8 UDP - 8 VXLAN - 14 Ethernet. IPv6 doesn't count its own 40 bytes: 65535 - 8 - 8 - 14.
    private const int MaxMtuOverIPv4 = 65_485;
    private const int MaxMtuOverIPv6 = 65_505;
    private const int VlanTagSize = 4;

    private readonly HashSet<string> _taps;
    private readonly Dictionary<MacAddress, string> _pathByPortMac = []; // of one domain
    private readonly Dictionary<InetAddress, string> _pathByPortAddress = []; // of one domain

    private void CheckPorts(BridgeDomainConfig domain, string path)
    {
        _pathByPortMac.Clear();
        _pathByPortAddress.Clear();
        for (int i = 0; i < domain.Ports.Count; i++)
            CheckPort(domain.Ports[i], domain, $"{path}[{i}]");
    }

    private void CheckPort(PortConfig port, BridgeDomainConfig domain, string path)
    {
        if (InterfaceNameProblem(port.Tap) is { } why)
            Add(path + ".tap", why);
        else
            CheckUnique(_pathByTap, port.Tap, path + ".tap", $"the TAP device {Quote(port.Tap)}");
        if (port.Mac is { IsValidSource: false } mac)
            Add(path + ".mac", $"{mac} can't be a device's own address; use a unicast one, like 02:00:5e:10:00:01");
        else if (port.Mac is { } own)
            CheckUnique(_pathByPortMac, own, path + ".mac", $"the MAC {own} in this domain");
        if (port.Bridge is { } bridge && InterfaceNameProblem(bridge) is { } whyBridge)
            Add(path + ".bridge", whyBridge);
        else if (port.Bridge == port.Tap)
            Add(path + ".bridge", $"{Quote(port.Tap)} is the port itself; name a Linux bridge");
        else if (port.Bridge is { } other && _taps.Contains(other))
            Add(path + ".bridge", $"{Quote(other)} is another port of this VTEP; name a Linux bridge");
        for (int i = 0; i < port.Addresses.Count; i++)
            CheckPortAddress(port, i, $"{path}.addresses[{i}]");
        CheckMtu(port, domain, path + ".mtu");
        CheckDevice(port, path);
    }

    // A port of the program's own is as it is.
    private void CheckDevice(PortConfig port, string path)
    {
        if (port.Device is null)
            return;
        if (port.Device.Name != port.Tap)
            Add(path + ".tap", $"the port given is called {Quote(port.Device.Name)}; make its configuration with PortConfig.Of");
        if (port.Mac is not null)
            Add(path + ".mac", "the port given has a MAC of its own; leave this out");
        if (port.Bridge is not null)
            Add(path + ".bridge", "only a device can be attached to a bridge; leave this out");
        if (port.Addresses.Count > 0)
            Add(path + ".addresses", "only a device can have addresses; leave them out");
    }

    private void CheckPortAddress(PortConfig port, int index, string path)
    {
        (InetAddress address, byte prefix) = port.Addresses[index];
        if (IsBad(path))
            return;
        if (!address.IsUnicast)
            Add(path, $"{address} is not a host's address; give a unicast address with its prefix length, like 198.19.0.1/24");
        else if (prefix > 8 * address.Size)
            Add(path, $"the prefix length {prefix} is out of range; it must be 0 to {8 * address.Size}");
        else if (port.Addresses.Take(index).Any(other => other.Address == address))
            Add(path, $"the address {address} is there twice; remove one");
        else if (address == _config.Underlay.Local)
            Add(path, $"{address} is this VTEP's own address on the underlay; give the port another one");
        else
            CheckUnique(_pathByPortAddress, address, path, $"the address {address} in this domain");
    }

    private void CheckMtu(PortConfig port, BridgeDomainConfig domain, string path)
    {
        if (port.Mtu is not { } mtu || IsBad(path))
            return;
        int max = _family.IsIPv4 ? MaxMtuOverIPv4 : MaxMtuOverIPv6;
        var range = Mtu with { Max = domain.Encapsulation.InnerVlan == InnerVlanPolicy.Pass ? max - VlanTagSize : max };
        if (!range.Contains(mtu))
            Add(path, range.Complaint($"the MTU {mtu}"));
        else if (mtu < MinIPv6Mtu && port.Addresses.Any(address => address.Address.IsIPv6))
            Add(path, $"the MTU {mtu} is too small for the port's IPv6 addresses; IPv6 needs {MinIPv6Mtu} or more");
    }

    // What is sent through a port of ours comes back in and is wrapped again.
    private void CheckIsNoPort(string name, string path)
    {
        if (_taps.Contains(name))
            Add(path, $"{Quote(name)} is a port of this VTEP; name the interface that leads to the other VTEPs");
    }
}
