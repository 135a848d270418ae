namespace VtepDataPlane.Etcd;

/// <summary>Why a key or a value isn't one of ours, as a part of a sentence.</summary>
internal readonly record struct KeyProblem(Discovery.Records.RejectReason Reason, string Sentence);
