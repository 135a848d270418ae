// The three ways in which the VTEPs of a bridge domain find each other; each domain has exactly one.

using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;

namespace VtepDataPlane.Discovery;

/// <summary>How the VTEPs of a domain find each other.</summary>
public abstract record DiscoveryConfig;

/// <summary>A list of peers: the flood list, and the only VTEPs frames are accepted from.</summary>
public sealed record StaticDiscovery : DiscoveryConfig
{
    /// <summary>The peers, each address once.</summary>
    public required IReadOnlyList<VtepEndpoint> Peers { get; init; }

    /// <summary>Same peers in the same order.</summary>
    public bool Equals(StaticDiscovery? other) => other is not null && Peers.SequenceEqual(other.Peers);

    /// <inheritdoc/>
    public override int GetHashCode() => Peers.Count;
}

/// <summary>A group all VTEPs of the domain have joined (RFC 7348 section 4.2).</summary>
public sealed record MulticastDiscovery : DiscoveryConfig
{
    /// <summary>The group, and the interface to join it on and to send to it by (mandatory: a route decides badly here).</summary>
    public required MulticastGroup Group { get; init; }

    /// <summary>TTL or hop limit of datagrams to the group, 1 to 255.</summary>
    public byte Ttl { get; init; } = 1;
}
