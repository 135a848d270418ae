// The way to every VTEP and group, as the machine's routes say, and the MTU that follows for a domain's ports: the smallest path,
// less the outer headers, less the inner Ethernet header, less a tag where tags must fit. A path that leaves by one of our own
// ports is a loop: what is sent there would come back in and be wrapped again. Control loop only.

using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane;

/// <summary>Paths and what follows from them.</summary>
internal sealed class PathTable(IUnderlay underlay, RemoteVteps vteps)
{
    /// <summary>IPv4's floor (RFC 791); no port gets less, whatever a route says.</summary>
    private const int MinimumMtu = 68;

    /// <summary>A UDP datagram over IPv4 carries 65507 bytes: 8 of VXLAN, 14 of Ethernet and a tag leave this.</summary>
    private const int MaximumMtu = 65_507 - VxlanHeader.Size - EthernetHeader.Size - VlanTag.Size;

    private readonly Dictionary<string, UnderlayPath> _interfaces = [];
    private readonly Dictionary<VtepEndpoint, int> _groupIds = [];

    /// <summary>Reads everything anew and computes each domain's MTU.</summary>
    public void Read(IReadOnlyCollection<DomainRecord> domains)
    {
        HashSet<int> own = OwnInterfaces(domains);
        foreach (RemoteVtep vtep in vteps)
            ReadVtep(vtep, own);
        _interfaces.Clear();
        foreach (MulticastGroup group in domains.Select(domain => domain.Peering.Multicast?.Group).OfType<MulticastGroup>())
        {
            if (!_interfaces.ContainsKey(group.Interface))
                _interfaces.Add(group.Interface, underlay.PathThrough(group.Interface));
        }

        foreach (DomainRecord domain in domains)
            Measure(domain);
    }

    /// <summary>Computes a domain's MTU from the paths as they were read last.</summary>
    public void Measure(DomainRecord domain) => domain.Mtu = DomainMtu(domain);

    /// <summary>Reads the paths to VTEPs learned since. They need no new state: a path is looked up by the VTEP's id.</summary>
    public void ReadNew(IReadOnlyCollection<DomainRecord> domains)
    {
        HashSet<int>? own = null;
        foreach (RemoteVtep vtep in vteps)
        {
            if (vtep.State == PathState.Unknown)
                ReadVtep(vtep, own ??= OwnInterfaces(domains));
        }
    }

    /// <summary>The group as the frame path needs it; null without multicast.</summary>
    public GroupTarget? GroupTarget(MulticastDiscovery? multicast, ushort udpPort)
    {
        if (multicast is null)
            return null;
        UnderlayPath path = _interfaces.GetValueOrDefault(multicast.Group.Interface, new UnderlayPath(PathStatus.NoRoute, 0, 0));
        var endpoint = new VtepEndpoint(multicast.Group.Group, udpPort);
        return new GroupTarget(endpoint, multicast.Ttl, path.InterfaceIndex, path.Mtu, IdOf(endpoint));
    }

    // never given to another one: what is counted under it stays this group's
    private int IdOf(in VtepEndpoint group)
    {
        if (!_groupIds.TryGetValue(group, out int id))
            _groupIds.Add(group, id = -1 - _groupIds.Count);
        return id;
    }

    /// <summary>The MTU a port gets when so many bytes fit: no less than a port needs, no more than one can have.</summary>
    public static int Bounded(int mtu) => Math.Clamp(mtu, MinimumMtu, MaximumMtu);

    private static HashSet<int> OwnInterfaces(IEnumerable<DomainRecord> domains) =>
        [.. domains.SelectMany(domain => domain.Ports).Select(port => port.Device.InterfaceIndex).Where(index => index != 0)];

    private void ReadVtep(in RemoteVtep vtep, HashSet<int> own)
    {
        UnderlayPath path = underlay.PathTo(vtep.Endpoint.Address);
        if (path.Status == PathStatus.NoRoute)
            vteps.SetPath(vtep.Id, 0, PathState.NoRoute);
        else
            vteps.SetPath(vtep.Id, path.Mtu, own.Contains(path.InterfaceIndex) ? PathState.Loop : PathState.Ok);
    }

    private int DomainMtu(DomainRecord domain)
    {
        InnerVlanPolicy tags = domain.Config.Encapsulation.InnerVlan;
        int smallest = int.MaxValue;
        foreach ((VtepEndpoint endpoint, int vtep) in domain.Peering.Ids)
        {
            if (vteps.PathOf(vtep) is { State: PathState.Ok } path)
                smallest = Math.Min(smallest, Encapsulator.PortMtu(path.Mtu, endpoint.Address, tags));
        }

        if (domain.Peering.Multicast?.Group is { } group && _interfaces[group.Interface].Mtu is > 0 and int linkMtu)
            smallest = Math.Min(smallest, Encapsulator.PortMtu(linkMtu, group.Group, tags));
        return smallest == int.MaxValue ? 0 : Bounded(smallest);
    }
}
