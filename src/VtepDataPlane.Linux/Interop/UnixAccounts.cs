// Users and groups of this machine: geteuid(2), getpwnam(3) and getgrnam_r(3). The C library looks them up where nsswitch.conf says (files,
// systemd, a directory service), so an answer may take its time: never on the frame path.
//
// https://man7.org/linux/man-pages/man3/getgrnam_r.3.html

using System.Runtime.InteropServices;
using Tmds.Linux;

#pragma warning disable CS8981, CS0649 // all lower case: the native name; the C library writes the fields

namespace VtepDataPlane.Linux.Interop;

/// <summary>Users and groups of this machine. Any thread.</summary>
internal static unsafe partial class UnixAccounts
{
    // A group's members come in the same buffer; one with 10,000 of them needs some 100 KiB.
    private const int FirstBuffer = 4 << 10;
    private const int LastBuffer = 4 << 20;

    private static readonly Lock s_passwords = new();

    /// <summary>The user this process acts as.</summary>
    public static uint OwnUser => geteuid();

    /// <summary>The id of the user by that name; null: there is none, or nobody can tell.</summary>
    public static uint? FindUser(string name)
    {
        ArgumentNullException.ThrowIfNull(name);

        // The entry is the C library's own and good until the next call: the id is copied at once.
        lock (s_passwords)
        {
            passwd* entry = getpwnam(name);
            return entry is null ? null : entry->pw_uid;
        }
    }

    /// <summary>The id of the group by that name; null: there is none, or nobody can tell.</summary>
    public static uint? FindGroup(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        for (int size = FirstBuffer; size <= LastBuffer; size *= 4)
        {
            int error = Find(name, new byte[size], out uint? id);
            if (error == LibC.EINTR)
                size /= 4;
            else if (error != LibC.ERANGE)
                return id;
        }

        return null;
    }

    // 0 and no id: there is no such group. Some libraries give ENOENT, ESRCH or EBADF for that.
    private static int Find(string name, byte[] buffer, out uint? id)
    {
        // The library writes entry, found and at most buffer.Length bytes of the buffer, all within this block. What it points to
        // isn't read.
        fixed (byte* start = buffer)
        {
            group entry = default;
            group* found = null;
            int error = getgrnam_r(name, &entry, start, (nuint)buffer.Length, &found);
            id = error == 0 && found is not null ? entry.gr_gid : null;
            return error;
        }
    }

    /// <summary>The beginning of struct passwd on 64-bit systems.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct passwd
    {
        public byte* pw_name;
        public byte* pw_passwd;
        public uint pw_uid;
        public uint pw_gid;
    }

    /// <summary>struct group.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct group
    {
        public byte* gr_name;
        public byte* gr_passwd;
        public uint gr_gid;
        public byte** gr_mem;
    }

    [LibraryImport("libc")]
    private static partial uint geteuid();

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial passwd* getpwnam(string name);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int getgrnam_r(string name, group* entry, byte* buffer, nuint length, group** found);
}
