// What a controller knows, as five kinds of record. Every source (etcd, a file, a twin in memory) is translated into these, and nothing
// behind this point knows where they came from.
//
//   Vtep      owner                          where a node's VTEP is
//   Flood     owner, VNI                     the node wants a copy of what is flooded in that domain
//   Mac       owner, VNI, MAC                the node has this station (EVPN type 2 without IP)
//   Neighbor  owner, VNI, address            the node has this address, at that MAC (EVPN type 2 with IP)
//   Prefix    owner, VRF, prefix             the node routes this prefix (EVPN type 5); carried and shown, not used yet
//
// The owner is part of every key: several claims for one MAC live side by side, and the Resolver, not the source, says which holds.
// Records are immutable and compared whole.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery.Records;

/// <summary>Kinds of record.</summary>
public enum RecordKind : byte
{
    /// <summary><see cref="VtepRecord"/>.</summary>
    Vtep,

    /// <summary><see cref="FloodRecord"/>.</summary>
    Flood,

    /// <summary><see cref="MacRecord"/>.</summary>
    Mac,

    /// <summary><see cref="NeighborRecord"/>.</summary>
    Neighbor,

    /// <summary><see cref="PrefixRecord"/>.</summary>
    Prefix,
}

/// <summary>What tells records apart. Parts a kind doesn't have are default.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Owner">The node that says it: 1 to 64 letters, digits, dots, hyphens and underscores.</param>
/// <param name="Vni">The domain; of a prefix, the L3 VNI that stands for its VRF.</param>
/// <param name="Mac">The station.</param>
/// <param name="Address">The neighbour's address, or the prefix's.</param>
/// <param name="PrefixLength">Bits of a prefix.</param>
public readonly record struct RecordKey(
    RecordKind Kind, string Owner, Vni Vni = default, MacAddress Mac = default, InetAddress Address = default, byte PrefixLength = 0);

/// <summary>One record.</summary>
/// <param name="Owner">The node that says it.</param>
public abstract record DirectoryRecord(string Owner)
{
    /// <summary>What tells it apart from others.</summary>
    public abstract RecordKey Key { get; }
}

/// <summary>Where a node's VTEP is: one endpoint for each address family, none for a family it doesn't speak.</summary>
/// <param name="Owner">The node.</param>
/// <param name="IPv4">Its endpoint over IPv4; default: none.</param>
/// <param name="IPv6">Its endpoint over IPv6; default: none.</param>
public sealed record VtepRecord(string Owner, VtepEndpoint IPv4, VtepEndpoint IPv6) : DirectoryRecord(Owner)
{
    /// <summary>For people; null: the owner's id is all there is.</summary>
    public string? Name { get; init; }

    /// <summary>The VTEP's own MAC, for routing; zero: none.</summary>
    public MacAddress Mac { get; init; }

    /// <summary>What its ports carry, bytes; 0: not said.</summary>
    public int Mtu { get; init; }

    /// <summary>Tells two nodes that were given one id apart; empty: a record written by hand.</summary>
    public Guid Instance { get; init; }

    /// <inheritdoc/>
    public override RecordKey Key => new(RecordKind.Vtep, Owner);

    /// <summary>The endpoint to be reached from a VTEP of that IP version; default when there is none.</summary>
    /// <param name="version">4 or 6.</param>
    public VtepEndpoint EndpointFor(byte version) => version == 4 ? IPv4 : IPv6;
}

/// <summary>A node serves a domain and wants a copy of what is flooded there (ingress replication, EVPN type 3).</summary>
/// <param name="Owner">The node.</param>
/// <param name="Vni">The domain.</param>
public sealed record FloodRecord(string Owner, Vni Vni) : DirectoryRecord(Owner)
{
    /// <inheritdoc/>
    public override RecordKey Key => new(RecordKind.Flood, Owner, Vni);
}

/// <summary>A station is behind a node's VTEP.</summary>
/// <param name="Owner">The node.</param>
/// <param name="Vni">The domain.</param>
/// <param name="Mac">The station.</param>
/// <param name="Sequence">The MAC's mobility sequence (RFC 7432 section 7.7): the highest claim holds.</param>
/// <param name="Sticky">The station never moves (RFC 7432 section 15.2): the claim beats every other.</param>
public sealed record MacRecord(string Owner, Vni Vni, MacAddress Mac, uint Sequence = 0, bool Sticky = false) : DirectoryRecord(Owner)
{
    /// <inheritdoc/>
    public override RecordKey Key => new(RecordKind.Mac, Owner, Vni, Mac);
}

/// <summary>A station behind a node's VTEP has an address.</summary>
/// <param name="Owner">The node.</param>
/// <param name="Vni">The domain.</param>
/// <param name="Address">IPv4 or IPv6.</param>
/// <param name="Mac">The station.</param>
/// <param name="Sequence">As of the station's <see cref="MacRecord"/>.</param>
/// <param name="IsRouter">The station said of itself that it is an IPv6 router (RFC 4861 section 4.4).</param>
public sealed record NeighborRecord(string Owner, Vni Vni, InetAddress Address, MacAddress Mac, uint Sequence = 0, bool IsRouter = false)
    : DirectoryRecord(Owner)
{
    /// <inheritdoc/>
    public override RecordKey Key => new(RecordKind.Neighbor, Owner, Vni, default, Address);
}

/// <summary>A node routes a prefix.</summary>
/// <param name="Owner">The node.</param>
/// <param name="Vrf">The L3 VNI that stands for the VRF.</param>
/// <param name="Network">The prefix's address, host bits zero.</param>
/// <param name="PrefixLength">0 to 32 or 128.</param>
/// <param name="RouterMac">Inner destination of frames for it; zero: not said.</param>
public sealed record PrefixRecord(string Owner, Vni Vrf, InetAddress Network, byte PrefixLength, MacAddress RouterMac) : DirectoryRecord(Owner)
{
    /// <inheritdoc/>
    public override RecordKey Key => new(RecordKind.Prefix, Owner, Vrf, default, Network, PrefixLength);
}
