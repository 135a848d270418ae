// RemoteVteps, the slots and the index (see RemoteVteps.cs for the phases and why they are safe together).

using System.Numerics;
using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Underlay;

internal sealed partial class RemoteVteps
{
    private const int MaxCapacity = 1 << 20;

    /// <summary>
    /// Cells an operation looks at, at most. The index has at least 8 cells for each VTEP and at most a quarter of it are tombstones, so
    /// at most a = 3/8 of it is taken; the longest run expected in n cells is then ln(n) / (a - 1 - ln(a)): 45 for the largest index.
    /// </summary>
    private const int ProbeBound = 64;

    /// <summary>
    /// An id this far from the start of its walk makes the index be replaced when it goes: one VTEP that comes and goes many times leaves
    /// all its tombstones in one walk, and would find no cell after <see cref="ProbeBound"/> times.
    /// </summary>
    private const int LongWalk = 16;

    private const int CellsPerVtep = 8;

    // cells of the index that are no id
    private const int Empty = 0;
    private const int Tombstone = -1;
    private const int Sealed = -2;

    private const long Never = -1;

    private readonly ulong _seedLow;
    private readonly ulong _seedHigh;
    private readonly int[] _states;
    private readonly Slot[] _slots;
    private int[] _index;
    private int _tombstones;
    private int _learned;
    private int _searchFrom;

    private enum Phase
    {
        Free,
        Claimed,
        Learned,
        Static,
        LearnedGone,
        StaticGone,
    }

    private struct Slot
    {
        public VtepEndpoint Endpoint;
        public long LastSeen;
        public long Path;
        public int References;
        public bool WasLearned; // before it was configured; control loop only
    }

    // A state is phase (3 bits) and, above it, how often the slot was claimed: a reader that sees the same state twice has seen one VTEP.
    private static Phase PhaseOf(int state) => (Phase)(state & 7);

    private static int With(int state, Phase phase) => (state & ~7) | (int)phase;

    private bool IsIn(int id, Phase phase) => PhaseOf(Volatile.Read(ref _states[id])) == phase;

    private bool TryChange(int id, Phase from, Phase to)
    {
        int state = Volatile.Read(ref _states[id]);
        return PhaseOf(state) == from && Interlocked.CompareExchange(ref _states[id], With(state, to), state) == state;
    }

    private bool IsAt(int id, in InetAddress address, ushort port)
    {
        ref readonly VtepEndpoint endpoint = ref _slots[id].Endpoint;
        return endpoint.Port == port && endpoint.Address == address;
    }

    private int[] NewIndex() => new int[(int)BitOperations.RoundUpToPowerOf2((uint)(Capacity * CellsPerVtep))];

    /// <summary>Where the walk for an endpoint starts, before it is cut to the index's size.</summary>
    private int StartOf(in InetAddress address, ushort port)
    {
        ulong hash = FoldedProduct.Of(address.Low ^ _seedLow, 0xA076_1D64_78BD_642F);
        hash = FoldedProduct.Of(hash ^ address.High ^ _seedHigh, 0xE703_7ED1_A0B4_28DB);
        hash = FoldedProduct.Of(hash ^ port ^ ((ulong)address.Version << 16), 0x8EBC_6AF0_9C88_C6E3);
        return (int)(hash >> 33);
    }

    /// <summary>Claims a slot for an endpoint and puts it into the index.</summary>
    /// <returns>The new id, in phase Claimed; or the id somebody else gave the endpoint; or 0 when there is no room (now).</returns>
    private int Insert(in VtepEndpoint endpoint, long lastSeen, out bool isNew)
    {
        isNew = false;
        int claimed = Claim(endpoint, lastSeen);
        if (claimed == 0)
            return 0;
        int winner = PutIntoIndex(claimed, endpoint);
        isNew = winner == claimed;
        if (!isNew)
            TryChange(claimed, Phase.Claimed, Phase.Free);
        return winner;
    }

    /// <summary>Claims any free slot, looking from where the last one was found. 0: there is none.</summary>
    private int Claim(in VtepEndpoint endpoint, long lastSeen)
    {
        int from = Volatile.Read(ref _searchFrom);
        for (int i = 0; i < Capacity; i++)
        {
            int id = (from + i) % Capacity + 1;
            int state = Volatile.Read(ref _states[id]);
            if (PhaseOf(state) != Phase.Free
                || Interlocked.CompareExchange(ref _states[id], With(state + 8, Phase.Claimed), state) != state)
                continue;
            _slots[id] = new Slot { Endpoint = endpoint, LastSeen = lastSeen };
            Volatile.Write(ref _searchFrom, id % Capacity);
            return id;
        }
        return 0;
    }

    /// <summary>Publishes an id. Returns it; or the id that was there for the same endpoint; or 0: sealed, or no cell within the bound.</summary>
    private int PutIntoIndex(int id, in VtepEndpoint endpoint)
    {
        int[] index = Volatile.Read(ref _index);
        while (true)
        {
            int result = PutInto(index, id, endpoint);
            int[] current = Volatile.Read(ref _index);
            if (result != Sealed)
                return result;
            if (current == index)
                return 0;
            index = current;
        }
    }

    private int PutInto(int[] index, int id, in VtepEndpoint endpoint)
    {
        int start = StartOf(endpoint.Address, endpoint.Port);
        for (int step = 0; step < ProbeBound; step++)
        {
            ref int cell = ref index[(start + step) & (index.Length - 1)];
            int holder = Volatile.Read(ref cell);
            if (holder == Empty)
                holder = Interlocked.CompareExchange(ref cell, id, Empty);
            if (holder == Empty)
                return id;
            if (holder == Sealed)
                return Sealed;
            if (holder > 0 && IsAt(holder, endpoint.Address, endpoint.Port))
                return holder;
        }
        return 0;
    }
}
