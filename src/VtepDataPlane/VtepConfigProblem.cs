// What VtepConfigRules says of a configuration: violations with the path of the element, and the ranges of settings.

namespace VtepDataPlane;

/// <summary>One violated rule.</summary>
/// <param name="Path">The element, as a JSON path of the configuration file: <c>$.bridgeDomains[1].vni</c>.</param>
/// <param name="Message">What is wrong; what would be right.</param>
public readonly record struct VtepConfigProblem(string Path, string Message)
{
    /// <summary><c>$.path: what is wrong; what would be right</c>.</summary>
    public override string ToString() => $"{Path}: {Message}";
}

/// <summary>The numbers a setting may have.</summary>
/// <param name="Min">Smallest.</param>
/// <param name="Max">Largest.</param>
internal readonly record struct ConfigRange(int Min, int Max)
{
    /// <summary>In the range.</summary>
    public bool Contains(long value) => value >= Min && value <= Max;

    /// <summary>What to say of a number outside.</summary>
    public string Complaint(string number) => $"{number} is out of range; it must be {Min} to {Max}";
}
