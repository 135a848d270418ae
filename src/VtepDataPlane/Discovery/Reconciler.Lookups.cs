// Domains whose stations are looked up: answers are good for a while and are asked for again before they are too old. When the store doesn't
// answer, what is known is kept: the last known state is forwarded by. A station of ours that was claimed blindly is asked for too, because whoever
// had it before has to be outbid.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>An answer that is known.</summary>
/// <param name="AskAt">When to ask again.</param>
/// <param name="Until">When it is too old.</param>
internal readonly record struct KnownAnswer(long AskAt, long Until);

internal sealed partial class Reconciler
{
    private const long Never = long.MaxValue;

    private readonly Dictionary<LookupKey, KnownAnswer> _answers = [];
    private readonly Dictionary<LookupKey, long> _blind = [];

    /// <summary>Lookup mode: the store's answer to a question; good for the domain's PositiveSeconds.</summary>
    public void LookedUp(LookupKey key, LookupResult result, long nowMilliseconds)
    {
        if (!LooksUp(key.Vni))
            return;
        KnownAnswer good = GoodFrom(key.Vni, nowMilliseconds);
        if (result.Outcome == LookupOutcome.NoAnswer)
        {
            KeepAnswer(key, good);
            return;
        }

        _blind.Remove(key);
        _table.Answer(key, result.Outcome == LookupOutcome.Found ? result.Records : [], nowMilliseconds);
        if (_table.ClaimsOf(key).Any(held => held.IsAnswer))
            _answers[key] = good;
        else
            _answers.Remove(key);
        Settle(nowMilliseconds);
    }

    /// <summary>
    /// Lookup mode: what is to be asked: answers that will soon be too old, and stations of ours that somebody else may have claimed before. Told
    /// once each, until there is an answer.
    /// </summary>
    public IReadOnlyList<LookupKey> TakeExpiring(long nowMilliseconds)
    {
        LookupKey[] old = [.. _answers.Where(answer => answer.Value.AskAt <= nowMilliseconds).Select(answer => answer.Key)];
        LookupKey[] blind = [.. _blind.Where(station => station.Value <= nowMilliseconds).Select(station => station.Key)];
        foreach (LookupKey key in old)
            _answers[key] = _answers[key] with { AskAt = Never };
        foreach (LookupKey key in blind)
            _blind[key] = Never;
        return [.. old, .. blind.Except(old)];
    }

    private KnownAnswer GoodFrom(Vni vni, long nowMilliseconds)
    {
        long good = _domains[vni].PositiveSeconds * 1000L;
        return new KnownAnswer(nowMilliseconds + (good * 4 / 5), nowMilliseconds + good);
    }

    private void KeepAnswer(LookupKey key, KnownAnswer good)
    {
        if (_answers.ContainsKey(key))
            _answers[key] = good;
        if (_blind.ContainsKey(key))
            _blind[key] = good.AskAt;
    }

    private void AskSoon(LookupKey key, long nowMilliseconds) => _blind[key] = nowMilliseconds;

    private void ExpireAnswers(long nowMilliseconds)
    {
        foreach (LookupKey key in _answers.Where(answer => answer.Value.Until <= nowMilliseconds).Select(answer => answer.Key).ToList())
        {
            _answers.Remove(key);
            _table.ForgetAnswer(key);
        }

        foreach (LookupKey key in _blind.Keys.Where(key => !_local.TryFind(key, out _)).ToList())
            _blind.Remove(key);
    }

    private void ForgetAnswers(Vni vni)
    {
        foreach (LookupKey key in _answers.Keys.Concat(_blind.Keys).Where(key => key.Vni == vni).ToList())
        {
            _answers.Remove(key);
            _blind.Remove(key);
        }
    }
}
