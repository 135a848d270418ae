// What a neighbour would say if it were asked itself: an ARP reply, or a solicited neighbour advertisement that overrides what was known. The frame
// comes from the neighbour's MAC, so that switches behind the port believe what they would have believed of the real one.
//
// Pure: any thread, no allocation.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>Answers in a neighbour's name.</summary>
internal static class NeighborAnswer
{
    /// <summary>Bytes of the longest answer.</summary>
    public const int MaximumSize = EthernetHeader.Size + NeighborAdvertisement.MaximumSize;

    /// <summary>Writes the answer to a question, and returns its length. The caller has checked that there is room.</summary>
    public static int Write(Span<byte> frame, in NeighborMessage question, in Neighbor neighbor) => question.Asked.IsIPv4
        ? WriteReply(frame, question, neighbor.Mac)
        : WriteAdvertisement(frame, question, neighbor);

    private static int WriteReply(Span<byte> frame, in NeighborMessage question, MacAddress mac)
    {
        new EthernetHeader(question.AskerMac, mac, EtherType.Arp).Write(frame);
        new ArpPacket(ArpPacket.Reply, mac, question.Asked, question.AskerMac, question.Asker).Write(frame[EthernetHeader.Size..]);
        return EthernetHeader.Size + ArpPacket.Size;
    }

    private static int WriteAdvertisement(Span<byte> frame, in NeighborMessage question, in Neighbor neighbor)
    {
        var advertisement = new NeighborAdvertisement(
            question.Asked, question.Asker, question.Asked, neighbor.Mac, neighbor.IsRouter, IsSolicited: true, IsOverride: true);
        new EthernetHeader(question.AskerMac, neighbor.Mac, EtherType.IPv6).Write(frame);
        advertisement.Write(frame[EthernetHeader.Size..]);
        return EthernetHeader.Size + advertisement.Size;
    }
}
