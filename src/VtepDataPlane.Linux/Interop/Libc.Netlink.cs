// Structures of netlink sockets which the C library bindings lack. The calls themselves (socket, bind, send, recvfrom, setsockopt) are there.

using System.Runtime.InteropServices;

namespace VtepDataPlane.Linux.Interop;

internal static partial class Libc
{
    /// <summary><c>struct sockaddr_nl</c>, netlink(7).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct sockaddr_nl
    {
        public ushort nl_family;
        public ushort nl_pad;
        public uint nl_pid;
        public uint nl_groups;
    }

    /// <summary><c>struct __kernel_old_timeval</c> as SO_RCVTIMEO takes it, socket(7): two longs.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct __kernel_old_timeval
    {
        public nint tv_sec;
        public nint tv_usec;
    }
}
