// Fdb: the forwarding database (RFC 7348 section 4.1), one table for all bridge domains of a VTEP. Workers look up and learn,
// the control loop adds, deletes, flushes and ages, all at the same time; nobody waits and nothing is allocated after
// construction. This file: layout, lookup, learning. Fdb.Slots.cs: how slots are claimed and freed. Fdb.Control.cs: the rest.
//
// Layout. A bucket is 16 words of 64 bits, two cache lines side by side; a line is four keys, then the four values that go with them, so
// that a key and its value cost one miss. Slots are taken from the first line on.
//   key    domain (16) | MAC (48)                                 0: the slot is empty (no station's MAC is zero)
//   value  kind (3) | id (22) | generation (7) | last seen (32)   kind 0: no entry (yet, or any more)
// A keyed hash gives each key two buckets; an entry may be in any of their 16 slots and nowhere else. So every operation
// looks at 16 slots at most, whatever keys an adversary sends; when all 16 are taken, a new key isn't learned. Buckets are
// four for every sixteen of capacity, that is two slots for each entry: at capacity half of all slots are taken and a bucket holds
// 4 of its 8 on average. Memory: 2 slots x 16 bytes = 32 bytes for each entry of capacity, and 2 KiB of counters for every 256 domains
// that have had entries.
//
// Seven kinds of entry, FdbTarget.cs; three bits have no room for more. Who gives way to whom:
//   by a frame            learned entries move. DirectoryRemote moves behind a local port, where its station came; a frame from a VTEP it contradicts
//                         passes and changes nothing: the directory has the word there. Static and sticky ones stand, and the frame is dropped.
//   by the control loop   Own replaces all. Static replaces all but Own and, unless told to, static. Directory replaces learned and directory.
// Learned and directory entries bear the second they were last heard of, which costs a write a second at most. A learned one ages by it; a
// directory's doesn't, but whoever looks it up knows by it whether it is in use. A contradiction counts as being heard of, so that it
// is reported for an entry once a second at most, however many frames contradict.
//
// Life of a slot. Only these steps exist, and only one thread can win each:
//   claim    CAS key 0 -> k            the slot is the winner's alone: nobody touches a slot with a key but without kind
//   publish  value := entry, generation one higher
//   update   CAS value v -> w          refresh, move, replacement; same generation
//   free     CAS value v -> no kind    the slot is the winner's alone again; then key := 0
//
// Why no race does harm:
// * A reader takes key, value, key and value in the order value, key, value. Kind present both times and the same generation mean
//   that the slot was not freed in between (128 lives of one slot would have to fit into those three loads), so the key between them is
//   the key of that value. Anything else is a miss: the frame is flooded, as it would have been a moment earlier.
// * A delayed update can't hit a slot that meanwhile serves another key: the CAS compares the whole value, with its generation.
//   A lost CAS means somebody else knew something newer; Learn looks once more and then lets it be.
// * A reader between claim and publish, or between the two steps of free, finds a key without kind: a miss.
// * Two threads may insert the same key at the same time. If they meet at one slot, the loser of the CAS leaves. If they claim different
//   slots, each looks for the other after publishing; both claims are full fences, so at least the later one sees the
//   earlier. A worker that sees another slot with its key frees its own; the control loop frees the others. At worst two workers both
//   step back, and the next frame is learned. So at rest no key is in two slots, and no learned entry hides a fixed one.
// * Counts are reserved before a claim and returned after a free: limits are never exceeded, and the numbers are exact at rest. So they are
//   before a directory's entry becomes a learned one, and after a learned one has given way.
// * Deleting misses an entry that is being published at that moment: as if the delete had come first. Who deletes for good (a
//   port, a VTEP, a domain that goes) first lets every worker leave its batch with the new state, then flushes.

using System.Runtime.CompilerServices;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>MAC learning table. Lookup and Learn: any thread. Everything that adds, deletes or ages: the control loop only.</summary>
internal sealed partial class Fdb
{
    /// <summary>Domains are numbered 0 to 65535.</summary>
    public const int MaxDomains = 1 << 16;

    private const int DomainsPerChunk = 256;

    /// <summary>The most entries a table can be made for: 2 GiB of memory.</summary>
    public const int MaxCapacity = 1 << 26;

    /// <summary>Slots any operation on one key looks at, at most.</summary>
    public const int ProbeBound = 2 * BucketSlots;

