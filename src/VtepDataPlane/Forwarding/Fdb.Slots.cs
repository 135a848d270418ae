// Fdb, the slots: the hash, finding a key, and the four steps of a slot's life (see Fdb.cs for why they are safe together).

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

internal sealed partial class Fdb
{
    private const int BucketSlots = 8;
    private const int BucketWords = 2 * BucketSlots;
    private const int BucketBytes = BucketWords * sizeof(ulong);

    // half a bucket is one cache line: so many keys, then their values
    private const int LineSlots = 4;
    private const int LineWords = 2 * LineSlots;

    // fields of a value word
    private const int KindShift = 61;
    private const int TargetShift = 39;
    private const int GenerationShift = 32;
    private const ulong GenerationMask = 0x7FUL << GenerationShift;
    private const ulong OneGeneration = 1UL << GenerationShift;

    // results of Find and Claim that are no slot
    private const int NotFound = -1;
    private const int Taken = -2;

    // a domain's counter: learned entries above, all entries below
    private const long OneEntry = 1;
    private const long OneLearned = 1L << 32;

    private readonly ulong[] _words;
    private readonly int _base;
    private readonly int _buckets;
    private readonly ulong _seedLow;
    private readonly ulong _seedHigh;
    private readonly long[]?[] _perDomain = new long[]?[MaxDomains / DomainsPerChunk]; // made before a domain of the chunk has its first entry
    private int _count;

    /// <summary>A key and where its two buckets start in the words.</summary>
    private readonly record struct Probe(ulong Key, int First, int Second);

    private static int DomainOf(ulong key) => (int)(key >> 48);

    private static bool IsLive(ulong value) => value >> KindShift != 0;

    private static uint LastSeenOf(ulong value) => (uint)value;

    private static FdbTarget TargetOf(ulong value) => FdbTarget.FromPacked((uint)(value >> TargetShift));

    /// <summary>A value word without generation.</summary>
    private static ulong Pack(FdbTarget target, uint lastSeen) => ((ulong)target.Packed << TargetShift) | lastSeen;

    private static ulong WithoutGeneration(ulong value) => value & ~GenerationMask;

    private static ulong WithoutKind(ulong value) => value << (64 - KindShift);

