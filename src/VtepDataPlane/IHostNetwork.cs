// Everything a VTEP asks of the machine it runs on. The Linux implementation opens TAP devices and UDP sockets and serves
// lanes with threads; the in-memory one (MemoryHost) is a host in a test.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Underlay;

namespace VtepDataPlane;

/// <summary>The machine's edge. Called by the control loop only.</summary>
public interface IHostNetwork
{
    /// <summary>Opens the underlay with a queue for each lane.</summary>
    /// <param name="config">Which address and port.</param>
    /// <param name="lanes">How many, at least 1.</param>
    /// <exception cref="VtepException">It can't be opened; the message says what, why and the remedy.</exception>
    IUnderlay OpenUnderlay(UnderlayConfig config, int lanes);

    /// <summary>
    /// Opens (creates or adopts) an access port with up to one queue for each lane. Not called for ports that are open already
    /// (<see cref="PortConfig.Device"/>).
    /// </summary>
    /// <param name="config">Which device, and how it shall be set.</param>
    /// <param name="lanes">How many, at least 1.</param>
    /// <exception cref="VtepException">It can't be opened; the message says what, why and the remedy.</exception>
    IAccessPort OpenPort(PortConfig config, int lanes);

    /// <summary>Starts serving: from now on lanes receive from this port. One that isn't of the host's own kind is to be served by <see cref="IAccessPort.WakeBy"/>.</summary>
    /// <param name="port">It was opened here.</param>
    void Serve(AccessPort port);

    /// <summary>Stops serving: when this returns, no lane receives from this port any more; one may still be in a batch.</summary>
    /// <param name="port">It is served.</param>
    void Withdraw(AccessPort port);

    /// <summary>The slots a lane receives into: how many frames at once, and how long the longest.</summary>
    FrameBatch MakeBatch() => new();

    /// <summary>VTEPs that can be named by configuration and controllers together, 1 to <see cref="VtepConfigRules.MaxVteps"/>; each takes memory.</summary>
    int MaxVteps => VtepConfigRules.MaxVteps;

    /// <summary>
    /// Has something to do for the control loop: it should call <see cref="Vtep.Attend"/> soon. Any thread; never blocks. A host whose control
    /// loop comes round by itself needn't do anything.
    /// </summary>
    void WakeControl()
    {
    }

    /// <summary>
    /// Has something to do for a lane: it should call <see cref="Lane.ServeAnswers"/> soon. Any thread; never blocks. A host that polls its lanes needn't
    /// do anything.
    /// </summary>
    /// <param name="lane">Its index, from 0.</param>
    void WakeLane(int lane)
    {
    }
}
