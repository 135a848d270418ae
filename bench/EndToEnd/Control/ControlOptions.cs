// What a run of the control bench is told on its command line.

namespace VtepDataPlane.EndToEnd.Control;

/// <summary>A run.</summary>
/// <param name="Only">Names of measurements or beginnings of names, comma-separated; null: all.</param>
/// <param name="Seconds">Seconds of churn, windows without it not counted.</param>
/// <param name="Out">Path of the JSON report; the Markdown lies beside it.</param>
internal sealed record ControlOptions(string? Only, int Seconds, FileInfo Out);
