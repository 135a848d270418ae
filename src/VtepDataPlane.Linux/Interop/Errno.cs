// Errors of the system as people know them: strerror(3)'s text and the symbolic name that manuals and search engines use,
// "No such device (ENODEV)". The numbers differ between architectures, so the names hang on the C library's constants.
// Immutable after start; safe from any thread.

using System.Collections.Frozen;
using System.Globalization;
using System.Runtime.InteropServices;
using Tmds.Linux;

namespace VtepDataPlane.Linux.Interop;

/// <summary>Turns an errno into text for the operator.</summary>
internal static class Errno
{
    private static readonly FrozenDictionary<int, string> s_names = CommonNames();

    /// <summary>The text and the name, as in <c>No such device (ENODEV)</c>.</summary>
    /// <param name="error">An errno, positive or negated as system calls and netlink give it.</param>
    public static string Describe(int error)
    {
        int number = error < 0 ? -error : error;
        return $"{Marshal.GetPInvokeErrorMessage(number)} ({Name(number)})";
    }

    /// <summary>The kernel is out of buffers now; later it may not be. <paramref name="error"/> is a positive errno.</summary>
    public static bool IsNoBuffer(int error) => error == LibC.ENOBUFS || error == LibC.EAGAIN || error == LibC.ENOMEM;

    /// <summary>The symbolic name, or <c>errno N</c> for a rare one.</summary>
    /// <param name="error">An errno, positive or negated.</param>
    public static string Name(int error)
    {
        int number = error < 0 ? -error : error;
        return s_names.TryGetValue(number, out string? name) ? name : $"errno {number.ToString(CultureInfo.InvariantCulture)}";
    }

    private static FrozenDictionary<int, string> CommonNames() => new Dictionary<int, string>
    {
        [LibC.EPERM] = "EPERM",
        [LibC.ENOENT] = "ENOENT",
        [LibC.ESRCH] = "ESRCH",
        [LibC.EINTR] = "EINTR",
        [LibC.EIO] = "EIO",
        [LibC.ENXIO] = "ENXIO",
        [LibC.E2BIG] = "E2BIG",
        [LibC.EBADF] = "EBADF",
        [LibC.EAGAIN] = "EAGAIN",
        [LibC.ENOMEM] = "ENOMEM",
        [LibC.EACCES] = "EACCES",
        [LibC.EFAULT] = "EFAULT",
        [LibC.EBUSY] = "EBUSY",
        [LibC.EEXIST] = "EEXIST",
        [LibC.EXDEV] = "EXDEV",
        [LibC.ENODEV] = "ENODEV",
        [LibC.ENOTDIR] = "ENOTDIR",
        [LibC.EISDIR] = "EISDIR",
        [LibC.EINVAL] = "EINVAL",
        [LibC.ENFILE] = "ENFILE",
        [LibC.EMFILE] = "EMFILE",
        [LibC.ENOTTY] = "ENOTTY",
        [LibC.EFBIG] = "EFBIG",
        [LibC.ENOSPC] = "ENOSPC",
        [LibC.EROFS] = "EROFS",
        [LibC.EPIPE] = "EPIPE",
        [LibC.ERANGE] = "ERANGE",
        [LibC.ENAMETOOLONG] = "ENAMETOOLONG",
        [LibC.ENOSYS] = "ENOSYS",
        [LibC.ELOOP] = "ELOOP",
        [LibC.ENODATA] = "ENODATA",
        [LibC.EPROTO] = "EPROTO",
        [LibC.EBADMSG] = "EBADMSG",
        [LibC.EOVERFLOW] = "EOVERFLOW",
        [LibC.EBADFD] = "EBADFD",
        [LibC.ENOTSOCK] = "ENOTSOCK",
        [LibC.EDESTADDRREQ] = "EDESTADDRREQ",
        [LibC.EMSGSIZE] = "EMSGSIZE",
        [LibC.EPROTOTYPE] = "EPROTOTYPE",
        [LibC.ENOPROTOOPT] = "ENOPROTOOPT",
        [LibC.EPROTONOSUPPORT] = "EPROTONOSUPPORT",
        [LibC.EOPNOTSUPP] = "EOPNOTSUPP",
        [LibC.EAFNOSUPPORT] = "EAFNOSUPPORT",
        [LibC.EADDRINUSE] = "EADDRINUSE",
        [LibC.EADDRNOTAVAIL] = "EADDRNOTAVAIL",
        [LibC.ENETDOWN] = "ENETDOWN",
        [LibC.ENETUNREACH] = "ENETUNREACH",
        [LibC.ENETRESET] = "ENETRESET",
        [LibC.ECONNABORTED] = "ECONNABORTED",
        [LibC.ECONNRESET] = "ECONNRESET",
        [LibC.ENOBUFS] = "ENOBUFS",
        [LibC.EISCONN] = "EISCONN",
        [LibC.ENOTCONN] = "ENOTCONN",
        [LibC.ETIMEDOUT] = "ETIMEDOUT",
        [LibC.ECONNREFUSED] = "ECONNREFUSED",
        [LibC.EHOSTDOWN] = "EHOSTDOWN",
        [LibC.EHOSTUNREACH] = "EHOSTUNREACH",
        [LibC.EALREADY] = "EALREADY",
        [LibC.EINPROGRESS] = "EINPROGRESS",
        [LibC.ESTALE] = "ESTALE",
        [LibC.EDQUOT] = "EDQUOT",
        [LibC.ECANCELED] = "ECANCELED",
    }.ToFrozenDictionary();
}
