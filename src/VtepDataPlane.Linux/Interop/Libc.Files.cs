// fstat, which Tmds.LibC 0.5.0 lacks: https://man7.org/linux/man-pages/man2/fstat.2.html. Of struct stat only the first two members are
// read, which stand at the same place on x86-64 and arm64: st_dev and st_ino, 64 bits each.

using System.Runtime.InteropServices;

namespace VtepDataPlane.Linux.Interop;

internal static unsafe partial class Libc
{
    private const int StatRoom = 256; // struct stat has 144 bytes on x86-64, 128 on arm64

    /// <summary>fstat(2): the device and inode a descriptor is of. 0 or -errno.</summary>
    internal static int fstat(int fd, out ulong device, out ulong inode)
    {
        // The kernel writes one struct stat, which fits into the room on this stack frame.
        ulong* stat = stackalloc ulong[StatRoom / sizeof(ulong)];
        int result = fstat_native(fd, stat);
        (device, inode) = result < 0 ? (0, 0) : (stat[0], stat[1]);
        return result < 0 ? -Marshal.GetLastSystemError() : 0;
    }

    [LibraryImport("libc", EntryPoint = "fstat")]
    private static partial int fstat_native(int fd, ulong* stat);
}
