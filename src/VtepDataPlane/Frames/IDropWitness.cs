// Who wants to know which frames a queue dropped, not only how many. A frame that is watched carries a ticket (FrameInfo.Ticket); a queue
// that drops it says so with the ticket when it counts the drop. Nothing is asked of queues while nobody watches: tickets are 0 then.

namespace VtepDataPlane.Frames;

/// <summary>Is told which watched frames a queue dropped. Called on the queue's thread, within Send or Flush.</summary>
internal interface IDropWitness
{
    /// <summary>A queue dropped a frame, or some of the segments of a super-frame.</summary>
    /// <param name="ticket">The frame's <see cref="FrameInfo.Ticket"/>; never 0.</param>
    /// <param name="reason">Why.</param>
    /// <param name="frames">Frames: 1, or segments of one super-frame.</param>
    void Dropped(int ticket, DropReason reason, int frames);
}
