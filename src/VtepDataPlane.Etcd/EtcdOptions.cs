// How to reach an etcd and what to be there. Immutable; made from the configuration file, or by a program.

namespace VtepDataPlane.Etcd;

/// <summary>The connection to an etcd cluster.</summary>
public sealed record EtcdOptions
{
    /// <summary><c>http://</c> or <c>https://</c>, host and port, of one cluster's members; tried in turn.</summary>
    public required IReadOnlyList<Uri> Endpoints { get; init; }

    /// <summary>All our keys begin with it: an absolute path without a slash at its end, such as <c>/vtep/v1/lab</c>.</summary>
    public required string Prefix { get; init; }

    /// <summary>This node's id: 1 to 64 letters, digits, dots, hyphens and underscores.</summary>
    public required string Node { get; init; }

    /// <summary>Seconds after which the store forgets a node that is heard of no more, 5 to 86,400.</summary>
    public int LeaseSeconds { get; init; } = 3600;

    /// <summary>User of etcd's own authentication; null: none, or the certificate says it.</summary>
    public string? User { get; init; }

    /// <summary>File with the user's password, readable by its owner only; read anew when it changes.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>PEM file with the authorities that may have signed the servers' certificates; null: those of the system.</summary>
    public string? CaFile { get; init; }

    /// <summary>PEM file with our certificate; null: none. Read anew when it changes, as are all these files.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM file with our certificate's key.</summary>
    public string? KeyFile { get; init; }

    /// <summary>File that keeps what was last known, and this node's instance, over restarts; null: nothing is kept.</summary>
    public string? CacheFile { get; init; }

    /// <summary>For people: what this node is called, 1 to 253 characters; null: its id is all there is.</summary>
    public string? Name { get; init; }

    /// <summary>Leave this node's records in the store when the process stops, until their lease ends; otherwise they are withdrawn.</summary>
    public bool KeepOnStop { get; init; }
}
