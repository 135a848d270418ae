// What one contender did in one scenario, round by round.

namespace VtepDataPlane.EndToEnd.Report;

/// <summary>Samples and what they say.</summary>
internal sealed class Series
{
    private readonly List<double> _samples = [];

    /// <summary>In the order of the rounds.</summary>
    public IReadOnlyList<double> Samples => _samples;

    /// <summary>The middle one, or the mean of the two in the middle; null without any.</summary>
    public double? Median
    {
        get
        {
            double[] sorted = [.. _samples.Order()];
            int middle = sorted.Length / 2;
            return sorted.Length == 0 ? null : sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        }
    }

    /// <summary>The least sample that is no less than this share of all of them (nearest rank).</summary>
    public double Percentile(double share) => _samples.Order().ElementAt((int)Math.Ceiling(share * _samples.Count) - 1);

    public double Min => _samples.Min();

    public double Max => _samples.Max();

    /// <summary>Adds a round's.</summary>
    public void Add(double sample) => _samples.Add(sample);
}
