// A source of records: etcd, a file, or MemoryDirectory, their twin. A source has its own threads and its own I/O; the VTEP hears of it
// through events, one after the other, and tells it through LocalRecords what this node has.
//
// Contract.
// * RunAsync is called once. It never throws for an outage: it says so with a DirectoryStatus, and tries again with growing pauses.
// * A DirectorySnapshot is complete, as of one revision: what isn't in it isn't in the store. What was read only in part is never one.
// * After a snapshot come deltas, in the store's order. A source that may have missed one yields a snapshot instead.
// * A record that can't be read is a RejectedRecord beside the good ones.
// * What LocalRecords holds is in the store as soon as it can be, and is put there again when the store has lost it.
// * LookupAsync, ReadAsync and ReleaseAsync end within the given time or when cancelled; they may be called from any thread.

using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>What a source can do.</summary>
[Flags]
public enum DirectoryCapabilities
{
    /// <summary>It only yields records.</summary>
    None = 0,

    /// <summary>It takes this node's records.</summary>
    Publish = 1,

    /// <summary>It can be asked for one key.</summary>
    Lookup = 2,
}

/// <summary>Which records a source has to yield. Records of Vtep and Flood always are.</summary>
/// <param name="Stations">Mac, Neighbor and Prefix records too: a domain in watch mode is served.</param>
public readonly record struct DirectoryScope(bool Stations);

/// <summary>One key to be looked up: the MAC, or the address when it isn't none.</summary>
/// <param name="Vni">The domain.</param>
/// <param name="Mac">The station; zero when an address is asked for.</param>
/// <param name="Address">The address; none when a station is asked for.</param>
public readonly record struct LookupKey(Vni Vni, MacAddress Mac, InetAddress Address = default);

/// <summary>What became of a question.</summary>
public enum LookupOutcome : byte
{
    /// <summary>There are records.</summary>
    Found,

    /// <summary>The store has none; it said so itself.</summary>
    NotFound,

    /// <summary>The store didn't answer: nothing is known.</summary>
    NoAnswer,
}

/// <summary>The answer to a question.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Records">All claims: Mac records of a station, Neighbor records of an address.</param>
public sealed record LookupResult(LookupOutcome Outcome, IReadOnlyList<DirectoryRecord> Records)
{
    /// <summary>Nothing is known.</summary>
    public static LookupResult NoAnswer { get; } = new(LookupOutcome.NoAnswer, []);

    /// <summary>The store has none.</summary>
    public static LookupResult NotFound { get; } = new(LookupOutcome.NotFound, []);
}

/// <summary>
/// A source of records: what a controller is to a VTEP. It has its own threads; <see cref="RunAsync"/> is called once, all else at any time from any
/// thread. An outage is never an exception: it is a <see cref="DirectoryStatus"/>, <see cref="LookupOutcome.NoAnswer"/>, null or a sentence.
/// </summary>
public interface IDirectory : IAsyncDisposable
{
    /// <summary>What it can do.</summary>
    DirectoryCapabilities Capabilities { get; }

    /// <summary>Yields what the store has and how it changes, until cancelled, and keeps <paramref name="own"/> in the store.</summary>
    /// <param name="own">What this node has; the source takes from it what is due, and writes it.</param>
    /// <param name="stop">Ends it.</param>
    IAsyncEnumerable<DirectoryEvent> RunAsync(LocalRecords own, CancellationToken stop);

    /// <summary>Says what is wanted from now on, and asks for a fresh snapshot.</summary>
    /// <param name="scope">Which records the events must hold.</param>
    void Require(DirectoryScope scope);

    /// <summary>Reads everything once, beside the running events; null: no answer.</summary>
    /// <param name="stop">Gives up.</param>
    ValueTask<DirectorySnapshot?> ReadAsync(CancellationToken stop);

    /// <summary>Asks for one key. Never throws but for cancellation.</summary>
    /// <param name="key">A station or an address in a domain.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    ValueTask<LookupResult> LookupAsync(LookupKey key, CancellationToken stop);

    /// <summary>Writes a record of any node, or takes one out, without a lease: it stays until it is taken out. Null, or a sentence why not.</summary>
    /// <param name="change">The record, or the key of what is taken out.</param>
    /// <param name="stop">Gives up.</param>
    ValueTask<string?> WriteAsync(DirectoryChange change, CancellationToken stop);

    /// <summary>Takes all of this node's records out of the store, and publishes nothing any more. Null, or a sentence why not.</summary>
    /// <param name="stop">Gives up.</param>
    ValueTask<string?> ReleaseAsync(CancellationToken stop);
}
