// Fdb, the control loop's part: fixed entries, deletion, ageing and enumeration. One thread at a time calls these (enumeration
// excepted: any thread, any time); workers look up and learn meanwhile.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>What the control loop did to an entry.</summary>
/// <param name="Domain">Index of its domain.</param>
/// <param name="Mac">The station.</param>
/// <param name="From">What it said before; a miss: there was none.</param>
/// <param name="To">What it says now; a miss: there is none any more.</param>
/// <param name="IsAged">It went because it was idle.</param>
internal readonly record struct FdbWrite(int Domain, MacAddress Mac, FdbTarget From, FdbTarget To, bool IsAged = false);

internal sealed partial class Fdb
{
    private Action<FdbWrite>? _witness;

    /// <summary>Is told, by the control loop, what it does to entries; null: nobody. May be set by any thread.</summary>
    public Action<FdbWrite>? Witness
    {
        set => Volatile.Write(ref _witness, value);
    }

    /// <summary>Buckets of the table: what the cursor of <see cref="Age(ReadOnlySpan{uint}, uint, ref int, int)"/> runs through.</summary>
    public int Buckets => _buckets;

    /// <summary>The two buckets a MAC may be in, for tests and for whoever wonders why one isn't learned.</summary>
    public (int First, int Second) BucketsOf(int domain, MacAddress mac)
    {
        Probe probe = ProbeOf(domain, mac);
        return ((probe.First - _base) / BucketWords, (probe.Second - _base) / BucketWords);
    }

    /// <summary>
    /// Adds an entry that doesn't age. Learned ones and a directory's give way to it; static ones give way to static ones when
    /// <paramref name="replace"/> is set, and never to a directory's. An own MAC replaces everything and is replaced by nothing but another own MAC.
    /// A directory's entry for the place that was known before takes over when the station was last seen there.
    /// </summary>
    /// <exception cref="ArgumentException">The MAC is zero, or the kind is none or a learned one.</exception>
    public FdbAddResult TryAdd(int domain, MacAddress mac, FdbTarget target, bool replace)
    {
        if (mac.IsZero)
            throw new ArgumentException("The all-zeros MAC is no entry of the table.", nameof(mac));
        if (target.IsMiss || target.IsLearned)
            throw new ArgumentException($"An entry of kind {target.Kind} can't be added.", nameof(target));

        Probe probe = ProbeOf(domain, mac);
        FdbTarget before = _witness is null ? default : Lookup(domain, mac);
        FdbAddResult result = Replace(probe, target, replace, out int slot);
        if (slot == NotFound && result == FdbAddResult.Added)
            result = AddNew(probe, target, out slot);
        if (result != FdbAddResult.Added)
            return result;
        RemoveElsewhere(probe, slot);
        if (before != target)
            _witness?.Invoke(new FdbWrite(domain, mac, before, target));
        return result;
    }

    /// <summary>Deletes an entry of any kind but Own. False when there is none.</summary>
    public bool Delete(int domain, MacAddress mac) => RemoveAll(domain, mac, FdbKinds.All & ~FdbKinds.Own);

    /// <summary>Deletes the entry of one of our own ports. False when there is none.</summary>
    public bool DeleteOwn(int domain, MacAddress mac) => RemoveAll(domain, mac, FdbKinds.Own);

    /// <summary>Deletes the entry a directory told. False when there is none.</summary>
    public bool DeleteDirectory(int domain, MacAddress mac) => RemoveAll(domain, mac, FdbKinds.Directory);

    /// <summary>The entry of a MAC with its time; false when there is none. Any thread.</summary>
    public bool TryGet(int domain, MacAddress mac, out FdbEntry entry)
    {
        FindAnywhere(KeyOf(domain, mac), out ulong value);
        entry = new FdbEntry(domain, mac, TargetOf(value), LastSeenOf(value));
        return IsLive(value);
    }

