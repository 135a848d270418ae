// The names of drop reasons, for JSON keys, metrics and tables. What each means stands at the enum.

namespace VtepDataPlane.Frames;

/// <summary>Names (snake case, stable over versions) of <see cref="DropReason"/>. Any thread.</summary>
public static class DropReasonText
{
    private static readonly DropReason[] s_all = Enum.GetValues<DropReason>();
    private static readonly string[] s_names = [.. s_all.Select(reason => SnakeCase(reason.ToString()))];

    /// <summary>Members of the enum, None included: the length of an array indexed by reason.</summary>
    public static int Count => s_all.Length;

    /// <summary>All reasons but None.</summary>
    public static ReadOnlySpan<DropReason> All => s_all.AsSpan(1);

    /// <summary><c>vni_not_found</c> for <see cref="DropReason.VniNotFound"/>.</summary>
    /// <param name="reason">A member of the enum.</param>
    /// <exception cref="IndexOutOfRangeException">It is no member.</exception>
    public static string Name(this DropReason reason) => s_names[(int)reason];

    private static string SnakeCase(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "_") + char.ToLowerInvariant(c) : c.ToString()));
}
