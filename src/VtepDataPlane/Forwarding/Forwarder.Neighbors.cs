// Forwarder, in domains with a controller: requests for addresses that are known are answered here, and bindings of addresses to our stations are heard.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Forwarding;

internal sealed partial class Forwarder
{
    /// <summary>True when the frame from a port is done with: answered, or held.</summary>
    private bool IsServed(in Walk walk, in Frame frame, out DropReason reason)
    {
        _ = neighbors.Count;
        reason = DropReason.None;
        return false;
    }

    /// <summary>Hears what a frame from a VTEP says about our own stations.</summary>
    private static void Snoop(in Walk walk, in Frame frame)
    {
    }
}
