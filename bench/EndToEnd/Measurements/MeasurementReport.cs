// The report of a bench of measurements, for programs as JSON and for people as Markdown: every figure with its target, and whether it was met. A figure
// that falls short stands there as it was measured.

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using VtepDataPlane.EndToEnd.Report;

namespace VtepDataPlane.EndToEnd.Measurements;

/// <summary>Writes the reports.</summary>
internal static class MeasurementReport
{
    private const int Digits = 4;

    /// <summary>Writes FILE.json and FILE.md.</summary>
    public static void Write(MeasurementOptions options, Machine machine, Noise noise, IReadOnlyList<MeasurementResult> results)
    {
        string json = options.Out.FullName;
        var report = new JsonObject
        {
            ["machine"] = machine.ToJson(noise, rounds: 1, options.Seconds),
            ["measurements"] = new JsonArray([.. results.Select(Measurement)]),
        };
        File.WriteAllText(json, JsonReport.Text(report));
        File.WriteAllText(Path.ChangeExtension(json, ".md"), Markdown(machine, noise, results));
    }

    /// <summary>Three digits that count.</summary>
    public static string Number(double value) =>
        value.ToString(Math.Abs(value) >= 100 || value == Math.Truncate(value) ? "0" : Math.Abs(value) >= 10 ? "0.0" : "0.000", CultureInfo.InvariantCulture);

    /// <summary>Whether the target was met, in words; empty without one.</summary>
    public static string Verdict(Figure figure) => figure.IsMet switch { true => $"({figure.Target}: met)", false => $"({figure.Target}: NOT met)", null => "" };

    private static JsonObject Measurement(MeasurementResult result) => new()
    {
        ["name"] = result.Measurement.Name,
        ["note"] = result.Measurement.Note,
        ["failure"] = result.Failure,
        ["figures"] = new JsonArray([.. result.Figures.Select(Json)]),
    };

    private static JsonObject Json(Figure figure)
    {
        var json = new JsonObject
        {
            ["what"] = figure.What,
            ["unit"] = figure.Unit,
            ["value"] = Math.Round(figure.Value, Digits),
            ["target"] = figure.Target?.ToString(),
            ["met"] = figure.IsMet,
        };
        if (figure.Samples is not null)
            json["spread"] = JsonReport.Spread(figure.Samples);
        return json;
    }

    private static string Markdown(Machine machine, Noise noise, IReadOnlyList<MeasurementResult> results)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{machine.Date}, {machine.Cpu}, {machine.Cores} cores, {machine.MemoryMiB} MiB, ");
        text.AppendLine(CultureInfo.InvariantCulture, $"Linux {machine.Kernel}, {machine.DotNet}.");
        text.AppendLine("All hosts, their VTEPs, what else they need and what measures share this machine's cores.").AppendLine();
        text.AppendLine("| measurement | figure | value | least to greatest | target | |").AppendLine("|---|---|--:|--:|--:|---|");
        foreach (MeasurementResult result in results)
        {
            foreach (Figure figure in result.Figures)
                text.AppendLine(Row(result, figure));
            if (result.Failure is not null)
                text.AppendLine(CultureInfo.InvariantCulture, $"| {result.Measurement.Name} | not measured to its end | – | | | **failed** |");
        }

        text.AppendLine().AppendLine(MarkdownReport.NoiseText(noise)).AppendLine();
        foreach (MeasurementResult result in results)
            text.AppendLine(CultureInfo.InvariantCulture, $"* **{result.Measurement.Name}** {result.Measurement.Note}{Failure(result)}");
        return text.ToString();
    }

    private static string Row(MeasurementResult result, Figure figure)
    {
        string verdict = figure.IsMet switch { true => "met", false => "**not met**", null => "" };
        string range = figure.Samples is null ? "" : $"{Number(figure.Samples.Min)} to {Number(figure.Samples.Max)}";
        return $"| {result.Measurement.Name} | {figure.What} | {Number(figure.Value)} {figure.Unit} | {range} | {figure.Target} | {verdict} |";
    }

    private static string Failure(MeasurementResult result) => result.Failure is null ? "" : $" It failed: {result.Failure}";
}
