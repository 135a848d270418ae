// What a lane has asked the controller for, and the frames that wait for the answers. A key (a station or an address nobody knows) is
//
//   unknown  --TryAdd-->  pending  --Answer: found, no answer-->  unknown
//                            \-----Answer: not found--------->  known not found  --until its time is over, or its place is needed-->  unknown
//
// and a pending key has up to 8 frames, in the order in which they came. Frames are copies in slots of their own: the batch they came in is used again
// at once. Everything is bounded and made before the first question; a frame that finds no room is the caller's to deal with. Slots are as large as the largest frame,
// but what no frame was ever put into costs no memory, and the slot freed last is the first to be used again.
//
// Keys are found by a keyed hash in chains, so nobody can choose MACs that meet in one. What is known not to be found gives way to new questions, never
// the other way round: MACs made up at random push out what was remembered of others like them, and cost no more than the token buckets allow.
//
// One thread, the lane's; IsPending may be read by any.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>What is known about a key.</summary>
internal enum KeyState : byte
{
    /// <summary>Nothing: it can be asked for.</summary>
    Unknown,

    /// <summary>It was asked for.</summary>
    Pending,

    /// <summary>The controller doesn't know it, and need not be asked again yet.</summary>
    NotFound,
}

/// <summary>Pending questions of one lane, with their frames, and recent answers that nobody knows.</summary>
internal sealed class HeldFrames
{
    /// <summary>Keys pending or known not to be found.</summary>
    public const int KeyCapacity = 512;

    /// <summary>Frames in all.</summary>
    public const int FrameCapacity = 256;

    /// <summary>Frames that wait for one key.</summary>
    public const int FramesPerKey = 8;

    /// <summary>After so long no answer will come: longer than any question may take (<c>LookupTimeout</c>), milliseconds.</summary>
    public const long LongestWait = 6_000;

    /// <summary>No key, no frame.</summary>
    public const int None = -1;

    private const long SweepPause = 1_000;

    private readonly ulong _seedLow;
    private readonly ulong _seedHigh;
    private readonly int[] _chains;
    private readonly Key[] _keys;
    private readonly Link[] _links;
    private FrameBatch? _frames;
    private int _freeKey;
    private int _freeFrame;
    private int _pending;
    private int _hand;
    private long _sweptAt;

    /// <summary>Holds nothing yet.</summary>
    /// <param name="seed">Random bits, secret from those who choose MACs.</param>
    /// <param name="keys">Keys it has room for.</param>
    /// <param name="frames">Frames it has room for.</param>
    public HeldFrames(UInt128 seed, int keys = KeyCapacity, int frames = FrameCapacity)
    {
        _chains = new int[2 * keys];
        _keys = new Key[keys];
        _links = new Link[frames];
        _seedLow = (ulong)seed ^ 0x2545_F491_4F6C_DD1D;
        _seedHigh = (ulong)(seed >> 64) ^ 0x9FB2_1C65_1E98_DF25;
        Array.Fill(_chains, None);
        for (int key = 0; key < keys; key++)
            _keys[key].Next = key + 1 < keys ? key + 1 : None;
        for (int frame = 0; frame < frames; frame++)
            _links[frame].Next = frame + 1 < frames ? frame + 1 : None;
    }

    /// <summary>Why the frames that are being let go may not be held once more; None while none are.</summary>
    public DropReason Refusal { get; set; }

    /// <summary>Something was asked for and not answered yet. Any thread.</summary>
    public bool IsPending => Volatile.Read(ref _pending) > 0;

    /// <summary>A frame of another key can be held.</summary>
    public bool HasRoom => _freeFrame != None;

    /// <summary>
    /// Makes the room for frames, for a domain that asks is about to be: by the control loop, before lanes see the domain. Lanes that never hold a frame
    /// have no such room.
    /// </summary>
    public void Prepare() => _frames ??= new FrameBatch(_links.Length);

    /// <summary>What is known about a key now.</summary>
    public KeyState StateOf(in MissKey key, long nowMilliseconds)
    {
        int found = Find(key);
        if (found == None)
            return KeyState.Unknown;
        if (_keys[found].State == KeyState.NotFound && nowMilliseconds >= _keys[found].Time)
            Forget(found);
        return _keys[found].State;
    }

    /// <summary>An unknown key is going to be asked for; false when there are too many.</summary>
    public bool TryAdd(in MissKey key, long nowMilliseconds)
    {
        if (_freeKey == None && !TryForgetNotFound())
            return false;
        int added = _freeKey;
        _freeKey = _keys[added].Next;
        ref int chain = ref ChainOf(key);
        _keys[added] = new Key { Value = key, State = KeyState.Pending, Time = nowMilliseconds, Next = chain, First = None, Last = None };
        chain = added;
        Volatile.Write(ref _pending, _pending + 1);
        return true;
    }

