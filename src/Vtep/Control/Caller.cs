// Who is at the other end of a unix socket. The kernel notes user, group and process when a client connects (SO_PEERCRED, unix(7))
// and its supplementary groups (SO_PEERGROUPS, Linux 4.13); a client can't choose them. They are told as ids of our user
// namespace: what has none there is 65534, "nobody", and stands for anybody.
//
// https://man7.org/linux/man-pages/man7/unix.7.html

using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace VtepDataPlane.Daemon.Control;

/// <summary>A client of the control socket.</summary>
/// <param name="Pid">Its process when it connected.</param>
/// <param name="Uid">Its user.</param>
/// <param name="Groups">Its group and its supplementary ones.</param>
internal sealed record Caller(int Pid, uint Uid, IReadOnlyList<uint> Groups)
{
    /// <summary>The id of everybody who has none here (/proc/sys/kernel/overflowuid).</summary>
    public const uint Nobody = 65_534;

    // The same numbers on every machine .NET runs on. struct ucred is a pid and two ids, of 32 bits each.
    private const int SOL_SOCKET = 1;
    private const int SO_PEERCRED = 17;
    private const int SO_PEERGROUPS = 59;
    private const int ERANGE = 34;
    private const int FirstGroups = 64;
    private const int MostGroups = 65_536; // NGROUPS_MAX

    /// <summary>Asks the kernel. Any thread; doesn't wait.</summary>
    /// <exception cref="SocketException">This is no connection of a unix socket.</exception>
    public static Caller Of(Socket connection)
    {
        Span<uint> ids = stackalloc uint[3];
        connection.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, MemoryMarshal.AsBytes(ids));
        return new Caller((int)ids[0], ids[1], [ids[2], .. SupplementaryGroups(connection)]);
    }

    // Too small a buffer is told as ERANGE. A kernel that doesn't know the question leaves the group of SO_PEERCRED: fewer rights.
    private static uint[] SupplementaryGroups(Socket connection)
    {
        for (int size = FirstGroups; size <= MostGroups; size *= 32)
        {
            uint[] groups = new uint[size];
            try
            {
                int bytes = connection.GetRawSocketOption(SOL_SOCKET, SO_PEERGROUPS, MemoryMarshal.AsBytes(groups.AsSpan()));
                return groups[..(bytes / sizeof(uint))];
            }
            catch (SocketException error) when (error.NativeErrorCode == ERANGE && size < MostGroups)
            {
                continue;
            }
            catch (SocketException)
            {
                break;
            }
        }

        return [];
    }
}
