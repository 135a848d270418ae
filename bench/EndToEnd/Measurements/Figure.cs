// One number of a measurement and what was promised about it.

using System.Globalization;
using VtepDataPlane.EndToEnd.Report;

namespace VtepDataPlane.EndToEnd.Measurements;

/// <summary>What a figure must be.</summary>
/// <param name="Bound">In the figure's unit.</param>
/// <param name="IsLeast">It may be more; otherwise it may be less.</param>
internal readonly record struct Target(double Bound, bool IsLeast)
{
    public static Target AtMost(double bound) => new(bound, IsLeast: false);

    public static Target AtLeast(double bound) => new(bound, IsLeast: true);

    public bool IsMetBy(double value) => IsLeast ? value >= Bound : value <= Bound;

    /// <summary><c>≤ 5</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(IsLeast ? '≥' : '≤')} {Bound:0.##}");
}

/// <summary>A number.</summary>
/// <param name="What">Of what.</param>
/// <param name="Unit">Of the value.</param>
/// <param name="Value">The number.</param>
/// <param name="Target">What was promised; null: it stands beside for context.</param>
/// <param name="Samples">What the number was made of; null: it was counted once.</param>
internal sealed record Figure(string What, string Unit, double Value, Target? Target = null, Series? Samples = null)
{
    /// <summary>The promise is kept; null: there is none.</summary>
    public bool? IsMet => Target?.IsMetBy(Value);

    public static Figure Median(string what, string unit, Series samples, Target? target = null) =>
        new(what, unit, samples.Median ?? throw new BenchException($"There is no sample of '{what}'."), target, samples);
}
