// A UDP socket at an address that may not be usable yet: without duplicate address detection, too, an IPv6 address becomes so some time after it was added.
// And a program that another test is just starting has copies of our sockets until it calls exec(2): one that was closed here is open there a moment longer.

using System.Net;
using System.Net.Sockets;
using VtepDataPlane.SystemTests.Namespaces;

namespace VtepDataPlane.SystemTests.Traffic;

/// <summary>Opens UDP sockets.</summary>
internal static class BoundSocket
{
    /// <summary>Binds a new one, in the namespace of the calling thread; waits until that is possible.</summary>
    public static Socket Open(IPEndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        Wait.Until($"{endpoint} can be bound", () => TryBind(socket, endpoint));
        return socket;
    }

    private static bool TryBind(Socket socket, IPEndPoint endpoint)
    {
        try
        {
            socket.Bind(endpoint);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AddressNotAvailable)
        {
            return false;
        }
    }
}
