// The domains of a VTEP and how one set of them becomes another. Difference by VNI, and within a domain by TAP name: what is
// equal in both stays untouched, down to its open descriptors. The steps and their order are those in the head of Vtep.cs.
// This file: ports, records, the published state, and the grace periods. DomainTable.Stations.cs: what the operator fixes. Control loop only; called
// under the facade's lock.

using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane;

/// <summary>The domains, their ports and their paths.</summary>
internal sealed partial class DomainTable : IDisposable
{
    private readonly IHostNetwork _host;
    private readonly IUnderlay _underlay;
    private readonly Fdb _fdb;
    private readonly NeighborTable _neighbors;
    private readonly RemoteVteps _vteps;
    private readonly Forwarder _forwarder;
    private readonly Lane[] _lanes;
    private readonly FlowHash _flowHash;
    private readonly ushort _udpPort;
    private readonly Action<VtepFault> _faulted;
    private readonly GroupMemberships _groups;
    private readonly PathTable _paths;
    private readonly Dictionary<Vni, DomainRecord> _domains = [];
    private uint[] _ageing = new uint[16]; // by domain index; grows with it
    private readonly HashSet<int> _indexes = [];
    private readonly List<int> _released = [];
    private List<string> _problems = [];
    private int _nextIndex;

    public DomainTable(
        IHostNetwork host, IUnderlay underlay, Fdb fdb, NeighborTable neighbors, RemoteVteps vteps, Forwarder forwarder, Lane[] lanes, FlowHash flowHash, ushort udpPort,
        Action<VtepFault> faulted)
    {
        _host = host;
        _underlay = underlay;
        _fdb = fdb;
        _neighbors = neighbors;
        _vteps = vteps;
        _forwarder = forwarder;
        _lanes = lanes;
        _flowHash = flowHash;
        _udpPort = udpPort;
        _faulted = faulted;
        _groups = new GroupMemberships(underlay);
        _paths = new PathTable(underlay, vteps);
    }

    /// <summary>What the queues of closed ports had counted.</summary>
    public ClosedMeters Closed { get; } = new();

    /// <summary>What of the configuration could not be done, a sentence each. Any thread.</summary>
    public IReadOnlyList<string> Problems => Volatile.Read(ref _problems);

    /// <summary>Makes the domains those of <paramref name="next"/>. All or nothing.</summary>
    /// <exception cref="VtepException">A port can't be opened, a group can't be joined, or there are too many VTEPs; nothing has changed.</exception>
    public void Apply(IReadOnlyList<BridgeDomainConfig> next)
    {
        // Joining may fail, so it comes first. Groups that stay in use are kept by their domains from then on.
        List<MulticastGroup> held = HoldGroups(next);
        try
        {
            Replace(next);
        }
        finally
        {
            held.ForEach(group => _groups.Release(group));
        }
    }

    /// <summary>Removes what is too old: FDB entries, learned VTEPs.</summary>
    public void Age(uint nowSeconds, uint vtepAgeing)
    {
        _fdb.Age(_ageing, nowSeconds);
        Span<int> expired = stackalloc int[64];
        int count = vtepAgeing == 0 ? 0 : _vteps.Expire(nowSeconds, vtepAgeing, expired);
        Free(expired[..count]);
        _paths.ReadNew(_domains.Values);
    }

    /// <summary>Reads the path to every VTEP and group anew, and fits the ports' MTUs to them.</summary>
    public void ReadPaths()
    {
        _paths.Read(_domains.Values);
        foreach (DomainRecord domain in _domains.Values)
            FitPorts(domain);
        Publish();
    }

    /// <summary>The domain of that VNI, or null.</summary>
    public DomainRecord? Find(Vni vni) => _domains.GetValueOrDefault(vni);

    /// <summary>The VTEPs that these domains name are others now.</summary>
    public void PeersChanged(IReadOnlyCollection<DomainRecord> changed)
    {
        _paths.ReadNew(_domains.Values);
        foreach (DomainRecord domain in changed)
        {
            _paths.Measure(domain);
            FitPorts(domain);
        }

        Publish(changed);
        FreeVteps();
    }

    /// <summary>A device came, went or changed.</summary>
    public void PortChanged(AccessPort port)
    {
        DomainRecord? domain = _domains.Values.FirstOrDefault(candidate => candidate.Port(port.Device.Name) == port);
        if (domain is null)
            return;
        ClaimOwnMac(domain, port);
        ReadPaths(); // its interface index may be another now, and so a loop may have come or gone
    }

    public void Dispose()
    {
        List<(DomainRecord, AccessPort Port)> ports = [.. _domains.Values.SelectMany(domain => domain.Ports, (domain, port) => (domain, port))];
        RetirePorts(ports);
        ports.ForEach(entry => entry.Port.Device.Dispose());
        foreach (Lane lane in _lanes)
            lane.GiveUpHeld();
        foreach (DomainRecord domain in _domains.Values)
        {
            Closed.Add(domain.Meters);
            domain.Peering.Dispose();
        }

        _domains.Clear();
        Publish();
    }

