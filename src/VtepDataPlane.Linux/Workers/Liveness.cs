// Whether threads still move. They sleep in epoll_wait or poll for as long as there is nothing to do, so silence alone means nothing:
// each is asked for a sign of life, and stands still when none has come within two seconds. The sign is a number that changes: the
// worker's passes of the head of its loop, the control loop's turns and the ports it opens on the way. Asking costs the thread one wake-up;
// while nobody looks nothing is asked, and nothing of this is on the frame path.
//
// Two seconds are long for threads that come round in milliseconds even when the process gets a tenth of a processor: what the kernel
// throttles is let run in each of its periods (100 ms by default).
//
// Any thread; one look at a time. After End nothing is asked any more, so that the descriptors it wakes by may be closed.

using System.Globalization;

namespace VtepDataPlane.Linux.Workers;

/// <summary>Finds threads that stand still.</summary>
internal sealed class Liveness
{
    /// <summary>Milliseconds a thread may take for its sign of life.</summary>
    public const long LongestSilence = 2_000;

    private readonly Lock _gate = new();
    private readonly List<Watched> _threads = [];

    /// <summary>Watches a thread.</summary>
    /// <param name="name">The start of a sentence.</param>
    /// <param name="progress">A number that changes when the thread moves; any thread may ask.</param>
    /// <param name="ask">Makes it move once.</param>
    public void Watch(string name, Func<long> progress, Action ask)
    {
        lock (_gate)
            _threads.Add(new Watched(name, progress, ask));
    }

    /// <summary>Watches nothing any more.</summary>
    public void End()
    {
        lock (_gate)
            _threads.Clear();
    }

    /// <summary>A sentence about each thread that stands still, or null when all move.</summary>
    public string? FindStall(long nowMilliseconds)
    {
        lock (_gate)
        {
            List<string> stalls = [.. _threads.Select(thread => thread.Look(nowMilliseconds)).OfType<string>()];
            return stalls.Count == 0 ? null : string.Join(' ', stalls);
        }
    }

    private sealed class Watched(string name, Func<long> progress, Action ask)
    {
        private long _seen;
        private long? _askedAt;

        public string? Look(long now)
        {
            long moved = progress();
            if (_askedAt is { } asked && moved == _seen)
                return now - asked > LongestSilence ? string.Create(CultureInfo.InvariantCulture, $"{name} hasn't moved for {(now - asked) / 1000.0:0.0} s.") : null;
            _seen = moved; // before it is asked: its answer changes this
            _askedAt = now;
            ask();
            return null;
        }
    }
}
