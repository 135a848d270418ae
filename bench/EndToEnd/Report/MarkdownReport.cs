// The report for people: one table, the noise, the notes.

using System.Globalization;
using System.Text;

namespace VtepDataPlane.EndToEnd.Report;

/// <summary>Writes Markdown.</summary>
internal static class MarkdownReport
{
    /// <summary>The whole report.</summary>
    public static string Write(Machine machine, Noise noise, int rounds, double seconds, IReadOnlyList<ScenarioResult> results, string plotFile)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{machine.Date}, {machine.Cpu}, {machine.Cores} cores, {machine.MemoryMiB} MiB, ");
        text.AppendLine(CultureInfo.InvariantCulture, $"Linux {machine.Kernel}, {machine.DotNet}.");
        text.Append(CultureInfo.InvariantCulture, $"Medians of {rounds} interleaved rounds of {seconds:0.#} s, ");
        text.AppendLine("± half the distance between the least and the greatest.");
        text.AppendLine("Absolute numbers are of this machine and this hour and can't be carried to another; the ratios come nearer to that.").AppendLine();
        Table(text, results);
        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"![The same as bars]({plotFile})").AppendLine();
        text.AppendLine(NoiseText(noise)).AppendLine();
        foreach (ScenarioResult result in results)
            text.AppendLine(CultureInfo.InvariantCulture, $"* **{result.Name}** {string.Join(' ', result.Notes)}{P99(result)}");
        return text.ToString();
    }

    private static void Table(StringBuilder text, IReadOnlyList<ScenarioResult> results)
    {
        string[] columns = [.. JsonReport.Contenders.Where(contender => results.Any(result => result.Values.ContainsKey(contender)))];
        text.AppendLine(Row(["scenario", "unit", .. columns, .. JsonReport.Compared.Select(other => $"vtep / {other}")]));
        text.AppendLine(Row(["---", "---", .. columns.Select(_ => "--:"), .. JsonReport.Compared.Select(_ => "--:")]));
        foreach (ScenarioResult result in results)
        {
            text.AppendLine(Row([result.Name, result.Unit, .. columns.Select(contender => Cell(result.Values.GetValueOrDefault(contender))),
                .. JsonReport.Compared.Select(other => Number(result.Ratio(other)))]));
        }
    }

    private static string Row(IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |";

    private static string Cell(Series? series) => series?.Median is { } median
        ? string.Create(CultureInfo.InvariantCulture, $"{Number(median)} ± {Number((series.Max - series.Min) / 2)}")
        : "–";

    private static string Number(double? value) => value is not { } number ? "–"
        : number.ToString(number >= 100 ? "0" : number >= 10 ? "0.0" : number >= 0.1 ? "0.00" : "0.000", CultureInfo.InvariantCulture);

    /// <summary>How disturbed the machine was, as a sentence.</summary>
    public static string NoiseText(Noise noise) => string.Create(CultureInfo.InvariantCulture,
        $"Noise: others kept {Range(noise.BusyPercent)} % of the cores busy right before measurements; "
        + $"the same piece of work took {Range(noise.Calibration)} ms between rounds; "
        + $"the hypervisor took {noise.StealPercent:0.0} % of the time; the load average before was {noise.LoadAtStart:0.00}.");

    private static string Range(Series series) => series.Samples.Count == 0 ? "–"
        : string.Create(CultureInfo.InvariantCulture, $"{series.Min:0} to {series.Max:0} (median {series.Median:0})");

    private static string P99(ScenarioResult result) => result.P99.Count == 0 ? ""
        : $" p99: {string.Join(", ", result.P99.Select(pair => $"{pair.Key} {Number(pair.Value.Median)}"))}.";
}
