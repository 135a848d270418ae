// recvmmsg and sendmmsg, which Tmds.LibC 0.5.0 lacks, and recvmsg without its exception-friendly ceremony:
// https://man7.org/linux/man-pages/man2/recvmmsg.2.html  https://man7.org/linux/man-pages/man2/sendmmsg.2.html
// The wrappers return a count or a negated errno and never throw. No SuppressGCTransition: these calls do I/O.

using System.Runtime.InteropServices;
using Tmds.Linux;

namespace VtepDataPlane.Linux.Interop;

internal static unsafe partial class Libc
{
    /// <summary>recvmmsg(2) without a timeout. Messages received, or -errno.</summary>
    internal static int recvmmsg(int sockfd, mmsghdr* msgvec, uint vlen, int flags)
    {
        int n = recvmmsg_native(sockfd, msgvec, vlen, flags, null);
        return n < 0 ? -Marshal.GetLastSystemError() : n;
    }

    /// <summary>sendmmsg(2). Messages sent, or -errno of the first.</summary>
    internal static int sendmmsg(int sockfd, mmsghdr* msgvec, uint vlen, int flags)
    {
        int n = sendmmsg_native(sockfd, msgvec, vlen, flags);
        return n < 0 ? -Marshal.GetLastSystemError() : n;
    }

    /// <summary>recvmsg(2). Bytes received, or -errno.</summary>
    internal static int recvmsg(int sockfd, msghdr* msg, int flags)
    {
        nint n = recvmsg_native(sockfd, msg, flags);
        return n < 0 ? -Marshal.GetLastSystemError() : (int)n;
    }

    [LibraryImport("libc", EntryPoint = "recvmmsg")]
    private static partial int recvmmsg_native(int sockfd, mmsghdr* msgvec, uint vlen, int flags, void* timeout);

    [LibraryImport("libc", EntryPoint = "sendmmsg")]
    private static partial int sendmmsg_native(int sockfd, mmsghdr* msgvec, uint vlen, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg")]
    private static partial nint recvmsg_native(int sockfd, msghdr* msg, int flags);
}
