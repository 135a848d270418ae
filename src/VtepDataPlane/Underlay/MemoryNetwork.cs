// The in-memory twin of an IP network that carries UDP: any number of VTEPs attach, datagrams go by address, groups go to their
// members. It can lose, duplicate and reorder from a seeded random source, so that a run can be repeated, and it keeps books of
// its own: offered + duplicated = delivered + lost + in flight.
//
// Two ways to run it. By default it is deterministic: one thread, the test's, and datagrams are on their way until Deliver is called. When it is
// live, any number of threads may send, and whoever sends delivers: the datagram is in its receiver's queue, and the receiver's lane woken, when
// Send returns. One lock, held for the time of a delivery; what a program changes while datagrams fly, it changes by Change.

using VtepDataPlane.Frames;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Underlay;

/// <summary>A datagram on its way.</summary>
/// <param name="Source">From.</param>
/// <param name="Outer">To, and everything else the sender chose.</param>
/// <param name="Payload">The VXLAN header and what follows.</param>
public sealed record MemoryDatagram(VtepEndpoint Source, OuterHeader Outer, byte[] Payload)
{
    internal int Ticket { get; init; }
}

/// <summary>A network in memory. One thread, unless <see cref="IsLive"/>: then any.</summary>
public sealed class MemoryNetwork
{
    private readonly Lock _gate = new();
    private readonly Random _random;
    private readonly List<MemoryUnderlay> _attached = [];
    private readonly List<MemoryDatagram> _inFlight = [];

    /// <summary>A network without faults; <paramref name="seed"/> decides what its faults hit once they are set.</summary>
    public MemoryNetwork(int seed = 1) => _random = new Random(seed);

    /// <summary>Datagrams are delivered by whoever sends them, on any thread: for VTEPs that have threads (<see cref="InProcessVtep"/>).</summary>
    public bool IsLive { get; init; }

    /// <summary>Share of datagrams lost, 0 to 1.</summary>
    public double Loss { get; set; }

    /// <summary>Share of datagrams delivered twice, 0 to 1.</summary>
    public double Duplication { get; set; }

    /// <summary>Share of datagrams that change places with others, 0 to 1. In a live network such a one waits for the next, or for <see cref="Deliver()"/>.</summary>
    public double Reordering { get; set; }

    /// <summary>Bytes of the largest IP packet, on every path without one of its own.</summary>
    public int Mtu { get; set; } = 1500;

    /// <summary>Bytes of the largest IP packet on the way to a VTEP.</summary>
    public Dictionary<InetAddress, int> PathMtus { get; } = [];

    /// <summary>VTEPs there is no route to.</summary>
    public HashSet<InetAddress> Unreachable { get; } = [];

    /// <summary>Every datagram that was sent, in order, when recording.</summary>
    public List<MemoryDatagram>? Recording { get; set; }

    /// <summary>Datagrams sent into the network.</summary>
    public long Offered { get; private set; }

    /// <summary>Further copies made by <see cref="Duplication"/> and by groups with more members than one.</summary>
    public long Multiplied { get; private set; }

    /// <summary>Datagrams lost by <see cref="Loss"/>, for want of a receiver, or of room in its queue.</summary>
    public long Lost { get; private set; }

    /// <summary>Datagrams put into a receiver's queue.</summary>
    public long Delivered { get; private set; }

    internal void Attach(MemoryUnderlay underlay)
    {
        lock (_gate)
            _attached.Add(underlay);
    }

    internal void Detach(MemoryUnderlay underlay)
    {
        lock (_gate)
            _attached.Remove(underlay);
    }

    /// <summary>Changes the network (loss, routes, path MTUs) or reads what it recorded, while no datagram moves. Any thread.</summary>
    public void Change(Action<MemoryNetwork> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        lock (_gate)
            change(this);
    }

    /// <summary>Puts a datagram into the network, as any host could; for forgeries too.</summary>
    /// <param name="datagram">Any source, any destination.</param>
    public void Send(MemoryDatagram datagram)
    {
        ArgumentNullException.ThrowIfNull(datagram);
        lock (_gate)
        {
            bool overtakes = Enqueue(datagram);
            if (IsLive && !overtakes)
                DeliverAll();
        }
    }

    /// <summary>Delivers everything in flight; returns how many datagrams there were.</summary>
    public int Deliver()
    {
        lock (_gate)
            return DeliverAll();
    }

    /// <summary>Reads or changes under the network's lock.</summary>
    internal T Locked<T>(Func<T> read)
    {
        lock (_gate)
            return read();
    }

    private bool Enqueue(MemoryDatagram datagram)
    {
        Offered++;
        Recording?.Add(datagram);
        bool overtakes = _random.NextDouble() < Reordering;
        _inFlight.Insert(overtakes ? _random.Next(_inFlight.Count + 1) : _inFlight.Count, datagram);
        if (_random.NextDouble() < Duplication)
        {
            Multiplied++;
            _inFlight.Insert(_random.Next(_inFlight.Count + 1), datagram);
        }

        return overtakes;
    }

    private int DeliverAll()
    {
        MemoryDatagram[] datagrams = [.. _inFlight];
        _inFlight.Clear();
        foreach (MemoryDatagram datagram in datagrams)
            Deliver(datagram);
        return datagrams.Length;
    }

    private void Deliver(MemoryDatagram datagram)
    {
        List<MemoryUnderlay> receivers = [.. _attached.Where(underlay => underlay.Receives(datagram))];
        Multiplied += Math.Max(0, receivers.Count - 1);
        if (receivers.Count == 0)
            Lost++;
        foreach (MemoryUnderlay receiver in receivers)
        {
            if (_random.NextDouble() < Loss || !receiver.TryAccept(datagram))
                Lost++;
            else
                Delivered++;
        }
    }
}
