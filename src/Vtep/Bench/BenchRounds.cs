// Takes times. Cases run in turn, a short slice each, for several rounds: whatever else the machine does hits all of them alike, and the median
// of a case is hardly moved by it. A first round, longer and not counted, lets the just-in-time compiler finish.

using System.Diagnostics;

namespace VtepDataPlane.Daemon.Bench;

/// <summary>Nanoseconds of one operation.</summary>
/// <param name="Nanoseconds">The median of the rounds.</param>
/// <param name="Least">The fastest round.</param>
/// <param name="Most">The slowest round.</param>
internal sealed record BenchTime(double Nanoseconds, double Least, double Most);

/// <summary>Something to be measured.</summary>
/// <param name="Prepare">Called before each slice.</param>
/// <param name="Step">Does some operations and returns how many.</param>
internal sealed record BenchCase(Action Prepare, Func<int> Step);

/// <summary>Runs cases in turn.</summary>
internal static class BenchRounds
{
    private const int Rounds = 9;
    private const int StepsBetweenLooksAtTheClock = 4;

    // the warm-up takes as much as this many rounds
    private const int WarmUp = 3;

    /// <summary>Measures all cases in about so many seconds; times in the order of the cases.</summary>
    public static BenchTime[] Run(IReadOnlyList<BenchCase> cases, TimeSpan total, CancellationToken cancellation)
    {
        TimeSpan slice = total / (cases.Count * (Rounds + WarmUp));
        double[][] times = [.. cases.Select(_ => new double[Rounds])];
        for (int i = 0; i < cases.Count; i++)
            Measure(cases[i], WarmUp * slice, cancellation);
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < cases.Count; i++)
                times[i][round] = Measure(cases[i], slice, cancellation);
        }

        return [.. times.Select(Summarize)];
    }

    private static double Measure(BenchCase what, TimeSpan slice, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        what.Prepare();
        long operations = 0;
        long start = Stopwatch.GetTimestamp();
        TimeSpan elapsed;
        do
        {
            for (int i = 0; i < StepsBetweenLooksAtTheClock; i++)
                operations += what.Step();
            elapsed = Stopwatch.GetElapsedTime(start);
        }
        while (elapsed < slice);
        return elapsed.TotalNanoseconds / operations;
    }

    private static BenchTime Summarize(double[] times)
    {
        Array.Sort(times);
        return new BenchTime(times[times.Length / 2], times[0], times[^1]);
    }
}
