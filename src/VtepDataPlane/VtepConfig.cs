// The whole configuration as immutable values, checked by VtepConfigRules for what no single type can say. Where it comes
// from, a JSON file or a program, is not known here.

using VtepDataPlane.Discovery;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane;

/// <summary>An FDB entry the operator fixes: never learned over, never aged.</summary>
/// <param name="Mac">Unicast address of a station.</param>
/// <param name="Vtep">The VTEP it is behind; null when <paramref name="Port"/> is given.</param>
/// <param name="Port">The local port it is behind; null when <paramref name="Vtep"/> is given.</param>
public sealed record StaticFdbEntry(MacAddress Mac, VtepEndpoint? Vtep, string? Port);

/// <summary>One bridge domain: a VNI, its ports and its peers. Immutable.</summary>
public sealed record BridgeDomainConfig
{
    /// <summary>For people; unique. 1 to 128 characters.</summary>
    public required string Name { get; init; }

    /// <summary>Its number on the wire; unique (RFC 7348 section 5).</summary>
    public required Vni Vni { get; init; }

    /// <summary>Access ports; a device is a port of one domain only.</summary>
    public IReadOnlyList<PortConfig> Ports { get; init; } = [];

    /// <summary>How its VTEPs find each other.</summary>
    public required DiscoveryConfig Discovery { get; init; }

    /// <summary>Learn source MACs (kernel <c>learning</c>).</summary>
    public bool Learning { get; init; } = true;

    /// <summary>Seconds without a frame from a MAC after which its entry goes, 0 to 31,536,000 (a year); 0: never.</summary>
    public int Ageing { get; init; } = 300;

    /// <summary>Learned entries the domain may have (kernel <c>maxaddress</c>); above it frames flood, unlearned. 1 to 67,108,864.</summary>
    public int FdbLimit { get; init; } = 8192;

    /// <summary>Fixed FDB entries, each MAC once.</summary>
    public IReadOnlyList<StaticFdbEntry> Fdb { get; init; } = [];

    /// <summary>What is written into outer headers, and accepted in them.</summary>
    public EncapsulationPolicy Encapsulation { get; init; } = new();

    /// <summary>Same in every part.</summary>
    public bool Equals(BridgeDomainConfig? other) =>
        other is not null && Name == other.Name && Vni == other.Vni && Discovery.Equals(other.Discovery) && Learning == other.Learning
        && Ageing == other.Ageing && FdbLimit == other.FdbLimit && Encapsulation == other.Encapsulation
        && Ports.SequenceEqual(other.Ports) && Fdb.SequenceEqual(other.Fdb);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Vni);
}

/// <summary>How this VTEP takes part in a controller; what connects to it is given to <see cref="Vtep.Attach"/>. Immutable.</summary>
public sealed record ControllerConfig
{
    /// <summary>What domains call it; unique. 1 to 64 letters, digits, dots, hyphens and underscores.</summary>
    public required string Name { get; init; }

    /// <summary>This node's id in the store, unlike every other node's: 1 to 64 letters, digits, dots, hyphens and underscores.</summary>
    public required string Node { get; init; }

    /// <summary>VTEPs are believed in these prefixes only; empty: anywhere.</summary>
    public IReadOnlyList<InetPrefix> AllowedVteps { get; init; } = [];

    /// <summary>Same in every part.</summary>
    public bool Equals(ControllerConfig? other) =>
        other is not null && Name == other.Name && Node == other.Node && AllowedVteps.SequenceEqual(other.AllowedVteps);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Node);
}

/// <summary>The configuration of a VTEP, checked by <see cref="VtepConfigRules"/>. Immutable; the lists in it must not change either.</summary>
public sealed record VtepConfig
{
    /// <summary>Most worker lanes a VTEP uses when <see cref="Workers"/> is 0.</summary>
    public const int MaxAutomaticWorkers = 4;

    /// <summary>Worker threads, 0 to 256; 0: one per core, at most <see cref="MaxAutomaticWorkers"/>.</summary>
    public int Workers { get; init; }

    /// <summary>Entries the FDB has room for, all domains together; memory is 16 bytes for each and as much again for slack.</summary>
    public int FdbCapacity { get; init; } = 262_144;

    /// <summary>Our address and port, and how the sockets behave.</summary>
    public required UnderlayConfig Underlay { get; init; }

    /// <summary>The controllers that domains name, each name once; 16 at most.</summary>
    public IReadOnlyList<ControllerConfig> Controllers { get; init; } = [];

    /// <summary>The domains, each VNI and each name once; 65,535 at most.</summary>
    public IReadOnlyList<BridgeDomainConfig> BridgeDomains { get; init; } = [];

    /// <summary>Same in every part.</summary>
    public bool Equals(VtepConfig? other) =>
        other is not null && Workers == other.Workers && FdbCapacity == other.FdbCapacity && Underlay == other.Underlay
        && Controllers.SequenceEqual(other.Controllers) && BridgeDomains.SequenceEqual(other.BridgeDomains);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Workers, FdbCapacity, Underlay, Controllers.Count, BridgeDomains.Count);
}
