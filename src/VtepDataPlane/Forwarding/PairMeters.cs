// PairMeters: one lane's traffic by bridge domain and VTEP. An open-addressed table of a fixed number of rows, keyed by (domain index,
// VTEP id); an id below 0 is a multicast group's, to which a flood is one datagram. A pair gets its row with its first frame. A pair that
// finds no row within ProbeBound cells, or comes when RowLimit pairs have one, is counted in its domain's row for all such: every frame is in exactly
// one row, so sums are exact however many pairs there are. A domain's traffic is the sum of its rows: no frame is counted a second time for it.
//
// Frames come in runs of one flow. The cell found last is tried first, which costs one compare; nothing else is remembered, so nothing can be stale:
// what is compared is the key in the table itself.
//
// Who writes what. Keys and counters are written by the lane's thread, with plain stores, for as long as the pair is in use. When a domain or a
// VTEP is gone, and a grace period has passed in which every lane left the batch it was in (Vtep.cs), no frame can have that key any more: the
// control loop owns such rows. It adds their counts to the domain's retired ones, clears them, and last stores the tombstone, which gives the cell back. So
// a cell has one owner at any time, and passes from one to the other by two events: the grace period, and the store of the tombstone, which
// the lane acquires when it reads the key. Meanwhile the lane may walk over the cell: it sees the old key, which it looks for no more, or
// the tombstone. Keys stay unique, because only the lane inserts, after it has walked all cells where the key could be.
//
// The control loop and readers share a lock, so nobody sees a row half retired; the lane's thread never takes it. A reader may see
// counts a moment old, never a torn one.
//
// 1024 cells of 40 bytes are 40 KiB a lane; the keys stand in an array of their own, so that a walk stays in one or two cache lines.

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace VtepDataPlane.Forwarding;

/// <summary>Traffic of one lane by domain and VTEP.</summary>
internal sealed class PairMeters
{
    /// <summary>Pairs that have a row of their own.</summary>
    public const int RowLimit = 384;

    /// <summary>Twice the rows and more: a walk is seldom longer than two cells.</summary>
    private const int Cells = 1024;

    private const int ProbeBound = 16;
    private const long Empty = 0;
    private const long Tombstone = -1;

    private const int None = -1;

    private readonly Lock _gate = new();
    private readonly long[] _keys = new long[Cells];
    private readonly VtepTraffic[] _rows = new VtepTraffic[Cells];
    private readonly Dictionary<int, DomainRows> _domains = [];
    private VtepTraffic _closed;
    private int _last;
    private int _claimed;
    private int _freed;

    /// <summary>Control loop, before the domain's first frame.</summary>
    /// <param name="domain">Its index.</param>
    /// <param name="meters">Where this lane counts what has no row.</param>
    public void AddDomain(int domain, DomainLaneMeters meters)
    {
        lock (_gate)
            _domains.Add(domain, new DomainRows(meters));
    }

    /// <summary>The lane's thread: where traffic of a domain with a VTEP is counted, until the batch ends.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref VtepTraffic Of(int domain, int vtep, DomainLaneMeters meters)
    {
        long key = KeyOf(domain, vtep);
        int cell = _last;
        if (_keys[cell] == key)
            return ref _rows[cell];
        return ref Find(key, meters);
    }

    /// <summary>Control loop, after a grace period in which the last frame with these VTEPs was counted: their rows are free again.</summary>
    public void RetireVteps(IReadOnlySet<int> vteps)
    {
        lock (_gate)
            Retire(key => vteps.Contains(VtepOf(key)));
    }

    /// <summary>Control loop, after a grace period in which the last frame of these domains was counted: their rows are free again.</summary>
    public void RemoveDomains(IReadOnlySet<int> domains)
    {
        lock (_gate)
        {
            Retire(key => domains.Contains(DomainOf(key)));
            foreach (int domain in domains)
            {
                if (_domains.Remove(domain, out DomainRows? rows))
                    _closed.Add(rows.WithoutRow);
            }
        }
    }

