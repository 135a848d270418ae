// What the TAP queues of one lane share when they write. A lane flushes its ports one after the other, so one Coalescer and one list of pieces serve
// them all, and the notes of frames to be written come from one pool: a quiet port has none, so ten thousand of them cost nothing here.
//
// A queue's notes are a list, linked by index. The pool grows with use, to a size at which a queue rather flushes what it has; only a
// flood to more ports than that makes it grow further, to a note a port. Everything else is allocated once. What the kernel reads lies in
// pinned memory. Belongs to the lane's worker.

using Tmds.Linux;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Interop;
using VtepDataPlane.Offload;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Tap;

/// <summary>What the TAP queues of one lane write with.</summary>
internal sealed unsafe class TapLane
{
    /// <summary>Frames a queue may note before it must flush: several full receive slots of coalesced datagrams.</summary>
    public const int NotesOfAQueue = 512;

    /// <summary>Notes at which the pool stops growing as long as anything can be flushed instead; 72 bytes each.</summary>
    private const int EnoughNotes = 8192;

    private const int FirstNotes = 64;
    private const int None = -1;

    // the virtio header, the headers of a super-frame, and the payload of each of its frames
    private const int MaxPieces = 2 + Coalescer.MaxFrames;

    private readonly iovec[] _pieces = GC.AllocateArray<iovec>(MaxPieces, pinned: true);
    private readonly byte[] _virtioHeader = GC.AllocateArray<byte>(VirtioNetHeader.Size, pinned: true);
    private TapNote[] _notes = [];
    private int _free = None;

    /// <summary>Groups what a queue has noted; to be begun anew for each flush.</summary>
    public Coalescer Coalescer { get; } = new(NotesOfAQueue);

    /// <summary>The notes of the queue being flushed, by the numbers the Coalescer knows the frames by.</summary>
    public int[] Order { get; } = new int[NotesOfAQueue];

    /// <summary>Who has notes should flush rather than take another one.</summary>
    public bool IsCrowded => _free == None && _notes.Length >= EnoughNotes;

    /// <summary>A note.</summary>
    public ref TapNote this[int note] => ref _notes[note];

    /// <summary>Takes a note from the pool.</summary>
    public int Take()
    {
        if (_free == None)
            Grow();
        int note = _free;
        _free = _notes[note].Next;
        return note;
    }

    /// <summary>Gives a list of notes back.</summary>
    public void Return(int first, int last)
    {
        _notes[last].Next = _free;
        _free = first;
    }

    /// <summary>Pieces of the next write, in pinned memory. The first is the virtio header.</summary>
    public iovec* Pieces => Pinned.Address(_pieces);

    /// <summary>How many.</summary>
    public int PieceCount { get; private set; }

    /// <summary>Begins a write with its virtio header.</summary>
    public void Begin(in OffloadInfo offload)
    {
        VirtioNetHeader.Write(_virtioHeader, offload);
        PieceCount = 0;

        // The array is pinned and lives as long as this object.
        Add(Pinned.Address(_virtioHeader), VirtioNetHeader.Size);
    }

    /// <summary>Lists a further piece; the caller sees to it that the bytes stay where they are until they are written.</summary>
    public void Add(byte* bytes, int length) => _pieces[PieceCount++] = new iovec { iov_base = bytes, iov_len = length };

    private void Grow()
    {
        int first = _notes.Length;
        Array.Resize(ref _notes, Math.Max(FirstNotes, 2 * first));
        for (int note = first; note < _notes.Length - 1; note++)
            _notes[note].Next = note + 1;
        Return(first, _notes.Length - 1);
    }
}

/// <summary>A frame to be written.</summary>
internal unsafe struct TapNote
{
    /// <summary>Its bytes, pinned and borrowed until the queue's Flush returns.</summary>
    public byte* Bytes;

    /// <summary>How many.</summary>
    public int Length;

    /// <summary>The note behind it in the list; for the last one of a queue nothing to rely on.</summary>
    public int Next;

    /// <summary>Its metadata.</summary>
    public OffloadInfo Offload;

    /// <summary>What the forwarder read in it.</summary>
    public FrameHeaders Headers;

    /// <summary>The frame's <see cref="FrameInfo.Ticket"/>.</summary>
    public int Ticket;
}
