// What a VTEP tells about its controllers: how they are, what they said, who won and why, and where store and data plane differ. Plain values,
// as in Snapshots.cs.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>One controller.</summary>
/// <param name="Name">Its name in the configuration.</param>
/// <param name="Node">Our node id in it.</param>
/// <param name="State"><c>connecting</c>, <c>connected</c>, <c>degraded</c> (last known state), or <c>refused</c> (an operator must act).</param>
/// <param name="Problem">What is wrong and what to do; null when nothing is.</param>
/// <param name="BackoffMilliseconds">Until the next attempt; 0 when connected.</param>
/// <param name="StateSeconds">For how long it has been in this state.</param>
/// <param name="LastEventSeconds">Since the last word of the store; null: none yet.</param>
/// <param name="Revision">The store's, as far as it is known here.</param>
/// <param name="FromCache">What is known was read from disk; the store hasn't answered yet.</param>
/// <param name="Records">Records held, by kind: <c>vtep</c>, <c>flood</c>, <c>mac</c>, <c>neighbor</c>, <c>prefix</c>.</param>
/// <param name="Stale">Records held that the store may not have any more.</param>
/// <param name="Rejected">Records not taken since the start, by reason.</param>
/// <param name="Published">Records of this node that are wanted in the store.</param>
/// <param name="PublishPending">Of these, changes that aren't written yet.</param>
/// <param name="Resyncs">Complete readings, by cause.</param>
/// <param name="ShrinkHeld">VTEPs that a snapshot has lost at once and that are kept for now.</param>
/// <param name="Frozen">Stations that moved too often and are held where they are.</param>
/// <param name="Lookups">Questions asked.</param>
/// <param name="LookupsFound">Questions answered with records.</param>
/// <param name="LookupsUnanswered">Questions without an answer in time.</param>
public sealed record ControllerSnapshot(
    string Name, string Node, string State, string? Problem, int BackoffMilliseconds, long StateSeconds, long? LastEventSeconds, long Revision,
    bool FromCache, IReadOnlyDictionary<string, int> Records, int Stale, IReadOnlyDictionary<string, long> Rejected, int Published,
    int PublishPending, IReadOnlyDictionary<string, long> Resyncs, int ShrinkHeld, int Frozen, long Lookups, long LookupsFound, long LookupsUnanswered);

/// <summary>Something about a controller that the operator should know.</summary>
/// <param name="Controller">Its name in the configuration.</param>
/// <param name="About">What it is about: the same as long as it is the same trouble, while the text may count seconds down.</param>
/// <param name="Text">A sentence.</param>
public sealed record ControllerWarning(string Controller, string About, string Text)
{
    /// <summary>About: the store is away or refuses us; the state says it too.</summary>
    public const string Away = "away";
}

/// <summary>All controllers at one moment.</summary>
/// <param name="Controllers">How they are, by name.</param>
/// <param name="Warnings">What the operator should know of them; a bounded number.</param>
public sealed record ControllerReport(IReadOnlyList<ControllerSnapshot> Controllers, IReadOnlyList<ControllerWarning> Warnings);

/// <summary>One record.</summary>
/// <param name="Controller">Where it was read.</param>
/// <param name="Kind"><c>vtep</c>, <c>flood</c>, <c>mac</c>, <c>neighbor</c> or <c>prefix</c>.</param>
/// <param name="Owner">The node that says it.</param>
/// <param name="Vni">The domain, or null.</param>
/// <param name="Mac">The station, or null.</param>
/// <param name="Address">The neighbour's address, or the prefix; null for others.</param>
/// <param name="Vtep">Where that is: the owner's VTEP; null when it isn't known.</param>
/// <param name="Sequence">Mobility sequence, or null.</param>
/// <param name="Sticky">The station never moves.</param>
/// <param name="AgeSeconds">Since it came to be known as it is.</param>
/// <param name="Stale">The store may not have it any more.</param>
/// <param name="Winner">The data plane goes by it.</param>
/// <param name="Why">Why it does or doesn't, in a few words.</param>
public sealed record DirectoryRecordSnapshot(
    string Controller, string Kind, string Owner, Vni? Vni, MacAddress? Mac, string? Address, string? Vtep, uint? Sequence, bool Sticky,
    long AgeSeconds, bool Stale, bool Winner, string Why);

/// <summary>A record that wasn't taken.</summary>
/// <param name="Controller">Where it was read.</param>
/// <param name="Name">What it is called there.</param>
/// <param name="Reason">Why, as a name.</param>
/// <param name="Detail">Why, as a sentence.</param>
/// <param name="AgeSeconds">Since it was read.</param>
public sealed record RejectedRecordSnapshot(string Controller, string Name, string Reason, string Detail, long AgeSeconds);

/// <summary>What all controllers said.</summary>
/// <param name="Records">Records held, by controller, VNI, kind and key.</param>
/// <param name="Rejected">The last records not taken, newest first; a bounded number.</param>
public sealed record DirectoryContentSnapshot(IReadOnlyList<DirectoryRecordSnapshot> Records, IReadOnlyList<RejectedRecordSnapshot> Rejected);

/// <summary>One binding requests are answered from.</summary>
/// <param name="Vni">Its domain.</param>
/// <param name="Address">The address.</param>
/// <param name="Mac">The station.</param>
/// <param name="Router">It is an IPv6 router.</param>
/// <param name="Local">It is behind one of our own ports.</param>
public sealed record NeighborSnapshot(Vni Vni, InetAddress Address, MacAddress Mac, bool Router, bool Local);

/// <summary>Something the store says and the data plane doesn't do, or the other way round.</summary>
/// <param name="Controller">The store.</param>
/// <param name="Vni">The domain, or null.</param>
/// <param name="What"><c>peer</c>, <c>flood</c>, <c>station</c>, <c>neighbor</c> or <c>published</c>.</param>
/// <param name="Key">Of what.</param>
/// <param name="Store">What the store says; null: nothing.</param>
/// <param name="DataPlane">What the data plane does; null: nothing.</param>
public sealed record DirectoryDifference(string Controller, Vni? Vni, string What, string Key, string? Store, string? DataPlane)
{
    /// <summary><see cref="What"/> of a record of this node.</summary>
    internal const string Published = "published";
}
