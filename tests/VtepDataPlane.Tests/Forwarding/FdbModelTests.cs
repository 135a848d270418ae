// The FDB against the simplest table that could be right: a dictionary. Random sequences over few MACs and domains, so that every
// rule meets every state; after each step result, counters and contents must agree.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Forwarding;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Forwarding;

[TestFixture]
public class FdbModelTests
{
    private const int Domains = 2;
    private const int Macs = 5;
    private const int DomainLimit = 3;
    private const int Capacity = 7;
    private const int Ids = 2;

    private enum Verb
    {
        Learn,
        Check,
        Lookup,
        Add,
        Delete,
        DeleteOwn,
        DeleteDirectory,
        Flush,
        Age,
    }

    private readonly record struct Step(Verb Verb, int Domain, int Mac, FdbKind Kind, int Id, bool Flag, uint Seconds);

    private static readonly Gen<Step> s_step = Gen.Select(
        Gen.Frequency(
            (8, Gen.Const(Verb.Learn)), (3, Gen.Const(Verb.Check)), (2, Gen.Const(Verb.Lookup)), (3, Gen.Const(Verb.Add)), (1, Gen.Const(Verb.Delete)),
            (1, Gen.Const(Verb.DeleteOwn)), (1, Gen.Const(Verb.DeleteDirectory)), (1, Gen.Const(Verb.Flush)), (1, Gen.Const(Verb.Age))),
        Gen.Int[0, Domains - 1], Gen.Int[1, Macs], Gen.Int[1, 7], Gen.Int[0, Ids - 1], Gen.Bool, Gen.UInt[0, 3],
        (verb, domain, mac, kind, id, flag, seconds) => new Step(verb, domain, mac, (FdbKind)kind, id, flag, seconds));

    [Test]
    public void AnySequence_GivesWhatADictionaryGives() =>
        s_step.Array[0, 40].Sample(Run, iter: 20_000, print: steps => string.Join("\n", steps));

    private static void Run(Step[] steps)
    {
        var fdb = new SmallFdb();
        var model = new Model();
        uint now = 1000;
        foreach (Step step in steps)
        {
            now += step.Verb is Verb.Learn or Verb.Check ? step.Seconds / 3 : step.Seconds;
            string got = fdb.Apply(step, now);
            string expected = model.Apply(step, now);
            if (got != expected)
                throw new InvalidOperationException($"{step} at {now}: {got}, but the dictionary says {expected}.");
        }
        if (fdb.Contents() != model.Contents())
            throw new InvalidOperationException($"Contents: {fdb.Contents()}\nbut the dictionary's: {model.Contents()}");
    }

    private static MacAddress MacOf(Step step) => new(0x02_00_00_00_00_00 + (ulong)step.Mac);

    private static FdbTarget TargetOf(Step step) => new(step.Kind, step.Id);

    /// <summary>A learned kind for Learn, another one for TryAdd.</summary>
    private static FdbTarget SourceOf(Step step) => new(step.Flag ? FdbKind.LearnedLocal : FdbKind.LearnedRemote, step.Id);

    private static bool IsAddable(Step step) => step.Kind > FdbKind.LearnedRemote;

    private static FdbKinds KindsOf(Step step) => step.Flag ? (FdbKinds)(1 << (int)step.Kind) : FdbKinds.Learned;

    private static FdbFilter FilterOf(Step step) =>
        new(KindsOf(step), step.Seconds % 2 == 0 ? step.Domain : FdbFilter.Any, step.Seconds >= 2 ? step.Id : FdbFilter.Any);

    private static uint[] Ageing => [2, 5];

    private sealed class SmallFdb
    {
        // made once a thread, emptied for each sequence: what one sequence leaves behind in slots and generations is part of the test
        [ThreadStatic]
        private static Fdb? s_fdb;

        private readonly Fdb _fdb = s_fdb ??= new Fdb(Capacity, 42);