    /// <summary>Gives every pair that has a row to <paramref name="visit"/>, and adds all there is, retired rows included, to <paramref name="total"/>.</summary>
    public void Read(PairVisitor visit, ref VtepTraffic total)
    {
        lock (_gate)
        {
            for (int cell = 0; cell < Cells; cell++)
            {
                long key = Volatile.Read(ref _keys[cell]);
                if (key <= 0)
                    continue;
                total.Add(_rows[cell]);
                visit(DomainOf(key), VtepOf(key), _rows[cell]);
            }

            foreach (DomainRows rows in _domains.Values)
                total.Add(rows.WithoutRow);
            total.Add(_closed);
        }
    }

    /// <summary>Adds what every domain has counted, by its index, to <paramref name="domains"/>.</summary>
    public void AddTo(Dictionary<int, VtepTraffic> domains)
    {
        lock (_gate)
        {
            for (int cell = 0; cell < Cells; cell++)
            {
                long key = Volatile.Read(ref _keys[cell]);
                if (key > 0)
                    CollectionsMarshal.GetValueRefOrAddDefault(domains, DomainOf(key), out _).Add(_rows[cell]);
            }

            foreach ((int domain, DomainRows rows) in _domains)
                CollectionsMarshal.GetValueRefOrAddDefault(domains, domain, out _).Add(rows.WithoutRow);
        }
    }

    private static long KeyOf(int domain, int vtep) => ((long)domain << 32) | (uint)vtep;

    private static int DomainOf(long key) => (int)(key >> 32);

    private static int VtepOf(long key) => (int)key;

    private static int StartOf(long key) => (int)(((ulong)key * 0x9E37_79B9_7F4A_7C15) >> (64 - BitOperations.Log2(Cells)));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ref VtepTraffic Find(long key, DomainLaneMeters meters)
    {
        int cell = Find(key);
        if (cell == None)
            return ref meters.WithoutRow;
        _last = cell;
        return ref _rows[cell];
    }

    private int Find(long key)
    {
        int start = StartOf(key);
        int free = -1;
        for (int step = 0; step < ProbeBound; step++)
        {
            int cell = (start + step) & (Cells - 1);
            long held = Volatile.Read(ref _keys[cell]);
            if (held == key)
                return cell;
            if (held <= 0 && free < 0)
                free = cell;
            if (held == Empty)
                break;
        }

        bool hasRoom = free >= 0 && _claimed - Volatile.Read(ref _freed) < RowLimit;
        return hasRoom ? Claim(free, key) : None;
    }

    private int Claim(int cell, long key)
    {
        Volatile.Write(ref _keys[cell], key);
        _claimed++;
        return cell;
    }

    private void Retire(Func<long, bool> isGone)
    {
        for (int cell = 0; cell < Cells; cell++)
        {
            long key = Volatile.Read(ref _keys[cell]);
            if (key > 0 && isGone(key))
                Retire(cell, _domains[DomainOf(key)]);
        }
    }

    private void Retire(int cell, DomainRows domain)
    {
        domain.Retired.Add(_rows[cell]);
        _rows[cell] = default;
        Volatile.Write(ref _keys[cell], Tombstone);
        Volatile.Write(ref _freed, _freed + 1);
    }

    /// <summary>What a domain has beside its rows.</summary>
    private sealed class DomainRows(DomainLaneMeters meters)
    {
        /// <summary>Of rows that were given back; guarded by the lock.</summary>
        public VtepTraffic Retired;

        public VtepTraffic WithoutRow
        {
            get
            {
                VtepTraffic sum = Retired;
                sum.Add(meters.WithoutRow);
                return sum;
            }
        }
    }
}

/// <summary>Takes what one pair has counted.</summary>
internal delegate void PairVisitor(int domain, int vtep, in VtepTraffic traffic);
