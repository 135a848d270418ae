// adjtimex(2), reading only: https://man7.org/linux/man-pages/man2/adjtimex.2.html

using System.Runtime.InteropServices;

namespace VtepDataPlane.Linux.Interop;

internal static unsafe partial class Libc
{
    /// <summary>The clock isn't synchronized.</summary>
    internal const int TIME_ERROR = 5;

    /// <summary>adjtimex(2) with modes 0, which changes nothing. The clock's state, or -errno.</summary>
    internal static int adjtimex()
    {
        // struct timex has 208 bytes on 64-bit systems, of which the kernel fills in all; modes is the first and is zero.
        const int Longs = 32;
        ulong* timex = stackalloc ulong[Longs];
        new Span<ulong>(timex, Longs).Clear();
        int state = adjtimex_native(timex);
        return state < 0 ? -Marshal.GetLastSystemError() : state;
    }

    [LibraryImport("libc", EntryPoint = "adjtimex")]
    private static partial int adjtimex_native(void* timex);
}
