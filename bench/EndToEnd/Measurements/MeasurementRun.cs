// A run of one of the benches of measurements: one after the other, each in a lab of its own. What fails is noted and the run goes on; the reports
// are written after every measurement.

using VtepDataPlane.EndToEnd.Report;

namespace VtepDataPlane.EndToEnd.Measurements;

/// <summary>Runs a bench.</summary>
/// <param name="options">What the command line said.</param>
/// <param name="all">All measurements of the bench, in the order of its report.</param>
internal sealed class MeasurementRun(MeasurementOptions options, IReadOnlyList<Measurement> all)
{
    private readonly Machine _machine = Machine.Read();
    private readonly Noise _noise = new();
    private readonly List<MeasurementResult> _results = [];
    private readonly IReadOnlyList<Measurement> _measurements = Named(options, all);

    /// <summary>Measures all and writes the reports. False when something could not be measured; a missed target is no failure of the bench.</summary>
    public bool Run()
    {
        foreach (Measurement measurement in _measurements)
        {
            var result = new MeasurementResult(measurement);
            _results.Add(result);
            _noise.Look();
            _noise.AwaitQuiet(0);
            Measure(result);
            MeasurementReport.Write(options, _machine, _noise, _results);
        }

        return _results.TrueForAll(result => result.Failure is null);
    }

    private static void Measure(MeasurementResult result)
    {
        try
        {
            result.Measurement.Measure(figure => Tell(result, figure));
        }
#pragma warning disable CA1031 // one measurement's failure must not end the run; it is reported
        catch (Exception e)
#pragma warning restore CA1031
        {
            result.Failure = e.Message;
            Console.WriteLine($"{result.Measurement.Name,-18} failed: {e.Message}");
        }
    }

    private static void Tell(MeasurementResult result, Figure figure)
    {
        result.Figures.Add(figure);
        Console.WriteLine($"{result.Measurement.Name,-18} {figure.What}: {MeasurementReport.Number(figure.Value)} {figure.Unit} {MeasurementReport.Verdict(figure)}");
    }

    private static IReadOnlyList<Measurement> Named(MeasurementOptions options, IReadOnlyList<Measurement> all)
    {
        if (options.Only is null)
            return all;
        string[] words = options.Only.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string? unknown = Array.Find(words, word => !all.Any(measurement => Begins(measurement, word)));
        return unknown is null ? [.. all.Where(measurement => words.Any(word => Begins(measurement, word)))]
            : throw new BenchException($"There is no measurement '{unknown}'. There are: {string.Join(", ", all.Select(measurement => measurement.Name))}.");
    }

    private static bool Begins(Measurement measurement, string word) => measurement.Name.StartsWith(word, StringComparison.Ordinal);
}
