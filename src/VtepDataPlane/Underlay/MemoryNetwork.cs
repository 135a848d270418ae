// The in-memory twin of an IP network that carries UDP: any number of VTEPs attach, datagrams go by address, groups go to their
// members. It can lose, duplicate and reorder from a seeded random source, so that a run can be repeated, and it keeps books of
// its own: offered + duplicated = delivered + lost + refused by receivers + in flight.
// One thread, the test's.

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

/// <summary>A network in memory. One thread.</summary>
public sealed class MemoryNetwork
{
    private readonly Random _random;
    private readonly List<MemoryUnderlay> _attached = [];
    private readonly List<MemoryDatagram> _inFlight = [];

    /// <summary>A network without faults; <paramref name="seed"/> decides what its faults hit once they are set.</summary>
    public MemoryNetwork(int seed = 1) => _random = new Random(seed);

    /// <summary>Share of datagrams lost, 0 to 1.</summary>
    public double Loss { get; set; }

    /// <summary>Share of datagrams delivered twice, 0 to 1.</summary>
    public double Duplication { get; set; }

    /// <summary>Share of datagrams that overtake others, 0 to 1.</summary>
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

    /// <summary>Datagrams lost by <see cref="Loss"/>, or for want of a receiver.</summary>
    public long Lost { get; private set; }

    /// <summary>Datagrams put into a receiver's queue.</summary>
    public long Delivered { get; private set; }

    internal void Attach(MemoryUnderlay underlay) => _attached.Add(underlay);

    internal void Detach(MemoryUnderlay underlay) => _attached.Remove(underlay);

    /// <summary>Puts a datagram into the network, as any host could; for forgeries too.</summary>
    public void Send(MemoryDatagram datagram)
    {
        ArgumentNullException.ThrowIfNull(datagram);
        Offered++;
        Recording?.Add(datagram);
        int position = _random.NextDouble() < Reordering ? _random.Next(_inFlight.Count + 1) : _inFlight.Count;
        _inFlight.Insert(position, datagram);
        if (_random.NextDouble() < Duplication)
        {
            Multiplied++;
            _inFlight.Insert(_random.Next(_inFlight.Count + 1), datagram);
        }
    }

    /// <summary>Delivers everything in flight; returns how many datagrams there were.</summary>
    public int Deliver()
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
            if (_random.NextDouble() < Loss)
            {
                Lost++;
                continue;
            }

            Delivered++;
            receiver.Accept(datagram);
        }
    }
}
