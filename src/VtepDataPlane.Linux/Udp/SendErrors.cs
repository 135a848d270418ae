// What an error of sendmmsg means for the datagram it is about, as udp(7), ip(7) and ipv6(7) tell.

using Tmds.Linux;
using VtepDataPlane.Frames;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Linux.Udp;

internal static class SendErrors
{
    /// <summary>
    /// The kernel may have refused the train and not its datagrams. EIO: something on the route can't take trains (IPsec, or a device without
    /// checksum offload before Linux 6.11). EINVAL: the socket can't (no checksums). EMSGSIZE: the train's longest datagram is too
    /// long, its last one may not be.
    /// </summary>
    public static bool MayBeSegmentation(int error) => error == LibC.EIO || error == LibC.EINVAL || error == LibC.EMSGSIZE || error == LibC.EOPNOTSUPP;

    /// <summary>An ICMP message about an earlier datagram may have caused it, so that trying once more helps.</summary>
    public static bool MayBeAnothers(int error) =>
        error != LibC.EPERM && error != LibC.EINVAL && error != LibC.EADDRNOTAVAIL && error != LibC.EIO && !Errno.IsNoBuffer(error);

    /// <summary>The reason a datagram is counted with. <paramref name="error"/> is a positive errno.</summary>
    public static DropReason Reason(int error)
    {
        if (error == LibC.EMSGSIZE)
            return DropReason.LinkMtuExceeded;
        if (error == LibC.EPERM)
            return DropReason.TxDenied;
        if (error == LibC.ENETUNREACH || error == LibC.EHOSTUNREACH || error == LibC.ENETDOWN)
            return DropReason.NoRoute;
        if (Errno.IsNoBuffer(error))
            return DropReason.TxNoBuffer;
        return error == LibC.EINVAL || error == LibC.EADDRNOTAVAIL ? DropReason.LocalAddressMissing : DropReason.TxError;
    }
}
