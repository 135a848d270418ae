// A port as the forwarder knows it: the open device, its place in its domain, and per lane its queue and whether something
// waits there to be flushed. The ordinal is stable for the port's life and never reused within it, so that an FDB entry that
// names it can't come to mean another port.

using VtepDataPlane.Frames;
using VtepDataPlane.Ports;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>An access port in its bridge domain: what a host is told to serve. Any thread; its queues belong to their lanes.</summary>
public sealed class AccessPort
{
    private readonly PortLane[] _lanes;
    private int _mtu;

    internal AccessPort(IAccessPort device, int domainIndex, int ordinal, int lanes)
    {
        Device = device;
        DomainIndex = domainIndex;
        Ordinal = ordinal;
        _lanes = [.. Enumerable.Range(0, lanes).Select(lane => new PortLane(device.Queue(lane)))];
        _mtu = device.Mtu;
    }

    /// <summary>The open device.</summary>
    public IAccessPort Device { get; }

    /// <summary>Index of its domain in the forwarding state.</summary>
    internal int DomainIndex { get; }

    /// <summary>Number of the port within its domain; what an FDB entry names.</summary>
    internal int Ordinal { get; }

    /// <summary>The MAC that has an Own entry in the FDB for this port. Control loop only.</summary>
    internal MacAddress OwnMac { get; set; }

    /// <summary>The largest layer 3 packet it takes, bytes.</summary>
    internal int Mtu
    {
        get => Volatile.Read(ref _mtu);
        set => Volatile.Write(ref _mtu, value);
    }

    /// <summary>The queue lane <paramref name="lane"/> uses.</summary>
    internal PortLane Lane(int lane) => _lanes[lane];
}

/// <summary>A port's queue on one lane.</summary>
internal sealed class PortLane(IFrameQueue queue)
{
    private TokenLevel _lookups;

    public IFrameQueue Queue { get; } = queue;

    /// <summary>Frames were noted since the last flush.</summary>
    public bool IsDirty { get; set; }

    /// <summary>Questions the lane asked for stations behind the port.</summary>
    public ref TokenLevel Lookups => ref _lookups;
}
