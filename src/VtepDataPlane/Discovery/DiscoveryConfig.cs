// The ways in which the VTEPs of a bridge domain find each other; each domain has exactly one.

using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;

namespace VtepDataPlane.Discovery;

/// <summary>How the VTEPs of a domain find each other: one of the records derived from it. Immutable.</summary>
public abstract record DiscoveryConfig;

/// <summary>A list of peers: the flood list, and the only VTEPs frames are accepted from. Immutable.</summary>
public sealed record StaticDiscovery : DiscoveryConfig
{
    /// <summary>The peers, each address once, of the family of our own; 4096 at most.</summary>
    public required IReadOnlyList<VtepEndpoint> Peers { get; init; }

    /// <summary>Same peers in the same order.</summary>
    public bool Equals(StaticDiscovery? other) => other is not null && Peers.SequenceEqual(other.Peers);

    /// <inheritdoc/>
    public override int GetHashCode() => Peers.Count;
}

/// <summary>A group all VTEPs of the domain have joined (RFC 7348 section 4.2). Immutable.</summary>
public sealed record MulticastDiscovery : DiscoveryConfig
{
    /// <summary>The group, and the interface to join it on and to send to it by (mandatory: a route decides badly here).</summary>
    public required MulticastGroup Group { get; init; }

    /// <summary>TTL or hop limit of datagrams to the group, 1 to 255.</summary>
    public byte Ttl { get; init; } = 1;
}

/// <summary>How a domain gets to know stations from its controller.</summary>
public enum ControllerMode : byte
{
    /// <summary>Everything the controller knows of the domain is known here, before it is needed.</summary>
    Watch,

    /// <summary>The controller is asked for one station or address when a frame needs it.</summary>
    Lookup,
}

/// <summary>A controller that knows who is where. Immutable.</summary>
public sealed record ControllerDiscovery : DiscoveryConfig
{
    /// <summary>The controller's name in the configuration.</summary>
    public required string Controller { get; init; }

    /// <summary>How stations become known.</summary>
    public ControllerMode Mode { get; init; } = ControllerMode.Watch;

    /// <summary>Answer ARP requests and neighbour solicitations for known addresses instead of flooding them.</summary>
    public bool SuppressNeighbors { get; init; } = true;

    /// <summary>Learn stations from frames of peers too: for VTEPs that can't publish their own.</summary>
    public bool LearnFromPeers { get; init; }

    /// <summary>Lookup mode: flood frames to stations the controller doesn't know; otherwise they are dropped.</summary>
    public bool FloodUnknown { get; init; } = true;

    /// <summary>Lookup mode: questions per second each worker may ask for the domain, 1 to 100,000.</summary>
    public int LookupsPerSecond { get; init; } = 1000;

    /// <summary>Lookup mode: milliseconds a frame waits for an answer, 10 to 5,000.</summary>
    public int LookupTimeout { get; init; } = 200;

    /// <summary>Lookup mode: seconds an answer is good for; refreshed before they are over while the station is heard. 1 to 86,400.</summary>
    public int PositiveSeconds { get; init; } = 60;

    /// <summary>Lookup mode: seconds it is remembered that the controller didn't know. 1 to 3,600.</summary>
    public int NegativeSeconds { get; init; } = 5;
}
