// Forwarder, when somebody only asks what would become of a frame (FrameObserver, Vtep.Explain): what the walks would do to tables is foreseen
// here and not done. Everything else is the same code, so an explanation can't differ from what happens. No stations are learned, no VTEPs are admitted
// or noted as heard, no controller is asked, nothing is heard of neighbours, nothing is sent or counted.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

internal sealed partial class Forwarder
{
    private DropReason AdmitDry(ref Walk walk, in InetAddress sender, Admission admission)
    {
        int vtep = admission.Foresee(sender, walk.State.Port, vteps, out bool wouldBeNew);
        if (vtep == 0 && !wouldBeNew)
            return admission.IsOpen && sender.IsUnicast ? DropReason.PeerLimit : DropReason.PeerUnknown;
        walk.Observer!.Admitted(walk, sender, wouldBeNew);
        walk.Admit(sender, vtep); // 0 for one that would be new: no entry is behind it yet
        return DropReason.None;
    }

    private DropReason LearnDry(in Walk walk, in Frame frame, bool learns)
    {
        BridgeDomain domain = walk.Domain;
        LearnResult result = fdb.Foresee(
            domain.Index, frame.Info.Headers.Source, walk.Source, walk.NowSeconds, learns ? domain.FdbLimit : null);
        walk.Observer!.Learned(walk, frame, result, fdb.Lookup(domain.Index, frame.Info.Headers.Source));
        return Count(walk, result);
    }

    private static DropReason HoldDry(in Walk walk, in MissKey key, in Frame frame)
    {
        walk.Observer!.Held(walk, frame, key, isAsked: true);
        return DropReason.None;
    }
}
