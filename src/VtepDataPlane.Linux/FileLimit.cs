// The limit of open files (RLIMIT_NOFILE): each TAP queue and each socket is a descriptor. The soft limit may be raised to the
// hard one by anybody, the hard one by root.

using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Linux;

/// <summary>Raises the limit of open files.</summary>
internal static class FileLimit
{
    // Underlay sockets (33 a lane), groups, control connections, the runtime's own files.
    private const ulong Spare = 4096;

    /// <summary>Descriptors that so many ports need, with plenty to spare.</summary>
    public static ulong Needed(int ports, int lanes) => Spare + (ulong)ports * (ulong)lanes;

    /// <summary>The hard limit; the largest number there is when it can't be read.</summary>
    public static ulong Hard() => Libc.getrlimit(Libc.RLIMIT_NOFILE, out Libc.rlimit limit) < 0 ? ulong.MaxValue : limit.rlim_max;

    /// <summary>Raises the limit to what so many ports need. What it is and should be, when that isn't possible; null when all is well.</summary>
    public static (ulong Limit, ulong Needed)? Raise(int ports, int lanes)
    {
        ulong needed = Needed(ports, lanes);
        if (Libc.getrlimit(Libc.RLIMIT_NOFILE, out Libc.rlimit limit) < 0 || limit.rlim_cur >= needed)
            return null;
        var wanted = new Libc.rlimit { rlim_cur = needed, rlim_max = Math.Max(needed, limit.rlim_max) };
        if (Libc.setrlimit(Libc.RLIMIT_NOFILE, wanted) == 0)
            return null;
        wanted = new Libc.rlimit { rlim_cur = limit.rlim_max, rlim_max = limit.rlim_max };
        return Libc.setrlimit(Libc.RLIMIT_NOFILE, wanted) == 0 && limit.rlim_max >= needed ? null : (limit.rlim_max, needed);
    }
}
