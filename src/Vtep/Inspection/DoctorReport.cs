// The doctor's findings on paper: aligned lines for people, an array of objects for programs.

using System.Text.Json;
using System.Text.Json.Serialization;
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
        var table = new TextTable("", "", "");
        foreach (IGrouping<(string Id, FindingSeverity Severity), HostFinding> alike in findings.GroupBy(finding => (finding.Id, finding.Severity)))
        {
            foreach (HostFinding finding in alike.Take(MostAlike))
                table.Add(Word(finding.Severity), finding.Id, Text(finding));
            if (alike.Count() > MostAlike)
                table.Add(Word(alike.Key.Severity), alike.Key.Id, $"and {alike.Count() - MostAlike} more like these (--json has all)");
        }

        using var drawn = new StringWriter();
        table.Write(drawn, terminal);
        foreach (string line in drawn.ToString().TrimEnd('\n').Split('\n'))
            output.WriteLine(terminal.Ansi ? Coloured(line) : line);
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

    // The first word of a finding; what is folded begins with blanks.
    private static string Coloured(string line)
    {
        const string Plain = "\u001b[0m";
        int end = Math.Max(line.IndexOf(' ', StringComparison.Ordinal), 0);
        string colour = line[..end] switch
        {
            "ok" => "\u001b[32m",
            "warn" => "\u001b[33m",
            "FAIL" => "\u001b[1;31m",
            _ => "",
        };
        return colour.Length == 0 ? line : $"{colour}{line[..end]}{Plain}{line[end..]}";
    }
}

/// <summary><c>"ok"</c>, <c>"warning"</c>, <c>"error"</c>.</summary>
internal sealed class SeverityConverter() : JsonStringEnumConverter<FindingSeverity>(JsonNamingPolicy.CamelCase);

/// <summary>The generated serializer of findings.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(SeverityConverter)])]
[JsonSerializable(typeof(IReadOnlyList<HostFinding>))]
internal sealed partial class DoctorJson : JsonSerializerContext;
