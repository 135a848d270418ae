// From a watch's events to a delta. A key that changed more than once in them is told as it is at the end.

using VtepDataPlane.Discovery;
using VtepDataPlane.Discovery.Records;
using VtepDataPlane.Etcd.Wire;

namespace VtepDataPlane.Etcd;

/// <summary>Makes deltas.</summary>
internal static class EtcdDelta
{
    /// <summary>What events of whole revisions mean. A value that can't be read takes its own record away, no other.</summary>
    public static DirectoryDelta From(IReadOnlyList<Event> events, RecordCodec codec)
    {
        var last = new Dictionary<RecordKey, DirectoryRecord?>();
        var rejected = new List<RejectedRecord>();
        foreach (Event happened in events)
            Take(happened, codec, last, rejected);
        DirectoryChange[] changes = [.. last.Select(pair => new DirectoryChange(pair.Key, pair.Value))];
        return new DirectoryDelta(events.Max(happened => happened.Kv.ModRevision), changes, rejected.ConvertAll(wrong => Now(wrong, last)));
    }

    private static void Take(Event happened, RecordCodec codec, Dictionary<RecordKey, DirectoryRecord?> last, List<RejectedRecord> rejected)
    {
        if (happened.Type == Event.Types.EventType.Delete)
        {
            if (codec.KeyOf(happened.Kv.Key.Span) is { } gone)
                last[gone] = null;
        }
        else if (codec.TryParse(happened.Kv.Key.Span, happened.Kv.Value.Span, out DirectoryRecord? record, out RejectedRecord? wrong))
        {
            last[record.Key] = record;
        }
        else
        {
            rejected.Add(wrong);
            if (wrong.Means is { } means)
                last[means] = null;
        }
    }

    // a bad value with a good one after it takes nothing away
    private static RejectedRecord Now(RejectedRecord wrong, Dictionary<RecordKey, DirectoryRecord?> last) =>
        wrong.Means is { } means && last[means] is not null ? wrong with { Means = null } : wrong;
}
