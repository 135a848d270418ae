// getrlimit and setrlimit: https://man7.org/linux/man-pages/man2/getrlimit.2.html. One descriptor a TAP queue means that ten
// thousand ports need far more than the customary soft limit of 1024.

using System.Runtime.InteropServices;

#pragma warning disable CS8981 // all lower case: the native name

namespace VtepDataPlane.Linux.Interop;

internal static unsafe partial class Libc
{
    internal const int RLIMIT_NOFILE = 7;

    /// <summary>struct rlimit on 64-bit systems.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct rlimit
    {
        public ulong rlim_cur;
        public ulong rlim_max;
    }

    /// <summary>getrlimit(2). 0 or -errno.</summary>
    internal static int getrlimit(int resource, out rlimit limit)
    {
        rlimit value = default;
        int result = getrlimit_native(resource, &value);
        limit = value;
        return result < 0 ? -Marshal.GetLastSystemError() : 0;
    }

    /// <summary>setrlimit(2). 0 or -errno.</summary>
    internal static int setrlimit(int resource, rlimit limit)
    {
        int result = setrlimit_native(resource, &limit);
        return result < 0 ? -Marshal.GetLastSystemError() : 0;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int getrlimit_native(int resource, rlimit* limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int setrlimit_native(int resource, rlimit* limit);
}
