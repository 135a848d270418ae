// Forwarder: a frame to a station nobody knows. It is flooded; in domains whose controller can be asked, it is held until the answer is there, once
// for each key however many frames miss it, and then decided about again as if it had just come from its port. So a frame that waited takes the way
// of those that didn't: where it goes is what the tables say then, not what they said when it came.
//
// What isn't found, isn't answered or finds no room to wait goes by the domain's policy, flooded or dropped. Known stations never come here: whoever
// asks for MACs he makes up uses up questions, his port's first, and nothing else. A port may ask no more than half of what its domain may, unless it
// is the only one: one station that misbehaves leaves the others something.
//
// A held frame is neither sent nor dropped yet. Frames that come when the tables are written already, but the answer isn't taken up yet, may overtake
// those that are held: a moment of reordering, at the start of a flow only.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Forwarding;

internal sealed partial class Forwarder
{
    private DropReason Miss(in Walk walk, in Frame frame)
    {
        bool isStation = frame.Info.Headers.Destination.IsValidSource;
        if (isStation && walk.Domain.Controller is { LooksUp: true })
        {
            var key = new MissKey(walk.Domain.Index, frame.Info.Headers.Destination);
            if (TryHold(walk, key, frame, out DropReason reason))
                return reason;
        }

        return Flood(walk, frame);
    }

    /// <summary>Has a frame from a port wait until the controller has been asked for the key.</summary>
    /// <returns>True when the frame is done with for now: held, or to be dropped for the reason given. False: go on, as if nobody could be asked.</returns>
    private static bool TryHold(in Walk walk, in MissKey key, in Frame frame, out DropReason reason)
    {
        reason = DropReason.None;
        if (walk.Domain.Controller is not { LooksUp: true } policy)
            return false;
        DropReason refusal = walk.IsDry ? HoldDry(walk, key, frame) : Hold(walk, policy, key, frame);
        if (refusal == DropReason.None)
            return true;
        reason = policy.FloodsUnknown ? DropReason.None : refusal;
        return !policy.FloodsUnknown;
    }

    private static DropReason Hold(in Walk walk, ControllerPolicy policy, in MissKey key, in Frame frame)
    {
        HeldFrames held = walk.Lane.Held;
        if (held.Refusal != DropReason.None)
            return held.Refusal;
        KeyState state = held.StateOf(key, walk.NowMilliseconds);
        if (state == KeyState.NotFound)
            return DropReason.StationUnknown;
        bool isAsked = state == KeyState.Pending || TryAsk(walk, policy, key);
        return isAsked && held.TryHold(key, frame, walk.Port!) ? DropReason.None : DropReason.LookupLimit;
    }

    // A question that is lost would have its frames wait in vain: then it was never asked.
    private static bool TryAsk(in Walk walk, ControllerPolicy policy, in MissKey key)
    {
        HeldFrames held = walk.Lane.Held;
        if (!held.HasRoom || !MayAsk(walk, policy) || !held.TryAdd(key, walk.NowMilliseconds))
            return false;
        StationEventKind kind = key.Address.IsNone ? StationEventKind.MacMiss : StationEventKind.AddressMiss;
        if (walk.Lane.Events.Write(new StationEvent(kind, key.Domain, key.Mac, key.Address)))
            return true;
        held.Answer(key, MissAnswer.NoAnswer, notFoundUntil: 0);
        return false;
    }

    private static bool MayAsk(in Walk walk, ControllerPolicy policy)
    {
        int rate = policy.LookupsPerSecond;
        int share = walk.Domain.Ports.Length > 1 ? (rate + 1) / 2 : rate;
        long now = walk.NowMilliseconds;
        return walk.Port!.Lane(walk.Lane.Index).Lookups.TryTake(now, share, share) && walk.Meters.Lookups.TryTake(now, rate, rate);
    }

    /// <summary>Decides again about the frames that waited for a key. Returns how many there were.</summary>
    public int LetGo(Lane lane, in MissKey key, MissAnswer answer, long notFoundUntil, long nowMilliseconds)
    {
        HeldFrames held = lane.Held;
        int count = 0;
        held.Refusal = answer == MissAnswer.NoAnswer ? DropReason.LookupUnanswered : DropReason.StationUnknown;
        for (int frame = held.Answer(key, answer, notFoundUntil); frame != HeldFrames.None; frame = held.Release(frame))
        {
            DecideAgain(lane, held.PortOf(frame), held.FrameAt(frame), nowMilliseconds);
            count++;
        }

        held.Refusal = DropReason.None;
        return count;
    }

    // Its port may be gone meanwhile, its domain too, and another may have the domain's index.
    private void DecideAgain(Lane lane, AccessPort port, in Frame frame, long nowMilliseconds)
    {
        var walk = new Walk(lane, State, port, nowMilliseconds);
        walk.Observer?.Begin(walk, frame);
        bool isPortThere = walk.DomainOrNone?.Port(port.Ordinal) == port;
        DropReason reason = isPortThere ? Decide<Watched>(walk, frame) : DropReason.PortGone;
        if (reason != DropReason.None)
            walk.CountDrop(reason, frame);
    }
}
