// RemoteVteps: the VTEPs we know, numbered 1 to capacity. The numbers are what FDB entries and flood lists hold. Configured
// VTEPs are acquired and released by the control loop, counted by their uses; in multicast domains workers admit the source of a
// first datagram on the spot, bounded in number, and those age out. Workers find and admit while the control loop changes
// things; nobody waits. This file: finding and admitting. RemoteVteps.Slots.cs: claiming slots and the index.
// RemoteVteps.Control.cs: the control loop's part.
//
// A slot's phases; each change is a CAS, so one thread wins it:
//   Free -> Claimed              anybody; from here on the endpoint is written by the claimer only
//   Claimed -> Free              the claimer found that somebody else has put the same endpoint into the index: nobody saw the slot
//   Claimed -> Learned           the claiming worker, once the id is in the index
//   Claimed, Learned -> Static   Acquire
//   Static -> Learned            last Release of one that had been learned before it was acquired
//   Learned -> LearnedGone       Expire        } the id is taken out of the index: not found any more, but
//   Static -> StaticGone         last Release  } workers in a batch and FDB entries still hold it, and the endpoint stays valid
//   LearnedGone, StaticGone -> Free   Reclaim, after every worker has left its batch and FDB entries to the id were flushed
//
// The index is an open-addressed array of ids: 0 empty, -1 a tombstone, -2 sealed. A cell goes 0 -> id -> -1 and never back,
// and everybody walks the cells of an endpoint in the same order from the same start.
//
// Why no race does harm:
// * Two workers admit one endpoint: both try the first empty cell of the same walk. The loser of the CAS reads the winner's id there,
//   frees its own slot, which nobody has seen, and uses the winner's. Cells before the winner's never become empty again, so nobody can
//   insert the endpoint in front of it.
// * An id read from the index stays valid for the batch: its slot is reused only after Reclaim, and that is called when all batches which
//   could have read it have ended. So an endpoint is never compared or used while it is being written. (Who waits for batches to end needs
//   a full fence where a worker says that it begins one; otherwise a worker's first reads may come before its word is seen.)
// * Acquire finds a VTEP a worker is just admitting (Claimed): it makes it Static; the worker's step to Learned then fails, and it returns its
//   share of the limit. Otherwise Acquire does that.
// * A datagram arrives while its VTEP expires: the worker may still learn to the id until its batch ends; the flush before Reclaim
//   comes later.
// * The control loop replaces the index when tombstones fill a quarter of it or make one walk long. It first seals every empty cell by CAS, so nothing can be
//   inserted behind its back, then copies, then publishes the copy. A worker that meets a sealed cell while admitting looks whether there
//   is a new index and otherwise declines: that one datagram is dropped. Finding goes on undisturbed.
// * Learned VTEPs count against the limit from before the claim until Reclaim, so they never take slots meant for configured ones.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Underlay;

/// <summary>The table of remote VTEPs. TryAdmit, Find, Touch and the properties of an id: any thread. The rest: the control loop only.</summary>
internal sealed partial class RemoteVteps
{
    /// <summary>Makes a table for <paramref name="capacity"/> VTEPs, <paramref name="learnedLimit"/> of which at most may be learned.</summary>
    /// <param name="capacity">Configured and learned ones together, 1 to 2^20.</param>
    /// <param name="learnedLimit">0 to <paramref name="capacity"/>.</param>
    /// <param name="seed">Random bits, secret from those who choose source addresses.</param>
    public RemoteVteps(int capacity, int learnedLimit, UInt128 seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, MaxCapacity);
        ArgumentOutOfRangeException.ThrowIfNegative(learnedLimit);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(learnedLimit, capacity);
        Capacity = capacity;
        LearnedLimit = learnedLimit;
        _seedLow = (ulong)seed ^ 0x9E37_79B9_7F4A_7C15;
        _seedHigh = (ulong)(seed >> 64) ^ 0xC2B2_AE3D_27D4_EB4F;
        _states = new int[capacity + 1];
        _slots = new Slot[capacity + 1];
        _index = NewIndex();
    }

    /// <summary>VTEPs the table has room for; ids are 1 to this.</summary>
    public int Capacity { get; }

    /// <summary>How many of them may be learned.</summary>
    public int LearnedLimit { get; }

    /// <summary>Learned VTEPs, those being admitted and those not yet reclaimed included.</summary>
    public int LearnedCount => Volatile.Read(ref _learned);

    /// <summary>The id of a VTEP, configured or learned; 0 when unknown.</summary>
    public int Find(in InetAddress address, ushort port)
    {
        int[] index = Volatile.Read(ref _index);
        int start = StartOf(address, port);
        for (int step = 0; step < ProbeBound; step++)
        {
            int id = Volatile.Read(ref index[(start + step) & (index.Length - 1)]);
            if (id is Empty or Sealed)
                return 0;
            if (id > 0 && IsAt(id, address, port))
                return id;
        }
        return 0;
    }

    /// <summary>Worker: the id of the VTEP a datagram came from, and notes its time; a new one is admitted as learned.</summary>
    /// <param name="source">Outer source, unicast.</param>
    /// <param name="port">The UDP port this VTEP is sent to: not the datagram's source port.</param>
    /// <param name="nowSeconds">The clock, in seconds.</param>
    /// <param name="id">Valid until the batch ends, and in FDB entries.</param>
    /// <returns>False when the limit of learned VTEPs is reached, or while the index is being replaced.</returns>
    public bool TryAdmit(in InetAddress source, ushort port, uint nowSeconds, out int id)
    {
        id = Find(source, port);
        if (id == 0)
            id = Admit(new VtepEndpoint(source, port), nowSeconds);
        if (id == 0)
            return false;
        Touch(id, nowSeconds);
        return true;
    }

    /// <summary>Worker: a datagram was received from it. Writes at most once a second.</summary>
    public void Touch(int id, uint nowSeconds)
    {
        ref long lastSeen = ref _slots[id].LastSeen;
        long seen = Volatile.Read(ref lastSeen);
        // another worker's clock may be read a moment later than ours: never set the time back
        if (seen == Never || (int)(nowSeconds - (uint)seen) > 0)
            Volatile.Write(ref lastSeen, nowSeconds);
    }

    /// <summary>Address and port of an id got from Acquire, TryAdmit, Find or the FDB.</summary>
    public ref readonly VtepEndpoint EndpointOf(int id) => ref _slots[id].Endpoint;

    /// <summary>What is known about the way to it, read at once.</summary>
    public RemotePath PathOf(int id) => new(Volatile.Read(ref _slots[id].Path));

    /// <summary>Control loop: what routes say about the way to it.</summary>
    public void SetPath(int id, int mtu, PathState state) =>
        Volatile.Write(ref _slots[id].Path, new RemotePath(mtu, state).Packed);

    private int Admit(in VtepEndpoint endpoint, uint nowSeconds)
    {
        if (LearnedCount >= LearnedLimit)
            return 0;
        if (Interlocked.Increment(ref _learned) <= LearnedLimit)
        {
            int id = Insert(endpoint, nowSeconds, out bool isNew);
            if (isNew && TryChange(id, Phase.Claimed, Phase.Learned))
                return id;
            Interlocked.Decrement(ref _learned);
            return id;
        }
        Interlocked.Decrement(ref _learned);
        return 0;
    }
}
