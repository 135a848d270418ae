// Learns that links, addresses or routes changed. The notifications say what, but are not used for that: they can be lost
// (the socket's buffer overflows, ENOBUFS), and reading the state anew is right in every order of events. So a drain gives
// the kinds of things that changed, and who cares re-reads them with RtNetlink.
//
// Thread-safety: none; the control loop polls the descriptor and drains.

using Tmds.Linux;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Linux.Netlink;

/// <summary>What changed in the network namespace.</summary>
[Flags]
internal enum NetlinkChanges
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A link came, went, or changed.</summary>
    Links = 1,

    /// <summary>An address came, went, or changed.</summary>
    Addresses = 2,

    /// <summary>A route came, went, or changed.</summary>
    Routes = 4,

    /// <summary>Notifications were lost: anything may have changed, read all of it anew.</summary>
    Overrun = 8,
}

/// <summary>One socket for notifications. Control loop only. Opening it throws a <see cref="VtepException"/> when the system refuses.</summary>
/// <param name="receiveBuffer">Bytes of notifications the kernel keeps for us.</param>
internal sealed class NetlinkMonitor(int receiveBuffer = NetlinkSocket.ReceiveBuffer) : IDisposable
{
    private const uint Groups = 1u << (Rtnl.RTNLGRP_LINK - 1)
        | 1u << (Rtnl.RTNLGRP_IPV4_IFADDR - 1) | 1u << (Rtnl.RTNLGRP_IPV6_IFADDR - 1)
        | 1u << (Rtnl.RTNLGRP_IPV4_ROUTE - 1) | 1u << (Rtnl.RTNLGRP_IPV6_ROUTE - 1);

    // A bound on one drain, so that a storm can't keep the control loop here: what is left wakes it again.
    private const int DatagramsPerDrain = 4096;

    private readonly NetlinkSocket _socket = NetlinkSocket.OpenForNotifications(Groups, receiveBuffer);
    private readonly byte[] _datagram = new byte[NetlinkSocket.DatagramSize];

    /// <summary>Readable while there is something to drain.</summary>
    public int FileDescriptor => _socket.FileDescriptor;

    /// <summary>What changed since the last call. Doesn't block.</summary>
    /// <exception cref="VtepException">The socket is broken.</exception>
    public NetlinkChanges Drain()
    {
        var changes = NetlinkChanges.None;
        for (int i = 0; i < DatagramsPerDrain; i++)
        {
            int length = _socket.Receive(_datagram);
            if (length == -LibC.EAGAIN)
                break;
            changes |= length >= 0 ? Read(_datagram.AsSpan(0, length)) : Lost(length);
        }

        return changes;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    /// <summary>What the messages of a datagram are about.</summary>
    internal static NetlinkChanges Read(ReadOnlySpan<byte> datagram)
    {
        var changes = NetlinkChanges.None;
        var messages = new NetlinkMessages(datagram);
        while (messages.TryNext(out NetlinkMessage message))
        {
            changes |= message.Type switch
            {
                Rtnl.RTM_NEWLINK or Rtnl.RTM_DELLINK => NetlinkChanges.Links,
                Rtnl.RTM_NEWADDR or Rtnl.RTM_DELADDR => NetlinkChanges.Addresses,
                Rtnl.RTM_NEWROUTE or Rtnl.RTM_DELROUTE => NetlinkChanges.Routes,
                _ => NetlinkChanges.None,
            };
        }

        return changes;
    }

    private static NetlinkChanges Lost(int error) => error == -LibC.ENOBUFS || error == -LibC.EMSGSIZE
        ? NetlinkChanges.Overrun
        : throw new VtepException($"Changes of links, addresses and routes can't be received any more: {Errno.Describe(error)}.");
}
