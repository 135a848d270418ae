// The in-memory twin of a TAP device: what a test (or a program) injects is received by the VTEP, what the VTEP sends can be
// taken. One queue of its own a lane, so several lanes may serve it; frames are injected into the lane their flow would hash to
// on a real multi-queue device, here simply the lane named. Frames taken come with their offload metadata, as a TAP's reader
// would see them. Bounded like a device: what doesn't fit is a counted drop.
//
// The injecting and the taking side are for any thread: Inject wakes the lane, ReceiveAsync waits for a frame without a thread. The queues belong to
// their lanes.

using System.Collections.Concurrent;
using System.Threading.Channels;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Ports;

/// <summary>A frame that a <see cref="MemoryPort"/> was given by the VTEP.</summary>
/// <param name="Bytes">The Ethernet frame.</param>
/// <param name="Offload">What is left to be done to it.</param>
public sealed record MemoryFrame(byte[] Bytes, OffloadInfo Offload)
{
    internal int Ticket { get; init; }
}

/// <summary>
/// An access port without a device. <see cref="Inject"/>, <see cref="TryTake"/>, <see cref="TakeAll"/> and <see cref="ReceiveAsync"/> may be called from
/// any thread.
/// </summary>
public sealed class MemoryPort : IAccessPort
{
    /// <summary>Frames that wait on each side before further ones are dropped; a TAP's default txqueuelen.</summary>
    public const int Capacity = 1000;

    /// <summary>Bytes of the largest layer 3 packet by default: what fits into VXLAN over IPv4 on a path of 1500.</summary>
    public const int DefaultMtu = 1450;

    private MemoryPortQueue[] _queues = [];
    private readonly int _receivingQueues;
    private readonly Channel<MemoryFrame> _delivered = Channel.CreateUnbounded<MemoryFrame>();
    private Action<int>? _wake;

