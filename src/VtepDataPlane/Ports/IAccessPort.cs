// The edge towards hosts: a device with one queue a lane. Opened and closed by the control loop; each queue is used by one
// worker only. TapPort (Linux), PipePort (a host in this process) and MemoryPort (tests) implement it.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Ports;

/// <summary>An open access port. Control loop only, except the queues, which belong to their lanes.</summary>
public interface IAccessPort : IDisposable
{
    /// <summary>Unique name within the VTEP.</summary>
    string Name { get; }

    /// <summary>The device's own MAC, which no frame from the tunnel may have as its source; zero when it has none.</summary>
    MacAddress Mac { get; }

    /// <summary>The kernel's interface index, 0 when it has none: a route to a VTEP through it would be a loop.</summary>
    int InterfaceIndex { get; }

    /// <summary>The largest layer 3 packet the port takes, bytes, Ethernet header and tags not counted.</summary>
    int Mtu { get; }

    /// <summary>The device is there and up; false while it is deleted or down.</summary>
    bool IsUp { get; }

    /// <summary>The queue of lane <paramref name="lane"/>. A device with fewer queues gives the further lanes queues that only send.</summary>
    IFrameQueue Queue(int lane);

    /// <summary>
    /// Serving begins: from now on the port calls <paramref name="wake"/> with a lane's number whenever that lane's queue may have something to
    /// receive, or to flush by itself. A queue that gave nothing is asked again only after that; one that gave something is asked again without.
    /// Called again after a pause; the last callback given counts. <paramref name="wake"/> may be called from any thread, never blocks, and does nothing
    /// once the port is closed. A device whose descriptor the host polls (a TAP) needn't do anything.
    /// </summary>
    void WakeBy(Action<int> wake)
    {
    }

    /// <summary>Sets the MTU. False, with the system's reason, when it can't be set: then the port keeps its own.</summary>
    /// <param name="mtu">The largest layer 3 packet, bytes.</param>
    /// <param name="why">The system's reason, a clause; null when it is set.</param>
    bool TrySetMtu(int mtu, out string? why);
}
