// Forwarder, in domains with a controller: requests for addresses that are known are answered here, and bindings of addresses to our stations are heard.
//
// Answering spares the domain a flood for every address somebody looks for (kernel: bridge neigh_suppress, net/bridge/br_arp_nd_proxy.c; RFC 9161).
// A question from a port is answered there, in the neighbour's name, when both are known: at which MAC the address is, and that the MAC is
// somewhere else than behind the asking port. The neighbour need not be up for that. Otherwise the question is flooded; for an address in no
// table, domains that look up ask their controller first, and what it doesn't know goes by their policy. Full tables black-hole nothing.
// What one station sends to another alone is never touched, so a question that was answered can be asked again of the neighbour itself.
//
// Hearing: what stations behind our ports say of themselves, and what addresses servers give to them, wherever the server is. It is told to the
// control loop, unless the table says the same already. All these frames are forwarded as well.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Forwarding;

internal sealed partial class Forwarder
{
    /// <summary>True when the frame from a port is done with: answered, or held.</summary>
    private bool IsServed(in Walk walk, in Frame frame, out DropReason reason)
    {
        reason = DropReason.None;
        if (!NeighborMessage.TryRead(frame.Bytes, frame.Info.Headers, out NeighborMessage message))
        {
            Snoop(walk, frame);
            return false;
        }

        if (message.Binds)
            Hear(walk, message);
        return message.Asks && IsServed(walk, frame, message, out reason);
    }

    private bool IsServed(in Walk walk, in Frame frame, in NeighborMessage message, out DropReason reason)
    {
        BridgeDomain domain = walk.Domain;
        reason = DropReason.None;
        if (domain.Controller is not { SuppressesNeighbors: true } controller)
            return false;
        if (!neighbors.TryFind(domain.Index, message.Asked, out Neighbor neighbor))
            return controller.LooksUp && TryHold(walk, new MissKey(domain.Index, default, message.Asked), frame, out reason);
        FdbTarget target = fdb.Lookup(domain.Index, neighbor.Mac);
        if (target.IsMiss || target.IsSamePlace(walk.Source) || !TryAnswer(walk, message, neighbor))
            return false;
        reason = DropReason.NeighborAnswered;
        return true;
    }

    private static bool TryAnswer(in Walk walk, in NeighborMessage question, in Neighbor neighbor)
    {
        if (!walk.Lane.TryOriginate(out Span<byte> room))
            return false;
        walk.Lane.SendOriginated(walk.Port!, NeighborAnswer.Write(room, question, neighbor));
        return true;
    }

    /// <summary>Hears which address a server gives to a station of ours.</summary>
    private void Snoop(in Walk walk, in Frame frame)
    {
        if (NeighborMessage.TryReadLease(frame, out NeighborMessage lease) && fdb.Lookup(walk.Domain.Index, lease.Mac).IsLocal)
            Hear(walk, lease);
    }

    // who doesn't say whether it is a router is what it was
    private void Hear(in Walk walk, in NeighborMessage message)
    {
        int domain = walk.Domain.Index;
        bool isKnown = neighbors.TryFind(domain, message.Address, out Neighbor known) && known.Mac == message.Mac;
        bool isRouter = message.IsRouter ?? (isKnown && known.IsRouter);
        if (!walk.IsDry && (!isKnown || !known.IsLocal || known.IsRouter != isRouter))
            walk.Lane.Events.Write(new StationEvent(StationEventKind.Bound, domain, message.Mac, message.Address, isRouter));
    }
}
