// A picture of `vtep top` for programs: one JSON object a line, with the names of the control API. Unknown rates are null.

using System.Text.Json.Serialization;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Top;

/// <summary>One line.</summary>
/// <param name="Time">The time of day.</param>
/// <param name="Local">Our VTEP address, or null.</param>
/// <param name="Seconds">Over which rates were measured; null: not at all, this is the first line.</param>
/// <param name="Restarted">The counters started anew.</param>
/// <param name="ToUnderlay">Of all domains.</param>
/// <param name="FromUnderlay">Of all domains.</param>
/// <param name="DropsPerSecond">Of all reasons; null: unknown.</param>
/// <param name="Domains">By domain, the busiest first.</param>
/// <param name="Peers">By peer, the busiest first.</param>
/// <param name="Drops">By reason, the most frequent first.</param>
internal sealed record TopLineOfJson(
    DateTimeOffset Time, InetAddress Local, double? Seconds, bool Restarted, FlowRate ToUnderlay, FlowRate FromUnderlay, double? DropsPerSecond,
    IReadOnlyList<DomainRates> Domains, IReadOnlyList<PeerRates> Peers, IReadOnlyList<DropRate> Drops)
{
    /// <summary>Of rates, taken at a time.</summary>
    public static TopLineOfJson Of(TrafficRates rates, DateTimeOffset time) => new(
        time, rates.Status.Local, rates.Seconds, rates.Restarted, rates.ToUnderlay, rates.FromUnderlay, rates.DropsPerSecond, rates.Domains, rates.Peers, rates.Drops);
}

/// <summary>The generated serializer.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(VniConverter), typeof(AddressConverter), typeof(EndpointConverter)])]
[JsonSerializable(typeof(TopLineOfJson))]
internal sealed partial class TopJson : JsonSerializerContext;
