// All scenarios, in the order of the report.

using VtepDataPlane.EndToEnd.Lab;

namespace VtepDataPlane.EndToEnd.Scenarios;

/// <summary>The scenarios by name.</summary>
internal static class Catalogue
{
    private const int Jumbo = 9000;

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new TcpScenario("tcp-1", 1, new UnderlayPlan()),
        new TcpScenario("tcp-8", 8, new UnderlayPlan()),
        new TcpScenario("tcp-1-nooffload", 1, new UnderlayPlan(HasOffloads: false)),
        new TcpScenario("tcp-1-jumbo", 1, new UnderlayPlan(Mtu: Jumbo)),
        new TcpScenario("tcp-1-v6", 1, new UnderlayPlan(IsV6: true)),
        new EncapScenario(64),
        new EncapScenario(1400),
        new DecapScenario(64),
        new DecapScenario(1400),
        new LatencyScenario(),
        new FloodScenario(),
        new FdbScenario("fdb-1k", 1_000),
        new FdbScenario("fdb-64k", 64_000),
        new FdbScenario("fdb-1M", 1_000_000),
    ];

    /// <summary>Those whose name is, or begins with, one of the comma-separated words; all for null.</summary>
    public static IReadOnlyList<Scenario> Named(string? only)
    {
        if (only is null)
            return All;
        string[] words = only.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string? unknown = words.FirstOrDefault(word => !All.Any(scenario => Matches(scenario.Name, word)));
        return unknown is null ? [.. All.Where(scenario => words.Any(word => Matches(scenario.Name, word)))]
            : throw new BenchException($"There is no scenario '{unknown}'. There are: {string.Join(", ", All.Select(scenario => scenario.Name))}.");
    }

    // A whole name means that scenario alone: tcp-1 is not tcp-1-jumbo.
    private static bool Matches(string name, string word) =>
        name == word || (All.All(scenario => scenario.Name != word) && name.StartsWith(word, StringComparison.Ordinal));
}
