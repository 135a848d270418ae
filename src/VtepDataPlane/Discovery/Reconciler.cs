// The single writer that turns the records of one controller into the data plane's tables, as differences.
//
// Whatever happens (the store tells something, a station is heard, time passes) changes the DirectoryTable or the LocalStations, which note what that
// touches: domains, stations, addresses. Settle then decides each of these anew, with Resolver, and tells the target only what came out
// differently from what it was told before. So one record costs what depends on it.
//
//   Reconciler.Peers.cs      VTEPs of a domain        Reconciler.Own.cs      stations and addresses of this node
//   Reconciler.Stations.cs   stations                 Reconciler.Lookups.cs  answers to questions
//   Reconciler.Neighbors.cs  addresses                Reconciler.Status.cs, .Content.cs and .Compare.cs   what there is to tell
//
// Peers are named before stations are put behind them, and given up (Commit) after the last station is gone from behind them.
//
// Control loop only; time is an argument.

using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>Records of one controller to peers, stations and neighbours. Control loop only, time as an argument.</summary>
internal sealed partial class Reconciler
{
    private readonly ControllerConfig _config;
    private readonly VtepEndpoint _here;
    private readonly LocalRecords _own;
    private readonly IDirectoryTarget _target;
    private readonly RecordRules _rules;
    private readonly DirectoryTable _table;
    private readonly LocalStations _local = new();
    private readonly MoveHistory _moves = new();
    private readonly SequenceMemory _memory = new();
    private IReadOnlyDictionary<Vni, ControllerDiscovery> _domains = new Dictionary<Vni, ControllerDiscovery>();

    /// <param name="config">The controller.</param>
    /// <param name="local">Our VTEP address.</param>
    /// <param name="port">Our UDP port.</param>
    /// <param name="own">What this node wants in the store.</param>
    /// <param name="target">The data plane.</param>
    public Reconciler(ControllerConfig config, InetAddress local, ushort port, LocalRecords own, IDirectoryTarget target)
    {
        _config = config;
        _here = new VtepEndpoint(local, port);
        _own = own;
        _target = target;
        _rules = new RecordRules(config, local, vni => _domains.ContainsKey(vni));
        _table = new DirectoryTable(_rules, LooksUp);
    }

    /// <summary>The domains this controller is served for from now on; those no longer in it are left, peers, stations, records and all.</summary>
    public void Configure(IReadOnlyDictionary<Vni, ControllerDiscovery> domains, long nowMilliseconds)
    {
        IReadOnlyDictionary<Vni, ControllerDiscovery> before = _domains;
        foreach (Vni vni in before.Keys.Where(vni => !domains.ContainsKey(vni)))
            Leave(vni, nowMilliseconds);
        _domains = new Dictionary<Vni, ControllerDiscovery>(domains);
        _table.Forget(record => record.Key.Kind != RecordKind.Prefix && record is not VtepRecord && !domains.ContainsKey(record.Key.Vni));
        foreach (Vni vni in domains.Keys.Where(vni => before.TryGetValue(vni, out ControllerDiscovery? old) && old.Mode != domains[vni].Mode))
            ChangeMode(vni);
        PublishNode();
        Settle(nowMilliseconds);
    }

    /// <summary>Takes what the source tells.</summary>
    public void Apply(DirectoryEvent told, long nowMilliseconds)
    {
        NoteEvent(told, nowMilliseconds);
        if (told is DirectorySnapshot snapshot)
            _table.Apply(snapshot, nowMilliseconds);
        else if (told is DirectoryDelta delta)
            _table.Apply(delta, nowMilliseconds);
        if (told is DirectorySnapshot { IsFromCache: false })
            GoOnFromFormerLife();
        Settle(nowMilliseconds);
        if (told is DirectorySnapshot { IsFromCache: false })
            NoteComplete();
    }

