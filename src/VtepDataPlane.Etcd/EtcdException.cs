// What can go wrong between us and an etcd, sorted by what to do about it. Each carries a sentence for the operator and no secret.

namespace VtepDataPlane.Etcd;

/// <summary>What to do about a failure.</summary>
internal enum EtcdFailure : byte
{
    /// <summary>Nobody answers, or not in time: try again soon. A write may have happened all the same.</summary>
    Away,

    /// <summary>We are refused: an operator must act. Try again, slowly.</summary>
    Refused,

    /// <summary>What was asked for is no more: a compacted revision, a lease that ran out. Start over with a fresh one.</summary>
    Gone,

    /// <summary>The answer is larger than we take: ask for less.</summary>
    TooLarge,
}

/// <summary>A call to an etcd that failed.</summary>
/// <param name="failure">What to do about it.</param>
/// <param name="message">What failed, where, why and what to do, as a sentence.</param>
/// <param name="inner">The cause.</param>
internal sealed class EtcdException(EtcdFailure failure, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What to do about it.</summary>
    public EtcdFailure Failure => failure;

    /// <summary>Of <see cref="EtcdFailure.Gone"/>: why everything is read anew, in two words.</summary>
    public string Cause { get; init; } = "compacted";
}
