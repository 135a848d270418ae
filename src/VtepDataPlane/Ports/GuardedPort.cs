// A port of a program's own, with a guard around it (Frames/Guard.cs). After it threw, or broke the contract of its queues, it is down: frames to it
// are port_error drops, none is received from it, and the VTEP's status says why, until it is removed.
//
// As the port itself: control loop, except the queues, which belong to their lanes. What it answers may be asked by any thread.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Ports;

/// <summary>Keeps what a program's port does wrong from the VTEP.</summary>
internal sealed class GuardedPort : IAccessPort
{
    private readonly IAccessPort _inner;
    private readonly GuardedQueue[] _queues;
    private int _mtu;

    private GuardedPort(string name, IAccessPort inner, int lanes)
    {
        Name = name;
        Guard = new Guard($"Port {name}", "Its frames are dropped as port_error: mend it, remove the port and add it again.");
        _inner = inner;
        _mtu = Guard.Require(nameof(Mtu), () => inner.Mtu);
        var queues = new IFrameQueue[lanes];
        for (int lane = 0; lane < lanes; lane++)
            queues[lane] = Take(lane, queues);
        _queues = [.. queues.Select(queue => new GuardedQueue(queue, Guard, DropReason.PortError, takesAggregates: false))];
    }

    /// <summary>What is wrong with it.</summary>
    public Guard Guard { get; }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public MacAddress Mac => Guard.Ask(nameof(Mac), () => _inner.Mac, default);

    /// <inheritdoc/>
    public int InterfaceIndex => Guard.Ask(nameof(InterfaceIndex), () => _inner.InterfaceIndex, 0);

    /// <inheritdoc/>
    public int Mtu => _mtu = Guard.Ask(nameof(Mtu), () => _inner.Mtu, _mtu);

    /// <inheritdoc/>
    public bool IsUp => Guard.Ask(nameof(IsUp), () => _inner.IsUp, false);

    /// <summary>The port as the VTEP may use it: itself when it comes with the library, with a guard otherwise.</summary>
    /// <exception cref="VtepException">It can't be used: it threw, or its queues can't be right.</exception>
    public static IAccessPort Of(string name, IAccessPort port, int lanes) =>
        port.GetType().Assembly == typeof(GuardedPort).Assembly ? port : new GuardedPort(name, port, lanes);

    /// <inheritdoc/>
    public IFrameQueue Queue(int lane) => _queues[lane];

    /// <inheritdoc/>
    public void WakeBy(Action<int> wake) => Guard.Ask(nameof(WakeBy), () => Do(() => _inner.WakeBy(wake)), false);

    /// <inheritdoc/>
    public bool TrySetMtu(int mtu, out string? why)
    {
        (bool isSet, why) = Guard.Ask(nameof(TrySetMtu), () => (_inner.TrySetMtu(mtu, out string? reason), reason), (false, Guard.Problem));
        return isSet;
    }

    /// <inheritdoc/>
    public void Dispose() => Guard.Ask(nameof(Dispose), () => Do(_inner.Dispose), false, evenFailed: true);

    private static bool Do(Action action)
    {
        action();
        return true;
    }

    private IFrameQueue Take(int lane, IFrameQueue?[] taken)
    {
        IFrameQueue queue = Guard.Require(nameof(Queue), () => _inner.Queue(lane))
            ?? throw new VtepException($"Port {Name} can't be used: it has no queue for lane {lane}; give it one that only sends.");
        int other = Array.IndexOf(taken, queue);
        return other < 0 ? queue
            : throw new VtepException($"Port {Name} can't be used: lanes {other} and {lane} have the same queue, and each has a thread of its own; give each its own queue.");
    }
}
