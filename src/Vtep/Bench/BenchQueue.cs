// A queue that hands out prepared frames and swallows what is sent, so that nothing but the data plane is measured. The kernel's part of
// receiving, one copy into the slot, is done here; the frames lie one behind the other and are handed out in order, which is the cheapest
// a copy can be. Super-frames are cut up as a socket's queue does it: headers are made, payload stays where it is.

using VtepDataPlane.Frames;
using VtepDataPlane.Offload;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Daemon.Bench;

/// <summary>Hands out its traffic in turn, a full batch at a time.</summary>
internal sealed class BenchQueue : IFrameQueue
{
    private readonly byte[] _header = new byte[Segmenter.MaximumHeaderLength];
    private BenchTraffic _traffic = new([], 0, []);
    private int _next;
    private int _noted;

    public QueueMeters Meters { get; } = new();

    /// <summary>What it receives from now on.</summary>
    public BenchTraffic Traffic
    {
        set => (_traffic, _next) = (value, 0);
    }

    public int Receive(FrameBatch batch)
    {
        BenchTraffic traffic = _traffic;
        ReadOnlySpan<byte> heads = traffic.Heads;
        ReadOnlySpan<byte> tail = traffic.Tail;
        int length = traffic.Length;
        for (int i = 0; i < batch.Capacity; i++)
        {
            Span<byte> room = batch.RoomOf(i);
            heads.Slice(_next, traffic.HeadLength).CopyTo(room);
            if (!tail.IsEmpty)
                tail.CopyTo(room[traffic.HeadLength..]);
            _next = _next + traffic.HeadLength == heads.Length ? 0 : _next + traffic.HeadLength;
            ref FrameInfo info = ref batch.Reset(i, length);
            info.SegmentSize = traffic.SegmentSize;
            info.Offload = traffic.Offload;
            info.Outer.Remote = traffic.Source;
        }

        int frames = traffic.SegmentSize == 0 ? batch.Capacity : batch.Capacity * traffic.WireFrames;
        Meters.CountReceived(frames, batch.Capacity * length);
        return batch.Count = batch.Capacity;
    }

    public void Send(in Frame frame)
    {
        _noted++;
        if (frame.Info.Offload.IsSuperFrame)
            Cut(frame);
        else
            Meters.CountSent(frame.Length);
    }

    public int Flush()
    {
        int sent = _noted;
        _noted = 0;
        return sent;
    }

    private void Cut(in Frame frame)
    {
        if (!Segmenter.TryCreate(frame.Bytes[VxlanHeader.Size..], frame.Info.Offload, out Segmenter segmenter))
        {
            Meters.CountDrop(DropReason.GsoUnsupported);
            return;
        }

        for (int i = 0; i < segmenter.Count; i++)
            segmenter.WriteHeader(i, _header);
        Meters.CountSegmented(segmenter.Count - 1);
        Meters.CountSent(segmenter.Count, frame.Length);
    }
}
