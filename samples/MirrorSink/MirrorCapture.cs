// Writes frames to a file as pcapng, on a thread of its own. Who reads the socket puts a frame into a ring and goes on; when the ring is full, because the
// disk is slow, the frame is lost to the capture and that is all. Interfaces are added as VNIs turn up; at the end each gets its statistics.
//
// TryAdd and Close: one thread, the socket's. The rest is the writing thread's.

using System.Buffers;
using VtepDataPlane.Diagnostics.Capture;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Samples;

/// <summary>A capture that is being written.</summary>
internal sealed class MirrorCapture : IDisposable
{
    private const int Records = 32_768;
    private const int Bytes = 32 * 1024 * 1024;
    private const int WriteAt = 256 * 1024;

    private readonly RecordRing<Note> _ring = new(Records, Bytes);
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly ArrayBufferWriter<byte> _buffer = new(2 * WriteAt);
    private readonly Dictionary<int, int> _interfaces = [];
    private readonly PcapngWriter _writer;
    private readonly Stream _file;
    private readonly int _snapLength;
    private readonly Thread _thread;
    private string? _failure;
    private bool _isClosing;
    private int _isAsleep;

    public MirrorCapture(Stream file, int snapLength)
    {
        _file = file;
        _snapLength = snapLength;
        _writer = new PcapngWriter(_buffer);
        _writer.WriteSection("MirrorSink", "frames out of VXLAN, an interface a VNI");
        _thread = new Thread(Run) { Name = "capture", IsBackground = true };
        _thread.Start();
    }

    /// <summary>The file can't be written any more.</summary>
    public bool HasFailed => Volatile.Read(ref _failure) is not null;

    /// <summary>False when there is no room: the frame is lost to the capture.</summary>
    public bool TryAdd(int vni, ReadOnlySpan<byte> frame)
    {
        ReadOnlySpan<byte> kept = frame[..Math.Min(frame.Length, _snapLength)];
        if (!_ring.TryStage(kept.Length, out int slot, out Span<byte> room))
            return false;
        kept.CopyTo(room);
        _ring[slot] = new Note(vni, frame.Length, Now());
        _ring.Commit();
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _isAsleep) != 0)
            _wake.Set();
        return true;
    }

    /// <summary>Writes what is left, and the statistics. Null, or why that failed.</summary>
    public string? Close(IEnumerable<VniCount> counts)
    {
        Volatile.Write(ref _isClosing, true);
        _wake.Set();
        _thread.Join();
        foreach (VniCount count in counts)
            _writer.WriteStatistics(InterfaceOf(count.Vni), Now(), count.Received, count.Lost);
        Write();
        return _failure;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Volatile.Write(ref _isClosing, true);
        _wake.Set();
        _thread.Join();
        _wake.Dispose();
    }

    private static long Now() => (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks * 100;

    // "asleep" is said before the ring is looked at once more: who puts something in afterwards sees it and wakes.
    private void Run()
    {
        while (!HasFailed)
        {
            bool isLast = Volatile.Read(ref _isClosing);
            Drain();
            Write(); // the ring is empty: whoever reads the file has it all
            if (isLast)
                return;
            Interlocked.Exchange(ref _isAsleep, 1);
            if (_ring.IsEmpty && !Volatile.Read(ref _isClosing))
                _wake.WaitOne();
            Volatile.Write(ref _isAsleep, 0);
        }
    }

    private void Drain()
    {
        while (!HasFailed && _ring.TryRead(out Note note, out ReadOnlySpan<byte> frame))
        {
            _writer.WritePacket(InterfaceOf(note.Vni), note.Time, frame, note.Length, new PacketOptions { Direction = PacketDirection.Inbound });
            _ring.Release();
            if (_buffer.WrittenCount >= WriteAt)
                Write();
        }
    }

    private int InterfaceOf(int vni)
    {
        if (!_interfaces.TryGetValue(vni, out int id))
            _interfaces[vni] = id = _writer.AddInterface($"vni{vni}", $"VXLAN network {vni}", _snapLength);
        return id;
    }

    private void Write()
    {
        if (HasFailed)
            return;
        try
        {
            _file.Write(_buffer.WrittenSpan);
            _file.Flush();
            _buffer.ResetWrittenCount();
        }
        catch (IOException e)
        {
            Volatile.Write(ref _failure, e.Message); // a full disk, or nobody reads standard output any more
        }
    }

    private readonly record struct Note(int Vni, int Length, long Time);
}
