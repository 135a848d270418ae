// Everything read from a store is untrusted. What doesn't hold is rejected one record at a time, counted by reason and shown; the store's
// other records are as good as before. A key whose value is rejected has no record: what it held before is gone, for that key only.

namespace VtepDataPlane.Discovery.Records;

/// <summary>Why a record wasn't taken.</summary>
public enum RejectReason : byte
{
    /// <summary>A key under our prefix that is none of ours.</summary>
    KeyUnknown,

    /// <summary>More than 4 KiB.</summary>
    ValueTooLarge,

    /// <summary>No JSON, nested too deep, a member missing, unknown or of the wrong type.</summary>
    ValueMalformed,

    /// <summary>A node id that is none.</summary>
    OwnerInvalid,

    /// <summary>Written under our own node id by somebody else.</summary>
    OwnerIsUs,

    /// <summary>A MAC that is zero or a group address.</summary>
    MacInvalid,

    /// <summary>No unicast address: unspecified, loopback, multicast or broadcast.</summary>
    AddressInvalid,

    /// <summary>A VTEP at our own address.</summary>
    VtepIsOurs,

    /// <summary>A VTEP outside the allowed prefixes.</summary>
    VtepNotAllowed,

    /// <summary>A VTEP without an endpoint of our address family.</summary>
    VtepUnreachable,

    /// <summary>A domain that isn't served here.</summary>
    VniNotServed,

    /// <summary>More records than one owner may have.</summary>
    OwnerLimit,

    /// <summary>More records, or more VTEPs, than there is room for.</summary>
    Limit,
}

/// <summary>A record that wasn't taken.</summary>
/// <param name="Name">What it is called in its store: an etcd key, a path in a file. May hold anything: escape before showing.</param>
/// <param name="Reason">Why, in general.</param>
/// <param name="Detail">Why, as a sentence.</param>
/// <param name="Means">The record it would have been, when the name tells; that record is gone then.</param>
public sealed record RejectedRecord(string Name, RejectReason Reason, string Detail, RecordKey? Means = null);
