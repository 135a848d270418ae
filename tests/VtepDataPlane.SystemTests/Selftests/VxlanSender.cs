// The other VTEP, made by hand: a plain UDP socket on the VXLAN port, which sends whatever a test writes into a datagram, and
// listens to nothing (but is there, so that what is sent to it isn't answered with ICMP port unreachable).

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using VtepDataPlane.SystemTests.Namespaces;
using VtepDataPlane.SystemTests.Traffic;

namespace VtepDataPlane.SystemTests.Selftests;

/// <summary>Sends VXLAN datagrams from one host's address.</summary>
internal sealed class VxlanSender : IDisposable
{
    private const ulong VniFlag = 0x0800_0000_0000_0000;
    private const int Port = 4789;
    private const int Ipv6Level = 41;         // IPPROTO_IPV6
    private const int Ipv6TrafficClass = 67;  // IPV6_TCLASS, <linux/in6.h>
    private readonly Socket _socket;

    /// <summary>A sender with the address <paramref name="from"/>, which <paramref name="host"/> has.</summary>
    public VxlanSender(LabHost host, IPAddress from) => _socket = InNamespace.Run(host.Namespace.Name, () => BoundSocket.Open(new IPEndPoint(from, Port)));

    /// <summary>A sender with a host's VTEP address.</summary>
    public VxlanSender(LabHost host)
        : this(host, host.Underlay)
    {
    }

    /// <summary>A clean VXLAN header, as its 64 bits.</summary>
    public static ulong Header(int vni) => VniFlag | (uint)vni << 8;

    /// <summary>A VXLAN datagram.</summary>
    public static byte[] Datagram(ulong header, ReadOnlySpan<byte> inner)
    {
        byte[] datagram = new byte[8 + inner.Length];
        BinaryPrimitives.WriteUInt64BigEndian(datagram, header);
        inner.CopyTo(datagram.AsSpan(8));
        return datagram;
    }

    /// <summary>Sends a datagram.</summary>
    /// <param name="to">The VTEP.</param>
    /// <param name="datagram">Its UDP payload.</param>
    /// <param name="trafficClass">Outer TOS or traffic class.</param>
    public void Send(IPAddress to, byte[] datagram, byte trafficClass = 0)
    {
        if (to.AddressFamily == AddressFamily.InterNetworkV6)
            _socket.SetRawSocketOption(Ipv6Level, Ipv6TrafficClass, BitConverter.GetBytes((int)trafficClass));
        else
            _socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.TypeOfService, trafficClass);
        _socket.SendTo(datagram, new IPEndPoint(to, Port));
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();
}
