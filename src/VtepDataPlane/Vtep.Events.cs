// Vtep: events for programs. Lanes never wait for a subscriber; how events get to one, and what becomes of one that is slow, throws or blocks, stands in
// Diagnostics/Events.

using VtepDataPlane.Diagnostics.Events;
using VtepDataPlane.Frames;
using VtepDataPlane.Underlay;

namespace VtepDataPlane;

/// <content>Subscriptions.</content>
public sealed partial class Vtep
{
    private const int DefaultRoom = 4096;

    private readonly EventHub _events;

    /// <summary>Is told of faults, on the control loop; for the operator's log.</summary>
    internal Action<VtepFault>? FaultSeen
    {
        get => _events.FaultSeen;
        set => _events.FaultSeen = value;
    }

    /// <summary>
    /// Subscribes to changes of the FDB from now on. The subscriber is called on a thread of the pool, one event at a time and in order; the lanes don't
    /// wait for it. When it throws it is called no more (<see cref="VtepSubscription.Failure"/>).
    /// </summary>
    /// <param name="subscriber">Is called with each event.</param>
    /// <param name="room">Events that may wait for it, 1 or more; further ones are lost to it, and counted (<see cref="VtepSubscription.Lost"/>).</param>
    /// <param name="clock">Gives FDB events their time, those of other subscriptions too; null: the one given last, to begin with the system's.</param>
    /// <returns>Disposing it ends the subscription; so does the VTEP's end.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="room"/> is less than 1.</exception>
    /// <exception cref="ObjectDisposedException">The VTEP is closed.</exception>
    public VtepSubscription SubscribeFdb(Action<FdbEvent> subscriber, int room = DefaultRoom, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(subscriber);
        ArgumentOutOfRangeException.ThrowIfLessThan(room, 1);
        return _events.Subscribe(subscriber, room, clock);
    }

    /// <summary>Subscribes to drops from now on: each frame or copy that isn't sent, with the reason and its headers. Otherwise as <see cref="SubscribeFdb"/>.</summary>
    /// <param name="subscriber">Is called with each event.</param>
    /// <param name="room">Events that may wait for it, 1 or more; further ones are lost to it, and counted.</param>
    /// <returns>Disposing it ends the subscription; so does the VTEP's end.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="room"/> is less than 1.</exception>
    /// <exception cref="ObjectDisposedException">The VTEP is closed.</exception>
    public VtepSubscription SubscribeDrops(Action<DropEvent> subscriber, int room = DefaultRoom)
    {
        ArgumentNullException.ThrowIfNull(subscriber);
        ArgumentOutOfRangeException.ThrowIfLessThan(room, 1);
        return _events.Subscribe(subscriber, room);
    }

    /// <summary>
    /// Subscribes to faults: a port, an underlay or a subscriber of the program's own that threw or broke its contract, and is out of service now.
    /// Otherwise as <see cref="SubscribeFdb"/>.
    /// </summary>
    /// <param name="subscriber">Is called with each fault.</param>
    /// <returns>Disposing it ends the subscription; so does the VTEP's end.</returns>
    /// <exception cref="ObjectDisposedException">The VTEP is closed.</exception>
    public VtepSubscription SubscribeFaults(Action<VtepFault> subscriber)
    {
        ArgumentNullException.ThrowIfNull(subscriber);
        return _events.Subscribe(subscriber, DefaultRoom);
    }

    // any thread; ports of the first configuration may be wrong before there is anybody to tell
    private void ReportFault(VtepFault fault) => _events.Report(fault);

    private IEnumerable<string> FaultsNow() =>
        (_underlay as GuardedUnderlay)?.Guard.Problem is { } problem ? [problem, .. _events.Problems] : _events.Problems;
}
