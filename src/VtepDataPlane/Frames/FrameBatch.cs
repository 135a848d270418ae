// A batch: a fixed number of slots in one pinned array, and a FrameInfo each. Receiving queues fill it from the front, the
// forwarder walks it, and it is used again: nothing is allocated after construction. Owned by one thread (a Lane).
//
// A slot may hold an aggregate, several datagrams of one size that the kernel received as one (UDP_GRO). Who walks the batch sees
// its frames one by one and needn't know; the FrameInfo of such a frame is a scratch that lives until the next one.
//
// The memory is the garbage collector's pinned heap, so neither this assembly nor its users need unsafe code to keep an
// address stable. Untouched pages of a slot cost no memory, so slots are as large as the largest datagram.

using System.Runtime.CompilerServices;

namespace VtepDataPlane.Frames;

/// <summary>A reusable array of frame slots in pinned memory. Owned by one thread.</summary>
public sealed class FrameBatch
{
    /// <summary>Room in front of every received frame: outer Ethernet, IPv6, UDP and VXLAN (70) for underlays that write them all, rounded up.</summary>
    public const int Headroom = 128;

    /// <summary>Frames a worker takes at once: when many flows of small frames come in, each still has several for one train.</summary>
    public const int DefaultCapacity = 256;

    /// <summary>The largest frame a slot takes: a UDP datagram carries at most 65507 bytes, a TAP frame at most 65521 + 18.</summary>
    public const int DefaultRoom = 65_536 + 64;

    private const int VxlanSize = Wire.VxlanHeader.Size;

    private readonly byte[] _memory;
    private readonly FrameInfo[] _infos;
    private readonly FrameInfo[] _scratch = GC.AllocateArray<FrameInfo>(1, pinned: true);
    private readonly int _stride;

    /// <summary>Makes <paramref name="capacity"/> slots with <paramref name="room"/> bytes behind the headroom.</summary>
    /// <param name="capacity">Slots, at least 1.</param>
    /// <param name="room">Bytes of the longest frame, at least 64.</param>
    /// <exception cref="ArgumentOutOfRangeException">Too few of either.</exception>
    /// <exception cref="OverflowException">All together are more than 2 GiB.</exception>
    public FrameBatch(int capacity = DefaultCapacity, int room = DefaultRoom)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(room, 64);
        _stride = Headroom + room;
        _memory = GC.AllocateUninitializedArray<byte>(checked(capacity * _stride), pinned: true);
        _infos = GC.AllocateArray<FrameInfo>(capacity, pinned: true);
    }

    /// <summary>Slots.</summary>
    public int Capacity => _infos.Length;

    /// <summary>Bytes a slot takes behind its headroom.</summary>
    public int Room => _stride - Headroom;

    /// <summary>Slots in use now: 0 to Count - 1.</summary>
    public int Count { get; set; }

    /// <summary>What is in slot <paramref name="index"/>: a frame, or an aggregate when its SegmentSize isn't 0.</summary>
    public Frame this[int index] => new(_memory.AsSpan(index * _stride, _stride), ref _infos[index]);

    /// <summary>The writable room of a slot, behind its headroom: where a receiving queue puts bytes.</summary>
    /// <param name="index">The slot, 0 to <see cref="Capacity"/> - 1.</param>
    public Span<byte> RoomOf(int index) => RoomOf(index, front: 0);

    /// <summary>The same with the last <paramref name="front"/> bytes of the headroom in front of it, for what comes along with a frame.</summary>
    /// <param name="index">The slot, 0 to <see cref="Capacity"/> - 1.</param>
    /// <param name="front">Bytes, 0 to <see cref="Headroom"/>.</param>
    public Span<byte> RoomOf(int index, int front) => _memory.AsSpan(index * _stride + Headroom - front, Room + front);

    /// <summary>Resets slot <paramref name="index"/> to a plain frame of <paramref name="length"/> bytes at the start of its room.</summary>
    public ref FrameInfo Reset(int index, int length)
    {
        ref FrameInfo info = ref _infos[index];
        info = default;
        info.Offset = Headroom;
        info.Length = length;
        return ref info;
    }

    /// <summary>Copies <paramref name="bytes"/> into the next free slot; for tests and generators. False when the batch is full or the frame too long.</summary>
    public bool TryAdd(ReadOnlySpan<byte> bytes)
    {
        if (Count == Capacity || bytes.Length > Room)
            return false;
        bytes.CopyTo(RoomOf(Count));
        Reset(Count++, bytes.Length);
        return true;
    }

    /// <summary>Walks the frames, those of aggregates one by one. A frame is valid until the next step.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>What is said about slot <paramref name="index"/> can be: a frame within it, with room for a VXLAN header in front.</summary>
    internal bool IsWithin(int index, bool takesAggregates)
    {
        ref readonly FrameInfo info = ref _infos[index];
        bool isAggregateRight = info.SegmentSize == 0 || (takesAggregates && info.SegmentSize > 0);
        return isAggregateRight && info.Offset >= VxlanSize && info.Length >= 0 && (long)info.Offset + info.Length <= _stride;
    }

    /// <summary>Piece of an aggregate, without headroom: what stands in front of it is another frame.</summary>
    private Frame Segment(int index, int rest, int length)
    {
        ref readonly FrameInfo whole = ref _infos[index];
        int start = whole.Offset + whole.Length - rest - length;
        return new Frame(_memory.AsSpan(index * _stride + start, length), ref _scratch[0]);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int DescribeSegment(int index, int rest)
    {
        ref FrameInfo segment = ref _scratch[0];
        segment = _infos[index];
        segment.Length = Math.Min(segment.SegmentSize, rest);
        segment.SegmentSize = 0;
        segment.IsRead = false;
        segment.Offset = 0;
        return segment.Length;
    }

    /// <summary>Walks the frames of a batch.</summary>
    public struct Enumerator
    {
        private readonly FrameBatch _batch;
        private int _slot = -1;
        private int _length; // of a segment; 0: the slot is a frame
        private int _rest;   // of the slot, behind the segment

        internal Enumerator(FrameBatch batch) => _batch = batch;

        /// <summary>The frame <see cref="MoveNext"/> came to.</summary>
        public readonly Frame Current => _length == 0 ? _batch[_slot] : _batch.Segment(_slot, _rest, _length);

        /// <summary>Goes on to the next frame; false at the end.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool MoveNext()
        {
            if (_rest == 0)
            {
                _length = 0;
                if (++_slot >= _batch.Count)
                    return false;
                if (_batch._infos[_slot].SegmentSize == 0)
                    return true;
                _rest = _batch._infos[_slot].Length;
            }

            _length = _batch.DescribeSegment(_slot, _rest);
            _rest -= _length;
            return true;
        }
    }
}
