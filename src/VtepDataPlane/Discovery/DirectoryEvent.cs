// What a source tells: everything, what changed, or how it is. Immutable; made by the source, taken by the Reconciler.

using VtepDataPlane.Discovery.Records;

namespace VtepDataPlane.Discovery;

/// <summary>Something a source tells.</summary>
public abstract record DirectoryEvent;

/// <summary>Everything there is, as of one revision. Complete by construction: what isn't in it is gone.</summary>
/// <param name="Revision">The store's; grows, unless the store was restored.</param>
/// <param name="Records">All records that could be read, this node's own among them.</param>
/// <param name="Rejected">Those that couldn't.</param>
/// <param name="IsFromCache">Read from disk, before the store answered: good to forward by, never a reason to publish or to withdraw.</param>
/// <param name="Cause">Why it was read: <c>start</c>, <c>compacted</c>, <c>stream lost</c>, <c>audit</c> ...</param>
public sealed record DirectorySnapshot(
    long Revision, IReadOnlyList<DirectoryRecord> Records, IReadOnlyList<RejectedRecord> Rejected, bool IsFromCache = false, string Cause = "start")
    : DirectoryEvent;

/// <summary>One change.</summary>
/// <param name="Key">Of which record.</param>
/// <param name="Record">As it is now; null: it is gone.</param>
public readonly record struct DirectoryChange(RecordKey Key, DirectoryRecord? Record);

/// <summary>What changed since, in order.</summary>
/// <param name="Revision">The store's, after the last change.</param>
/// <param name="Changes">The changes.</param>
/// <param name="Rejected">Values that could not be read; what they were the new value of is gone.</param>
public sealed record DirectoryDelta(long Revision, IReadOnlyList<DirectoryChange> Changes, IReadOnlyList<RejectedRecord> Rejected) : DirectoryEvent;

/// <summary>How the connection to the store is.</summary>
public enum DirectoryState : byte
{
    /// <summary>Not connected yet.</summary>
    Connecting,

    /// <summary>What is known is what the store says.</summary>
    Connected,

    /// <summary>The store is away: the last known state is forwarded by.</summary>
    Degraded,

    /// <summary>The store refuses us: an operator must act. Tried again, slowly.</summary>
    Refused,
}

/// <summary>How the source is. Told on every change.</summary>
/// <param name="State">The state.</param>
/// <param name="Problem">What is wrong and what to do, as a sentence; null when connected.</param>
/// <param name="BackoffMilliseconds">Until the next attempt; 0 when connected.</param>
public sealed record DirectoryStatus(DirectoryState State, string? Problem = null, int BackoffMilliseconds = 0) : DirectoryEvent;
