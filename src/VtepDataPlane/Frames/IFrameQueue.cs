// The narrow waist. TAP, UDP socket, in-process pipe and the in-memory twins used by tests are all queues; whatever can
// receive a batch and send a frame can be a port or an underlay.
//
// Contract. A queue belongs to one thread. Receive fills the batch from slot 0 and never blocks. Send only notes the frame
// (its address, length and a copy of what it needs of FrameInfo: the caller changes Info between the copies of a flood); the
// bytes stay borrowed until Flush returns. Flush hands everything noted to the other side. Neither throws for a bad frame or a
// failing device: every frame that goes wrong is one DropReason in Meters. A frame that is watched has a Ticket in its Info: a queue that
// counts its drop with it (QueueMeters.CountDrop) lets a capture show which frame was dropped; otherwise it is shown as a number only.
//
// Super-frames. A frame with Offload.Gso is one frame to whoever takes it whole. A queue that has to cut it up counts the further frames
// as Segmented, one that puts frames together counts those that vanished as Coalesced. Conservation, at rest:
//   Received + Segmented (queues) + Replicated + Originated (lanes) = Sent + Coalesced + drops (queues) + drops (lanes and domains).

namespace VtepDataPlane.Frames;

/// <summary>A source and sink of frames, owned by one thread.</summary>
public interface IFrameQueue
{
    /// <summary>Received, sent and dropped here. Written by the owning thread, readable from any.</summary>
    QueueMeters Meters { get; }

    /// <summary>Fills <paramref name="batch"/> from slot 0, sets its Count and returns it; 0 when nothing waits. Never blocks.</summary>
    int Receive(FrameBatch batch);

    /// <summary>Notes a frame to be sent. Bytes are borrowed until <see cref="Flush"/>; Info may change right after.</summary>
    /// <param name="frame">Of a batch that the same thread owns.</param>
    void Send(in Frame frame);

    /// <summary>Sends everything noted; failures are counted in <see cref="Meters"/>. Returns how many frames were sent.</summary>
    int Flush();
}
