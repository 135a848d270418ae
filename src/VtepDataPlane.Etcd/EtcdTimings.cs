// All the spans of time the client goes by, in one place: tests shorten them, nobody else needs to.

namespace VtepDataPlane.Etcd;

/// <summary>Spans of time.</summary>
internal sealed record EtcdTimings
{
    /// <summary>For one call, its connection's making included.</summary>
    public TimeSpan Call { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>First pause after the store was away; doubles with each failure.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest pause while the store is away; also how long a stream must last to be a success.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Pause after the store refused us.</summary>
    public TimeSpan RefusedPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Silence on a watch after which it is asked for a sign of life.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For the sign of life, and for a watch to be created.</summary>
    public TimeSpan Answer { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Between complete readings that would find a change the watch has missed.</summary>
    public TimeSpan Audit { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Between looks at the files with certificates, key and password.</summary>
    public TimeSpan Files { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Between two writes of own records, unless a transaction is full: the first change goes at once, what comes right after it together. At 1,000
    /// changes a second it is 20 transactions instead of 500, for us, for the store, and for everybody who watches it.
    /// </summary>
    public TimeSpan Gathering { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>From the start until own keys that nobody wants any more are deleted: stations need time to be heard again.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For taking own records out of the store when the process stops.</summary>
    public TimeSpan Withdrawal { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Between writings of the cache, at least.</summary>
    public TimeSpan Cache { get; init; } = TimeSpan.FromSeconds(5);
}
