// getrandom: https://man7.org/linux/man-pages/man2/getrandom.2.html. Up to 256 bytes come whole, and without EINTR once the
// kernel's generator is seeded.

using System.Runtime.InteropServices;

namespace VtepDataPlane.Linux.Interop;

internal static unsafe partial class Libc
{
    /// <summary>getrandom(2) without flags. Bytes filled, or -errno.</summary>
    internal static nint getrandom(Span<byte> buffer)
    {
        // The kernel writes at most buffer.Length bytes, from the start, while the buffer is pinned.
        fixed (byte* start = buffer)
        {
            nint filled = getrandom_native(start, (nuint)buffer.Length, 0);
            return filled < 0 ? -Marshal.GetLastSystemError() : filled;
        }
    }

    [LibraryImport("libc", EntryPoint = "getrandom")]
    private static partial nint getrandom_native(byte* buffer, nuint length, uint flags);
}
