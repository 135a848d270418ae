// What went wrong, as a sentence for the person who runs the bench.

namespace VtepDataPlane.EndToEnd;

/// <summary>The bench can't go on with what it was doing.</summary>
internal sealed class BenchException : Exception
{
    public BenchException(string message)
        : base(message)
    {
    }

    public BenchException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