    // --- ports ---

    private void AddPort(DomainRecord domain, IAccessPort device)
    {
        AccessPort port = domain.Add(device, _lanes.Length);
        _names[domain.Index].Ports[port.Ordinal] = device.Name;
        ClaimOwnMac(domain, port);
    }

    private void ClaimOwnMac(DomainRecord domain, AccessPort port)
    {
        if (port.OwnMac != port.Device.Mac && !port.OwnMac.IsZero)
            _fdb.DeleteOwn(domain.Index, port.OwnMac);
        port.OwnMac = port.Device.Mac;
        if (!port.OwnMac.IsZero)
            _fdb.TryAdd(domain.Index, port.OwnMac, new FdbTarget(FdbKind.Own, port.Ordinal), replace: true);
        port.Mtu = port.Device.Mtu;
    }

    private static void FitPorts(DomainRecord domain)
    {
        foreach (AccessPort port in domain.Ports)
        {
            PortConfig config = domain.Config.Ports.First(candidate => candidate.Tap == port.Device.Name);
            int mtu = config.Mtu is null ? domain.Mtu : config.Device is not null ? config.Mtu.Value : 0; // the host sets that of its own
            if (mtu > 0 && port.Device.Mtu != mtu)
                port.Device.TrySetMtu(mtu, out _); // can't be set without rights: then the port's own MTU shows in its snapshot
            port.Mtu = port.Device.Mtu;
        }
    }

    // A port must be out of the published state and served by nobody before its entries go, and they before its ordinal is free.
    private void RetirePorts(IReadOnlyCollection<(DomainRecord Domain, AccessPort Port)> ports)
    {
        if (ports.Count == 0)
            return;
        foreach ((DomainRecord domain, AccessPort port) in ports)
        {
            _host.Withdraw(port);
            domain.Remove(port);
        }

        Publish();
        WaitForLanes();
        var gone = ports.Select(entry => (entry.Port.DomainIndex, entry.Port.Ordinal)).ToHashSet();
        _fdb.Flush((domain, target) => target.IsLocal && gone.Contains((domain, target.Id)));
        foreach ((DomainRecord domain, AccessPort port) in ports)
        {
            domain.Meters.CountClosedPort(port);
            Closed.Add(port, _lanes.Length);
        }
    }

    // A replacement could not be opened: what was closed for it comes back as it was.
    private void Reinstate(DomainRecord domain, IAccessPort device)
    {
        AddPort(domain, device);
        ReadPaths();
        _host.Serve(domain.Port(device.Name)!);
    }

    // --- records ---

    private void Replace(IReadOnlyList<BridgeDomainConfig> next)
    {
        var change = new PortChange(_host, _domains.Values, next, _lanes.Length, _faulted);
        change.OpenNew();
        RetirePorts(change.Old);
        change.CloseOldOfHost();
        change.OpenReplacements(Reinstate);
        change.CloseOldOfProgram();

        UpdateRecords(next);
        foreach ((Vni vni, IAccessPort device) in change.Opened)
            AddPort(_domains[vni], device);
        Volatile.Write(ref _problems, [.. next.SelectMany(config => FixStations(_domains[config.Vni]))]);
        ReadPaths();
        FreeVteps();
        foreach ((Vni vni, IAccessPort device) in change.Opened)
            _host.Serve(_domains[vni].Port(device.Name)!);
    }

    private List<MulticastGroup> HoldGroups(IReadOnlyList<BridgeDomainConfig> next)
    {
        var held = new List<MulticastGroup>();
        try
        {
            foreach (MulticastDiscovery multicast in next.Select(config => config.Discovery).OfType<MulticastDiscovery>())
            {
                _groups.Acquire(multicast.Group);
                held.Add(multicast.Group);
            }
        }
        catch (VtepException)
        {
            held.ForEach(group => _groups.Release(group));
            throw;
        }

        return held;
    }

    private void UpdateRecords(IReadOnlyList<BridgeDomainConfig> next)
    {
        var wanted = next.Select(config => config.Vni).ToHashSet();
        RemoveDomains([.. _domains.Values.Where(domain => !wanted.Contains(domain.Config.Vni))]);
        foreach (BridgeDomainConfig config in next)
        {
            if (!_domains.TryGetValue(config.Vni, out DomainRecord? domain))
            {
                _domains.Add(config.Vni, domain = new DomainRecord(TakeIndex(), config, new Peering(_vteps, _groups, _released), new DomainMeters(_lanes.Length)));
                _names[domain.Index] = (config.Vni, []);
                _fdb.Prepare(domain.Index);
                foreach (Lane lane in _lanes)
                    lane.Meters.Pairs.AddDomain(domain.Index, domain.Meters[lane.Index]);
            }

            UnfixStations(domain, config);
            domain.Config = config;
            domain.Peering.Configure(config.Discovery);
            if (domain.Index >= _ageing.Length)
                Array.Resize(ref _ageing, Math.Min(2 * domain.Index, VtepConfigRules.MaxDomains + 1));
            _ageing[domain.Index] = (uint)config.Ageing;
        }
    }

