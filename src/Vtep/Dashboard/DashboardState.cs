// What the dashboard's page is told: the snapshots of the control API, as they are there, and what a page needs beside them. Lists are bounded, for
// the page asks every second: of more domains, ports and peers than fit, those with the most traffic are told.

using System.Text.Json.Serialization;
using VtepDataPlane.Daemon.Control;
using VtepDataPlane.Diagnostics;

namespace VtepDataPlane.Daemon.Dashboard;

/// <summary>Traffic at ports, since they were opened.</summary>
/// <param name="Count">Ports.</param>
/// <param name="Up">Of these, ports that are up.</param>
/// <param name="RxFrames">Frames read from their devices.</param>
/// <param name="RxBytes">Their bytes.</param>
/// <param name="TxFrames">Frames written to their devices.</param>
/// <param name="TxBytes">Their bytes.</param>
internal sealed record PortTotals(int Count, int Up, long RxFrames, long RxBytes, long TxFrames, long TxBytes)
{
    /// <summary>Adds up.</summary>
    public static PortTotals Of(IReadOnlyCollection<PortSnapshot> ports) => new(
        ports.Count, ports.Count(port => port.Up), ports.Sum(port => port.RxFrames), ports.Sum(port => port.RxBytes), ports.Sum(port => port.TxFrames),
        ports.Sum(port => port.TxBytes));
}

/// <summary>A bridge domain.</summary>
/// <param name="Domain">The domain. Its flood list is left out, and so are all names of ports but the first: peers tell their domains, ports theirs.</param>
/// <param name="AtPorts">The traffic at all its ports.</param>
internal sealed record DashboardDomain(DomainSnapshot Domain, PortTotals AtPorts);

/// <summary>What changes from second to second.</summary>
/// <param name="Version">The program's.</param>
/// <param name="Start">Tells one run of the program from the next, whose counters begin anew.</param>
/// <param name="UptimeSeconds">Since the program was started.</param>
/// <param name="AtMilliseconds">When the numbers were taken, on a clock that only grows: what rates are made with.</param>
/// <param name="NextMilliseconds">How long to wait before asking again.</param>
/// <param name="Stall">What stands still; null: every thread moves.</param>
/// <param name="Status">The VTEP as a whole, with how many domains, ports and peers there are.</param>
/// <param name="AtPorts">The traffic at all ports.</param>
/// <param name="Domains">Domains, by VNI.</param>
/// <param name="Ports">Ports, by name.</param>
/// <param name="Peers">VTEPs, by address.</param>
/// <param name="Counters">The books.</param>
internal sealed record DashboardState(
    string Version, string Start, long UptimeSeconds, long AtMilliseconds, int NextMilliseconds, string? Stall, VtepSnapshot Status, PortTotals AtPorts,
    IReadOnlyList<DashboardDomain> Domains, IReadOnlyList<PortSnapshot> Ports, IReadOnlyList<PeerSnapshot> Peers, CounterSnapshot Counters);

/// <summary>The generated serializers.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters =
    [
        typeof(MacConverter), typeof(VniConverter), typeof(AddressConverter), typeof(EndpointConverter), typeof(DropReasonConverter),
    ])]
[JsonSerializable(typeof(DashboardState))]
[JsonSerializable(typeof(FdbPage))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
internal sealed partial class DashboardJson : JsonSerializerContext;
