// getpwnam: https://man7.org/linux/man-pages/man3/getpwnam.3.html. It asks what /etc/nsswitch.conf names, so users of a directory
// service are found too. The structure it gives is the C library's own and good until the next call: the id is copied at once.

using System.Runtime.InteropServices;

#pragma warning disable CS8981 // all lower case: the native name

namespace VtepDataPlane.Linux.Interop;

internal static unsafe partial class Libc
{
    private static readonly Lock s_passwords = new();

    /// <summary>The beginning of struct passwd on 64-bit systems.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct passwd
    {
        public byte* pw_name;
        public byte* pw_passwd;
        public uint pw_uid;
        public uint pw_gid;
    }

    /// <summary>The id of a user; null when there is none of that name.</summary>
    internal static uint? getpwnam(string name)
    {
        lock (s_passwords)
        {
            passwd* entry = getpwnam_native(name);
            return entry is null ? null : entry->pw_uid;
        }
    }

    [LibraryImport("libc", EntryPoint = "getpwnam", StringMarshalling = StringMarshalling.Utf8)]
    private static partial passwd* getpwnam_native(string name);
}
