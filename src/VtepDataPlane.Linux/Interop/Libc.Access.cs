// faccessat(2): https://man7.org/linux/man-pages/man2/faccessat.2.html. Asks with the effective user id, as an open would.

using System.Runtime.InteropServices;

namespace VtepDataPlane.Linux.Interop;

internal static partial class Libc
{
    internal const int W_OK = 2;
    internal const int X_OK = 1;

    /// <summary>faccessat(2) of an absolute path, effective ids. 0 or -errno.</summary>
    internal static int faccessat(string path, int mode)
    {
        const int AT_FDCWD = -100;
        const int AT_EACCESS = 0x200;
        return faccessat_native(AT_FDCWD, path, mode, AT_EACCESS) < 0 ? -Marshal.GetLastPInvokeError() : 0;
    }

    [LibraryImport("libc", EntryPoint = "faccessat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int faccessat_native(int directory, string path, int mode, int flags);
}