    private void RemoveDomains(IReadOnlyCollection<DomainRecord> domains)
    {
        if (domains.Count == 0)
            return;
        foreach (DomainRecord domain in domains)
            _domains.Remove(domain.Config.Vni);
        Publish();
        WaitForLanes();
        var indexes = domains.Select(domain => domain.Index).ToHashSet();
        _fdb.Flush((domain, _) => indexes.Contains(domain));
        foreach (Lane lane in _lanes)
            lane.Meters.Pairs.RemoveDomains(indexes);
        foreach (DomainRecord domain in domains)
        {
            Closed.Add(domain.Meters);
            _neighbors.RemoveDomain(domain.Index);
            domain.Peering.Dispose();
            _indexes.Remove(domain.Index);
            _names.Remove(domain.Index);
        }
    }

    // Round robin: an index comes round again only after 65534 others.
    private int TakeIndex()
    {
        do
            _nextIndex = _nextIndex % VtepConfigRules.MaxDomains + 1;
        while (!_indexes.Add(_nextIndex));
        return _nextIndex;
    }

    // --- the state ---

    private void Publish() => Publish(_domains.Values);

    // What stays as it was is taken over: a peer that joins one of ten thousand domains changes one.
    private void Publish(IReadOnlyCollection<DomainRecord> changed)
    {
        ForwardingState old = _forwarder.State;
        var rebuilt = changed.ToHashSet();
        _forwarder.State = new ForwardingState(
            _domains.Values.Select(domain => rebuilt.Contains(domain) ? Build(domain) : old.ByIndex(domain.Index) ?? Build(domain)),
            _underlay.Local, _udpPort, _underlay.IsLocalAddressPresent);
    }

    private BridgeDomain Build(DomainRecord domain) => new()
    {
        Index = domain.Index,
        Name = domain.Config.Name,
        Vni = domain.Config.Vni,
        Ports = [.. domain.Ports],
        PortsByOrdinal = domain.PortsByOrdinal(),
        Flood = new FloodList
        {
            Vteps = domain.Peering.FloodVteps,
            Group = _paths.GroupTarget(domain.Peering.Multicast, _udpPort),
        },
        Admission = domain.Peering.Admission,
        Encapsulator = new Encapsulator(domain.Config.Vni, domain.Config.Encapsulation, _flowHash),
        Policy = domain.Config.Encapsulation,
        Learning = domain.Config.Learning,
        Ageing = (uint)domain.Config.Ageing,
        FdbLimit = domain.Config.FdbLimit,
        Mtu = domain.Mtu,
        Controller = PolicyOf(domain.Config.Discovery),
        Meters = domain.Meters,
    };

    private ControllerPolicy? PolicyOf(DiscoveryConfig discovery)
    {
        if (discovery is not ControllerDiscovery controller)
            return null;
        bool looksUp = controller.Mode == ControllerMode.Lookup;
        foreach (Lane lane in _lanes)
        {
            lane.Events.Prepare();
            if (looksUp)
                lane.Held.Prepare();
        }

        return new ControllerPolicy(controller.SuppressNeighbors, controller.LearnFromPeers, looksUp, controller.FloodUnknown, controller.LookupsPerSecond);
    }

    // --- grace ---

    // VTEPs nobody names any more: their learned entries go, and once no lane can still be sending to them, their slots.
    private void FreeVteps()
    {
        FlushDropped();
        Free([.. _released]);
        _released.Clear();
    }

    // VTEPs that one domain names no more while others do: what it has learned behind them goes. The others' part is Free's.
    private void FlushDropped()
    {
        HashSet<(int Domain, int Vtep)> dropped = [];
        foreach (DomainRecord domain in _domains.Values)
            dropped.UnionWith(domain.Peering.TakeDropped().Except(_released).Select(vtep => (domain.Index, vtep)));
        if (dropped.Count == 0)
            return;
        WaitForLanes();
        _fdb.Flush((domain, target) => target.IsRemote && dropped.Contains((domain, target.Id)));
    }

    private void Free(ReadOnlySpan<int> vteps)
    {
        if (vteps.IsEmpty)
            return;
        WaitForLanes();
        var gone = new HashSet<int>(vteps.ToArray());
        _fdb.Flush((_, target) => target.IsRemote && gone.Contains(target.Id));
        WaitForLanes();
        foreach (Lane lane in _lanes)
            lane.Meters.Pairs.RetireVteps(gone);
        foreach (int vtep in vteps)
        {
            foreach (Lane lane in _lanes)
                lane.Meters.Traffic(vtep) = default; // the id may become another VTEP's, with counts of its own
            _vteps.Reclaim(vtep);
        }
    }

    private void WaitForLanes()
    {
        foreach (Lane lane in _lanes)
        {
            long epoch = lane.Epoch;
            if ((epoch & 1) != 0)
                SpinWait.SpinUntil(() => lane.Epoch != epoch);
        }
    }
}
