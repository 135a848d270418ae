// What a run of the bench is told on its command line.

namespace VtepDataPlane.EndToEnd;

/// <summary>A run.</summary>
/// <param name="Only">Scenario names or prefixes, comma-separated; null: all.</param>
/// <param name="Contenders">Contender names, comma-separated; null: all.</param>
/// <param name="Seconds">Of each measurement.</param>
/// <param name="Rounds">Measurements of each contender in each scenario.</param>
/// <param name="Patience">Seconds that each measurement waits at most for other programs to leave the machine alone.</param>
/// <param name="Out">Path of the JSON report; the others lie beside it.</param>
/// <param name="AotProblem">Why there is no natively compiled program; null or empty: look for it.</param>
internal sealed record BenchOptions(string? Only, string? Contenders, double Seconds, int Rounds, double Patience, FileInfo Out, string? AotProblem);
