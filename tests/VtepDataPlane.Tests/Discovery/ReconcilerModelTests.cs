// The reconciler against the simplest thing that could be right: all tables worked out from nothing but the records the store has at the end. However
// they came (snapshots and deltas in any mixture, records in any order, junk among them, time passing or not), once all holds are over the
// tables are the same.

using CsCheck;
using NUnit.Framework;
using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;
using static VtepDataPlane.Tests.Discovery.TestDirectory;

namespace VtepDataPlane.Tests.Discovery;

public sealed class ReconcilerModelTests
{
    private const int Hosts = 7;

    // Every key often, so that records change, go and come back; a few that no rule lets through.
    private static readonly Gen<DirectoryRecord> s_record = Gen.Select(
        Gen.Int[0, 9], Gen.Int[1, Hosts], Gen.Int[1, 3], Gen.UInt[0, 3], Gen.Int[0, 5],
        DirectoryRecord (kind, host, item, sequence, variant) => kind switch
        {
            <= 2 => Host(host) with { IPv4 = Endpoint(variant == 0 ? 250 : variant == 1 ? host + 100 : variant == 2 ? 99 : host) },
            <= 4 => Floods(host, variant == 0 ? new VtepDataPlane.Wire.Vni(300) : Vni100),
            <= 7 => Station(host, item, sequence, sticky: variant == 0),
            _ => Address(host, variant == 0 ? "224.0.0.1" : $"198.19.0.{item}", 1 + (variant % 3), sequence),
        });

    private static readonly Gen<Step> s_step = Gen.Select(
        Gen.Select(s_record, Gen.Int[0, 2], (record, verb) => new DirectoryChange(record.Key, verb == 0 ? null : record)).Array[0, 12],
        Gen.Int[0, 3], Gen.OneOf(new[] { 0, 900, 4000, 29_000, 70_000 }.Select(Gen.Const).ToArray<IGen<int>>()),
        (changes, verb, milliseconds) => new Step(changes, (Verb)verb, milliseconds));

    private enum Verb
    {
        Delta,
        DeltaWithATick,
        ChangesOneByOne,
        Snapshot,
    }

    private sealed record Step(DirectoryChange[] Changes, Verb Verb, int Milliseconds)
    {
        public override string ToString() => $"{Verb} after {Milliseconds} ms: {string.Join(", ", Changes.Select(change => $"{change.Key} -> {change.Record}"))}";
    }

    [Test]
    public void AnyOrderOfDeltasAndSnapshots_GivesTheTablesOfTheLastState() =>
        s_step.Array[1, 12].Sample(Run, iter: 3000, print: steps => string.Join("\n", steps.AsEnumerable()));

    private static void Run(Step[] steps)
    {
        var directory = new TestDirectory();
        var store = new Dictionary<RecordKey, DirectoryRecord>();
        directory.Snapshot();
        foreach (Step step in steps)
        {
            directory.Now += step.Milliseconds;
            foreach ((RecordKey key, DirectoryRecord? record) in step.Changes)
            {
                if (record is null)
                    store.Remove(key);
                else
                    store[key] = record;
            }

            Tell(directory, step, store);
        }

        // Holds end after a minute at most, what is frozen thaws after half an hour.
        directory.Pass(61_000);
        directory.Pass(MoveHistory.FrozenMilliseconds);
        Check("peers", Peers(store), directory.Target.Peers.GetValueOrDefault(Vni100, ([], [])) is var (admitted, flood) ? PeersText(admitted, flood) : "");
        Check("stations", Stations(store), directory.Target.Stations.Select(entry => $"{entry.Key.Item2} {entry.Value.Vtep} {entry.Value.IsSticky}"));
        Check("neighbors", Neighbors(store), directory.Target.Neighbors.Select(entry => $"{entry.Key.Item2} {entry.Value.Mac}"));
        Check("differences", [], directory.Reconciler.Compare(new DirectorySnapshot(1, [.. store.Values, .. directory.Own.All()], [])).Select(one => one.ToString()));
        if (directory.Status().Stale != 0)
            throw new InvalidOperationException($"{directory.Status().Stale} records are stale in the end.");
    }

