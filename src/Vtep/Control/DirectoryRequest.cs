// What the operator wants to stand in a controller's store for a node that can't publish, and the records that makes. Checked here once for
// the control API, whoever sent it.

using System.ComponentModel;
using VtepDataPlane.Daemon.Configuration;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Control;

[Description("Which controller is meant.")]
internal sealed record ControllerRequest([property: Description("Its name; null: the only one.")] string? Controller = null);

[Description("Records of a node that can't publish.")]
internal sealed record DirectoryRequest(
    [property: Description("The node.")] string Node,
    [property: Description("In which controller; null: the only one.")] string? Controller = null,
    [property: Description("Where its VTEP is; null: its own record is left alone.")] string? Vtep = null,
    [property: Description("The domain; null: only the node's own record is meant.")] Vni? Vni = null,
    [property: Description("A station in the domain; null: the domain itself, which the node serves.")] MacAddress? Mac = null,
    [property: Description("The station's address, or null.")] string? Ip = null,
    [property: Description("The station never moves.")] bool Sticky = false)
{
    /// <summary>The records to be written; null and a sentence when the request makes no sense.</summary>
    public IReadOnlyList<DirectoryChange>? Additions(ushort defaultPort, out string whyNot)
    {
        VtepEndpoint endpoint = default;
        whyNot = Complaint() ?? (Mac is null && Ip is not null ? "An address is at a station: give its MAC too, with --mac." : null)
            ?? (Mac is null && Sticky ? "Only a station can be sticky: give its MAC, with --mac." : null)
            ?? (Vtep is not null && !EndpointText.TryParse(Vtep, defaultPort, out endpoint) ? EndpointText.Complaint(Vtep) + "." : null)
            ?? (Vtep is not null && !IsHost(endpoint.Address) ? NoHost(endpoint.Address) : null)
            ?? "";
        if (whyNot.Length > 0)
            return null;
        var records = new List<DirectoryRecord>();
        if (Vtep is not null)
            records.Add(endpoint.Address.IsIPv4 ? new VtepRecord(Node, endpoint, default) : new VtepRecord(Node, default, endpoint));
        if (Vni is { } vni && Mac is null)
            records.Add(new FloodRecord(Node, vni));
        if (Vni is { } domain && Mac is { } mac)
            records.Add(new MacRecord(Node, domain, mac, Sticky: Sticky));
        if (Vni is { } there && Mac is { } station && Address is { IsNone: false } address)
            records.Add(new NeighborRecord(Node, there, address, station));
        return [.. records.Select(record => new DirectoryChange(record.Key, record))];
    }

    /// <summary>The records to be taken out; null and a sentence when the request makes no sense.</summary>
    public IReadOnlyList<DirectoryChange>? Removals(out string whyNot)
    {
        whyNot = Complaint() ?? "";
        if (whyNot.Length > 0)
            return null;
        var keys = new List<RecordKey>();
        if (Vtep is not null)
            keys.Add(new RecordKey(RecordKind.Vtep, Node));
        if (Vni is { } vni && Mac is null && Ip is null)
            keys.Add(new RecordKey(RecordKind.Flood, Node, vni));
        if (Vni is { } there && Address is { IsNone: false } address)
            keys.Add(new RecordKey(RecordKind.Neighbor, Node, there, default, address));
        if (Vni is { } domain && Mac is { } mac)
            keys.Add(new RecordKey(RecordKind.Mac, Node, domain, mac));
        return [.. keys.Select(key => new DirectoryChange(key, null))];
    }

    private InetAddress Address => InetAddress.TryParse(Ip, out InetAddress address) ? address : default;

    // What is wrong with it whether it is to be written or taken out; null: nothing.
    private string? Complaint() =>
        VtepConfigRules.NodeProblem(Node) is { } wrong ? $"{wrong}."
        : Vtep is null && Vni is null ? "Say what is meant: the node's VTEP, with --vtep, or a domain, with --vni."
        : Vni is null && (Mac is not null || Ip is not null) ? "A station is in a domain: give its VNI too, with --vni."
        : Mac is { IsValidSource: false } mac ? $"{mac} is no station's address; use a unicast one, like 02:00:5e:10:00:01."
        : Ip is not null && Address.IsNone ? $"{VtepConfigRules.Quote(Ip)} is no IPv4 or IPv6 address; write it like 198.19.0.2."
        : Ip is not null && !IsHost(Address) ? NoHost(Address)
        : null;

    private static bool IsHost(InetAddress address) => address is { IsUnicast: true, IsLoopback: false };

    private static string NoHost(InetAddress address) => $"{address} is not a host's address; give a unicast one.";
}
