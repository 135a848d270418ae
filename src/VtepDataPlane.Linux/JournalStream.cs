// Whether standard error goes to the journal. systemd says in JOURNAL_STREAM which device and inode the stream it gave us has; a
// standard error that was redirected since, or that a parent's environment speaks of, is another one (systemd.exec(5)).

using System.Globalization;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Linux;

/// <summary>The journal as standard error.</summary>
internal static class JournalStream
{
    private const int StandardError = 2;

    /// <summary>Standard error is the stream that <paramref name="journalStream"/> names, as in the environment: <c>device:inode</c>.</summary>
    public static bool IsStandardError(string? journalStream) => IsDescriptor(journalStream, StandardError);

    /// <summary>As above for any descriptor.</summary>
    internal static bool IsDescriptor(string? journalStream, int descriptor)
    {
        string[] parts = journalStream?.Split(':') ?? [];
        return parts.Length == 2
            && ulong.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out ulong device)
            && ulong.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode)
            && Libc.fstat(descriptor, out ulong itsDevice, out ulong itsInode) == 0
            && (device, inode) == (itsDevice, itsInode);
    }
}
