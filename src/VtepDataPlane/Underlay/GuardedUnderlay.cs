// An underlay of a program's own, with a guard around it (Frames/Guard.cs). After it threw, or broke the contract of its queues, nothing is received
// from it, frames to it are tx_error drops, there is no way to any VTEP, and the VTEP's status says why. There is no other underlay, so that is until
// the VTEP is made anew.
//
// As the underlay itself: control loop, except the queues, which belong to their lanes.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Underlay;

/// <summary>Keeps what a program's underlay does wrong from the VTEP.</summary>
internal sealed class GuardedUnderlay : IUnderlay
{
    private readonly IUnderlay _inner;
    private readonly GuardedQueue[] _queues;
    private InetAddress _local;

    private GuardedUnderlay(IUnderlay inner, int lanes)
    {
        _inner = inner;
        _local = Guard.Require(nameof(Local), () => inner.Local);
        _queues = [.. Enumerable.Range(0, lanes).Select(Take)];
    }

    /// <summary>What is wrong with it.</summary>
    public Guard Guard { get; } = new("The underlay", "Its frames are dropped as tx_error: mend it and start the VTEP anew.");

    /// <inheritdoc/>
    public InetAddress Local => _local = Guard.Ask(nameof(Local), () => _inner.Local, _local);

    /// <inheritdoc/>
    public bool IsLocalAddressPresent => Guard.Ask(nameof(IsLocalAddressPresent), () => _inner.IsLocalAddressPresent, true);

    /// <summary>The underlay as the VTEP may use it: itself when it comes with the library, with a guard otherwise.</summary>
    /// <exception cref="VtepException">It can't be used; it is closed then.</exception>
    public static IUnderlay Of(IUnderlay underlay, int lanes)
    {
        if (underlay.GetType().Assembly == typeof(GuardedUnderlay).Assembly)
            return underlay;
        try
        {
            return new GuardedUnderlay(underlay, lanes);
        }
        catch
        {
            underlay.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IFrameQueue Queue(int lane) => _queues[lane];

    /// <inheritdoc/>
    public ushort SourcePortOf(ushort wanted) => Guard.Ask(nameof(SourcePortOf), () => _inner.SourcePortOf(wanted), wanted);

    /// <inheritdoc/>
    public void WakeBy(Action<int> wake) => Guard.Ask(nameof(WakeBy), () => Do(() => _inner.WakeBy(wake)), false);

    /// <inheritdoc/>
    public UnderlayPath PathTo(in InetAddress remote)
    {
        InetAddress to = remote;
        return Guard.Ask(nameof(PathTo), () => _inner.PathTo(to), new UnderlayPath(PathStatus.NoRoute, 0, 0));
    }

    /// <inheritdoc/>
    public UnderlayPath PathThrough(string interfaceName) =>
        Guard.Ask(nameof(PathThrough), () => _inner.PathThrough(interfaceName), new UnderlayPath(PathStatus.NoRoute, 0, 0));

    /// <summary>Joins a group. A <see cref="VtepException"/> is an answer; anything else is the caller's as one.</summary>
    public void Join(in MulticastGroup group)
    {
        MulticastGroup joined = group;
        Guard.Require(nameof(Join), () => Do(() => _inner.Join(joined)));
    }

    /// <inheritdoc/>
    public void Leave(in MulticastGroup group)
    {
        MulticastGroup left = group;
        Guard.Ask(nameof(Leave), () => Do(() => _inner.Leave(left)), false);
    }

    /// <inheritdoc/>
    public void Dispose() => Guard.Ask(nameof(Dispose), () => Do(_inner.Dispose), false, evenFailed: true);

    private static bool Do(Action action)
    {
        action();
        return true;
    }

    private GuardedQueue Take(int lane)
    {
        IFrameQueue queue = Guard.Require(nameof(Queue), () => _inner.Queue(lane))
            ?? throw new VtepException($"The underlay can't be used: it has no queue for lane {lane}.");
        return new GuardedQueue(queue, Guard, DropReason.TxError, takesAggregates: true);
    }
}
