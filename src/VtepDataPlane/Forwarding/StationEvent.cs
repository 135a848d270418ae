// What a lane tells the control loop about stations: in domains with a controller it has to be known who is here, which address is at which MAC, and
// who is asked for that nobody knows. A ring for each lane, one writer (the lane's thread), one reader (the control loop). A lane never waits: when the
// ring is full the event is lost, and the reader is told that something was, so that it can look at the FDB itself.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>What was seen.</summary>
internal enum StationEventKind : byte
{
    /// <summary>A station is behind one of our ports that wasn't known there: learned, or moved.</summary>
    Seen,

    /// <summary>An address is at a station behind one of our ports: from ARP, neighbour discovery or DHCP.</summary>
    Bound,

    /// <summary>Nobody knows where the MAC is (the kernel's L2MISS).</summary>
    MacMiss,

    /// <summary>Nobody knows at which MAC the address is (the kernel's L3MISS).</summary>
    AddressMiss,

    /// <summary>A frame of this MAC came from another VTEP than the directory says.</summary>
    Contradicted,
}

/// <summary>One event.</summary>
/// <param name="Kind">What was seen.</param>
/// <param name="Domain">Index of the domain.</param>
/// <param name="Mac">The station; zero for an address miss.</param>
/// <param name="Address">The address, where there is one.</param>
/// <param name="IsRouter">The station called itself an IPv6 router.</param>
internal readonly record struct StationEvent(StationEventKind Kind, int Domain, MacAddress Mac, InetAddress Address = default, bool IsRouter = false);

/// <summary>A bounded ring of events, one writer and one reader.</summary>
/// <param name="wake">Called by the writer when the reader may be asleep; wakes it.</param>
internal sealed class StationEvents(Action wake)
{
    /// <summary>Events it holds.</summary>
    public const int Capacity = 4096;

    private StationEvent[]? _ring;
    private long _written;
    private long _read;
    private long _lost;
    private long _lostTold;
    private int _isAwake;

    /// <summary>Makes the ring: by the control loop, before lanes see a domain that has a controller. Without one nothing is told.</summary>
    public void Prepare() => _ring ??= new StationEvent[Capacity];

    /// <summary>Lane: tells it; false when it is lost, for the ring is full.</summary>
    public bool Write(in StationEvent seen)
    {
        long written = _written;
        bool hasRoom = written - Volatile.Read(ref _read) < Capacity;
        if (!hasRoom)
        {
            Volatile.Write(ref _lost, _lost + 1);
        }
        else
        {
            Prepare(); // nothing is left to be done, but for whoever uses this without a control loop
            _ring![written % Capacity] = seen;
            Volatile.Write(ref _written, written + 1);
        }

        if (Interlocked.Exchange(ref _isAwake, 1) == 0)
            wake();
        return hasRoom;
    }

    /// <summary>Reader: about to read; whatever is written from now on wakes it again.</summary>
    public void Attend() => Interlocked.Exchange(ref _isAwake, 0);

    /// <summary>Reader: the next event.</summary>
    public bool TryRead(out StationEvent seen)
    {
        long read = _read;
        seen = default;
        if (read == Volatile.Read(ref _written))
            return false;
        seen = _ring![read % Capacity];
        Volatile.Write(ref _read, read + 1);
        return true;
    }

    /// <summary>Reader: true when events were lost since it last asked.</summary>
    public bool TakeLost()
    {
        long lost = Volatile.Read(ref _lost);
        bool isNews = lost != _lostTold;
        _lostTold = lost;
        return isNews;
    }
}
