// Ports without a descriptor, served: for every lane a queue that is asked when its port woke it. And what is asked of them about once a second,
// since nobody tells: whether MAC, MTU or state have changed.
//
// Control loop only.

using VtepDataPlane.Forwarding;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Running;

/// <summary>Ports that wake their lanes.</summary>
/// <param name="lanes">The ready queues of each lane.</param>
internal sealed class ServedDevices(IReadOnlyList<ReadyQueues> lanes)
{
    private readonly Dictionary<AccessPort, Served> _served = [];

    /// <summary>Starts serving a port: lanes receive from it as soon as it wakes them.</summary>
    public void Serve(AccessPort port)
    {
        WakingQueue[] queues = [.. lanes.Select(_ => new WakingPort(port))];
        _served.Add(port, new Served(queues) { Seen = StateOf(port) });
        port.Device.WakeBy(lane => Wake(queues, lane));
        for (int lane = 0; lane < queues.Length; lane++)
            Wake(queues, lane); // what came before anybody listened
    }

    /// <summary>Stops serving a port; false when it isn't one of these. A lane may still be in a batch of it.</summary>
    public bool Withdraw(AccessPort port)
    {
        if (!_served.Remove(port, out Served? served))
            return false;
        foreach (WakingQueue queue in served.Queues)
            queue.IsGone = true;
        return true;
    }

    /// <summary>Stops serving all of them.</summary>
    public void WithdrawAll()
    {
        foreach (AccessPort port in _served.Keys.ToList())
            Withdraw(port);
    }

    /// <summary>Ports whose MAC or MTU are others than they were.</summary>
    public void FindChanges(Action<AccessPort> changed)
    {
        foreach ((AccessPort port, Served served) in _served)
        {
            (MacAddress, int) now = StateOf(port);
            if (now == served.Seen)
                continue;
            changed(port);
            served.Seen = StateOf(port); // the change may have set its MTU
        }
    }

    private static (MacAddress Mac, int Mtu) StateOf(AccessPort port) => (port.Device.Mac, port.Device.Mtu);

    private void Wake(WakingQueue[] queues, int lane)
    {
        if ((uint)lane < (uint)queues.Length)
            lanes[lane].Wake(queues[lane]);
    }

    private sealed class Served(WakingQueue[] queues)
    {
        public WakingQueue[] Queues { get; } = queues;

        public (MacAddress Mac, int Mtu) Seen { get; set; }
    }
}
