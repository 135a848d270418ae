// The metrics of one VTEP, as a collector reads them.

using System.Diagnostics.Metrics;
using VtepDataPlane.Daemon.Metrics;

namespace VtepDataPlane.Tests.Diagnostics;

/// <summary>One reading: series by name and labels, as in <c>vtep_drops_total{vni="100",...}</c>.</summary>
internal sealed class ReadMetrics : Dictionary<string, double>
{
    private ReadMetrics()
    {
    }

    /// <summary>Reads the meters of these scopes.</summary>
    public static ReadMetrics Of(params object[] scopes)
    {
        using MetricsReader reader = new(scopes);
        return Parse(Text(reader, isOpenMetrics: false));
    }

    public static string Text(MetricsReader reader, bool isOpenMetrics)
    {
        string text = "";
        reader.Read(isOpenMetrics, bytes => text = System.Text.Encoding.UTF8.GetString(bytes));
        return text;
    }

    public static ReadMetrics Parse(string text)
    {
        var read = new ReadMetrics();
        foreach (string line in text.Split('\n').Where(line => line.Length > 0 && line[0] != '#'))
            read.Add(line[..line.LastIndexOf(' ')], double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
        return read;
    }

    /// <summary>Sum of a metric over its series; of those that have all these labels.</summary>
    public double Sum(string metric, params string[] labels) => this
        .Where(series => series.Key == metric || series.Key.StartsWith(metric + "{", StringComparison.Ordinal))
        .Where(series => labels.All(label => series.Key.Contains(label, StringComparison.Ordinal))).Sum(series => series.Value);

    /// <summary>Names of all instruments of these scopes, as they are exported, whether they have series now or not.</summary>
    public static HashSet<string> Names(params object[] scopes)
    {
        var names = new HashSet<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (instrument.Meter.Scope is { } scope && scopes.Contains(scope))
                names.Add(MetricsText.NameOf(instrument));
        };
        listener.Start();
        return names;
    }
}
