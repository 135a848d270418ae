// Is a frame dearer than it was? Two builds take turns of some milliseconds on one thread, so whatever else the machine does meets both alike;
// who begins changes with each pair of turns. A round gives the median of the ratios of its pairs, and the last line the median of
// the rounds with the least and the greatest. How much rounds of a build against itself differ is how much a difference must be to mean something.

using System.Diagnostics;
using System.Globalization;

namespace VtepDataPlane.EndToEnd.Compare;

/// <summary>Compares the time a frame of 64 bytes takes in two builds.</summary>
/// <param name="before">The build to compare with.</param>
/// <param name="after">The build that is judged.</param>
/// <param name="rounds">How often all is measured.</param>
internal sealed class BuildComparison(BuildUnderTest before, BuildUnderTest after, int rounds)
{
    private const int WarmUp = 60; // turns each, about a second: by then the compiler is done with both
    private const int Turns = 150;
    private const int BatchesAtOnce = 64;
    private const double TurnMilliseconds = 15;

    /// <summary>Measures, and writes a line for each round and one for all.</summary>
    public void Run(TextWriter output)
    {
        foreach (string name in new[] { "Encapsulate", "Decapsulate" })
        {
            Func<int> old = before.Walk(name), now = after.Walk(name);
            for (int turn = 0; turn < WarmUp; turn++)
                _ = (Time(old), Time(now));
            double[] ratios = [.. Enumerable.Range(1, rounds).Select(_ => Round(name, old, now, output))];
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-11} median {Percent(Median(ratios))}, {Percent(ratios.Min())} to {Percent(ratios.Max())}"));
        }
    }

    private static double Round(string name, Func<int> old, Func<int> now, TextWriter output)
    {
        double[] olds = new double[Turns], nows = new double[Turns];
        for (int turn = 0; turn < Turns; turn++)
        {
            if (turn % 2 == 0)
                (olds[turn], nows[turn]) = (Time(old), Time(now));
            else
                (nows[turn], olds[turn]) = (Time(now), Time(old));
        }

        double ratio = Median([.. nows.Zip(olds, (now, old) => now / old)]);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-11} before {Median(olds):F1} ns, after {Median(nows):F1} ns: {Percent(ratio)}"));
        return ratio;
    }

    // nanoseconds a frame
    private static double Time(Func<int> batch)
    {
        long start = Stopwatch.GetTimestamp(), frames = 0;
        do
        {
            for (int i = 0; i < BatchesAtOnce; i++)
                frames += batch();
        }
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < TurnMilliseconds);
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / frames;
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

    private static string Percent(double ratio) => string.Create(CultureInfo.InvariantCulture, $"{100 * (ratio - 1):+0.0;-0.0} %");
}