    /// <summary>Makes a table for <paramref name="capacity"/> entries, 1 to <see cref="MaxCapacity"/>.</summary>
    /// <param name="capacity">Entries of all kinds and domains together.</param>
    /// <param name="seed">Random bits, secret from those who choose MACs.</param>
    public Fdb(int capacity, UInt128 seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, MaxCapacity);
        Capacity = capacity;
        _seedLow = (ulong)seed ^ 0x9E37_79B9_7F4A_7C15;
        _seedHigh = (ulong)(seed >> 64) ^ 0xC2B2_AE3D_27D4_EB4F;
        _buckets = Math.Max(2, (capacity + 3) / 4);
        _words = GC.AllocateArray<ulong>(_buckets * BucketWords + BucketWords - 1, pinned: true);
        _base = FirstAligned(_words);
    }

    /// <summary>Entries the table has room for.</summary>
    public int Capacity { get; }

    /// <summary>Entries of all kinds. May count an entry that is just being inserted or freed.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Entries of one domain, all kinds. May count an entry that is just being inserted or freed.</summary>
    public int CountOf(int domain) => (int)CountsSeen(domain);

    /// <summary>Learned entries of one domain: what the domain's limit is compared with.</summary>
    public int LearnedCountOf(int domain) => (int)(CountsSeen(domain) >> 32);

    private long CountsSeen(int domain) =>
        Volatile.Read(ref _perDomain[domain / DomainsPerChunk]) is { } chunk ? Volatile.Read(ref chunk[domain % DomainsPerChunk]) : 0;

    /// <summary>Where the table most likely has a MAC: to be computed once a frame, for <see cref="Read"/> and the lookup.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int LineOf(int domain, MacAddress mac) => BucketsOf(KeyOf(domain, mac), out _);

    /// <summary>
    /// Brings a line into the cache. Done for a whole batch before its first lookup, the processor waits for many lines at once.
    /// </summary>
    /// <returns>Bits without a meaning. Somebody has to keep them: the compiler leaves out a read for nothing.</returns>
    public ulong Read(int line) => _words[line];

    /// <summary>Where a station is; a miss when nobody knows. Doesn't refresh.</summary>
    public FdbTarget Lookup(int domain, MacAddress mac) => Lookup(domain, mac, LineOf(domain, mac));

    /// <inheritdoc cref="Lookup(int, MacAddress)"/>
    /// <param name="domain">Index of the domain.</param>
    /// <param name="mac">The station.</param>
    /// <param name="line">Its <see cref="LineOf"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public FdbTarget Lookup(int domain, MacAddress mac, int line)
    {
        ulong key = KeyOf(domain, mac);
        if (!TryFindInLine(key, line, out ulong value))
            FindAnywhere(key, out value);
        return TargetOf(value);
    }

    /// <inheritdoc cref="Learn(int, MacAddress, int, FdbTarget, uint, int)"/>
    public LearnResult Learn(int domain, MacAddress mac, FdbTarget source, uint nowSeconds, int domainLimit) =>
        Learn(domain, mac, LineOf(domain, mac), source, nowSeconds, domainLimit);

    /// <summary>Notes that a frame of a valid source MAC came from <paramref name="source"/>.</summary>
    /// <param name="domain">Index of the domain.</param>
    /// <param name="mac">Source MAC: neither zero nor a group address.</param>
    /// <param name="line">Its <see cref="LineOf"/>.</param>
    /// <param name="source">A learned kind, with the port or VTEP the frame came from.</param>
    /// <param name="nowSeconds">The clock, in seconds; may wrap.</param>
    /// <param name="domainLimit">Learned entries the domain may have.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public LearnResult Learn(int domain, MacAddress mac, int line, FdbTarget source, uint nowSeconds, int domainLimit)
    {
        ulong key = KeyOf(domain, mac);
        bool isKnown = TryFindInLine(key, line, out ulong seen) && IsNoNews(seen, source, nowSeconds);
        return isKnown ? LearnResult.Unchanged : LearnNews(key, source, nowSeconds, domainLimit);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private LearnResult LearnNews(ulong key, FdbTarget source, uint nowSeconds, int domainLimit)
    {
        for (int attempt = 0; attempt < 2; attempt++)
        {
            int slot = FindAnywhere(key, out ulong seen);
            if (slot == NotFound)
                return Insert(ProbeOf(key), source, nowSeconds, domainLimit);
            if (!IsLive(seen))
                return LearnResult.Unchanged;
            LearnResult result = Judge(seen, source, nowSeconds);
            if (!IsWritten(result))
                return result;
            FdbTarget next = result == LearnResult.Moved ? source : TargetOf(seen);
            bool becomesLearned = next.IsLearned && !TargetOf(seen).IsLearned;
            if (becomesLearned && !TryReserveLearned(key, domainLimit))
                return LearnResult.LimitReached;
            if (TryUpdate(slot, seen, Pack(next, nowSeconds)))
                return result;
            if (becomesLearned)
                UnreserveLearned(key);
        }
        return LearnResult.Unchanged;
    }

    /// <summary>
    /// What Learn would object to, for frames nothing is learned from: fixed entries and own MACs protect there too, and a directory's entries are kept
    /// fresh. Such an entry is not moved: a station of ours at its MAC is a conflict.
    /// </summary>
    /// <inheritdoc cref="Learn(int, MacAddress, int, FdbTarget, uint, int)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public LearnResult Check(int domain, MacAddress mac, int line, FdbTarget source, uint nowSeconds)
    {
        ulong key = KeyOf(domain, mac);
        bool isKnown = TryFindInLine(key, line, out ulong seen) && (IsNoNews(seen, source, nowSeconds) || IsNeverNews(TargetOf(seen), source));
        return isKnown ? LearnResult.Unchanged : CheckNews(key, source, nowSeconds);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private LearnResult CheckNews(ulong key, FdbTarget source, uint nowSeconds)
    {
        int slot = FindAnywhere(key, out ulong seen);
        FdbTarget target = TargetOf(seen);
        if (!IsLive(seen) || target.IsLearned)
            return LearnResult.Unchanged;
        LearnResult result = Judge(seen, source, nowSeconds);
        if (result == LearnResult.Moved)
            return LearnResult.Conflict;
        return !IsWritten(result) || TryUpdate(slot, seen, Pack(target, nowSeconds)) ? result : LearnResult.Unchanged;
    }

    /// <summary>What Learn would do, or Check, of which nothing is done. Any thread.</summary>
    /// <inheritdoc cref="Learn(int, MacAddress, int, FdbTarget, uint, int)"/>
    /// <param name="domain">Index of the domain.</param>
    /// <param name="mac">Source MAC.</param>
    /// <param name="source">A learned kind, with the port or VTEP.</param>
    /// <param name="nowSeconds">The clock.</param>
    /// <param name="domainLimit">Learned entries the domain may have; null: what Check would do.</param>
    public LearnResult Foresee(int domain, MacAddress mac, FdbTarget source, uint nowSeconds, int? domainLimit)
    {
        bool learns = domainLimit is not null;
        int slot = FindAnywhere(KeyOf(domain, mac), out ulong seen);
        bool isFull = learns && LearnedCountOf(domain) >= domainLimit;
        if (slot == NotFound)
            return !learns ? LearnResult.Unchanged : isFull ? LearnResult.LimitReached : Count >= Capacity ? LearnResult.TableFull : LearnResult.Learned;
        FdbTarget target = TargetOf(seen);
        if (!IsLive(seen) || (!learns && target.IsLearned))
            return LearnResult.Unchanged;
        LearnResult result = Judge(seen, source, nowSeconds);
        if (result != LearnResult.Moved)
            return result;
        return !learns ? LearnResult.Conflict : isFull && !target.IsLearned ? LearnResult.LimitReached : result;
    }

    /// <summary>A frame from there changes nothing about an entry: same place, whatever its kind, and heard of in this second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsNoNews(ulong seen, FdbTarget source, uint nowSeconds)
    {
        ulong difference = WithoutGeneration(seen ^ Pack(source, nowSeconds));
        return difference == 0 || (WithoutKind(difference) == 0 && TargetOf(seen).IsSamePlace(source));
    }

    /// <summary>Check changes nothing about entries others learned, nor about fixed ones for this place, at any time.</summary>
    private static bool IsNeverNews(FdbTarget target, FdbTarget source) => target.IsLearned || (!target.IsDirectory && target.IsSamePlace(source));

    /// <summary>The entry has to be written for that: with another place, or with this second.</summary>
    private static bool IsWritten(LearnResult result) => result is LearnResult.Refreshed or LearnResult.Moved or LearnResult.Contradicted;

    /// <summary>What a frame from <paramref name="source"/> means for an entry.</summary>
    private static LearnResult Judge(ulong seen, FdbTarget source, uint nowSeconds)
    {
        FdbTarget target = TargetOf(seen);
        // another worker's clock may be read a moment later than ours: never set an entry back
        bool isOlder = (int)(nowSeconds - LastSeenOf(seen)) > 0;
        if (target.IsSamePlace(source))
            return isOlder && (target.IsLearned || target.IsDirectory) ? LearnResult.Refreshed : LearnResult.Unchanged;
        return target.Kind switch
        {
            FdbKind.LearnedLocal or FdbKind.LearnedRemote => LearnResult.Moved,
            FdbKind.DirectoryRemote when source.IsLocal => LearnResult.Moved,
            FdbKind.DirectoryRemote => isOlder ? LearnResult.Contradicted : LearnResult.Unchanged,
            FdbKind.Own => LearnResult.OwnMac,
            _ => LearnResult.Conflict,
        };
    }

    /// <summary>Worker: writes a new learned entry, or steps back before another thread that writes the same key.</summary>
    private LearnResult Insert(in Probe probe, FdbTarget source, uint nowSeconds, int domainLimit)
    {
        LearnResult reserved = Reserve(probe.Key, source, domainLimit);
        if (reserved != LearnResult.Learned)
            return reserved;
        int slot = Claim(probe, insist: false);
        if (slot < 0)
        {
            Unreserve(probe.Key, source);
            return slot == Taken ? LearnResult.Unchanged : LearnResult.TableFull;
        }
        Publish(slot, Pack(source, nowSeconds));
        if (!IsElsewhere(probe, slot))
            return LearnResult.Learned;
        RemoveIf(slot, probe.Key, FdbKinds.Learned);
        return LearnResult.Unchanged;
    }
}
