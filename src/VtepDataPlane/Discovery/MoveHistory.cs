// How often a station has moved. One that is claimed by two nodes in turn, five times within three minutes, is there twice or a loop is closed:
// it is frozen where it is for half an hour, and the operator is told (RFC 7432 section 15.1; its M = 180 s, N = 5). An address that goes from station
// to station is treated alike. Bounded. Control loop only; time is an argument.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>Moves of a station or an address.</summary>
internal sealed class Moves
{
    /// <summary>When it moved, the oldest first.</summary>
    public Queue<long> Times { get; } = new(MoveHistory.FreezingMoves);

    /// <summary>Where it was.</summary>
    public string From { get; set; } = "";

    /// <summary>Where it is; where it stays when it is frozen.</summary>
    public string To { get; set; } = "";

    /// <summary>When it was last seen to move.</summary>
    public long Last { get; set; }

    /// <summary>Until when it is frozen; null: it isn't.</summary>
    public long? FrozenUntil { get; set; }
}

/// <summary>Moves of all stations and addresses.</summary>
internal sealed class MoveHistory
{
    /// <summary>So many moves freeze.</summary>
    public const int FreezingMoves = 5;

    /// <summary>Within so long.</summary>
    public const long WindowMilliseconds = 180_000;

    /// <summary>For so long.</summary>
    public const long FrozenMilliseconds = 30 * 60_000;

    /// <summary>Histories kept.</summary>
    public const int Capacity = 16_384;

    private readonly Dictionary<LookupKey, Moves> _moves = [];
    private readonly HashSet<LookupKey> _frozen = [];

    /// <summary>Stations and addresses frozen now.</summary>
    public IEnumerable<(LookupKey Key, Moves Moves)> Frozen => _frozen.Select(key => (key, _moves[key]));

    /// <summary>How many.</summary>
    public int FrozenCount => _frozen.Count;

    /// <summary>The node it is frozen behind; null: it isn't frozen.</summary>
    public string? FrozenOwner(LookupKey key) => _frozen.Contains(key) ? _moves[key].To : null;

    /// <summary>It has moved. Freezes it when it was once too often.</summary>
    public void Add(LookupKey key, string from, string to, long nowMilliseconds)
    {
        if (_frozen.Contains(key))
            return;
        if (!_moves.TryGetValue(key, out Moves? moves))
        {
            if (_moves.Count >= Capacity)
                Forget(nowMilliseconds);
            if (_moves.Count >= Capacity)
                return;
            _moves.Add(key, moves = new Moves());
        }

        (moves.From, moves.To, moves.Last) = (from, to, nowMilliseconds);
        moves.Times.Enqueue(nowMilliseconds);
        while (nowMilliseconds - moves.Times.Peek() > WindowMilliseconds)
            moves.Times.Dequeue();
        if (moves.Times.Count < FreezingMoves)
            return;
        moves.FrozenUntil = nowMilliseconds + FrozenMilliseconds;
        _frozen.Add(key);
    }

    /// <summary>Ends what is over; returns what is frozen no more.</summary>
    public IReadOnlyList<LookupKey> Thaw(long nowMilliseconds)
    {
        LookupKey[] thawed = [.. _frozen.Where(key => _moves[key].FrozenUntil <= nowMilliseconds)];
        Remove(thawed);
        return thawed;
    }

    /// <summary>Forgets a domain's.</summary>
    public void Leave(Vni vni) => Remove([.. _moves.Keys.Where(key => key.Vni == vni)]);

    private void Remove(IReadOnlyList<LookupKey> keys)
    {
        foreach (LookupKey key in keys)
        {
            _frozen.Remove(key);
            _moves.Remove(key);
        }
    }

    private void Forget(long nowMilliseconds) => Remove(
        [.. _moves.Keys.Where(key => !_frozen.Contains(key) && nowMilliseconds - _moves[key].Last > WindowMilliseconds)]);
}
