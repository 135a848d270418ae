// Datagrams of one multicast group: a queue that only receives, on one lane, and counts in that lane's underlay queue. What the
// forwarder sends in answer goes through the lane's own queue. It belongs to the lane's worker, except Use.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Linux.Udp;

/// <summary>Receives the datagrams of a group.</summary>
/// <param name="lane">The underlay queue of the lane that serves it.</param>
internal sealed class GroupQueue(UdpQueue lane) : IFrameQueue
{
    private int _fd = -1;

    /// <inheritdoc/>
    public QueueMeters Meters => lane.Meters;

    /// <summary>Control loop: from now on the queue receives from this socket; -1: from none.</summary>
    public void Use(int fd) => Volatile.Write(ref _fd, fd);

    /// <inheritdoc/>
    public int Receive(FrameBatch batch)
    {
        batch.Count = 0;
        int fd = Volatile.Read(ref _fd);
        return fd < 0 ? 0 : lane.Receiver.Receive(fd, batch, Meters);
    }

    /// <inheritdoc/>
    public void Send(in Frame frame) => lane.Send(frame);

    /// <inheritdoc/>
    public int Flush() => lane.Flush();
}
