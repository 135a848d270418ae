// What is wrong and what to do about it, in two clauses, so that the same words serve an exception's message and a line of vtep check
// or vtep doctor.

namespace VtepDataPlane.Linux;

/// <summary>What is wrong, and the remedy.</summary>
/// <param name="What">A clause that begins in lower case and has no full stop.</param>
/// <param name="Remedy">Another.</param>
internal readonly record struct Trouble(string What, string Remedy)
{
    /// <summary>To follow a colon: the clause, a full stop, and the remedy as a sentence.</summary>
    public string Sentences => $"{What}. {char.ToUpperInvariant(Remedy[0])}{Remedy.AsSpan(1)}.";
}
