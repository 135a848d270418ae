// What a contender is asked to build on a host: one Ethernet segment to some peers.

using System.Net;

namespace VtepDataPlane.EndToEnd.Lab;

/// <summary>A host's end of the segment.</summary>
/// <param name="Host">Where.</param>
/// <param name="Peers">Underlay addresses of the others.</param>
/// <param name="Underlay">What lies between.</param>
/// <param name="HasFixedStation">The station <see cref="StationMac"/> is known to be behind the first peer, which doesn't answer.</param>
internal sealed record Segment(Host Host, IReadOnlyList<IPAddress> Peers, UnderlayPlan Underlay, bool HasFixedStation)
{
    /// <summary>UDP port of every contender's tunnel.</summary>
    public const int Port = 4789;

    /// <summary>VXLAN network identifier.</summary>
    public const int Vni = 100;

    /// <summary>A station that doesn't exist.</summary>
    public const string StationMac = "02:00:00:00:00:02";

    /// <summary>Our address on the underlay.</summary>
    public IPAddress Local => Host.Underlay(Underlay.IsV6);
}
