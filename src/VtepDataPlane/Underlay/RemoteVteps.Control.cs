// RemoteVteps, the control loop's part: configured VTEPs, expiry of learned ones, reclaiming, and the walk for show.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Underlay;

internal sealed partial class RemoteVteps
{
    /// <summary>One more use of a configured VTEP: the same endpoint has the same id. A learned one becomes configured and keeps its id.</summary>
    /// <returns>The id, or 0 when the table is full.</returns>
    public int Acquire(in VtepEndpoint endpoint)
    {
        int id = Find(endpoint.Address, endpoint.Port);
        if (id == 0)
            id = Insert(endpoint, Never, out _);
        if (id == 0)
            return 0;
        // a worker that is just admitting it returns its share of the limit itself
        if (!IsIn(id, Phase.Static) && !TryChange(id, Phase.Claimed, Phase.Static) && TryChange(id, Phase.Learned, Phase.Static))
        {
            Interlocked.Decrement(ref _learned);
            _slots[id].WasLearned = true;
        }

        _slots[id].References++;
        return id;
    }

    /// <summary>One use less.</summary>
    /// <returns>True when it was the last: the VTEP isn't found any more, and the id is to be reclaimed.</returns>
    /// <exception cref="InvalidOperationException">The id isn't in use by configuration.</exception>
    public bool Release(int id)
    {
        if (!IsIn(id, Phase.Static))
            throw new InvalidOperationException($"Remote VTEP {id} is released more often than it was acquired.");
        if (--_slots[id].References > 0 || IsLearnedAgain(id))
            return false;
        TryChange(id, Phase.Static, Phase.StaticGone);
        TakeOutOfIndex(id);
        return true;
    }

    // It had been heard before it was configured, and its entries are still good: it goes on as a learned one, if there is room.
    private bool IsLearnedAgain(int id)
    {
        bool wasLearned = _slots[id].WasLearned;
        _slots[id].WasLearned = false;
        if (!wasLearned)
            return false;
        if (Interlocked.Increment(ref _learned) <= LearnedLimit && TryChange(id, Phase.Static, Phase.Learned))
            return true;
        Interlocked.Decrement(ref _learned);
        return false;
    }

    /// <summary>Makes learned VTEPs idle for <paramref name="ageingSeconds"/> unfindable. Their ids are to be reclaimed.</summary>
    /// <param name="nowSeconds">The clock given to TryAdmit and Touch.</param>
    /// <param name="ageingSeconds">0: never.</param>
    /// <param name="expired">Receives the ids; further ones wait for the next call.</param>
    /// <returns>How many.</returns>
    public int Expire(uint nowSeconds, uint ageingSeconds, Span<int> expired)
    {
        int count = 0;
        for (int id = 1; id <= Capacity && count < expired.Length && ageingSeconds != 0; id++)
        {
            // signed: a worker's clock may be read a moment later than ours
            int idle = (int)(nowSeconds - (uint)Volatile.Read(ref _slots[id].LastSeen));
            if (idle < 0 || (uint)idle < ageingSeconds || !TryChange(id, Phase.Learned, Phase.LearnedGone))
                continue;
            TakeOutOfIndex(id);
            expired[count++] = id;
        }
        return count;
    }

    /// <summary>Frees the slot of an id that was released for the last time or expired, after every worker has left its batch and FDB
    /// entries to the id were flushed.</summary>
    /// <exception cref="InvalidOperationException">The id is in use or free.</exception>
    public void Reclaim(int id)
    {
        if (TryChange(id, Phase.LearnedGone, Phase.Free))
            Interlocked.Decrement(ref _learned);
        else if (!TryChange(id, Phase.StaticGone, Phase.Free))
            throw new InvalidOperationException($"Remote VTEP {id} is reclaimed but was neither released nor expired.");
    }

    /// <summary>Another number each time the slot of that id is given to a VTEP: a reader that sees the same twice has seen one VTEP.</summary>
    public int GenerationOf(int id) => Volatile.Read(ref _states[id]) >> 3;

    /// <summary>Walks the VTEPs in use by id; those admitted meanwhile may or may not be seen. Any thread. Allocates nothing.</summary>
    public Enumerator GetEnumerator() => new(this);

    private void TakeOutOfIndex(int id)
    {
        int[] index = _index;
        ref readonly VtepEndpoint endpoint = ref _slots[id].Endpoint;
        int start = StartOf(endpoint.Address, endpoint.Port);
        for (int step = 0; step < ProbeBound; step++)
        {
            ref int cell = ref index[(start + step) & (index.Length - 1)];
            if (cell != id)
                continue;
            // a full fence: the caller goes on to read how far the workers are
            Interlocked.Exchange(ref cell, Tombstone);
            if (++_tombstones > index.Length / 4 || step >= LongWalk)
                ReplaceIndex();
            return;
        }
    }

    /// <summary>Seals the index so that nothing is inserted any more, copies its ids into a new one and publishes that.</summary>
    private void ReplaceIndex()
    {
        int[] next = NewIndex();
        for (int i = 0; i < _index.Length; i++)
        {
            int id = Interlocked.CompareExchange(ref _index[i], Sealed, Empty);
            if (id > 0)
                PutInto(next, id, _slots[id].Endpoint);
        }
        _tombstones = 0;
        Volatile.Write(ref _index, next);
    }

    /// <summary>Walks the slots. Any thread.</summary>
    public struct Enumerator
    {
        private readonly RemoteVteps _vteps;
        private int _id;

        internal Enumerator(RemoteVteps vteps) => _vteps = vteps;

        /// <summary>The VTEP <see cref="MoveNext"/> came to.</summary>
        public RemoteVtep Current { get; private set; }

        /// <summary>Goes on to the next VTEP; false at the end.</summary>
        public bool MoveNext()
        {
            while (++_id <= _vteps.Capacity)
            {
                if (!_vteps.TryRead(_id, out RemoteVtep vtep))
                    continue;
                Current = vtep;
                return true;
            }
            return false;
        }
    }

    private bool TryRead(int id, out RemoteVtep vtep)
    {
        int state = Volatile.Read(ref _states[id]);
        ref Slot slot = ref _slots[id];
        long lastSeen = Volatile.Read(ref slot.LastSeen);
        RemotePath path = PathOf(id);
        vtep = new RemoteVtep(
            id, slot.Endpoint, PhaseOf(state) == Phase.Static, lastSeen == Never ? null : (uint)lastSeen, path.Mtu, path.State);
        Interlocked.MemoryBarrier();
        return PhaseOf(state) is Phase.Learned or Phase.Static && Volatile.Read(ref _states[id]) == state;
    }
}
