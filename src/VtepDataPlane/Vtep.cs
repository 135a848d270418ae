// The facade. (Skeleton: the contract the program and the host rely on.)

using VtepDataPlane.Diagnostics;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane;

/// <summary>A VXLAN tunnel endpoint. Apply, Tick and UnderlayChanged may be called from any thread, one at a time is let in; snapshots any time.</summary>
public sealed class Vtep : IDisposable
{
    /// <summary>Opens underlay and ports and applies the configuration; all or nothing.</summary>
    /// <param name="config">A valid configuration.</param>
    /// <param name="host">The machine's edge; disposed of by the caller.</param>
    /// <param name="seed">Random bits for the flow hash and the FDB's hash, from a cryptographic source.</param>
    /// <param name="nowMilliseconds">Monotonic time, as in all later calls.</param>
    /// <exception cref="VtepException">Something can't be opened; nothing is left open.</exception>
    public Vtep(VtepConfig config, IHostNetwork host, UInt128 seed, long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>The lanes, one for each worker. Fixed for the VTEP's life.</summary>
    public IReadOnlyList<Lane> Lanes => throw new NotImplementedException();

    /// <summary>The configuration in force.</summary>
    public VtepConfig Config => throw new NotImplementedException();

    /// <summary>Applies the difference to another configuration: unchanged domains and ports lose no frame. All or nothing.</summary>
    /// <exception cref="VtepException">It can't be applied; the old one is still in force.</exception>
    public void Apply(VtepConfig next, long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>Ages FDB and learned VTEPs, frees what was removed. Call about once a second.</summary>
    public void Tick(long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>Reads routes, MTUs and addresses anew. Call when the machine's links, addresses or routes changed.</summary>
    public void UnderlayChanged(long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>A port's device came, went or changed its MTU. Call when the host knows.</summary>
    public void PortChanged(AccessPort port) => throw new NotImplementedException();

    /// <summary>Adds a static FDB entry at run time (kept until deleted or the domain goes). The all-zeros MAC adds to the flood list.</summary>
    /// <returns>Null, or a sentence why not.</returns>
    public string? AddFdb(Vni vni, MacAddress mac, VtepEndpoint? vtep, string? port, bool replace = false) => throw new NotImplementedException();

    /// <summary>Deletes an FDB entry of any kind. The all-zeros MAC deletes <paramref name="vtep"/> from the flood list.</summary>
    /// <returns>Null, or a sentence why not.</returns>
    public string? DeleteFdb(Vni vni, MacAddress mac, VtepEndpoint? vtep = null) => throw new NotImplementedException();

    /// <summary>The VTEP as a whole.</summary>
    public VtepSnapshot Status(long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>All domains, by VNI.</summary>
    public IReadOnlyList<DomainSnapshot> Domains() => throw new NotImplementedException();

    /// <summary>All ports, by name.</summary>
    public IReadOnlyList<PortSnapshot> Ports() => throw new NotImplementedException();

    /// <summary>All VTEPs, by address.</summary>
    public IReadOnlyList<PeerSnapshot> Peers(long nowMilliseconds) => throw new NotImplementedException();

    /// <summary>The FDB, by VNI and MAC; one domain's with <paramref name="vni"/>.</summary>
    public IReadOnlyList<FdbSnapshot> Fdb(long nowMilliseconds, Vni? vni = null) => throw new NotImplementedException();

    /// <summary>The books.</summary>
    public CounterSnapshot Counters() => throw new NotImplementedException();

    /// <summary>Closes ports and underlay. Stop the workers first.</summary>
    public void Dispose()
    {
    }
}
