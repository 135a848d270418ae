// read, and writev, which Tmds.LibC lacks: https://man7.org/linux/man-pages/man2/readv.2.html
// A TAP device gives and takes one whole frame a call; several parts put one together from where its bytes lie.
// The wrappers return a count or a negated errno and never throw. No SuppressGCTransition: these calls do I/O.

using System.Runtime.InteropServices;
using Tmds.Linux;

namespace VtepDataPlane.Linux.Interop;

internal static unsafe partial class Libc
{
    /// <summary>read(2). Bytes read, or -errno.</summary>
    internal static int read(int fd, byte* buffer, nuint count)
    {
        nint n = read_native(fd, buffer, count);
        return n < 0 ? -Marshal.GetLastSystemError() : (int)n;
    }

    /// <summary>writev(2). Bytes written, or -errno.</summary>
    internal static int writev(int fd, iovec* iov, int iovcnt)
    {
        nint n = writev_native(fd, iov, iovcnt);
        return n < 0 ? -Marshal.GetLastSystemError() : (int)n;
    }

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint read_native(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "writev")]
    private static partial nint writev_native(int fd, iovec* iov, int iovcnt);
}
