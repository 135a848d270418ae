// How one thread hands records to another without waiting for it: one writer, one reader, a fixed size. A record is a value of T and,
// with it, some bytes (a frame's); both lie in arrays made once, so writing allocates nothing. A writer that finds no room loses the
// record and counts it: who reads slowly loses records and holds nobody up.
//
//   entries   | read | ready to be read ... | staged ... | free
//                tail                   head         next          (counts that only grow; the place is the count modulo the size)
//
// Writing is in two steps. TryStage takes room; what was staged may be changed until Commit publishes all of it at once. So a lane notes a
// frame when it hands it to a queue, and corrects the note when the queue, in its flush, turns out to have dropped the frame.
//
// Bytes of a record lie together: what doesn't fit before the end of the array starts over at its beginning, the rest staying unused. So a
// record of up to half the array fits into an empty ring wherever its end happens to be; a longer one would fit at some places and never at
// others, and is always refused. Both sizes are powers of two, for a place is asked for with every record. Writer
// and reader each keep a copy of the other's count and read it anew only when the copy says full or empty, so that the line both write to
// doesn't go back and forth with every record.

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace VtepDataPlane.Frames;

/// <summary>
/// A bounded ring of records, for one writing and one reading thread. The writer's members are <see cref="TryStage"/>, the indexer,
/// <see cref="Commit"/>, <see cref="Discard"/> and <see cref="CountLost"/>; the reader's <see cref="TryRead"/> and <see cref="Release"/>; all others any thread may use.
/// </summary>
/// <typeparam name="T">What is kept of a record besides its bytes.</typeparam>
public sealed class RecordRing<T>
    where T : struct
{
    /// <summary>The most records, and the most bytes, a ring may be asked to hold.</summary>
    public const int MaxSize = 1 << 30;

    private readonly Entry[] _entries;
    private readonly byte[] _bytes;
    private readonly int _entryMask;
    private readonly int _byteMask;
    private readonly int _longest;
    private RingWriter _writer;
    private RingReader _reader;

    /// <summary>A ring.</summary>
    /// <param name="records">Records it holds, 1 or more; rounded up to a power of two.</param>
    /// <param name="bytes">Bytes it holds, 0 or more; rounded up to a power of two. The longest record has half of them.</param>
    /// <exception cref="ArgumentOutOfRangeException">One of them is less, or more than <see cref="MaxSize"/>.</exception>
    public RecordRing(int records, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(records, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(records, MaxSize);
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, MaxSize);
        _entries = new Entry[BitOperations.RoundUpToPowerOf2((uint)records)];
        _entryMask = _entries.Length - 1;
        _bytes = bytes == 0 ? [] : GC.AllocateUninitializedArray<byte>((int)BitOperations.RoundUpToPowerOf2((uint)bytes));
        _byteMask = Math.Max(_bytes.Length - 1, 0);
        _longest = _bytes.Length / 2;
    }

    /// <summary>Bytes of the longest record it takes.</summary>
    public int LongestRecord => _longest;

    /// <summary>Records lost for want of room.</summary>
    public long Lost => Volatile.Read(ref _writer.Lost);

    /// <summary>Records committed since the ring was made.</summary>
    public long Committed => Volatile.Read(ref _writer.Head);

    /// <summary>Nothing committed waits to be read, and what was read is released.</summary>
    public bool IsEmpty => Volatile.Read(ref _writer.Head) == Volatile.Read(ref _reader.Tail);

    /// <summary>Writer: a staged record, until <see cref="Commit"/>.</summary>
    /// <param name="slot">What <see cref="TryStage"/> gave.</param>
    public ref T this[int slot] => ref _entries[slot].Value;

    /// <summary>Writer: there is room for a record of so many bytes now.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool HasRoom(int length) => (_writer.Next - _writer.TailSeen <= _entryMask && HasBytes(length)) || HasRoomNow(length);

    /// <summary>Writer: takes room for a record. False when there is none or the record is too long; it is counted as lost.</summary>
    /// <param name="length">Bytes that belong to it.</param>
    /// <param name="slot">Names the record until <see cref="Commit"/>.</param>
    /// <param name="bytes">Room for its bytes, to be filled before <see cref="Commit"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryStage(int length, out int slot, out Span<byte> bytes)
    {
        slot = (int)_writer.Next & _entryMask;
        bytes = default;
        if (!HasRoom(length))
        {
            CountLost();
            return false;
        }

        long start = StartOf(length);
        ref Entry entry = ref _entries[slot];
        entry.Length = length;
        entry.Start = (int)start & _byteMask;
        entry.End = _writer.NextByte = start + length;
        entry.Value = default;
        _writer.Next++;
        bytes = _bytes.AsSpan(entry.Start, length);
        return true;
    }

    /// <summary>Writer: what was staged can be read from now on.</summary>
    public void Commit()
    {
        _writer.HeadByte = _writer.NextByte;
        Volatile.Write(ref _writer.Head, _writer.Next);
    }

    /// <summary>Writer: what was staged since the last <see cref="Commit"/> was never there.</summary>
    public void Discard()
    {
        _writer.NextByte = _writer.HeadByte;
        _writer.Next = _writer.Head;
    }

    /// <summary>Writer: a record is lost that wasn't even tried.</summary>
    public void CountLost() => Volatile.Write(ref _writer.Lost, _writer.Lost + 1);

    /// <summary>Reader: the next record; false when none is ready. Its bytes are good until <see cref="Release"/>.</summary>
    /// <param name="record">What was kept of it; default when the answer is false.</param>
    /// <param name="bytes">Its bytes, in the ring's own memory; empty when the answer is false.</param>
    public bool TryRead(out T record, out ReadOnlySpan<byte> bytes)
    {
        if (_reader.Next == _reader.HeadSeen)
            _reader.HeadSeen = Volatile.Read(ref _writer.Head);
        if (_reader.Next == _reader.HeadSeen)
        {
            record = default;
            bytes = default;
            return false;
        }

        ref Entry entry = ref _entries[(int)_reader.Next & _entryMask];
        record = entry.Value;
        bytes = _bytes.AsSpan(entry.Start, entry.Length);
        _reader.NextByte = entry.End;
        _reader.Next++;
        if (RuntimeHelpers.IsReferenceOrContainsReferences<T>())
            entry.Value = default; // what it names must not be kept alive by a ring nobody writes to
        return true;
    }

    /// <summary>Reader: the room of all records read is free again.</summary>
    public void Release()
    {
        Volatile.Write(ref _reader.ByteTail, _reader.NextByte);
        Volatile.Write(ref _reader.Tail, _reader.Next);
    }

    // where the bytes of the next record would start, skipping an end of the array that is too short
    private long StartOf(int length)
    {
        long next = _writer.NextByte;
        int place = (int)next & _byteMask;
        return place + length <= _bytes.Length ? next : next + _bytes.Length - place;
    }

    private bool HasBytes(int length) => length <= _longest && StartOf(length) + length - _writer.ByteTailSeen <= _bytes.Length;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool HasRoomNow(int length)
    {
        _writer.TailSeen = Volatile.Read(ref _reader.Tail);
        _writer.ByteTailSeen = Volatile.Read(ref _reader.ByteTail);
        return _writer.Next - _writer.TailSeen <= _entryMask && HasBytes(length);
    }

    private struct Entry
    {
        public T Value;
        public int Start;
        public int Length;
        public long End;
    }
}

// Each side's fields on cache lines of their own. They stand outside of the ring's class: the runtime lays no generic type out explicitly.
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct RingWriter
{
    [FieldOffset(64)]
    public long Head;
    [FieldOffset(72)]
    public long Next;
    [FieldOffset(80)]
    public long NextByte;
    [FieldOffset(88)]
    public long TailSeen;
    [FieldOffset(96)]
    public long ByteTailSeen;
    [FieldOffset(104)]
    public long HeadByte;
    [FieldOffset(112)]
    public long Lost;
}

[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct RingReader
{
    [FieldOffset(64)]
    public long Tail;
    [FieldOffset(72)]
    public long ByteTail;
    [FieldOffset(80)]
    public long Next;
    [FieldOffset(88)]
    public long NextByte;
    [FieldOffset(96)]
    public long HeadSeen;
}
