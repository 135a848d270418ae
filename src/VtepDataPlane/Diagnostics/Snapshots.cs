// What a VTEP tells about itself: plain values, taken at one moment by whoever asks, on any thread. The control API writes them
// as JSON, the commands as tables; names here are names there (camel case).

using VtepDataPlane.Discovery;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics;

/// <summary>The VTEP as a whole.</summary>
/// <param name="Local">Our VTEP address, or none.</param>
/// <param name="Port">UDP port.</param>
/// <param name="LocalAddressPresent">The address is on this host now.</param>
/// <param name="Workers">Lanes.</param>
/// <param name="BridgeDomains">Domains.</param>
/// <param name="Ports">Access ports.</param>
/// <param name="Peers">VTEPs, configured and learned.</param>
/// <param name="FdbEntries">Entries in the FDB.</param>
/// <param name="FdbCapacity">Entries the FDB has room for.</param>
/// <param name="Controllers">The controllers, by name.</param>
/// <param name="Warnings">What the operator should know, a sentence each; empty when all is well.</param>
public sealed record VtepSnapshot(
    InetAddress Local, ushort Port, bool LocalAddressPresent, int Workers, int BridgeDomains, int Ports, int Peers,
    int FdbEntries, int FdbCapacity, IReadOnlyList<ControllerSnapshot> Controllers, IReadOnlyList<string> Warnings);

/// <summary>One bridge domain.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Vni">Its VNI.</param>
/// <param name="Discovery"><c>static</c>, <c>multicast</c> or <c>controller</c>.</param>
/// <param name="Group">The group, or null.</param>
/// <param name="Ports">Names of its ports.</param>
/// <param name="FloodList">VTEPs that get a copy of what is flooded (empty for multicast).</param>
/// <param name="Mtu">What its ports may carry over every path, bytes.</param>
/// <param name="FdbEntries">Entries, all kinds.</param>
/// <param name="FdbLimit">Learned entries it may have.</param>
/// <param name="Ageing">Seconds; 0: never.</param>
/// <param name="Moves">MACs seen to move.</param>
/// <param name="LearnLimitHits">Sources not learned because a limit was reached.</param>
/// <param name="ReservedBitsIgnored">Datagrams accepted with reserved bits set.</param>
/// <param name="ToUnderlay">Frames encapsulated, one for each copy.</param>
/// <param name="FromUnderlay">Frames accepted from VTEPs.</param>
/// <param name="ToUnderlayBytes">Bytes of the frames encapsulated, VXLAN header included.</param>
/// <param name="FromUnderlayBytes">Bytes of the frames accepted, VXLAN header included.</param>
/// <param name="Drops">Frames of this domain dropped, by reason; only reasons that occurred.</param>
public sealed record DomainSnapshot(
    string Name, Vni Vni, string Discovery, InetAddress? Group, IReadOnlyList<string> Ports, IReadOnlyList<VtepEndpoint> FloodList,
    int Mtu, int FdbEntries, int FdbLimit, int Ageing, long Moves, long LearnLimitHits, long ReservedBitsIgnored,
    long ToUnderlay, long FromUnderlay, long ToUnderlayBytes, long FromUnderlayBytes, IReadOnlyDictionary<DropReason, long> Drops);

/// <summary>One access port.</summary>
/// <param name="Name">Device name.</param>
/// <param name="Vni">Its domain's VNI.</param>
/// <param name="Mac">The device's own MAC.</param>
/// <param name="Mtu">Bytes.</param>
/// <param name="Up">The device is there and up.</param>
/// <param name="RxFrames">Frames read from the device.</param>
/// <param name="RxBytes">Their bytes.</param>
/// <param name="TxFrames">Frames written to the device.</param>
/// <param name="TxBytes">Their bytes.</param>
/// <param name="Drops">Frames dropped in the port's queues, by reason; only reasons that occurred.</param>
public sealed record PortSnapshot(
    string Name, Vni Vni, MacAddress Mac, int Mtu, bool Up, long RxFrames, long RxBytes, long TxFrames, long TxBytes,
    IReadOnlyDictionary<DropReason, long> Drops);

/// <summary>One VTEP.</summary>
/// <param name="Endpoint">Address and port we send to.</param>
/// <param name="Kind"><c>static</c>, <c>learned</c>, or <c>directory</c> when only controllers name it.</param>
/// <param name="Vnis">Domains whose flood list or admission names it; empty for a learned one.</param>
/// <param name="PathMtu">Bytes of the largest outer packet; 0 without a route.</param>
/// <param name="State"><c>ok</c>, <c>no-route</c> or <c>loop</c>.</param>
/// <param name="IdleSeconds">Since the last datagram from it; null: never heard of.</param>
/// <param name="TxFrames">Frames sent to it.</param>
/// <param name="TxBytes">Their bytes, VXLAN header included.</param>
/// <param name="RxFrames">Frames accepted from it.</param>
/// <param name="RxBytes">Their bytes, VXLAN header included.</param>
public sealed record PeerSnapshot(
    VtepEndpoint Endpoint, string Kind, IReadOnlyList<Vni> Vnis, int PathMtu, string State, long? IdleSeconds,
    long TxFrames, long TxBytes, long RxFrames, long RxBytes);

/// <summary>One FDB entry.</summary>
/// <param name="Vni">Its domain.</param>
/// <param name="Mac">The station.</param>
/// <param name="Kind"><c>local</c>, <c>remote</c>, <c>static</c> or <c>directory</c>.</param>
/// <param name="Port">The local port it is behind, or null.</param>
/// <param name="Vtep">The VTEP it is behind, or null.</param>
/// <param name="AgeSeconds">Since the last frame from it; 0 for entries that don't age.</param>
public sealed record FdbSnapshot(Vni Vni, MacAddress Mac, string Kind, string? Port, VtepEndpoint? Vtep, long AgeSeconds);

/// <summary>Part of the FDB: what a search found, as far as it was asked for.</summary>
/// <param name="Total">Entries there are.</param>
/// <param name="Found">Of these, entries that were searched for.</param>
/// <param name="Entries">The first of those, by VNI and MAC.</param>
public sealed record FdbPage(int Total, int Found, IReadOnlyList<FdbSnapshot> Entries);

/// <summary>The books: every frame that came in, and what became of it.</summary>
/// <param name="Received">Frames received by all queues.</param>
/// <param name="Replicated">Further copies made by flooding.</param>
/// <param name="Originated">Frames we made ourselves (ICMP errors).</param>
/// <param name="Segmented">Frames that cutting super-frames up made more.</param>
/// <param name="Sent">Frames sent by all queues.</param>
/// <param name="Coalesced">Frames that putting super-frames together made fewer.</param>
/// <param name="Drops">Frames and copies dropped, by reason; only reasons that occurred.</param>
public sealed record CounterSnapshot(
    long Received, long Replicated, long Originated, long Segmented, long Sent, long Coalesced, IReadOnlyDictionary<DropReason, long> Drops)
{
    /// <summary>Received + Replicated + Originated + Segmented - Sent - Coalesced - drops: 0 at rest, frames in work otherwise.</summary>
    public long Unaccounted => Received + Replicated + Originated + Segmented - Sent - Coalesced - Drops.Values.Sum();
}
