// The in-memory twin of a TAP device: what a test (or a program) injects is received by the VTEP, what the VTEP sends can be
// taken. One queue of its own a lane, so several lanes may serve it; frames are injected into the lane their flow would hash to
// on a real multi-queue device, here simply the lane named. Frames taken come with their offload metadata, as a TAP's reader
// would see them. Bounded like a device: what doesn't fit is a counted drop.

using System.Collections.Concurrent;
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

/// <summary>An access port without a device. Inject and TryTake may be called from any thread.</summary>
public sealed class MemoryPort : IAccessPort
{
    /// <summary>Frames that wait on each side before further ones are dropped; a TAP's default txqueuelen.</summary>
    public const int Capacity = 1000;

    private readonly MemoryPortQueue[] _queues;
    private readonly ConcurrentQueue<MemoryFrame> _delivered = new();

    /// <summary>A port that is up, with a queue for each lane.</summary>
    public MemoryPort(string name, int lanes, int mtu = 1450, MacAddress mac = default)
    {
        Name = name;
        Mtu = mtu;
        Mac = mac;
        _queues = [.. Enumerable.Range(0, lanes).Select(_ => new MemoryPortQueue(this, _delivered))];
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
    public int Waiting => _delivered.Count;

    /// <inheritdoc/>
    public IFrameQueue Queue(int lane) => _queues[lane];

    /// <inheritdoc/>
    public bool TrySetMtu(int mtu, out string? why)
    {
        why = MtuRefusal;
        if (why is null)
            Mtu = mtu;
        return why is null;
    }

    /// <summary>Gives the VTEP a frame to receive; false when <see cref="Capacity"/> frames wait already.</summary>
    public bool Inject(ReadOnlySpan<byte> frame, OffloadInfo offload = default, int lane = 0) => _queues[lane].Inject(frame, offload);

    /// <summary>Takes the oldest frame the VTEP sent here.</summary>
    public bool TryTake(out MemoryFrame? frame) => _delivered.TryDequeue(out frame);

    /// <summary>Takes all frames the VTEP sent here.</summary>
    public IReadOnlyList<MemoryFrame> TakeAll()
    {
        var frames = new List<MemoryFrame>();
        while (_delivered.TryDequeue(out MemoryFrame? frame))
            frames.Add(frame);
        return frames;
    }

    /// <inheritdoc/>
    public void Dispose() => IsDisposed = true;
}

/// <summary>One lane's queue of a <see cref="MemoryPort"/>.</summary>
internal sealed class MemoryPortQueue(MemoryPort port, ConcurrentQueue<MemoryFrame> delivered) : IFrameQueue
{
    private readonly ConcurrentQueue<MemoryFrame> _injected = new();
    private readonly List<MemoryFrame> _noted = [];

    public QueueMeters Meters { get; } = new();

    public bool Inject(ReadOnlySpan<byte> frame, OffloadInfo offload)
    {
        if (_injected.Count >= MemoryPort.Capacity)
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
            if (reason == DropReason.None)
            {
                delivered.Enqueue(frame);
                Meters.CountSent(frame.Bytes.Length);
                sent++;
            }
            else
            {
                Meters.CountDrop(reason, frames: 1, frame.Ticket);
            }
        }

        _noted.Clear();
        return sent;
    }

    private DropReason Fate() =>
        port.IsDisposed ? DropReason.PortGone
        : !port.IsUp ? DropReason.PortDown
        : delivered.Count >= MemoryPort.Capacity ? DropReason.PortNoBuffer
        : DropReason.None;
}