    /// <summary>Index of the first word on a boundary of two cache lines: a bucket then costs no third one.</summary>
    private static int FirstAligned(ulong[] pinned)
    {
        nint address = Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);
        return (int)(-address & (BucketBytes - 1)) / sizeof(ulong);
    }

    private static ulong KeyOf(int domain, MacAddress mac) => ((ulong)(ushort)domain << 48) | mac.Value;

    /// <summary>Where a key's two distinct buckets start: the halves of its hash, each scaled to the number of buckets (no division).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int BucketsOf(ulong key, out int secondBucket)
    {
        ulong hash = FoldedProduct.Of(FoldedProduct.Of(key ^ _seedLow, 0xA076_1D64_78BD_642F) ^ _seedHigh, 0xE703_7ED1_A0B4_28DB);
        int first = (int)(((hash >> 32) * (uint)_buckets) >> 32);
        int second = (int)(((uint)hash * (ulong)(uint)_buckets) >> 32);
        if (second == first)
            second = first == 0 ? 1 : first - 1;
        secondBucket = _base + second * BucketWords;
        return _base + first * BucketWords;
    }

    private Probe ProbeOf(int domain, MacAddress mac) => ProbeOf(KeyOf(domain, mac));

    private Probe ProbeOf(ulong key)
    {
        int first = BucketsOf(key, out int second);
        return new Probe(key, first, second);
    }

    /// <summary>The word of slot <paramref name="i"/>, 0 to 7, of a bucket: four in its first line, four in its second.</summary>
    private static int SlotIn(int bucket, int i) => bucket + i + (i & LineSlots);

    /// <summary>Bit n: slot n of the bucket holds <paramref name="key"/>. A hint only: what it says is checked word by word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint Matches(int bucket, ulong key) => MatchesInLine(bucket, key) | (MatchesInLine(bucket + LineWords, key) << LineSlots);

    /// <summary>The same for one line: bits 0 to 3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint MatchesInLine(int line, ulong key) => Matches(_words.AsSpan(line, LineWords), key);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Matches(ReadOnlySpan<ulong> line, ulong key)
    {
        if (Vector256.IsHardwareAccelerated)
            return Vector256.Equals(Vector256.Create(line), Vector256.Create(key)).ExtractMostSignificantBits();
        uint matches = 0;
        for (int i = 0; i < LineSlots; i++)
            matches |= line[i] == key ? 1u << i : 0;
        return matches;
    }

    /// <summary>The value of a key, if it is in the first line of its first bucket, as nearly all are while there is room to spare.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryFindInLine(ulong key, int line, out ulong value)
    {
        ReadOnlySpan<ulong> words = _words.AsSpan(line, LineWords);
        // where none matches, any slot will do: it holds another key
        int slot = BitOperations.TrailingZeroCount(Matches(words, key) | (1u << (LineSlots - 1))) & (LineSlots - 1);
        value = Volatile.Read(in words[slot + LineSlots]);
        ulong holder = Volatile.Read(in words[slot]);
        ulong again = Volatile.Read(in words[slot + LineSlots]);
        return holder == key && IsWhole(value, again);
    }

    /// <summary>The slot of a key and its value; a slot whose value has no kind when the key is being written or freed; or NotFound.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int FindAnywhere(ulong key, out ulong value)
    {
        int first = BucketsOf(key, out int second);
        int unfinished = NotFound;
        for (uint matches = Matches(first, key) | (Matches(second, key) << BucketSlots); matches != 0; matches &= matches - 1)
        {
            int i = BitOperations.TrailingZeroCount(matches);
            int slot = SlotIn(i < BucketSlots ? first : second, i & (BucketSlots - 1));
            bool isWhole = TryRead(slot, out ulong holder, out value);
            if (holder != key)
                continue;
            if (isWhole)
                return slot;
            unfinished = slot;
        }
        value = 0;
        return unfinished;
    }

    /// <summary>A slot's key and the value that goes with it. False when the slot is empty, being written or being freed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryRead(int slot, out ulong key, out ulong value)
    {
        value = Volatile.Read(ref ValueOf(slot));
        key = Volatile.Read(ref _words[slot]);
        ulong again = Volatile.Read(ref ValueOf(slot));
        return IsWhole(value, again);
    }

    /// <summary>What was read between these two reads of a value goes with it.</summary>
    private static bool IsWhole(ulong value, ulong again) => IsLive(value) && IsLive(again) && ((value ^ again) & GenerationMask) == 0;

    private ref ulong ValueOf(int slot) => ref _words[slot + LineSlots];

    /// <summary>Takes an empty slot: of the first bucket while that is not more than half full, else of the emptier one.</summary>
    /// <returns>The slot, the caller's alone until published; NotFound when there is none; Taken when another thread has just
    /// claimed one for the same key, unless the caller insists on a slot of its own.</returns>
    private int Claim(in Probe probe, bool insist)
    {
        uint first = Matches(probe.First, 0);
        uint second = Matches(probe.Second, 0);
        // looked for after the empty slots: whoever claimed one for this key before us is seen here, whoever does so after us is met at the CAS
        if (!insist && IsElsewhere(probe, NotFound))
            return Taken;
        int roomInFirst = BitOperations.PopCount(first);
        bool takeFirst = roomInFirst >= BucketSlots / 2 || roomInFirst >= BitOperations.PopCount(second);
        int slot = takeFirst ? ClaimIn(probe.First, first, probe.Key, insist) : ClaimIn(probe.Second, second, probe.Key, insist);
        if (slot != NotFound)
            return slot;
        return takeFirst ? ClaimIn(probe.Second, second, probe.Key, insist) : ClaimIn(probe.First, first, probe.Key, insist);
    }

    private int ClaimIn(int bucket, uint empty, ulong key, bool insist)
    {
        for (; empty != 0; empty &= empty - 1)
        {
            int slot = SlotIn(bucket, BitOperations.TrailingZeroCount(empty));
            ulong holder = Interlocked.CompareExchange(ref _words[slot], key, 0);
            if (holder == 0)
                return slot;
            if (holder == key && !insist)
                return Taken;
        }
        return NotFound;
    }

    /// <summary>Gives a claimed slot its entry. A full fence, so that the look for duplicates which follows can't come before it.</summary>
    private void Publish(int slot, ulong packed)
    {
        ulong generation = (Volatile.Read(ref ValueOf(slot)) + OneGeneration) & GenerationMask;
        Interlocked.Exchange(ref ValueOf(slot), packed | generation);
    }

    /// <summary>Changes an entry if it is still as it was seen.</summary>
    private bool TryUpdate(int slot, ulong seen, ulong packed) =>
        Interlocked.CompareExchange(ref ValueOf(slot), packed | (seen & GenerationMask), seen) == seen;

    /// <summary>Frees a slot if its value is still as it was seen, and returns what was reserved for it.</summary>
    private bool TryFree(int slot, ulong key, ulong seen)
    {
        if (Interlocked.CompareExchange(ref ValueOf(slot), seen & GenerationMask, seen) != seen)
            return false;
        Volatile.Write(ref _words[slot], 0);
        Unreserve(key, TargetOf(seen));
        return true;
    }

    /// <summary>Frees a slot as long as it holds this key with one of these kinds, however often its value changes meanwhile.</summary>
    private bool RemoveIf(int slot, ulong key, FdbKinds kinds)
    {
        while (true)
        {
            ulong seen = Volatile.Read(ref ValueOf(slot));
            if (Volatile.Read(ref _words[slot]) != key || !TargetOf(seen).IsOneOf(kinds))
                return false;
            if (TryFree(slot, key, seen))
                return true;
        }
    }

    /// <summary>The key is in a slot other than <paramref name="slot"/> (NotFound: in any), with or without a value.</summary>
    private bool IsElsewhere(in Probe probe, int slot)
    {
        return IsElsewhereIn(probe.First, probe.Key, slot) || IsElsewhereIn(probe.Second, probe.Key, slot);
    }

    private bool IsElsewhereIn(int bucket, ulong key, int slot)
    {
        for (uint matches = Matches(bucket, key); matches != 0; matches &= matches - 1)
        {
            if (SlotIn(bucket, BitOperations.TrailingZeroCount(matches)) != slot)
                return true;
        }
        return false;
    }

    /// <summary>Counts an entry before it is there: Learned when there is room, else what is exhausted, and then nothing is counted.</summary>
    private LearnResult Reserve(ulong key, FdbTarget target, int domainLimit)
    {
        int domain = DomainOf(key);
        // looked at first, so that a flood of new MACs at a limit costs reads only
        if (target.IsLearned && LearnedCountOf(domain) >= domainLimit)
            return LearnResult.LimitReached;
        if (Count >= Capacity)
            return LearnResult.TableFull;

        long total = Interlocked.Add(ref CountsOf(domain), target.IsLearned ? OneEntry + OneLearned : OneEntry);
        bool overCapacity = Interlocked.Increment(ref _count) > Capacity;
        bool overLimit = target.IsLearned && total >> 32 > domainLimit;
        if (!overCapacity && !overLimit)
            return LearnResult.Learned;
        Unreserve(key, target);
        return overLimit ? LearnResult.LimitReached : LearnResult.TableFull;
    }

    /// <summary>Counts an entry there is among the learned ones, if there is room.</summary>
    private bool TryReserveLearned(ulong key, int domainLimit)
    {
        if (LearnedCountOf(DomainOf(key)) >= domainLimit)
            return false;
        if (Interlocked.Add(ref CountsOf(DomainOf(key)), OneLearned) >> 32 <= domainLimit)
            return true;
        UnreserveLearned(key);
        return false;
    }

    /// <summary>Control loop: the domain is going to have entries.</summary>
    public void Prepare(int domain) => CountsOf(domain);

    private ref long CountsOf(int domain)
    {
        ref long[]? chunk = ref _perDomain[domain / DomainsPerChunk];
        if (Volatile.Read(ref chunk) is null)
            Interlocked.CompareExchange(ref chunk, new long[DomainsPerChunk], null);
        return ref chunk![domain % DomainsPerChunk];
    }

    private void UnreserveLearned(ulong key) => Interlocked.Add(ref CountsOf(DomainOf(key)), -OneLearned);

    private void Unreserve(ulong key, FdbTarget target)
    {
        Interlocked.Decrement(ref _count);
        Interlocked.Add(ref CountsOf(DomainOf(key)), target.IsLearned ? -(OneEntry + OneLearned) : -OneEntry);
    }
}
