// Waiting for a condition, bounded.

using System.Diagnostics;

namespace VtepDataPlane.EndToEnd.Lab;

/// <summary>Waits.</summary>
internal static class Wait
{
    /// <summary>Asks every 20 ms until it is so; a sentence when it isn't after <paramref name="seconds"/>.</summary>
    public static void Until(string what, double seconds, Func<bool> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start).TotalSeconds > seconds)
                throw new BenchException($"Waited {seconds:0.#} s until {what}; it did not happen.");
            Thread.Sleep(20);
        }
    }
}
