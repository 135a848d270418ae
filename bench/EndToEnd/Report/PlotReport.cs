// The report as a picture: one panel for scenarios of one kind, a group of bars for each scenario, a bar for each contender. Each panel is a plot
// of its own (ScottPlot), because units differ. The first panel is as wide as the picture and has the legend; small ones share a row.

using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ScottPlot;

namespace VtepDataPlane.EndToEnd.Report;

/// <summary>Draws bars.</summary>
internal static partial class PlotReport
{
    private const int Width = 1000;
    private const int Height = 300;
    private const int NarrowWidth = 330;
    private const int NarrowScenarios = 3; // at most so many in a narrow panel
    private const double GroupGap = 1.5;

    private static readonly Color[] s_colors =
        [.. new[] { "#1b5e9e", "#5fa2d8", "#444444", "#e08e0b", "#c9b38c", "#3a9d5d", "#b07aa1" }.Select(hex => Color.FromHex(hex))];

    /// <summary>The picture as SVG.</summary>
    public static string Write(IReadOnlyList<ScenarioResult> results)
    {
        int[] contenders = [.. Enumerable.Range(0, JsonReport.Contenders.Count).Where(i => TookPart(results, i))];
        var panels = results.Where(result => result.Values.Count > 0).GroupBy(result => (Kind(result.Name), result.Unit)).ToList();
        var body = new StringBuilder();
        int x = 0, y = -Height, width = Width;
        for (int i = 0; i < panels.Count; i++)
        {
            x += width;
            width = i == 0 || panels[i].Count() > NarrowScenarios ? Width : NarrowWidth;
            if (x + width > Width)
                (x, y) = (0, y + Height);
            string panel = Panel(panels[i].Key.Unit, [.. panels[i]], width, i == 0 ? contenders : []);
            body.Append(CultureInfo.InvariantCulture, $"<g transform=\"translate({x},{y})\">\n{Unique(XmlDeclaration().Replace(panel, ""), i)}\n</g>\n");
        }

        const string Namespaces = "xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\"";
        return string.Create(CultureInfo.InvariantCulture, $"<svg {Namespaces} width=\"{Width}\" height=\"{y + Height}\">\n{body}</svg>\n");
    }

    private static bool TookPart(IEnumerable<ScenarioResult> results, int contender) =>
        results.Any(result => result.Values.ContainsKey(JsonReport.Contenders[contender]));

    private static string Kind(string name) => name.Split('-')[0] is "encap" or "decap" ? "frames" : name.Split('-')[0];

    private static string Panel(string unit, IReadOnlyList<ScenarioResult> results, int width, int[] legend)
    {
        using var plot = new Plot();
        double position = 0;
        var ticks = new List<Tick>();
        foreach (ScenarioResult result in results)
        {
            double first = position;
            for (int i = 0; i < JsonReport.Contenders.Count; i++)
            {
                if (result.Values.TryGetValue(JsonReport.Contenders[i], out Series? series))
                    AddBar(plot, position++, i, series);
            }

            ticks.Add(new Tick((first + position - 1) / 2, result.Name));
            position += GroupGap;
        }

        Dress(plot, unit, ticks, legend);
        return plot.GetSvgXml(width, Height);
    }

    private static void AddBar(Plot plot, double position, int contender, Series series)
    {
        double median = series.Median ?? 0;
        plot.Add.Bar(new Bar { Position = position, Value = median, FillColor = s_colors[contender], LineWidth = 0, Size = 0.9 });
        var spread = plot.Add.Line(position, series.Min, position, series.Max);
        spread.Color = Colors.Black;
        spread.LineWidth = 1;
    }

    private static void Dress(Plot plot, string unit, List<Tick> ticks, int[] legend)
    {
        plot.Axes.Bottom.SetTicks([.. ticks.Select(tick => tick.Position)], [.. ticks.Select(tick => tick.Label)]);
        plot.Axes.Bottom.MajorTickStyle.Length = 0;
        plot.YLabel(unit);
        plot.HideGrid();
        plot.Axes.Margins(bottom: 0);
        foreach (int contender in legend)
            plot.Legend.ManualItems.Add(new LegendItem { LabelText = JsonReport.Contenders[contender], FillColor = s_colors[contender] });
        if (legend.Length > 0)
            plot.ShowLegend(Edge.Right);
    }

    // Panels number their clip paths alike; in one document the numbers must differ.
    private static string Unique(string svg, int panel) => Identifier().Replace(svg, match => $"{match.Groups[1].Value}p{panel}-{match.Groups[2].Value}");

    [GeneratedRegex(@"<\?xml[^>]*\?>\s*")]
    private static partial Regex XmlDeclaration();

    [GeneratedRegex("(id=\"|url\\(#|href=\"#)([A-Za-z0-9_-]+)")]
    private static partial Regex Identifier();
}
