// A run: every scenario, in every round every contender, so that whatever changes on the machine meanwhile hits all of them. What a contender can't
// do is noted and the run goes on. The reports are written after every scenario, so a run that is ended early isn't lost.

using VtepDataPlane.EndToEnd.Contenders;
using VtepDataPlane.EndToEnd.Report;
using VtepDataPlane.EndToEnd.Scenarios;

namespace VtepDataPlane.EndToEnd;

/// <summary>Runs the bench.</summary>
internal sealed class BenchRun(BenchOptions options)
{
    private const double Warmup = 1;
    private readonly Machine _machine = Machine.Read();
    private readonly Noise _noise = new();
    private readonly List<ScenarioResult> _results = [];
    private readonly IReadOnlyList<Scenario> _scenarios = Catalogue.Named(options.Only);
    private readonly IReadOnlyList<Contender> _contenders = Entrants.Named(options.Contenders, options.AotProblem);

    /// <summary>Measures all and writes the reports. False when something failed.</summary>
    public bool Run()
    {
        bool isComplete = true;
        foreach (Scenario scenario in _scenarios)
        {
            var result = new ScenarioResult(scenario);
            _results.Add(result);
            isComplete &= Run(scenario, result);
            WriteReports();
        }

        return isComplete;
    }

    private bool Run(Scenario scenario, ScenarioResult result)
    {
        bool isComplete = true;
        var present = new List<Contender>();
        foreach (Contender contender in _contenders)
        {
            string? why = contender.WhyAbsent(scenario.Needs);
            if (why is null)
                present.Add(contender);
            if ((why ?? contender.Remark(scenario.Underlay)) is { } remark)
                result.Note(contender.Name, remark);
        }

        for (int round = 1; round <= options.Rounds; round++)
        {
            _noise.Look();
            foreach (Contender contender in present)
                isComplete &= Measure(scenario, contender, result, round);
        }

        return isComplete;
    }

    private bool Measure(Scenario scenario, Contender contender, ScenarioResult result, int round)
    {
        try
        {
            _noise.AwaitQuiet(options.Patience);
            Sample sample = scenario.Measure(contender, new Timing(Warmup, options.Seconds));
            result.Add(contender.Name, sample);
            Console.WriteLine($"{scenario.Name,-16} round {round}  {contender.Name,-13} {sample.Value,10:0.000} {scenario.Unit}");
            return true;
        }
#pragma warning disable CA1031 // one contender's failure must not end the run; it is reported
        catch (Exception e)
#pragma warning restore CA1031
        {
            result.Note(contender.Name, $"Round {round} failed. {e.Message}");
            Console.WriteLine($"{scenario.Name,-16} round {round}  {contender.Name,-13} failed: {e.Message}");
            return false;
        }
    }

    private void WriteReports()
    {
        string json = options.Out.FullName;
        string plot = Path.ChangeExtension(json, ".svg");
        File.WriteAllText(json, JsonReport.Write(_machine.ToJson(_noise, options.Rounds, options.Seconds), _results));
        File.WriteAllText(plot, PlotReport.Write(_results));
        File.WriteAllText(Path.ChangeExtension(json, ".md"),
            MarkdownReport.Write(_machine, _noise, options.Rounds, options.Seconds, _results, Path.GetFileName(plot)));
    }
}
