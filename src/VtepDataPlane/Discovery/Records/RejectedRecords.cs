// Records that weren't taken: counted by reason, and the last ones kept for show. A name that is rejected again takes its old place's turn, and when
// there is no room the reason that has most gives way: a thousand records of domains nobody serves here must not hide the one that is malformed.
// Control loop only.

namespace VtepDataPlane.Discovery.Records;

/// <summary>Counts and the last ones.</summary>
internal sealed class RejectedRecords
{
    /// <summary>How many are kept.</summary>
    public const int Capacity = 64;

    private const int LongestName = 256;
    private const int LongestDetail = 512;

    private readonly long[] _counts = new long[Enum.GetValues<RejectReason>().Length];
    private readonly List<(RejectedRecord Record, long Since)> _last = [];

    /// <summary>Those kept, newest first, with when they were read.</summary>
    public IEnumerable<(RejectedRecord Record, long Since)> Last => Enumerable.Reverse(_last);

    /// <summary>Counts by reason, those that occurred.</summary>
    public IReadOnlyDictionary<string, long> Counts => Enum.GetValues<RejectReason>().Where(reason => _counts[(int)reason] > 0)
        .ToDictionary(TextOf, reason => _counts[(int)reason]);

    /// <summary>A reason, or a state, as people see it: its name in camel case.</summary>
    public static string TextOf<T>(T value)
        where T : struct, Enum
    {
        string name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    /// <summary>Counts and keeps one.</summary>
    public void Add(RejectedRecord rejected, long nowMilliseconds)
    {
        _counts[(int)rejected.Reason]++;
        string name = Cut(rejected.Name, LongestName);
        int old = _last.FindIndex(other => other.Record.Name == name);
        if (old >= 0)
            _last.RemoveAt(old);
        else if (_last.Count == Capacity)
            _last.RemoveAt(FirstOfTheMostFrequent());
        _last.Add((rejected with { Name = name, Detail = Cut(rejected.Detail, LongestDetail) }, nowMilliseconds));
    }

    private int FirstOfTheMostFrequent()
    {
        RejectReason reason = _last.GroupBy(rejected => rejected.Record.Reason).MaxBy(group => group.Count())!.Key;
        return _last.FindIndex(rejected => rejected.Record.Reason == reason);
    }

    private static string Cut(string text, int longest) => text.Length <= longest ? text : text[..longest];
}
