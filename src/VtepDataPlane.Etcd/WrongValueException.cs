using VtepDataPlane.Discovery.Records;

namespace VtepDataPlane.Etcd;

/// <summary>Inside <see cref="RecordReader"/>: what is wrong, as a part of a sentence.</summary>
internal sealed class WrongValueException(string sentence, RejectReason reason = RejectReason.ValueMalformed) : Exception(sentence)
{
    /// <summary>What is wrong, in general.</summary>
    public RejectReason Reason => reason;
}
