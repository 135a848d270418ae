// A reconciler in a test: node h0 at 198.18.0.250, records in few words, a target made of dictionaries that checks what it is told.

using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Discovery;

internal sealed class TestDirectory
{
    public const string Us = "h0";

    public static readonly Vni Vni100 = new(100);
    public static readonly Vni Vni200 = new(200);
    public static readonly InetAddress Local = InetAddress.Parse("198.18.0.250");
    public static readonly ControllerConfig Config = new() { Name = "store", Node = Us };

    public TestDirectory(ControllerMode mode = ControllerMode.Watch, ControllerConfig? config = null)
    {
        Reconciler = new Reconciler(config ?? Config, Local, 4789, Own, Target);
        Configure(mode, Vni100, Vni200);
    }

    public LocalRecords Own { get; } = new();

    public RecordingTarget Target { get; } = new();

    public Reconciler Reconciler { get; }

    public long Now { get; set; } = 1_000_000;

    public void Configure(ControllerMode mode, params Vni[] vnis) => Reconciler.Configure(
        vnis.ToDictionary(vni => vni, _ => new ControllerDiscovery { Controller = "store", Mode = mode }), Now);

    public void Snapshot(params DirectoryRecord[] records) => Apply(new DirectorySnapshot(7, records, []));

    public void Cached(params DirectoryRecord[] records) => Apply(new DirectorySnapshot(7, records, [], IsFromCache: true));

    public void Put(params DirectoryRecord[] records) => Apply(new DirectoryDelta(8, [.. records.Select(record => new DirectoryChange(record.Key, record))], []));

    public void Delete(params DirectoryRecord[] records) => Apply(new DirectoryDelta(9, [.. records.Select(record => new DirectoryChange(record.Key, null))], []));

    public void Apply(DirectoryEvent told) => Reconciler.Apply(told, Now);

    public void Seen(MacAddress mac)
    {
        Target.Locals.Add((Vni100, mac));
        Reconciler.StationSeen(Vni100, mac, Now);
    }

    public void Gone(MacAddress mac)
    {
        Target.Locals.Remove((Vni100, mac));
        Reconciler.StationGone(Vni100, mac, Now);
    }

    public void Bound(string address, MacAddress mac) => Reconciler.BindingSeen(Vni100, InetAddress.Parse(address), mac, false, Now);

    public void LookedUp(LookupKey key, params DirectoryRecord[] records) =>
        Reconciler.LookedUp(key, records.Length == 0 ? LookupResult.NotFound : new LookupResult(LookupOutcome.Found, records), Now);

    public void Pass(long milliseconds)
    {
        Now += milliseconds;
        Reconciler.Tick(Now);
    }

    public ControllerSnapshot Status() => Reconciler.Status(Now);

    public string WhyOf(DirectoryRecord record) => Reconciler.Content(Now).Records
        .Single(shown => shown.Owner == record.Owner && shown.Kind == RecordRules.KindText(record.Key.Kind) && (record is not MacRecord || shown.Mac == record.Key.Mac)).Why;

    /// <summary>What is wanted in the store of a station of ours: its sequence; null: nothing.</summary>
    public uint? Published(MacAddress mac) => Own.TryGet(new RecordKey(RecordKind.Mac, Us, Vni100, mac), out DirectoryRecord? record) ? ((MacRecord)record).Sequence : null;

    public string? Published(string address) =>
        Own.TryGet(new RecordKey(RecordKind.Neighbor, Us, Vni100, default, InetAddress.Parse(address)), out DirectoryRecord? record)
            ? $"{((NeighborRecord)record).Mac} {((NeighborRecord)record).Sequence}"
            : null;

    public string? StationAt(MacAddress mac) => Target.Stations.TryGetValue((Vni100, mac), out (VtepEndpoint Vtep, bool IsSticky) at)
        ? $"{at.Vtep.Address}{(at.IsSticky ? " sticky" : "")}"
        : null;

    public string? NeighborAt(string address) => Target.Neighbors.TryGetValue((Vni100, InetAddress.Parse(address)), out (MacAddress Mac, bool IsRouter, bool IsLocal) at)
        ? $"{at.Mac}{(at.IsRouter ? " router" : "")}{(at.IsLocal ? " local" : "")}"
        : null;

    /// <summary>The VTEP of host n: 198.18.0.n.</summary>
    public static VtepRecord Host(int n, string? name = null) => new($"h{n}", Endpoint(n), default) { Name = name };