        public SmallFdb() => _fdb.Flush(new FdbFilter(FdbKinds.All));

        public string Apply(Step step, uint now)
        {
            string result = step.Verb switch
            {
                Verb.Learn => _fdb.Learn(step.Domain, MacOf(step), SourceOf(step), now, DomainLimit).ToString(),
                Verb.Check => _fdb.Check(step.Domain, MacOf(step), _fdb.LineOf(step.Domain, MacOf(step)), SourceOf(step), now).ToString(),
                Verb.Lookup => _fdb.Lookup(step.Domain, MacOf(step)).ToString(),
                Verb.Add => IsAddable(step) ? _fdb.TryAdd(step.Domain, MacOf(step), TargetOf(step), step.Flag).ToString() : "",
                Verb.Delete => _fdb.Delete(step.Domain, MacOf(step)).ToString(),
                Verb.DeleteOwn => _fdb.DeleteOwn(step.Domain, MacOf(step)).ToString(),
                Verb.DeleteDirectory => _fdb.DeleteDirectory(step.Domain, MacOf(step)).ToString(),
                Verb.Flush => _fdb.Flush(FilterOf(step)).ToString(),
                _ => _fdb.Age(Ageing, now).ToString(),
            };
            return $"{result} {_fdb.Count} {_fdb.CountOf(0)}/{_fdb.LearnedCountOf(0)} {_fdb.CountOf(1)}/{_fdb.LearnedCountOf(1)}";
        }

        public string Contents() => Text(FdbTests.Entries(_fdb));
    }

    private sealed class Model
    {
        private readonly Dictionary<(int Domain, MacAddress Mac), (FdbTarget Target, uint LastSeen)> _entries = [];

        public string Apply(Step step, uint now)
        {
            string result = step.Verb switch
            {
                Verb.Learn => Learn((step.Domain, MacOf(step)), SourceOf(step), now).ToString(),
                Verb.Check => Check((step.Domain, MacOf(step)), SourceOf(step), now).ToString(),
                Verb.Lookup => _entries.TryGetValue((step.Domain, MacOf(step)), out var entry) ? entry.Target.ToString() : "miss",
                Verb.Add => IsAddable(step) ? Add((step.Domain, MacOf(step)), TargetOf(step), step.Flag).ToString() : "",
                Verb.Delete => Remove(step, kind => kind != FdbKind.Own).ToString(),
                Verb.DeleteOwn => Remove(step, kind => kind == FdbKind.Own).ToString(),
                Verb.DeleteDirectory => Remove(step, IsDirectory).ToString(),
                Verb.Flush => RemoveWhere((key, value) => Takes(step, key.Domain, value.Target)).ToString(),
                _ => RemoveWhere((key, value) => IsLearned(value.Target) && now - value.LastSeen >= Ageing[key.Domain]).ToString(),
            };
            return $"{result} {_entries.Count} {CountOf(0)}/{LearnedCountOf(0)} {CountOf(1)}/{LearnedCountOf(1)}";
        }

        public string Contents() => Text(_entries.Select(e => new FdbEntry(e.Key.Domain, e.Key.Mac, e.Value.Target, e.Value.LastSeen)));

        private LearnResult Learn((int Domain, MacAddress) key, FdbTarget source, uint now)
        {
            if (!_entries.TryGetValue(key, out var entry))
            {
                if (LearnedCountOf(key.Domain) >= DomainLimit)
                    return LearnResult.LimitReached;
                if (_entries.Count >= Capacity)
                    return LearnResult.TableFull;
                _entries[key] = (source, now);
                return LearnResult.Learned;
            }
            bool same = IsLocal(entry.Target) == IsLocal(source) && entry.Target.Id == source.Id;
            bool comesHere = entry.Target.Kind == FdbKind.DirectoryRemote && IsLocal(source);
            if (!IsLearned(entry.Target) && !comesHere)
                return Check(key, source, now);
            if (same && entry.LastSeen == now)
                return LearnResult.Unchanged;
            if (comesHere && LearnedCountOf(key.Domain) >= DomainLimit)
                return LearnResult.LimitReached;
            _entries[key] = (source, now);
            return same ? LearnResult.Refreshed : LearnResult.Moved;
        }

