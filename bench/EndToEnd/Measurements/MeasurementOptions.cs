// What a run of measurements is told on its command line.

namespace VtepDataPlane.EndToEnd.Measurements;

/// <summary>A run.</summary>
/// <param name="Only">Names of measurements or beginnings of names, comma-separated; null: all.</param>
/// <param name="Seconds">Seconds of what the bench lets last; which that is, its documentation says.</param>
/// <param name="Out">Path of the JSON report; the Markdown lies beside it.</param>
internal sealed record MeasurementOptions(string? Only, int Seconds, FileInfo Out);