    public static VtepEndpoint Endpoint(int n) => new(InetAddress.FromIPv4((uint)((198 << 24) | (18 << 16) | n)), 4789);

    public static FloodRecord Floods(int n, Vni? vni = null) => new($"h{n}", vni ?? Vni100);

    public static MacAddress Mac(int n) => new(0x02_00_00_00_00_00 + (ulong)n);

    public static MacRecord Station(int host, int mac, uint sequence = 0, bool sticky = false) => new($"h{host}", Vni100, Mac(mac), sequence, sticky);

    public static NeighborRecord Address(int host, string address, int mac, uint sequence = 0) => new($"h{host}", Vni100, InetAddress.Parse(address), Mac(mac), sequence);

    public static LookupKey Key(int mac) => new(Vni100, Mac(mac));

    public static LookupKey Key(string address) => new(Vni100, default, InetAddress.Parse(address));
}

/// <summary>Tables as dictionaries. A station behind a VTEP that isn't named, or left behind one that is given up, is a mistake.</summary>
internal sealed class RecordingTarget : IDirectoryTarget
{
    private readonly Dictionary<Vni, HashSet<VtepEndpoint>> _named = [];

    public Dictionary<Vni, (HashSet<VtepEndpoint> Admitted, HashSet<VtepEndpoint> Flood)> Peers { get; } = [];

    public Dictionary<(Vni, MacAddress), (VtepEndpoint Vtep, bool IsSticky)> Stations { get; } = [];

    public Dictionary<(Vni, InetAddress), (MacAddress Mac, bool IsRouter, bool IsLocal)> Neighbors { get; } = [];

    public HashSet<(Vni, MacAddress)> Locals { get; } = [];

    public HashSet<(Vni, MacAddress)> Fixed { get; } = [];

    public int Calls { get; private set; }

    public int Commits { get; private set; }

    public IEnumerable<string> Admitted => Peers.GetValueOrDefault(TestDirectory.Vni100, ([], [])).Admitted.Select(vtep => vtep.Address.ToString()).Order();

    public IEnumerable<string> Flood => Peers.GetValueOrDefault(TestDirectory.Vni100, ([], [])).Flood.Select(vtep => vtep.Address.ToString()).Order();

    public void SetPeers(Vni vni, IReadOnlyCollection<VtepEndpoint> admitted, IReadOnlyCollection<VtepEndpoint> flood)
    {
        Calls++;
        Assert.That(admitted.ToHashSet().IsSupersetOf(flood));
        _named.TryAdd(vni, []);
        _named[vni].UnionWith(admitted);
        Peers[vni] = ([.. admitted], [.. flood]);
    }

    public bool TrySetStation(Vni vni, MacAddress mac, VtepEndpoint vtep, bool isSticky)
    {
        Calls++;
        Assert.That(_named[vni].Contains(vtep), "stations are behind VTEPs that were named");
        if (!Fixed.Contains((vni, mac)))
            Stations[(vni, mac)] = (vtep, isSticky);
        return !Fixed.Contains((vni, mac));
    }

    public void RemoveStation(Vni vni, MacAddress mac)
    {
        Calls++;
        Assert.That(Stations.Remove((vni, mac)), Is.True, "only what is there is removed");
    }

    public bool TrySetNeighbor(Vni vni, InetAddress address, MacAddress mac, bool isRouter, bool isLocal)
    {
        Calls++;
        Neighbors[(vni, address)] = (mac, isRouter, isLocal);
        return true;
    }

    public void RemoveNeighbor(Vni vni, InetAddress address)
    {
        Calls++;
        Assert.That(Neighbors.Remove((vni, address)), Is.True, "only what is there is removed");
    }

    public bool IsLocal(Vni vni, MacAddress mac) => Locals.Contains((vni, mac)) && !Stations.ContainsKey((vni, mac));

    public void Commit()
    {
        Commits++;
        foreach ((Vni vni, (HashSet<VtepEndpoint> admitted, _)) in Peers)
            _named[vni] = [.. admitted];
        foreach (((Vni vni, MacAddress mac), (VtepEndpoint vtep, _)) in Stations)
        {
            if (!_named[vni].Contains(vtep))
                Assert.Fail($"{mac} is left behind a VTEP that is given up");
        }
    }
}