    /// <summary>Deletes all entries the filter takes, and returns their number.</summary>
    public int Flush(FdbFilter filter)
    {
        int removed = 0;
        for (int bucket = 0; bucket < _buckets; bucket++)
        {
            int start = _base + bucket * BucketWords;
            for (int i = 0; i < BucketSlots; i++)
            {
                if (RemoveIf(SlotIn(start, i), filter))
                    removed++;
            }
        }
        return removed;
    }

    /// <summary>Deletes all entries the predicate takes (domain, target), in one pass however many domains, ports or VTEPs go. Returns their number.</summary>
    public int Flush(Func<int, FdbTarget, bool> takes)
    {
        int removed = 0;
        for (int bucket = 0; bucket < _buckets; bucket++)
        {
            int start = _base + bucket * BucketWords;
            for (int i = 0; i < BucketSlots; i++)
            {
                int slot = SlotIn(start, i);
                while (TryRead(slot, out ulong key, out ulong value) && takes(DomainOf(key), TargetOf(value)))
                {
                    if (!TryFree(slot, key, value))
                        continue;
                    _witness?.Invoke(new FdbWrite(DomainOf(key), new MacAddress(key), TargetOf(value), default));
                    removed++;
                    break;
                }
            }
        }
        return removed;
    }

    /// <summary>Deletes learned entries idle for their domain's ageing time, in the whole table. Returns their number.</summary>
    /// <param name="ageingSecondsByDomain">By domain index; 0, or an index beyond its end: never.</param>
    /// <param name="nowSeconds">The clock given to Learn.</param>
    public int Age(ReadOnlySpan<uint> ageingSecondsByDomain, uint nowSeconds)
    {
        int cursor = 0;
        return Age(ageingSecondsByDomain, nowSeconds, ref cursor, _buckets);
    }

    /// <summary>As <see cref="Age(ReadOnlySpan{uint}, uint)"/>, for <paramref name="buckets"/> buckets from <paramref name="cursor"/> on, which
    /// moves on and starts again at the table's end.</summary>
    public int Age(ReadOnlySpan<uint> ageingSecondsByDomain, uint nowSeconds, ref int cursor, int buckets)
    {
        int removed = 0;
        for (int done = 0; done < buckets; done++)
        {
            int start = _base + cursor * BucketWords;
            for (int i = 0; i < BucketSlots; i++)
            {
                if (TryAge(SlotIn(start, i), ageingSecondsByDomain, nowSeconds))
                    removed++;
            }
            cursor = cursor + 1 < _buckets ? cursor + 1 : 0;
        }
        return removed;
    }

    /// <summary>Walks the entries, in no order; those written meanwhile may or may not be seen. Allocates nothing.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Replaces the entry there is, if there is one and it may be. Added without a slot: there is none.</summary>
    private FdbAddResult Replace(in Probe probe, FdbTarget target, bool replace, out int slot)
    {
        while (true)
        {
            slot = FindAnywhere(probe.Key, out ulong seen);
            if (!IsLive(seen))
            {
                slot = NotFound;
                return FdbAddResult.Added;
            }
            FdbTarget old = TargetOf(seen);
            if (!GivesWay(old, target, replace))
                return FdbAddResult.Exists;
            uint lastSeen = target.IsDirectory && target.IsSamePlace(old) ? LastSeenOf(seen) : 0;
            if (!TryUpdate(slot, seen, Pack(target, lastSeen)))
                continue;
            if (old.IsLearned)
                UnreserveLearned(probe.Key);
            return FdbAddResult.Added;
        }
    }

    private static bool GivesWay(FdbTarget old, FdbTarget target, bool replace)
    {
        if (old.Kind == FdbKind.Own || target.Kind == FdbKind.Own)
            return target.Kind == FdbKind.Own && old != target;
        return old.IsLearned || old.IsDirectory || (replace && !target.IsDirectory);
    }

