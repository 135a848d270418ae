// Waiting for a condition, bounded. There is no fixed sleep in these tests: whatever takes time is asked for until it is so.

using System.Diagnostics;
using NUnit.Framework;

namespace VtepDataPlane.SystemTests.Namespaces;

/// <summary>Waits for conditions.</summary>
internal static class Wait
{
    private static readonly TimeSpan s_pollInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Asks until <paramref name="condition"/> holds and gives the time it took; fails the test after <paramref name="limit"/>.
    /// </summary>
    /// <param name="what">Completes the sentence "Waited N s until ...".</param>
    /// <param name="condition">Asked every 20 ms.</param>
    /// <param name="limit">Longest wait.</param>
    /// <param name="state">What the failure should show of the state at the end.</param>
    public static TimeSpan Until(string what, Func<bool> condition, TimeSpan limit, Func<string>? state = null)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            TimeSpan waited = Stopwatch.GetElapsedTime(start);
            if (waited > limit)
                throw new AssertionException($"Waited {limit.TotalSeconds:0.#} s until {what}; it did not happen. {state?.Invoke()}");
            Thread.Sleep(s_pollInterval);
        }

        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>As above, at most <paramref name="seconds"/>.</summary>
    public static TimeSpan Until(string what, Func<bool> condition, double seconds = 5, Func<string>? state = null) =>
        Until(what, condition, TimeSpan.FromSeconds(seconds), state);
}
