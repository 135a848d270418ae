// The Grafana dashboard and the alert rules beside what is exported: they name no metric that there isn't, and the dashboard leaves none out.

using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using NUnit.Framework;
using VtepDataPlane.Daemon.Hosting;
using VtepDataPlane.Daemon.Metrics;
using VtepDataPlane.Tests.Diagnostics;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Tests.Program;

public sealed partial class DashboardTests
{
    private static readonly JsonNode s_dashboard = JsonNode.Parse(File.ReadAllText(Packaged("grafana/vtep.json")))!;

    [Test]
    public void Dashboard_ShowsEveryMetric_AndNoOther()
    {
        IEnumerable<string> named = Queries().SelectMany(query => MetricName().Matches(query).Select(match => match.Value));
        Assert.That(named.Distinct(), Is.EquivalentTo(Exported()));
    }

    [Test]
    public void Rules_NameOnlyMetricsThatThereAre()
    {
        string rules = File.ReadAllText(Packaged("prometheus/vtep.rules.yml"));
        Assert.That(MetricName().Matches(rules).Select(match => match.Value).Distinct(), Is.SubsetOf(Exported()));
    }

    [Test]
    public void Dashboard_IsSound()
    {
        List<JsonNode> panels = [.. s_dashboard["panels"]!.AsArray().Select(panel => panel!)];
        Assert.That(panels.Select(panel => (int)panel["id"]!), Is.Unique);
        var taken = new HashSet<(int, int)>();
        foreach (JsonNode panel in panels)
        {
            JsonNode place = panel["gridPos"]!;
            (int x, int y, int w, int h) = ((int)place["x"]!, (int)place["y"]!, (int)place["w"]!, (int)place["h"]!);
            Assert.That(x + w, Is.LessThanOrEqualTo(24), $"{panel["title"]}");
            Assert.That(from column in Enumerable.Range(x, w) from line in Enumerable.Range(y, h) select taken.Add((column, line)), Is.All.True, $"{panel["title"]} overlaps");
            if ((string?)panel["type"] == "row")
                continue;
            Assert.That((string?)panel["datasource"]!["uid"], Is.EqualTo("${datasource}"));
            Assert.That(panel["targets"]!.AsArray().Select(target => (string?)target!["refId"]), Is.Unique.And.Not.Empty);
        }

        List<string> variables = [.. s_dashboard["templating"]!["list"]!.AsArray().Select(variable => (string)variable!["name"]!)];
        foreach (string query in Queries())
        {
            Assert.That(Variable().Matches(query).Select(match => match.Groups[1].Value).Where(name => name != "__rate_interval").Distinct(), Is.SubsetOf(variables), query);
            Assert.That((query.Count(c => c == '('), query.Count(c => c == '{')), Is.EqualTo((query.Count(c => c == ')'), query.Count(c => c == '}'))), query);
        }
    }

    private static HashSet<string> Exported()
    {
        var host = new MemoryHost(new MemoryNetwork(), InetAddress.Parse("198.18.0.1"));
        using var vtep = new Vtep(new VtepConfig { Underlay = new UnderlayConfig { Local = InetAddress.Parse("198.18.0.1") } }, host, seed: 1, nowMilliseconds: 0);
        using var program = new ProgramMetrics(new DataPlane(vtep, () => 0, _ => Task.CompletedTask, () => ValueTask.CompletedTask));
        using var reader = new MetricsReader(vtep, program);
        return ReadMetrics.Names(vtep, program, reader);
    }

    private static IEnumerable<string> Queries() => s_dashboard["panels"]!.AsArray().SelectMany(panel => panel!["targets"]?.AsArray() ?? [])
        .Select(target => (string)target!["expr"]!);

    private static string Packaged(string name, [CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", "..", "src", "Vtep", "packaging", name));

    [GeneratedRegex("vtep_[a-z_]+")]
    private static partial Regex MetricName();

    [GeneratedRegex(@"\$\{?(\w+)")]
    private static partial Regex Variable();
}
