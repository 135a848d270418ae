// What the inspection of a host says, one finding for each thing that was looked at: right, or wrong with what to do about it.

namespace VtepDataPlane.Linux.Inspection;

/// <summary>How bad it is.</summary>
internal enum FindingSeverity
{
    /// <summary>Nothing is wrong.</summary>
    Ok,

    /// <summary>It hurts, but a VTEP runs.</summary>
    Warning,

    /// <summary>A VTEP would not start now, or its frames go nowhere.</summary>
    Error,
}

/// <summary>One finding.</summary>
/// <param name="Id">What was looked at: <c>rights</c>, <c>port</c>, <c>mtu</c>, ...</param>
/// <param name="Severity">How bad it is.</param>
/// <param name="Subject">The object it is about, such as <c>tap-blue</c>; null: the host.</param>
/// <param name="Path">The element of the configuration it hangs on, <c>$.bridgeDomains[0].ports[0].mtu</c>; null: none.</param>
/// <param name="Message">What is so, a clause without full stop.</param>
/// <param name="Remedy">What to do, a clause; null when nothing is wrong.</param>
internal sealed record HostFinding(string Id, FindingSeverity Severity, string? Subject, string? Path, string Message, string? Remedy)
{
    /// <summary>All is well.</summary>
    public static HostFinding Ok(string id, string message) => new(id, FindingSeverity.Ok, null, null, message, null);

    /// <summary>The message and, after a semicolon, the remedy.</summary>
    public override string ToString() => Remedy is null ? Message : $"{Message}; {Remedy}";

    internal static HostFinding Warning(string id, string? subject, string? path, Trouble trouble) =>
        new(id, FindingSeverity.Warning, subject, path, trouble.What, trouble.Remedy);

    internal static HostFinding Error(string id, string? subject, string? path, Trouble trouble) =>
        new(id, FindingSeverity.Error, subject, path, trouble.What, trouble.Remedy);
}