    /// <summary>Time passes: holds end, frozen stations thaw, old answers go. Call about once a second.</summary>
    public void Tick(long nowMilliseconds)
    {
        _table.Expire(nowMilliseconds);
        ExpireAnswers(nowMilliseconds);
        foreach (LookupKey key in _moves.Thaw(nowMilliseconds))
            _table.Changes.Touch(key);
        TouchRefused();
        Settle(nowMilliseconds);
    }

    /// <summary>Believes a snapshot that lost many VTEPs. False: none is held.</summary>
    public bool AcceptShrink(long nowMilliseconds)
    {
        bool isHeld = _table.AcceptShrink();
        Settle(nowMilliseconds);
        return isHeld;
    }

    private void Settle(long nowMilliseconds, bool mayClaim = true)
    {
        TableChanges changes = _table.Changes;
        foreach ((LookupKey key, uint sequence) in changes.TakeWithdrawn().Where(withdrawn => withdrawn.Key.Address.IsNone))
            _memory.AddRemote(key, sequence, nowMilliseconds);
        bool hasPeers = false;
        foreach (Vni vni in changes.TakeDomains())
            hasPeers |= TellPeers(vni);
        foreach (LookupKey key in changes.TakeStations())
            SettleStation(key, nowMilliseconds, mayClaim);
        foreach (LookupKey key in changes.TakeAddresses())
            SettleNeighbor(key, nowMilliseconds);
        if (hasPeers)
            _target.Commit();
        NoteAlone(nowMilliseconds);
    }

    private void Leave(Vni vni, long nowMilliseconds)
    {
        foreach (LookupKey key in _local.Bindings.Keys.Where(key => key.Vni == vni).ToList())
        {
            DropBinding(key);
            _table.Changes.Touch(key);
        }

        foreach (LookupKey key in _local.Stations.Keys.Where(key => key.Vni == vni).ToList())
        {
            Lose(key, nowMilliseconds);
            _table.Changes.Touch(key);
        }

        _own.Remove(new RecordKey(RecordKind.Flood, _config.Node, vni));
        _moves.Leave(vni);
        ForgetAnswers(vni);
    }

    // Stations become known in another way from now on.
    private void ChangeMode(Vni vni)
    {
        _table.Forget(record => record is MacRecord or NeighborRecord && record.Key.Vni == vni);
        ForgetAnswers(vni);
    }

    private bool LooksUp(Vni vni) => _domains.TryGetValue(vni, out ControllerDiscovery? discovery) && discovery.Mode == ControllerMode.Lookup;

    // The source adds name, MTU and instance.
    private void PublishNode()
    {
        _own.Set(_here.Address.IsIPv4 ? new VtepRecord(_config.Node, _here, default) : new VtepRecord(_config.Node, default, _here));
        foreach (Vni vni in _domains.Keys)
            _own.Set(new FloodRecord(_config.Node, vni));
    }

    // Claims for a station or an address whose VTEP is known, ours among them.
    private List<Claim> ClaimsFor(LookupKey key, DirectoryTable table)
    {
        var claims = new List<Claim>();
        foreach (HeldRecord held in table.ClaimsOf(key))
        {
            if (table.VtepOf(held.Record.Owner)?.EndpointFor(_here.Address.Version) is { } vtep)
                claims.Add(ClaimOf(held, vtep));
        }

        if (OwnClaim(key) is { } ours)
            claims.Add(ours);
        return claims;
    }

    private Claim? Choose(LookupKey key) => Resolver.Choose(ClaimsFor(key, _table), _moves.FrozenOwner(key));

    private static Claim ClaimOf(HeldRecord held, VtepEndpoint vtep) => held.Record switch
    {
        NeighborRecord neighbor =>
            new Claim(held.Record.Owner, vtep, neighbor.Sequence, IsHeld: held.IsHeld, Mac: neighbor.Mac, IsRouter: neighbor.IsRouter),
        MacRecord station => new Claim(held.Record.Owner, vtep, station.Sequence, station.Sticky, held.IsHeld, Mac: station.Mac),
        _ => throw new ArgumentException($"A {held.Record.Key.Kind} record claims nothing.", nameof(held)),
    };
}
