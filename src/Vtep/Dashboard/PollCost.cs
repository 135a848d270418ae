// How long to wait between two questions of a kind: a second, or a hundred times as long as an answer takes to make, if that is more, so that an open
// page never costs more than a hundredth of one processor. What counts is the least of the last four times: a thread that had to wait for its turn,
// and code that was compiled on its first run, took longer than they cost.
//
// One thread at a time.

using System.Diagnostics;

namespace VtepDataPlane.Daemon.Dashboard;

/// <summary>Measures answers.</summary>
internal sealed class PollCost
{
    /// <summary>Milliseconds between two questions at least.</summary>
    public const int Interval = 1000;

    private const int Factor = 100;
    private readonly TimeSpan[] _last = new TimeSpan[4];
    private int _next;

    /// <summary>Milliseconds until the next question.</summary>
    public int NextMilliseconds => (int)Math.Clamp(_last.Min().TotalMilliseconds * Factor, Interval, int.MaxValue);

    /// <summary>Makes an answer and measures it.</summary>
    public T Measure<T>(Func<T> make)
    {
        long begin = Stopwatch.GetTimestamp();
        T made = make();
        Take(Stopwatch.GetElapsedTime(begin));
        return made;
    }

    /// <summary>An answer took this long.</summary>
    public void Take(TimeSpan time)
    {
        _last[_next] = time;
        _next = (_next + 1) % _last.Length;
    }
}
