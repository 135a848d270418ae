// A lane's queue of a port over a pipe: makes frames plain, and copies them into room that is its lane's. The lane that owns the pipe has the
// room from the pipe; every other lane from a ring, which the owner empties. Frames are copied in Send, so nothing is borrowed.
//
// A frame counts as sent when it is in the pipe, or in the ring: like one in a device's queue, it is then the host's to fetch.
//
// Belongs to its lane, but PipeLaneQueue.TryMoveTo, which is the owner's.

using VtepDataPlane.Frames;
using VtepDataPlane.Offload;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Ports;

/// <summary>A lane's queue of a <see cref="PipePort"/>.</summary>
internal abstract class PipePortQueue : IFrameQueue
{
    /// <inheritdoc/>
    public abstract QueueMeters Meters { get; }

    /// <inheritdoc/>
    public abstract int Receive(FrameBatch batch);

    /// <inheritdoc/>
    public abstract int Flush();

    /// <inheritdoc/>
    public void Send(in Frame frame)
    {
        ref readonly OffloadInfo offload = ref frame.Info.Offload;
        if (offload.IsSuperFrame)
            SendSegments(frame);
        else if (offload.NeedsChecksum)
            SendUnfinished(frame, offload);
        else if (TryTakeRoom(frame.Length, frames: 1, frame.Info.Ticket, out Span<byte> room))
            Add(frame.Bytes, room);
    }

    /// <summary>Room for a frame; None, or why there is none. It is taken back by the next call.</summary>
    protected abstract DropReason TryTakeRoom(int length, out Span<byte> room);

    /// <summary>The frame in the room taken last is whole.</summary>
    protected abstract void Add(int length);

    private bool TryTakeRoom(int length, int frames, int ticket, out Span<byte> room)
    {
        DropReason reason = TryTakeRoom(length, out room);
        if (reason != DropReason.None)
            Meters.CountDrop(reason, frames, ticket);
        return reason == DropReason.None;
    }

    private void Add(ReadOnlySpan<byte> frame, Span<byte> room)
    {
        frame.CopyTo(room);
        Add(frame.Length);
    }

    // Finished in the copy: the frame itself may go to other ports, who finish it themselves.
    private void SendUnfinished(in Frame frame, in OffloadInfo offload)
    {
        if (!offload.IsSane(frame.Length))
        {
            Meters.CountDrop(DropReason.OffloadInvalid, frames: 1, frame.Info.Ticket);
        }
        else if (TryTakeRoom(frame.Length, frames: 1, frame.Info.Ticket, out Span<byte> room))
        {
            frame.Bytes.CopyTo(room);
            _ = TransportChecksum.TryComplete(room, offload.ChecksumStart, offload.ChecksumOffset); // sane: the field is within the frame
            Add(frame.Length);
        }
    }

    private void SendSegments(in Frame frame)
    {
        ReadOnlySpan<byte> bytes = frame.Bytes;
        if (!Segmenter.TryCreate(bytes, frame.Info.Offload, out Segmenter segmenter))
        {
            Meters.CountDrop(DropReason.GsoUnsupported, frames: 1, frame.Info.Ticket);
            return;
        }

        Meters.CountSegmented(segmenter.Count - 1);
        for (int i = 0; i < segmenter.Count; i++)
        {
            int payload = segmenter.PayloadLength(i);
            if (!TryTakeRoom(segmenter.HeaderLength + payload, segmenter.Count - i, frame.Info.Ticket, out Span<byte> room))
                return;
            segmenter.WriteHeader(i, room);
            bytes.Slice(segmenter.PayloadOffset(i), payload).CopyTo(room[segmenter.HeaderLength..]);
            Add(room.Length);
        }
    }
}

/// <summary>The queue of the lane that owns the pipe.</summary>
internal sealed class PipeOwnerQueue(PipePort port) : PipePortQueue
{
    public override QueueMeters Meters => port.OwnerMeters;

    public override int Receive(FrameBatch batch) => port.Receive(batch);

    public override int Flush() => port.Writer.Flush();

    protected override DropReason TryTakeRoom(int length, out Span<byte> room) => port.Writer.TryTakeRoom(length, out room);

    protected override void Add(int length) => port.Writer.Add(length);
}

/// <summary>The queue of another lane: hands frames to the owner.</summary>
internal sealed class PipeLaneQueue(PipePort port) : PipePortQueue
{
    /// <summary>Frames that may wait for the owner; a TAP's default txqueuelen, rounded up.</summary>
    private const int Frames = 1024;

    // Twice the longest frame, so that it has room; memory that isn't used isn't there.
    private const int Bytes = 256 * 1024;

    private readonly RecordRing<byte> _ring = new(Frames, Bytes); // a frame's bytes are all there is to it
    private int _staged;

    public override QueueMeters Meters { get; } = new();

    public override int Receive(FrameBatch batch)
    {
        batch.Count = 0;
        return 0;
    }

    public override int Flush()
    {
        int sent = _staged;
        _staged = 0;
        if (sent > 0)
        {
            _ring.Commit();
            port.Handed();
        }

        return sent;
    }

    /// <summary>Owner: moves what was handed over to the pipe, all in order; false when the pipe has no room for more.</summary>
    public bool TryMoveTo(PipeFrameWriter writer)
    {
        bool isReady;
        while ((isReady = writer.IsReady()) && _ring.TryRead(out _, out ReadOnlySpan<byte> frame))
        {
            if (writer.TryTakeRoom(frame.Length, out Span<byte> room) != DropReason.None)
                continue; // the host is gone, with what was in its pipe
            frame.CopyTo(room);
            writer.AddHanded(frame.Length);
        }

        _ring.Release();
        return isReady;
    }

    protected override DropReason TryTakeRoom(int length, out Span<byte> room)
    {
        room = default;
        if (!port.IsUp)
            return port.IsDisposed ? DropReason.PortGone : DropReason.PortDown;
        return _ring.TryStage(length, out _, out room) ? DropReason.None : DropReason.PortNoBuffer;
    }

    protected override void Add(int length)
    {
        _staged++;
        Meters.CountSent(length);
    }
}
