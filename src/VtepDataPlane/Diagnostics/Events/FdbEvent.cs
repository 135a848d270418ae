// What happened to an FDB entry, for subscribers.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Diagnostics.Events;

/// <summary>What happened to an entry.</summary>
public enum FdbChange : byte
{
    /// <summary>Learned from a frame; there was none before.</summary>
    Learned,

    /// <summary>Learned from a frame, elsewhere than before.</summary>
    Moved,

    /// <summary>Removed, no frame having come from the station for the domain's ageing time.</summary>
    Aged,

    /// <summary>Added, or changed, by the operator, a controller, or as a port's own MAC.</summary>
    Added,

    /// <summary>Deleted, by whoever added it, or with its port, VTEP or domain.</summary>
    Deleted,
}

/// <summary>Where a station is: behind a port of ours, or another VTEP.</summary>
/// <param name="Port">The port's name, or null.</param>
/// <param name="Vtep">The VTEP, or null.</param>
public readonly record struct StationPlace(string? Port, VtepEndpoint? Vtep)
{
    /// <summary><c>port p1</c> or <c>198.18.0.2</c>.</summary>
    public override string ToString() => Port is not null ? $"port {Port}" : $"{Vtep?.Address}";
}

/// <summary>One change of the FDB.</summary>
/// <param name="Change">What happened.</param>
/// <param name="Vni">The domain.</param>
/// <param name="Mac">The station.</param>
/// <param name="Kind">Of the entry: <c>local</c>, <c>remote</c>, <c>static</c> or <c>directory</c>, as in <see cref="FdbSnapshot"/>.</param>
/// <param name="From">Where it was before; null: nowhere.</param>
/// <param name="To">Where it is now; null: nowhere any more.</param>
/// <param name="Time">When.</param>
public sealed record FdbEvent(FdbChange Change, Vni Vni, MacAddress Mac, string Kind, StationPlace? From, StationPlace? To, DateTimeOffset Time);
