// What the frame path does differently in a domain whose stations a controller knows. Immutable.

namespace VtepDataPlane.Forwarding;

/// <summary>The rules of a domain with a controller.</summary>
/// <param name="SuppressesNeighbors">Answers requests for addresses it knows (kernel <c>neigh_suppress</c>).</param>
/// <param name="LearnsFromPeers">Learns stations from frames of VTEPs too, not only from the controller.</param>
/// <param name="LooksUp">Asks the controller for stations and addresses nobody knows, and holds the frame until it answers.</param>
/// <param name="FloodsUnknown">What the controller doesn't know is flooded; otherwise dropped.</param>
/// <param name="LookupsPerSecond">Questions a lane may ask for the domain, and for one of its ports.</param>
internal sealed record ControllerPolicy(
    bool SuppressesNeighbors, bool LearnsFromPeers, bool LooksUp, bool FloodsUnknown, int LookupsPerSecond);
