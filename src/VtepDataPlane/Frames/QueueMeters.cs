// Counters of one queue: written by its one thread with plain stores, read by others at any time (64-bit loads are whole on
// every platform .NET 10 runs our code on; a reader may see a value a moment old, never a torn one).

namespace VtepDataPlane.Frames;

/// <summary>What one queue received, sent and dropped, since it was opened. Counted by the thread that owns the queue, read by any.</summary>
public sealed class QueueMeters
{
    private readonly long[] _drops = new long[DropReasonText.Count];
    private long _received, _receivedBytes, _sent, _sentBytes, _segmented, _coalesced;

    /// <summary>Frames received, those that were then dropped included.</summary>
    public long Received => Volatile.Read(ref _received);

    /// <summary>Bytes of the frames received.</summary>
    public long ReceivedBytes => Volatile.Read(ref _receivedBytes);

    /// <summary>Frames sent.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Bytes of the frames sent.</summary>
    public long SentBytes => Volatile.Read(ref _sentBytes);

    /// <summary>Frames made by cutting super-frames up: for each its segments less one.</summary>
    public long Segmented => Volatile.Read(ref _segmented);

    /// <summary>Frames that went out within another one: for each super-frame put together here its segments less one.</summary>
    public long Coalesced => Volatile.Read(ref _coalesced);

    /// <summary>Frames this queue dropped, by reason.</summary>
    /// <param name="reason">Why.</param>
    public long Drops(DropReason reason) => Volatile.Read(ref _drops[(int)reason]);

    /// <summary>All drops of this queue.</summary>
    public long TotalDrops
    {
        get
        {
            long total = 0;
            for (int i = 0; i < _drops.Length; i++)
                total += Volatile.Read(ref _drops[i]);
            return total;
        }
    }

    /// <summary>Owning thread only: one frame came in.</summary>
    /// <param name="bytes">Its bytes.</param>
    public void CountReceived(int bytes) => CountReceived(1, bytes);

    /// <summary>Owning thread only: one frame went out.</summary>
    /// <param name="bytes">Its bytes.</param>
    public void CountSent(int bytes) => CountSent(1, bytes);

    /// <summary>Owning thread only: several datagrams came in as one.</summary>
    /// <param name="frames">How many.</param>
    /// <param name="bytes">Their bytes, from the Ethernet header on.</param>
    public void CountReceived(int frames, int bytes)
    {
        _received += frames;
        _receivedBytes += bytes;
    }

    /// <summary>Owning thread only: several datagrams went out as one.</summary>
    /// <param name="frames">How many.</param>
    /// <param name="bytes">Their bytes, from the Ethernet header on.</param>
    public void CountSent(int frames, int bytes)
    {
        _sent += frames;
        _sentBytes += bytes;
    }

    /// <summary>Owning thread only: a super-frame was cut up and is <paramref name="further"/> frames more.</summary>
    public void CountSegmented(int further) => _segmented += further;

    /// <summary>Owning thread only: <paramref name="further"/> frames went out within one that was counted as sent.</summary>
    public void CountCoalesced(int further) => _coalesced += further;

    /// <summary>Owning thread only: one frame was dropped here.</summary>
    /// <param name="reason">Why; not None.</param>
    public void CountDrop(DropReason reason) => CountDrop(reason, 1);

    /// <summary>Owning thread only: several frames were dropped here.</summary>
    /// <param name="reason">Why; not None.</param>
    /// <param name="frames">How many.</param>
    public void CountDrop(DropReason reason, int frames) => _drops[(int)reason] += frames;

    /// <summary>Owning thread only: several frames were dropped here that were sent with a ticket.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="frames">How many: 1, or segments of one super-frame.</param>
    /// <param name="ticket">The frame's <see cref="FrameInfo.Ticket"/> when it was sent; 0 when it had none.</param>
    public void CountDrop(DropReason reason, int frames, int ticket)
    {
        _drops[(int)reason] += frames;
        if (ticket != 0)
            Witness?.Dropped(ticket, reason, frames);
    }

    /// <summary>Owning thread only: who is told of drops of frames that have a ticket; null: nobody.</summary>
    internal IDropWitness? Witness { get; set; }
}