        private LearnResult Check((int Domain, MacAddress) key, FdbTarget source, uint now)
        {
            if (!_entries.TryGetValue(key, out var entry) || IsLearned(entry.Target))
                return LearnResult.Unchanged;
            bool same = IsLocal(entry.Target) == IsLocal(source) && entry.Target.Id == source.Id;
            if (!IsDirectory(entry.Target.Kind))
                return same ? LearnResult.Unchanged : entry.Target.Kind == FdbKind.Own ? LearnResult.OwnMac : LearnResult.Conflict;
            if (!same && (IsLocal(source) || entry.Target.Kind == FdbKind.StickyRemote))
                return LearnResult.Conflict;
            if (entry.LastSeen == now)
                return LearnResult.Unchanged;
            _entries[key] = (entry.Target, now);
            return same ? LearnResult.Refreshed : LearnResult.Contradicted;
        }

        private FdbAddResult Add((int, MacAddress) key, FdbTarget target, bool replace)
        {
            bool exists = _entries.TryGetValue(key, out var entry);
            if (!exists && _entries.Count >= Capacity)
                return FdbAddResult.Full;
            bool givesWay = !exists || IsLearned(entry.Target) || IsDirectory(entry.Target.Kind) || target.Kind == FdbKind.Own
                || (replace && !IsDirectory(target.Kind));
            bool bothOwn = exists && entry.Target.Kind == FdbKind.Own && target.Kind == FdbKind.Own;
            if (exists && entry.Target.Kind == FdbKind.Own)
                givesWay = bothOwn && entry.Target.Id != target.Id;
            if (!givesWay)
                return FdbAddResult.Exists;
            bool samePlace = exists && !IsLocal(entry.Target) && entry.Target.Id == target.Id;
            _entries[key] = (target, samePlace && IsDirectory(target.Kind) ? entry.LastSeen : 0);
            return FdbAddResult.Added;
        }

        private bool Remove(Step step, Func<FdbKind, bool> takes) =>
            _entries.TryGetValue((step.Domain, MacOf(step)), out var entry) && takes(entry.Target.Kind)
            && _entries.Remove((step.Domain, MacOf(step)));

        private int RemoveWhere(Func<(int Domain, MacAddress Mac), (FdbTarget Target, uint LastSeen), bool> condition)
        {
            var gone = _entries.Where(entry => condition(entry.Key, entry.Value)).Select(entry => entry.Key).ToList();
            gone.ForEach(key => _entries.Remove(key));
            return gone.Count;
        }

        private static bool Takes(Step step, int domain, FdbTarget target)
        {
            bool kind = step.Flag ? target.Kind == step.Kind : IsLearned(target);
            return kind && (step.Seconds % 2 != 0 || domain == step.Domain) && (step.Seconds < 2 || target.Id == step.Id);
        }

        private int CountOf(int domain) => _entries.Keys.Count(key => key.Domain == domain);

        private int LearnedCountOf(int domain) => _entries.Count(entry => entry.Key.Domain == domain && IsLearned(entry.Value.Target));

        private static bool IsLearned(FdbTarget target) => target.Kind is FdbKind.LearnedLocal or FdbKind.LearnedRemote;

        private static bool IsDirectory(FdbKind kind) => kind is FdbKind.DirectoryRemote or FdbKind.StickyRemote;

        private static bool IsLocal(FdbTarget target) => target.Kind is FdbKind.LearnedLocal or FdbKind.StaticLocal or FdbKind.Own;
    }

    private static string Text(IEnumerable<FdbEntry> entries) =>
        string.Join("; ", entries.OrderBy(entry => entry.Domain).ThenBy(entry => entry.Mac));
}