    /// <summary>A port that is up.</summary>
    /// <param name="name">Unique within its VTEP, 1 to 15 bytes.</param>
    /// <param name="lanes">Queues frames can be injected into, 1 or more; a VTEP with more lanes sends by all of them.</param>
    /// <param name="mtu">The largest layer 3 packet, bytes.</param>
    /// <param name="mac">The port's own MAC, which no frame from the tunnel may have as its source; zero: none.</param>
    public MemoryPort(string name, int lanes = 1, int mtu = DefaultMtu, MacAddress mac = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(lanes, 1);
        Name = name;
        Mtu = mtu;
        Mac = mac;
        _receivingQueues = lanes;
        AddQueues(lanes);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public MacAddress Mac { get; set; }

    /// <inheritdoc/>
    public int InterfaceIndex { get; set; }

    /// <inheritdoc/>
    public int Mtu { get; private set; }

    /// <inheritdoc/>
    public bool IsUp { get; set; } = true;

    /// <summary>Was closed by its VTEP.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>MTU changes are refused with this reason, as by a kernel without CAP_NET_ADMIN; null: they are made.</summary>
    public string? MtuRefusal { get; set; }

    /// <summary>Frames that wait to be taken.</summary>
    public int Waiting => _delivered.Reader.Count;

    /// <inheritdoc/>
    public IFrameQueue Queue(int lane)
    {
        AddQueues(lane + 1);
        return _queues[lane];
    }

    /// <inheritdoc/>
    public void WakeBy(Action<int> wake)
    {
        Volatile.Write(ref _wake, wake);
        for (int lane = 0; lane < _receivingQueues; lane++)
            wake(lane); // what was injected before
    }

    /// <inheritdoc/>
    public bool TrySetMtu(int mtu, out string? why)
    {
        why = MtuRefusal;
        if (why is null)
            Mtu = mtu;
        return why is null;
    }

    /// <summary>Gives the VTEP a frame to receive; false when <see cref="Capacity"/> frames wait already, or it is longer than any frame may be.</summary>
    /// <param name="frame">An Ethernet frame without its checksum; copied.</param>
    /// <param name="offload">What is left to be done to it.</param>
    /// <param name="lane">The queue to receive it, 0 to the number of queues - 1.</param>
    public bool Inject(ReadOnlySpan<byte> frame, OffloadInfo offload = default, int lane = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(lane, _receivingQueues);
        if (!_queues[lane].Inject(frame, offload))
            return false;
        Volatile.Read(ref _wake)?.Invoke(lane);
        return true;
    }

    /// <summary>Takes the oldest frame the VTEP sent here; false when none waits.</summary>
    /// <param name="frame">The frame; null when there is none.</param>
    public bool TryTake(out MemoryFrame? frame) => _delivered.Reader.TryRead(out frame);

    /// <summary>Takes all frames the VTEP sent here.</summary>
    public IReadOnlyList<MemoryFrame> TakeAll()
    {
        var frames = new List<MemoryFrame>();
        while (_delivered.Reader.TryRead(out MemoryFrame? frame))
            frames.Add(frame);
        return frames;
    }

    /// <summary>Takes the oldest frame the VTEP sent here, as soon as there is one.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The port was closed and has no frame left.</exception>
    public async ValueTask<MemoryFrame> ReceiveAsync(CancellationToken stop = default)
    {
        while (await _delivered.Reader.WaitToReadAsync(stop).ConfigureAwait(false))
        {
            if (_delivered.Reader.TryRead(out MemoryFrame? frame))
                return frame;
        }

        throw new ObjectDisposedException(Name, $"Port {Name} was closed by its VTEP: no frame will come any more.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        IsDisposed = true;
        _delivered.Writer.TryComplete();
    }

    private void AddQueues(int count)
    {
        if (count > _queues.Length)
            Volatile.Write(ref _queues, [.. _queues, .. Enumerable.Range(_queues.Length, count - _queues.Length).Select(_ => new MemoryPortQueue(this, _delivered))]);
    }
}

/// <summary>One lane's queue of a <see cref="MemoryPort"/>.</summary>
internal sealed class MemoryPortQueue(MemoryPort port, Channel<MemoryFrame> delivered) : IFrameQueue
{
    private readonly ConcurrentQueue<MemoryFrame> _injected = new();
    private readonly List<MemoryFrame> _noted = [];

    public QueueMeters Meters { get; } = new();

    public bool Inject(ReadOnlySpan<byte> frame, OffloadInfo offload)
    {
        if (_injected.Count >= MemoryPort.Capacity || frame.Length > FrameBatch.DefaultRoom)
            return false;
        _injected.Enqueue(new MemoryFrame(frame.ToArray(), offload));
        return true;
    }

    public int Receive(FrameBatch batch)
    {
        batch.Count = 0;
        while (batch.Count < batch.Capacity && _injected.TryDequeue(out MemoryFrame? frame))
        {
            Meters.CountReceived(frame.Bytes.Length);
            if (frame.Bytes.Length > batch.Room)
            {
                Meters.CountDrop(DropReason.PortError);
                continue;
            }

            frame.Bytes.CopyTo(batch.RoomOf(batch.Count));
            batch.Reset(batch.Count++, frame.Bytes.Length).Offload = frame.Offload;
        }

        return batch.Count;
    }

    public void Send(in Frame frame) => _noted.Add(new MemoryFrame(frame.Bytes.ToArray(), frame.Info.Offload) { Ticket = frame.Info.Ticket });

    public int Flush()
    {
        int sent = 0;
        foreach (MemoryFrame frame in _noted)
        {
            DropReason reason = Fate();
            if (reason == DropReason.None && delivered.Writer.TryWrite(frame))
            {
                Meters.CountSent(frame.Bytes.Length);
                sent++;
            }
            else
            {
                Meters.CountDrop(reason == DropReason.None ? DropReason.PortGone : reason, frames: 1, frame.Ticket); // None: closed in between
            }
        }

        _noted.Clear();
        return sent;
    }

    private DropReason Fate() =>
        port.IsDisposed ? DropReason.PortGone
        : !port.IsUp ? DropReason.PortDown
        : delivered.Reader.Count >= MemoryPort.Capacity ? DropReason.PortNoBuffer
        : DropReason.None;
}