    /// <summary>Takes a copy of a frame that waits for a pending key; false when there is no room.</summary>
    public bool TryHold(in MissKey key, in Frame frame, AccessPort port)
    {
        Prepare(); // nothing is left to be done, but for whoever uses this without a control loop
        ref Key pending = ref _keys[Find(key)];
        if (pending.Count == FramesPerKey || _freeFrame == None || frame.Length > _frames!.Room)
            return false;
        int held = _freeFrame;
        _freeFrame = _links[held].Next;
        Copy(frame, held);
        _links[held] = new Link { Port = port, Next = None };
        if (pending.Count++ == 0)
            pending.First = held;
        else
            _links[pending.Last].Next = held;
        pending.Last = held;
        return true;
    }

    /// <summary>A pending key was answered. Its frames are the caller's now: from the one returned to the last that <see cref="Release"/> returns.</summary>
    /// <param name="key">What was asked for. Nothing happens when it isn't pending (any more).</param>
    /// <param name="answer">What came of it.</param>
    /// <param name="notFoundUntil">Until when it is known not to be found.</param>
    /// <returns>The oldest frame, or <see cref="None"/>.</returns>
    public int Answer(in MissKey key, MissAnswer answer, long notFoundUntil)
    {
        int found = Find(key);
        if (found == None || _keys[found].State != KeyState.Pending)
            return None;
        ref Key answered = ref _keys[found];
        int first = answered.First;
        Volatile.Write(ref _pending, _pending - 1);
        if (answer == MissAnswer.NotFound)
            _keys[found] = new Key { Value = key, State = KeyState.NotFound, Time = notFoundUntil, Next = answered.Next, First = None, Last = None };
        else
            Forget(found);
        return first;
    }

    /// <summary>A held frame, until it is released.</summary>
    public Frame FrameAt(int held) => _frames![held];

    /// <summary>The port it came from.</summary>
    public AccessPort PortOf(int held) => _links[held].Port!;

    /// <summary>Gives a frame's slot back; its bytes stay as they are until another frame is held. Returns the key's next frame, or <see cref="None"/>.</summary>
    public int Release(int held)
    {
        int next = _links[held].Next;
        _links[held] = new Link { Next = _freeFrame }; // a closed port must not be kept alive by a frame that is gone
        _freeFrame = held;
        return next;
    }

    /// <summary>It is time to look for questions that were lost: about once a second while something is pending.</summary>
    public bool IsSweepDue(long nowMilliseconds) => _pending > 0 && nowMilliseconds - _sweptAt >= SweepPause;

    /// <summary>The next key, from number <paramref name="from"/> on, that has been pending for too long; <see cref="None"/> after the last.</summary>
    public int NextOverdue(int from, long nowMilliseconds)
    {
        _sweptAt = nowMilliseconds;
        for (int key = from; key < _keys.Length; key++)
        {
            if (_keys[key].State == KeyState.Pending && nowMilliseconds - _keys[key].Time >= LongestWait)
                return key;
        }

        return None;
    }

    /// <summary>The key of that number.</summary>
    public MissKey KeyAt(int key) => _keys[key].Value;

    private void Copy(in Frame frame, int held)
    {
        frame.Bytes.CopyTo(_frames!.RoomOf(held));
        ref FrameInfo info = ref _frames.Reset(held, frame.Length);
        int offset = info.Offset;
        info = frame.Info;
        info.Offset = offset;
        info.SegmentSize = 0;
    }

    // --- the table of keys ---

    private int Find(in MissKey key)
    {
        int found = ChainOf(key);
        while (found != None && _keys[found].Value != key)
            found = _keys[found].Next;
        return found;
    }

    private void Forget(int key)
    {
        ref int link = ref ChainOf(_keys[key].Value);
        while (link != key)
            link = ref _keys[link].Next;
        link = _keys[key].Next;
        _keys[key] = new Key { Next = _freeKey };
        _freeKey = key;
    }

    // Whichever comes next: all of them are worth the same, a question.
    private bool TryForgetNotFound()
    {
        if (_pending == _keys.Length)
            return false;
        while (_keys[_hand].State != KeyState.NotFound)
            _hand = (_hand + 1) % _keys.Length;
        Forget(_hand);
        return true;
    }

    private ref int ChainOf(in MissKey key)
    {
        ulong station = ((ulong)(uint)key.Domain << 48) | key.Mac.Value;
        ulong hash = FoldedProduct.Of(key.Address.High ^ _seedLow, key.Address.Low ^ _seedHigh);
        hash = FoldedProduct.Of(hash ^ station, _seedLow ^ _seedHigh ^ 0xE703_7ED1_A0B4_28DB);
        return ref _chains[(int)(hash % (ulong)_chains.Length)];
    }

    private struct Key
    {
        public MissKey Value;
        public KeyState State;
        public byte Count;
        public int Next;  // in its chain, or of those that are free
        public int First; // of its frames
        public int Last;
        public long Time; // pending since, or known not to be found until
    }

    private struct Link
    {
        public AccessPort? Port;
        public int Next; // frame of the same key, or of those that are free
    }
}
