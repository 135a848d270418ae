// How the controller is, and what the operator should know.

using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Frames;

namespace VtepDataPlane.Discovery;

internal sealed partial class Reconciler
{
    private const int MostFrozenTold = 16;
    private const int MostCauses = 16;
    private const long AloneQuietMilliseconds = 30_000;

    private readonly Dictionary<string, long> _resyncs = [];
    private DirectoryStatus _status = new(DirectoryState.Connecting);
    private long? _statusSince;
    private long? _lastEvent;
    private long? _aloneSince;
    private long _revision;

    /// <summary>How the controller is. Lookups are counted elsewhere and left 0.</summary>
    public ControllerSnapshot Status(long nowMilliseconds) => new(
        _config.Name, _config.Node, RejectedRecords.TextOf(_status.State), _status.Problem, _status.BackoffMilliseconds,
        Seconds(_statusSince, nowMilliseconds) ?? 0, Seconds(_lastEvent, nowMilliseconds), _revision, _table.IsFromCache,
        Enum.GetValues<RecordKind>().ToDictionary(RecordRules.KindText, _table.CountOf), _table.Stale, _table.Rejected.Counts, _own.Count, _own.Due,
        new Dictionary<string, long>(_resyncs), _table.ShrinkHeld, _moves.FrozenCount, 0, 0, 0);

    /// <summary>What the operator should know, a sentence each: frozen stations, a held shrink, an id that two nodes use, a store that is away
    /// or names no other VTEP.</summary>
    public IReadOnlyList<string> Warnings(long nowMilliseconds) => [.. Troubles(nowMilliseconds).Select(trouble => trouble.Text)];

    /// <summary>The same, each with what it is about.</summary>
    public IReadOnlyList<ControllerWarning> Troubles(long nowMilliseconds)
    {
        List<ControllerWarning> troubles = [];
        void Add(string about, string text) => troubles.Add(new ControllerWarning(_config.Name, about, text));
        string name = $"controller {VtepConfigRules.Quote(_config.Name)}";
        if (_status.State is DirectoryState.Degraded or DirectoryState.Refused)
            Add(ControllerWarning.Away, $"Frames of {name} go by the last known state: {VtepConfigRules.Escape(_status.Problem ?? "no reason given")}");
        if (_table.IsFromCache)
            Add("cache", $"What is known of {name} was read from disk; its store hasn't answered yet.");
        if (_table.ShrinkHeld > 0)
            Add("shrink", $"The store of {name} has lost {_table.ShrinkHeld} VTEPs at once. They are kept for "
                + $"{Left(_table.ShrinkHeldUntil, nowMilliseconds)} s more; if they are gone indeed, accept it, else look for a wrong prefix or an "
                + "emptied store.");
        if (_aloneSince is { } alone && nowMilliseconds - alone >= AloneQuietMilliseconds && _status.State == DirectoryState.Connected)
            Add("alone", $"The store of {name} was read completely and names no other VTEP that is believed. If this node isn't the only one, see "
                + "whether the others have the same store and prefix, and what vtep show directory says is rejected.");
        if (OtherNodeOfOurId() is { } other)
            Add("id", $"Another node at {other} uses our id {VtepConfigRules.Quote(_config.Node)} in {name}; give each node an id of its own.");
        if (_isFull)
            Add("full", $"This node has {DirectoryTable.MaxRecordsPerOwner} records in {name}, as many as others take; it publishes no further stations.");
        foreach ((LookupKey key, Moves moves) in _moves.Frozen.Take(MostFrozenTold))
            Add($"frozen {key.Vni} {(key.Address.IsNone ? $"{key.Mac}" : $"{key.Address}")}", FrozenText(key, moves, nowMilliseconds));
        if (_moves.FrozenCount > MostFrozenTold)
            Add("frozen", $"{_moves.FrozenCount - MostFrozenTold} further stations of {name} are frozen.");
        return troubles;
    }

    // A wrong prefix looks like a store without others. The first node of all is left in peace for a while.
    private void NoteAlone(long nowMilliseconds) =>
        _aloneSince = _domains.Count == 0 || !_table.IsComplete || _table.CountOf(RecordKind.Vtep) > 0 ? null : _aloneSince ?? nowMilliseconds;

    private void NoteEvent(DirectoryEvent told, long nowMilliseconds)
    {
        if (told is DirectoryStatus status)
            NoteStatus(status, nowMilliseconds);
        else if (told is not DirectorySnapshot { IsFromCache: true })
            _lastEvent = nowMilliseconds;
        if (told is DirectoryDelta delta)
            _revision = delta.Revision;
        if (told is not DirectorySnapshot snapshot)
            return;
        _revision = snapshot.Revision;
        if (!snapshot.IsFromCache && (_resyncs.ContainsKey(snapshot.Cause) || _resyncs.Count < MostCauses))
            _resyncs[snapshot.Cause] = _resyncs.GetValueOrDefault(snapshot.Cause) + 1;
    }

    private void NoteStatus(DirectoryStatus status, long nowMilliseconds)
    {
        if (_statusSince is null || status.State != _status.State)
            _statusSince = nowMilliseconds;
        _status = status;
    }

    // A record of our own from before our address was changed looks like this too, until it is overwritten.
    private VtepEndpoint? OtherNodeOfOurId()
    {
        if (_table.OwnVtep is not { } stored || !_own.TryGet(stored.Key, out DirectoryRecord? wanted))
            return null;
        VtepEndpoint endpoint = stored.EndpointFor(_here.Address.Version);
        return endpoint != _here && stored.Instance != ((VtepRecord)wanted).Instance ? endpoint : null;
    }

    private static string FrozenText(LookupKey key, Moves moves, long nowMilliseconds)
    {
        string what = key.Address.IsNone ? $"MAC {key.Mac}" : $"Address {key.Address}";
        return $"{what} of VNI {key.Vni} moved {MoveHistory.FreezingMoves} times in {MoveHistory.WindowMilliseconds / 1000} s between {moves.From} and "
            + $"{moves.To}: frozen behind {moves.To} for {Left(moves.FrozenUntil ?? 0, nowMilliseconds)} s more; find the duplicate.";
    }

    private static long Left(long until, long nowMilliseconds) => Math.Max(0, (until - nowMilliseconds + 999) / 1000);

    private static long? Seconds(long? since, long nowMilliseconds) => since is { } at ? (nowMilliseconds - at) / 1000 : null;
}
