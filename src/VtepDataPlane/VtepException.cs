// Errors of set-up: the operator's mistakes and a machine that refuses. Never thrown on the frame path.

namespace VtepDataPlane;

/// <summary>Something the operator must act on. The message is a sentence: what failed, on which object, why, and the remedy.</summary>
public sealed class VtepException : Exception
{
    /// <summary>With a sentence for the operator.</summary>
    /// <param name="message">What failed, on which object, why, and the remedy.</param>
    public VtepException(string message)
        : base(message)
    {
    }

    /// <summary>With a sentence for the operator and what caused it.</summary>
    /// <param name="message">What failed, on which object, why, and the remedy.</param>
    /// <param name="innerException">The cause.</param>
    public VtepException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>For serializers; prefer a message.</summary>
    public VtepException()
    {
    }
}
