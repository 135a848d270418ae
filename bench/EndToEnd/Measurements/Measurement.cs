// One question, asked of a lab of its own.

namespace VtepDataPlane.EndToEnd.Measurements;

/// <summary>A measurement.</summary>
internal abstract class Measurement(string name)
{
    /// <summary>As in the report.</summary>
    public string Name => name;

    /// <summary>What a reader must know.</summary>
    public abstract string Note { get; }

    /// <summary>Measures, from nothing to nothing; tells its figures as it gets them, so that those it has aren't lost when it fails.</summary>
    public abstract void Measure(Action<Figure> tell);
}

/// <summary>What one measurement found.</summary>
/// <param name="Measurement">The measurement.</param>
internal sealed record MeasurementResult(Measurement Measurement)
{
    /// <summary>In the order they were told.</summary>
    public List<Figure> Figures { get; } = [];

    /// <summary>Why it ended early; null when it didn't.</summary>
    public string? Failure { get; set; }
}
