// One bridge domain as the frame path sees it: immutable, replaced whole when anything about it changes, except the meters,
// which live on. The index, not the VNI, is the domain's key in the FDB: 16 bits beside the MAC's 48.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>A VNI, its ports, its peers and its rules.</summary>
internal sealed class BridgeDomain
{
    public required int Index { get; init; }

    public required string Name { get; init; }

    public required Vni Vni { get; init; }

    /// <summary>Ports in configured order: where flooding goes.</summary>
    public required AccessPort[] Ports { get; init; }

    /// <summary>Ports by <see cref="AccessPort.Ordinal"/>, what an FDB entry names; null where one was removed.</summary>
    public required AccessPort?[] PortsByOrdinal { get; init; }

    public required FloodList Flood { get; init; }

    /// <summary>Who may send to this domain.</summary>
    public required Admission Admission { get; init; }

    public required Encapsulator Encapsulator { get; init; }

    public required EncapsulationPolicy Policy { get; init; }

    public required bool Learning { get; init; }

    /// <summary>Seconds after which a learned entry goes; 0: never.</summary>
    public required uint Ageing { get; init; }

    /// <summary>Learned entries it may have.</summary>
    public required int FdbLimit { get; init; }

    /// <summary>What its ports may carry over every path, bytes; 0 while unknown.</summary>
    public required int Mtu { get; init; }

    /// <summary>Null without a controller.</summary>
    public ControllerPolicy? Controller { get; init; }

    public required DomainMeters Meters { get; init; }

    /// <summary>The port of that ordinal, or null when it was removed.</summary>
    public AccessPort? Port(int ordinal) => (uint)ordinal < (uint)PortsByOrdinal.Length ? PortsByOrdinal[ordinal] : null;
}