    private FdbAddResult AddNew(in Probe probe, FdbTarget target, out int slot)
    {
        slot = NotFound;
        if (Reserve(probe.Key, target, int.MaxValue) != LearnResult.Learned)
            return FdbAddResult.Full;
        slot = Claim(probe, insist: true);
        if (slot == NotFound)
        {
            Unreserve(probe.Key, target);
            return FdbAddResult.Full;
        }
        Publish(slot, Pack(target, 0));
        return FdbAddResult.Added;
    }

    /// <summary>Frees other slots with this key. One without a value yet is freed by the worker that claimed it, once it sees ours.</summary>
    private void RemoveElsewhere(in Probe probe, int keep)
    {
        for (int i = 0; i < ProbeBound; i++)
        {
            int slot = SlotAt(probe, i);
            if (slot != keep)
                RemoveIf(slot, probe.Key, FdbKinds.All);
        }
    }

    private bool RemoveAll(int domain, MacAddress mac, FdbKinds kinds)
    {
        Probe probe = ProbeOf(domain, mac);
        FdbTarget before = _witness is null ? default : Lookup(domain, mac);
        bool removed = false;
        for (int i = 0; i < ProbeBound; i++)
            removed |= RemoveIf(SlotAt(probe, i), probe.Key, kinds);
        if (removed && !before.IsMiss)
            _witness?.Invoke(new FdbWrite(domain, mac, before, default));
        return removed;
    }

    private static int SlotAt(in Probe probe, int i) => SlotIn(i < BucketSlots ? probe.First : probe.Second, i % BucketSlots);

    private bool RemoveIf(int slot, FdbFilter filter)
    {
        while (true)
        {
            ulong seen = Volatile.Read(ref ValueOf(slot));
            ulong key = Volatile.Read(ref _words[slot]);
            if (!filter.Takes(DomainOf(key), TargetOf(seen)))
                return false;
            if (TryFree(slot, key, seen))
                return true;
        }
    }

    /// <summary>Frees a slot if its entry is too old. A CAS lost to a refresh is right: then it isn't too old.</summary>
    private bool TryAge(int slot, ReadOnlySpan<uint> ageingSecondsByDomain, uint nowSeconds)
    {
        ulong seen = Volatile.Read(ref ValueOf(slot));
        if (!TargetOf(seen).IsLearned)
            return false;
        ulong key = Volatile.Read(ref _words[slot]);
        int domain = DomainOf(key);
        uint ageing = domain < ageingSecondsByDomain.Length ? ageingSecondsByDomain[domain] : 0;
        // signed: a worker's clock may be read a moment later than ours, which must not look like an idle century
        int idle = (int)(nowSeconds - LastSeenOf(seen));
        if (ageing == 0 || idle < 0 || (uint)idle < ageing || !TryFree(slot, key, seen))
            return false;
        _witness?.Invoke(new FdbWrite(domain, new MacAddress(key), TargetOf(seen), default, IsAged: true));
        return true;
    }

    /// <summary>Walks the slots. Any thread.</summary>
    public struct Enumerator
    {
        private readonly Fdb _fdb;
        private int _next;

        internal Enumerator(Fdb fdb) => _fdb = fdb;

        /// <summary>The entry <see cref="MoveNext"/> came to.</summary>
        public FdbEntry Current { get; private set; }

        /// <summary>Goes on to the next entry; false at the end.</summary>
        public bool MoveNext()
        {
            while (_next < _fdb._buckets * BucketSlots)
            {
                int slot = SlotIn(_fdb._base + _next / BucketSlots * BucketWords, _next % BucketSlots);
                _next++;
                if (!_fdb.TryRead(slot, out ulong key, out ulong value))
                    continue;
                Current = new FdbEntry(DomainOf(key), new MacAddress(key), TargetOf(value), LastSeenOf(value));
                return true;
            }
            return false;
        }
    }
}
