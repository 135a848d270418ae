// The single writer that turns the records of one controller into the data plane's tables, as differences.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>Records of one controller to peers, stations and neighbours. Control loop only, time as an argument.</summary>
/// <param name="config">The controller.</param>
/// <param name="local">Our VTEP address.</param>
/// <param name="port">Our UDP port.</param>
/// <param name="own">What this node wants in the store.</param>
/// <param name="target">The data plane.</param>
#pragma warning disable CS9113, CA1822 // to be written
internal sealed class Reconciler(ControllerConfig config, InetAddress local, ushort port, LocalRecords own, IDirectoryTarget target)
{
    /// <summary>The domains this controller is served for from now on; those no longer in it are left, peers, stations, records and all.</summary>
    public void Configure(IReadOnlyDictionary<Vni, ControllerDiscovery> domains, long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>Takes what the source tells.</summary>
    public void Apply(DirectoryEvent told, long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>A station was heard behind one of our ports, or is a port's own MAC.</summary>
    public void StationSeen(Vni vni, MacAddress mac, long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>A station is behind our ports no more.</summary>
    public void StationGone(Vni vni, MacAddress mac, long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>An address is at a station behind one of our ports.</summary>
    public void BindingSeen(Vni vni, InetAddress address, MacAddress mac, bool isRouter, long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>Lookup mode: the store's answer to a question; good for the domain's PositiveSeconds.</summary>
    public void LookedUp(LookupKey key, LookupResult result, long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>Lookup mode: answers that will soon be too old, to be asked again. Told once each.</summary>
    public IReadOnlyList<LookupKey> TakeExpiring(long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>Time passes: holds end, frozen stations thaw, old answers go. Call about once a second.</summary>
    public void Tick(long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>Believes a snapshot that lost many VTEPs. False: none is held.</summary>
    public bool AcceptShrink(long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>How the controller is. Lookups are counted elsewhere and left 0.</summary>
    public ControllerSnapshot Status(long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>What the operator should know, a sentence each: frozen stations, a held shrink, an id that two nodes use, a store that is away.</summary>
    public IReadOnlyList<string> Warnings(long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>All records with who won and why, and the last ones rejected.</summary>
    public DirectoryContentSnapshot Content(long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>What a complete reading of the store means for peers, stations, neighbours and our own records, beside what the target was told.</summary>
    public IReadOnlyList<DirectoryDifference> Compare(DirectorySnapshot store) => throw new NotImplementedException();
}
