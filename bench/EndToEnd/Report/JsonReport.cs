// The report for programs. Values are medians; a contender that took no part is null, and "notes" says why.

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace VtepDataPlane.EndToEnd.Report;

/// <summary>Writes JSON.</summary>
internal static class JsonReport
{
    private const int Digits = 4;

    /// <summary>Contenders by the names of the report, in its order.</summary>
    public static IReadOnlyList<string> Contenders { get; } = ["vtep", "vtep-aot", "kernel", "ceiling", "relay", "ovs", "wireguard-go"];

    /// <summary>Those vtep is compared with.</summary>
    public static IReadOnlyList<string> Compared { get; } = ["kernel", "ceiling", "relay", "ovs"];

    private static readonly JsonSerializerOptions s_readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The whole report as text.</summary>
    public static string Write(JsonObject machine, IEnumerable<ScenarioResult> results) =>
        Text(new JsonObject { ["machine"] = machine, ["scenarios"] = new JsonArray([.. results.Select(Scenario)]) });

    /// <summary>As text for programs and people.</summary>
    public static string Text(JsonObject report) => report.ToJsonString(s_readable);

    /// <summary>Median, extremes and samples of a series.</summary>
    public static JsonObject Spread(Series series) => series.Samples.Count == 0 ? [] : new JsonObject
    {
        ["median"] = Rounded(series.Median),
        ["min"] = Rounded(series.Min),
        ["max"] = Rounded(series.Max),
        ["samples"] = new JsonArray([.. series.Samples.Select(sample => Rounded(sample))]),
    };

    private static JsonObject Scenario(ScenarioResult result)
    {
        var json = new JsonObject { ["name"] = result.Name, ["unit"] = result.Unit };
        foreach (string contender in Contenders)
            json[contender] = Rounded(result.Median(contender));
        json["ratio"] = new JsonObject(Compared.Select(other => KeyValuePair.Create(other, (JsonNode?)Rounded(result.Ratio(other)))));
        json["spread"] = new JsonObject(result.Values.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)Spread(pair.Value))));
        if (result.P99.Count > 0)
            json["p99"] = new JsonObject(result.P99.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)Rounded(pair.Value.Median))));
        json["notes"] = new JsonArray([.. result.Notes.Select(note => JsonValue.Create(note))]);
        return json;
    }

    private static JsonValue? Rounded(double? value) => value is { } number ? JsonValue.Create(Math.Round(number, Digits)) : null;
}
