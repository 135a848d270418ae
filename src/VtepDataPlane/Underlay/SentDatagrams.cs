// What we sent a moment ago, so that an ICMP "fragmentation needed" or "packet too big" can be told from a forgery.
//
// Such a message makes us lower the path MTU towards a VTEP, and anybody on the internet can send one. It quotes the datagram it
// complains about, though, and who isn't on the path doesn't know what we send: inner MACs, addresses, IP identification, TCP
// sequence numbers. So each long datagram leaves a keyed hash of its destination and of its first 64 bytes (VXLAN header, inner
// Ethernet, IP and most of TCP) here, and a message is believed only when what it quotes is found. Quotes shorter than that
// prove nothing: RFC 792's minimum of 8 bytes ends before the VXLAN header. RFC 1812 has routers quote 576 bytes, Linux does.
//
// The table is direct-mapped: a hash has one place, a newer datagram takes it over, so both operations touch one word. A word
// holds 48 bits of the hash and the second it was written; the place itself stands for 14 more. A guess is right with a chance
// of 2^-48. The hash is SipHash-1-3 (Aumasson, Bernstein), a keyed pseudo-random function made for short inputs.
//
// Thread-safety: Add by one thread (the lane's), Contains by any: a word is read and written whole.

using System.Buffers.Binary;
using System.Numerics;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Underlay;

/// <summary>Recently sent long datagrams, by keyed hash. One writer, any reader.</summary>
internal sealed class SentDatagrams
{
    /// <summary>Datagrams up to this length aren't noted: every path carries them (the floor of path MTU discovery is 1280).</summary>
    public const int UnnotedLength = 1200;

    /// <summary>Bytes of a datagram that are hashed, and that a quote must have at least.</summary>
    public const int PrefixLength = 64;

    /// <summary>Seconds for which a datagram counts as recent: longer than any round trip.</summary>
    public const int RecentSeconds = 30;

    /// <summary>Datagrams remembered: at 10 Gbit/s of full frames the last 20 ms; a path that drops them slows a sender down at once.</summary>
    public const int DefaultCapacity = 16_384;

    private const ulong SecondsMask = 0xFFFF;

    private readonly ulong[] _words;
    private readonly ulong _key0;
    private readonly ulong _key1;

    /// <summary>An empty table.</summary>
    /// <param name="key">Secret random bits.</param>
    /// <param name="capacity">Entries, a power of two up to 65536.</param>
    public SentDatagrams(UInt128 key, int capacity = DefaultCapacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 65_536);
        if (!BitOperations.IsPow2(capacity))
            throw new ArgumentException("The capacity must be a power of two.", nameof(capacity));
        _words = new ulong[capacity];
        _key0 = (ulong)key;
        _key1 = (ulong)(key >> 64);
    }

    /// <summary>Notes a datagram that is about to be sent, if it is long enough to matter.</summary>
    /// <param name="datagram">The UDP payload, VXLAN header and frame; its first <see cref="PrefixLength"/> bytes are enough.</param>
    /// <param name="length">Bytes of the whole payload.</param>
    /// <param name="destination">Where it goes.</param>
    /// <param name="nowMilliseconds">Monotonic time.</param>
    public void Add(ReadOnlySpan<byte> datagram, int length, in InetAddress destination, long nowMilliseconds)
    {
        if (length <= UnnotedLength)
            return;
        ulong hash = Hash(datagram, destination);
        Volatile.Write(ref Place(hash), Word(hash, nowMilliseconds));
    }

    /// <summary>Whether a quote is of a datagram noted in the last <see cref="RecentSeconds"/> for that destination.</summary>
    /// <param name="quote">The quoted UDP payload.</param>
    /// <param name="destination">The destination of the quoted datagram.</param>
    /// <param name="nowMilliseconds">Monotonic time.</param>
    public bool Contains(ReadOnlySpan<byte> quote, in InetAddress destination, long nowMilliseconds)
    {
        if (quote.Length < PrefixLength)
            return false;
        ulong hash = Hash(quote, destination);
        ulong word = Volatile.Read(ref Place(hash));
        var age = (ushort)(Seconds(nowMilliseconds) - word);
        return (word & ~SecondsMask) == (hash & ~SecondsMask) && age <= RecentSeconds && word != 0;
    }

    private static ulong Seconds(long nowMilliseconds) => (ulong)(nowMilliseconds / 1000) & SecondsMask;

    private static ulong Word(ulong hash, long nowMilliseconds) => (hash & ~SecondsMask) | Seconds(nowMilliseconds);

    private ref ulong Place(ulong hash) => ref _words[(int)(hash & (ulong)(_words.Length - 1))];

    private ulong Hash(ReadOnlySpan<byte> datagram, in InetAddress destination)
    {
        var state = new SipState(_key0, _key1);
        for (int i = 0; i < PrefixLength; i += sizeof(ulong))
            state.Absorb(BinaryPrimitives.ReadUInt64LittleEndian(datagram[i..]));
        state.Absorb(destination.High);
        state.Absorb(destination.Low);
        return state.Finish(destination.Version);
    }

    private struct SipState(ulong key0, ulong key1)
    {
        private ulong _v0 = key0 ^ 0x736F6D6570736575;
        private ulong _v1 = key1 ^ 0x646F72616E646F6D;
        private ulong _v2 = key0 ^ 0x6C7967656E657261;
        private ulong _v3 = key1 ^ 0x7465646279746573;

        public void Absorb(ulong word)
        {
            _v3 ^= word;
            Round();
            _v0 ^= word;
        }

        public ulong Finish(ulong last)
        {
            Absorb(last);
            _v2 ^= 0xFF;
            Round();
            Round();
            Round();
            return _v0 ^ _v1 ^ _v2 ^ _v3;
        }

        private void Round()
        {
            _v0 += _v1;
            _v2 += _v3;
            _v1 = BitOperations.RotateLeft(_v1, 13) ^ _v0;
            _v3 = BitOperations.RotateLeft(_v3, 16) ^ _v2;
            _v0 = BitOperations.RotateLeft(_v0, 32);
            _v2 += _v1;
            _v0 += _v3;
            _v1 = BitOperations.RotateLeft(_v1, 17) ^ _v2;
            _v3 = BitOperations.RotateLeft(_v3, 21) ^ _v0;
            _v2 = BitOperations.RotateLeft(_v2, 32);
        }
    }
}
