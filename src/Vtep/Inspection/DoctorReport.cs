// The doctor's findings on paper: aligned lines for people, an array of objects for programs.

using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;
using VtepDataPlane.Daemon.Tables;
using VtepDataPlane.Linux.Inspection;

namespace VtepDataPlane.Daemon.Inspection;

/// <summary>Writes findings.</summary>
internal static class DoctorReport
{
    private const int MostAlike = 8;

    /// <summary>One line each; of many alike, the first few.</summary>
    public static void Write(IReadOnlyList<HostFinding> findings, TextWriter output, Terminal terminal)
    {
        var table = new TextTable("", "", "") { FirstCell = StyleOf };
        foreach (IGrouping<(string Id, FindingSeverity Severity), HostFinding> alike in findings.GroupBy(finding => (finding.Id, finding.Severity)))
        {
            foreach (HostFinding finding in alike.Take(MostAlike))
                table.Add(Word(finding.Severity), finding.Id, Text(finding));
            if (alike.Count() > MostAlike)
                table.Add(Word(alike.Key.Severity), alike.Key.Id, $"and {alike.Count() - MostAlike} more like these (--json has all)");
        }

        table.Write(output, terminal);
    }

    /// <summary>All of them.</summary>
    public static void WriteJson(IReadOnlyList<HostFinding> findings, TextWriter output) =>
        output.WriteLine(JsonSerializer.Serialize(findings, DoctorJson.Default.IReadOnlyListHostFinding));

    // The object is named once: many messages name it themselves.
    private static string Text(HostFinding finding) =>
        finding.Subject is { } subject && !finding.Message.Contains(subject, StringComparison.Ordinal) ? $"{subject}: {finding}" : $"{finding}";

    private static string Word(FindingSeverity severity) => severity switch
    {
        FindingSeverity.Ok => "ok",
        FindingSeverity.Warning => "warn",
        _ => "FAIL",
    };

    private static Style StyleOf(string word) => word switch
    {
        "ok" => new Style(Color.Green),
        "warn" => new Style(Color.Yellow),
        _ => new Style(Color.Red, decoration: Decoration.Bold),
    };
}

/// <summary><c>"ok"</c>, <c>"warning"</c>, <c>"error"</c>.</summary>
internal sealed class SeverityConverter() : JsonStringEnumConverter<FindingSeverity>(JsonNamingPolicy.CamelCase);

/// <summary>The generated serializer of findings.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(SeverityConverter)])]
[JsonSerializable(typeof(IReadOnlyList<HostFinding>))]
internal sealed partial class DoctorJson : JsonSerializerContext;