    private static void Tell(TestDirectory directory, Step step, Dictionary<RecordKey, DirectoryRecord> store)
    {
        if (step.Verb == Verb.Snapshot)
            directory.Snapshot([.. store.Values]);
        else if (step.Verb == Verb.ChangesOneByOne)
            Array.ForEach(step.Changes, change => directory.Apply(new DirectoryDelta(1, [change], [])));
        else
            directory.Apply(new DirectoryDelta(1, step.Changes, []));
        if (step.Verb == Verb.DeltaWithATick)
            directory.Pass(0);
    }

    private static void Check(string what, string expected, string got) => Check(what, [expected], [got]);

    private static void Check(string what, IEnumerable<string> expected, IEnumerable<string> got)
    {
        string[] wanted = [.. expected.Order(StringComparer.Ordinal)];
        string[] had = [.. got.Order(StringComparer.Ordinal)];
        if (!wanted.SequenceEqual(had))
            throw new InvalidOperationException($"{what}: expected [{string.Join("; ", wanted)}], got [{string.Join("; ", had)}]");
    }

    private static Dictionary<string, VtepEndpoint> Vteps(Dictionary<RecordKey, DirectoryRecord> store) =>
        store.Values.OfType<VtepRecord>().Where(vtep => vtep.IPv4.Address != Local).ToDictionary(vtep => vtep.Owner, vtep => vtep.IPv4);

    private static IEnumerable<NeighborRecord> GoodNeighbors(Dictionary<RecordKey, DirectoryRecord> store) =>
        store.Values.OfType<NeighborRecord>().Where(neighbor => !neighbor.Address.IsMulticast);

    private static string Peers(Dictionary<RecordKey, DirectoryRecord> store)
    {
        Dictionary<string, VtepEndpoint> vteps = Vteps(store);
        string[] flood = [.. store.Values.OfType<FloodRecord>().Where(record => record.Vni == Vni100).Select(record => record.Owner).Where(vteps.ContainsKey)];
        IEnumerable<string> claimants = store.Values.OfType<MacRecord>().Select(record => record.Owner).Concat(GoodNeighbors(store).Select(record => record.Owner));
        return PeersText(flood.Concat(claimants.Where(vteps.ContainsKey)).Select(owner => vteps[owner]).ToHashSet(), flood.Select(owner => vteps[owner]).ToHashSet());
    }

    private static string PeersText(HashSet<VtepEndpoint> admitted, HashSet<VtepEndpoint> flood) =>
        $"{string.Join(" ", admitted.Select(vtep => vtep.ToString()).Order())} | {string.Join(" ", flood.Select(vtep => vtep.ToString()).Order())}";

    private static IEnumerable<string> Stations(Dictionary<RecordKey, DirectoryRecord> store)
    {
        Dictionary<string, VtepEndpoint> vteps = Vteps(store);
        return store.Values.OfType<MacRecord>()
            .Concat(GoodNeighbors(store).Select(neighbor => new MacRecord(neighbor.Owner, neighbor.Vni, neighbor.Mac, neighbor.Sequence)))
            .Where(claim => vteps.ContainsKey(claim.Owner))
            .GroupBy(claim => claim.Mac)
            .Select(claims => claims.OrderByDescending(claim => claim.Sticky).ThenByDescending(claim => claim.Sequence)
                .ThenBy(claim => vteps[claim.Owner].Address).ThenBy(claim => claim.Owner, StringComparer.Ordinal).First())
            .Select(winner => $"{winner.Mac} {vteps[winner.Owner]} {winner.Sticky}");
    }

    private static IEnumerable<string> Neighbors(Dictionary<RecordKey, DirectoryRecord> store)
    {
        Dictionary<string, VtepEndpoint> vteps = Vteps(store);
        return GoodNeighbors(store).Where(claim => vteps.ContainsKey(claim.Owner))
            .GroupBy(claim => claim.Address)
            .Select(claims => claims.OrderByDescending(claim => claim.Sequence).ThenBy(claim => vteps[claim.Owner].Address)
                .ThenBy(claim => claim.Owner, StringComparer.Ordinal).First())
            .Select(winner => $"{winner.Address} {winner.Mac}");
    }
}
