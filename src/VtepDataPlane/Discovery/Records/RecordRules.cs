// What a record must be to be believed. Everything read from a store is untrusted: whoever may write there may write anything. These rules look
// at one record alone; how many there may be is the DirectoryTable's business, what text a value is the source's.
//
// Control loop only (which domains are served changes). Nothing here throws.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery.Records;

/// <summary>The rules of a record.</summary>
/// <param name="config">The controller: our node id, and where VTEPs may be.</param>
/// <param name="local">Our VTEP address.</param>
/// <param name="serves">Says which domains are served.</param>
internal sealed class RecordRules(ControllerConfig config, InetAddress local, Func<Vni, bool> serves)
{
    /// <summary>Characters of a node id.</summary>
    public const int MaxOwnerLength = 64;

    /// <summary>Our node id.</summary>
    public string Node => config.Node;

    /// <summary>Our VTEP address.</summary>
    public InetAddress Local => local;

    /// <summary>A node id: 1 to 64 letters, digits, dots, hyphens and underscores.</summary>
    public static bool IsOwner(string? owner) =>
        owner is { Length: > 0 and <= MaxOwnerLength } && owner.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    /// <summary>Why a record isn't believed, or null when it is.</summary>
    public RejectedRecord? Check(DirectoryRecord record) => !IsOwner(record.Owner)
        ? Reject(record, RejectReason.OwnerInvalid,
            $"{VtepConfigRules.Quote(record.Owner)} is no node id; use 1 to {MaxOwnerLength} letters, digits, dots, hyphens and underscores")
        : record switch
        {
            VtepRecord vtep => CheckVtep(vtep),
            FloodRecord flood => CheckVni(flood, flood.Vni),
            MacRecord station => CheckVni(station, station.Vni) ?? CheckMac(station, station.Mac),
            NeighborRecord neighbor => CheckVni(neighbor, neighbor.Vni) ?? CheckMac(neighbor, neighbor.Mac) ?? CheckNeighbor(neighbor),
            PrefixRecord prefix => CheckPrefix(prefix),
            _ => Reject(record, RejectReason.KeyUnknown, "this kind of record is not known"),
        };

    /// <summary>A host's address that means something in a domain: one of a link too.</summary>
    public static bool IsNeighborAddress(InetAddress address) => address.IsUnicast && !address.IsLoopback;

    /// <summary>What a record is called when its source has no name for it.</summary>
    public static string NameOf(RecordKey key)
    {
        string what = key.Kind switch
        {
            RecordKind.Vtep => "",
            RecordKind.Flood => $" {key.Vni}",
            RecordKind.Mac => $" {key.Vni} {key.Mac}",
            RecordKind.Neighbor => $" {key.Vni} {key.Address}",
            _ => $" {key.Vni} {key.Address}/{key.PrefixLength}",
        };
        return $"{KindText(key.Kind)} of {key.Owner}{what}";
    }

    /// <summary>A kind in lower case, as people see it.</summary>
    public static string KindText(RecordKind kind) => kind switch
    {
        RecordKind.Vtep => "vtep",
        RecordKind.Flood => "flood",
        RecordKind.Mac => "mac",
        RecordKind.Neighbor => "neighbor",
        _ => "prefix",
    };

    private RejectedRecord? CheckVtep(VtepRecord vtep)
    {
        VtepEndpoint endpoint = vtep.EndpointFor(local.Version);
        if (!IsEndpoint(vtep.IPv4, 4) || !IsEndpoint(vtep.IPv6, 6))
            return Reject(vtep, RejectReason.AddressInvalid, $"{vtep.IPv4} and {vtep.IPv6} must be hosts' addresses with a port, or left out");
        if (endpoint.Address.IsNone)
            return Reject(vtep, RejectReason.VtepUnreachable, $"it has no IPv{local.Version} address, and ours is {local}");
        // Under our own id it is this node as it was, or another node with our id; the reconciler tells them apart.
        if (vtep.Owner == Node)
            return null;
        if (endpoint.Address == local)
            return Reject(vtep, RejectReason.VtepIsOurs, $"{local} is this VTEP's own address; two nodes were given it");
        bool isAllowed = config.AllowedVteps.Count == 0 || config.AllowedVteps.Any(prefix => prefix.Contains(endpoint.Address));
        return isAllowed ? null : Reject(vtep, RejectReason.VtepNotAllowed, $"{endpoint.Address} is in none of the prefixes where VTEPs are allowed");
    }

    private static bool IsEndpoint(VtepEndpoint endpoint, byte version)
    {
        InetAddress address = endpoint.Address;
        if (address.IsNone)
            return true;
        bool isHost = address.IsUnicast && !address.IsLoopback && !(address.IsIPv6 && address.IsLinkLocal);
        return isHost && address.Version == version && endpoint.Port != 0;
    }

    private RejectedRecord? CheckVni(DirectoryRecord record, Vni vni) =>
        serves(vni) ? null : Reject(record, RejectReason.VniNotServed, $"VNI {vni} isn't served here by this controller");

    private static RejectedRecord? CheckMac(DirectoryRecord record, MacAddress mac) =>
        mac.IsValidSource ? null : Reject(record, RejectReason.MacInvalid, $"{mac} is no station's address: it is zero or a group's");

    private static RejectedRecord? CheckNeighbor(NeighborRecord neighbor) => IsNeighborAddress(neighbor.Address)
        ? null
        : Reject(neighbor, RejectReason.AddressInvalid, $"{neighbor.Address} is no host's address");

    // The default route's address is the unspecified one.
    private static RejectedRecord? CheckPrefix(PrefixRecord prefix)
    {
        InetAddress network = prefix.Network;
        bool isNetwork = (network.IsUnicast || network.IsUnspecified) && !network.IsLoopback && prefix.PrefixLength <= 8 * network.Size
            && InetPrefix.Of(network, prefix.PrefixLength).Network == network;
        if (!isNetwork)
            return Reject(prefix, RejectReason.AddressInvalid, $"{network}/{prefix.PrefixLength} is no unicast prefix");
        return prefix.RouterMac.IsZero ? null : CheckMac(prefix, prefix.RouterMac);
    }

    private static RejectedRecord Reject(DirectoryRecord record, RejectReason reason, string detail) =>
        new(NameOf(record.Key), reason, detail, record.Key);
}
