// What a scenario found: the series of each contender, and why some are missing.

using VtepDataPlane.EndToEnd.Scenarios;

namespace VtepDataPlane.EndToEnd.Report;

/// <summary>One row of the report.</summary>
internal sealed class ScenarioResult(Scenario scenario)
{
    private readonly Dictionary<string, Series> _values = [];
    private readonly Dictionary<string, Series> _p99 = [];
    private readonly List<(string Sentence, List<string> Contenders)> _remarks = [];

    public string Name => scenario.Name;

    public string Unit => scenario.Unit;

    /// <summary>By contender; those without a sample are missing.</summary>
    public IReadOnlyDictionary<string, Series> Values => _values;

    /// <summary>99th percentiles by contender, where there are any.</summary>
    public IReadOnlyDictionary<string, Series> P99 => _p99;

    /// <summary>What must be known: about the scenario, then about contenders, each sentence once.</summary>
    public IReadOnlyList<string> Notes => [scenario.Note, .. _remarks.Select(remark => $"{string.Join(", ", remark.Contenders)}: {remark.Sentence}")];

    /// <summary>The median of a contender; null when it took no part.</summary>
    public double? Median(string contender) => _values.GetValueOrDefault(contender)?.Median;

    /// <summary>vtep's median divided by another's; null when there is none.</summary>
    public double? Ratio(string contender) => Median(contender) is > 0 and { } other ? Median("vtep") / other : null;

    public void Add(string contender, Sample sample)
    {
        Of(_values, contender).Add(sample.Value);
        if (sample.P99 is { } p99)
            Of(_p99, contender).Add(p99);
    }

    /// <summary>Notes a sentence about a contender.</summary>
    public void Note(string contender, string sentence)
    {
        List<string>? contenders = _remarks.Find(remark => remark.Sentence == sentence).Contenders;
        if (contenders is null)
            _remarks.Add((sentence, [contender]));
        else if (!contenders.Contains(contender))
            contenders.Add(contender);
    }

    private static Series Of(Dictionary<string, Series> all, string contender)
    {
        if (!all.TryGetValue(contender, out Series? series))
            all[contender] = series = new Series();
        return series;
    }
}
