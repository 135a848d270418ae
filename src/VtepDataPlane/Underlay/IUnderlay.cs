// The edge towards other VTEPs: one queue a lane, group memberships, and what the machine's routes say about a path. The
// queue takes and gives frames that start with their VXLAN header; UDP and IP are the underlay's business. UdpUnderlay (Linux)
// and MemoryUnderlay (tests, embedding) implement it, and so may a program (InProcessVtep).

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Underlay;

/// <summary>What the routing table says about the way to a VTEP.</summary>
public enum PathStatus
{
    /// <summary>There is a route.</summary>
    Reachable,

    /// <summary>No route (now).</summary>
    NoRoute,
}

/// <summary>The way to a VTEP.</summary>
/// <param name="Status">Whether there is one.</param>
/// <param name="Mtu">Bytes of the largest outer IP packet that needs no fragments.</param>
/// <param name="InterfaceIndex">The interface it leaves by.</param>
public readonly record struct UnderlayPath(PathStatus Status, int Mtu, int InterfaceIndex);

/// <summary>A joined group.</summary>
/// <param name="Group">Its address.</param>
/// <param name="Interface">The interface it is joined on.</param>
public readonly record struct MulticastGroup(InetAddress Group, string Interface);

/// <summary>An open underlay. Control loop only, except the queues, which belong to their lanes.</summary>
public interface IUnderlay : IDisposable
{
    /// <summary>Our VTEP address now; none while the interface has no address.</summary>
    InetAddress Local { get; }

    /// <summary>False while the local address is missing from this host: nothing may be sent, lest it be sent from another.</summary>
    bool IsLocalAddressPresent { get; }

    /// <summary>The queue of a lane. The same object each time.</summary>
    /// <param name="lane">The lane, 0 to one less than the underlay was opened for.</param>
    IFrameQueue Queue(int lane);

    /// <summary>The UDP source port that a datagram really has whose flow hash gives this one: an underlay may have fewer than there are hashes.</summary>
    /// <param name="wanted">A port of the dynamic range, 49152 to 65535 (RFC 7348 section 5).</param>
    ushort SourcePortOf(ushort wanted) => wanted;

    /// <summary>
    /// Serving begins: from now on the underlay calls <paramref name="wake"/> with a lane's number whenever that lane's queue may have something to
    /// receive. A queue that gave nothing is asked again only after that; one that gave something is asked again without. <paramref name="wake"/> may
    /// be called from any thread, never blocks, and does nothing once the VTEP is closed. An underlay whose descriptors its host polls needn't do
    /// anything.
    /// </summary>
    /// <param name="wake">Takes a lane's number, 0 to one less than the underlay was opened for.</param>
    void WakeBy(Action<int> wake)
    {
    }

    /// <summary>The way to <paramref name="remote"/>: the route's MTU, lowered by what routers on the way truly reported.</summary>
    /// <param name="remote">A VTEP's address; the way to a group is that through its interface (<see cref="PathThrough"/>).</param>
    /// <returns>No route is an answer (<see cref="PathStatus.NoRoute"/>), not an error.</returns>
    UnderlayPath PathTo(in InetAddress remote);

    /// <summary>The interface by that name: <see cref="UnderlayPath.Mtu"/> is the link's. No route when there is none.</summary>
    /// <param name="interfaceName">As the system calls it.</param>
    UnderlayPath PathThrough(string interfaceName);

    /// <summary>Joins a group (idempotent; kept over link flaps and re-creation of the interface until left).</summary>
    /// <param name="group">A group of the family of <see cref="Local"/>.</param>
    /// <exception cref="VtepException">The system refuses.</exception>
    void Join(in MulticastGroup group);

    /// <summary>Leaves a group (idempotent).</summary>
    /// <param name="group">As it was joined.</param>
    void Leave(in MulticastGroup group);
}
