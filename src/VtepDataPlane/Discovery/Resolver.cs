// Which of several claims holds. As RFC 7432 has it (sections 7.7, 15.1 and 15.2), so that every node comes to the same result by itself: a station
// that never moves, then the highest sequence, then the lowest VTEP address, then the lowest id. Before all that: a claim the store still has
// beats one that is held, and a station that is frozen stays where it is while its owner claims it.
//
// Pure functions.

namespace VtepDataPlane.Discovery;

/// <summary>Chooses among claims.</summary>
internal static class Resolver
{
    /// <summary>The claim that holds; null: there is none.</summary>
    /// <param name="claims">Those whose VTEP is known, ours among them.</param>
    /// <param name="frozenOwner">The node the station is frozen behind, or null.</param>
    public static Claim? Choose(IReadOnlyList<Claim> claims, string? frozenOwner = null)
    {
        Claim? best = null;
        for (int i = 0; i < claims.Count; i++)
        {
            if (best is null || Compare(claims[i], best.Value, frozenOwner) < 0)
                best = claims[i];
        }

        return best;
    }

    /// <summary>Why the winner holds, in a few words.</summary>
    public static string Why(IReadOnlyList<Claim> claims, Claim winner, string? frozenOwner = null)
    {
        if (winner.Owner == frozenOwner && !winner.IsHeld)
            return "frozen";
        if (Choose([.. claims.Where(claim => claim.Owner != winner.Owner)], frozenOwner) is not { } second)
            return winner.IsSticky ? "sticky" : "only claim";
        return winner.IsHeld != second.IsHeld ? "the others are withdrawn"
            : winner.IsSticky != second.IsSticky ? "sticky"
            : winner.Sequence != second.Sequence ? $"highest sequence {winner.Sequence}"
            : winner.Vtep.Address != second.Vtep.Address ? "lowest VTEP address"
            : "lowest node id";
    }

    // Less than 0: the left one holds.
    private static int Compare(in Claim left, in Claim right, string? frozenOwner)
    {
        int order = right.IsHeld == left.IsHeld ? 0 : left.IsHeld ? 1 : -1;
        if (order == 0 && frozenOwner is not null)
            order = (right.Owner == frozenOwner).CompareTo(left.Owner == frozenOwner);
        if (order == 0)
            order = right.IsSticky.CompareTo(left.IsSticky);
        if (order == 0)
            order = right.Sequence.CompareTo(left.Sequence);
        if (order == 0)
            order = left.Vtep.Address.CompareTo(right.Vtep.Address);
        return order != 0 ? order : string.CompareOrdinal(left.Owner, right.Owner);
    }
}
