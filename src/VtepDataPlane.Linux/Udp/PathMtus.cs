// Path MTUs that routers truly reported, towards VTEPs: from ICMP messages that quote a datagram we sent (SentDatagrams). Kept
// ten minutes, as the kernel's own path MTU cache does (net.ipv4.route.mtu_expires): then the way may have become wider.
//
// An ICMP message reaches whichever of the sockets with that source port the kernel's hash picks, so the quote is looked up among
// the datagrams of all lanes.
//
// Thread-safety: any thread. The lock is taken for ICMP errors and by the control loop, never per frame.

using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Linux.Udp;

/// <summary>Believed path MTUs by VTEP.</summary>
/// <param name="key">Secret random bits for <see cref="SentDatagrams"/>.</param>
/// <param name="lanes">Lanes that send.</param>
/// <param name="changed">Called, on any thread, when a path MTU fell.</param>
internal sealed class PathMtus(UInt128 key, int lanes, Action changed)
{
    // RFC 1191 allows 68, but nothing narrower than 576 (RFC 791's least) exists, and a small value is what a forger wants.
    private const int FloorIPv4 = 576;
    private const int FloorIPv6 = 1280;
    private const int MaxEntries = 16_384;
    private const long LifetimeMilliseconds = 10 * 60 * 1000;

    private readonly Lock _gate = new();
    private readonly Dictionary<InetAddress, (int Mtu, long Expires)> _mtus = [];
    private readonly SentDatagrams[] _sent = [.. Enumerable.Range(0, lanes).Select(_ => new SentDatagrams(key))];
    private long _believed;
    private long _disbelieved;

    /// <summary>ICMP messages that quoted a datagram of ours.</summary>
    public long Believed => Volatile.Read(ref _believed);

    /// <summary>ICMP messages about path MTUs that didn't, or named an impossible one.</summary>
    public long Disbelieved => Volatile.Read(ref _disbelieved);

    /// <summary>What a lane has sent; that lane adds.</summary>
    public SentDatagrams Sent(int lane) => _sent[lane];

    /// <summary>A router says that a datagram didn't fit.</summary>
    /// <param name="destination">Of the quoted datagram.</param>
    /// <param name="mtu">Bytes of the largest IP packet that would.</param>
    /// <param name="quote">The quoted UDP payload.</param>
    /// <param name="nowMilliseconds">Monotonic time.</param>
    public void Report(in InetAddress destination, int mtu, ReadOnlySpan<byte> quote, long nowMilliseconds)
    {
        bool isPossible = mtu >= (destination.IsIPv4 ? FloorIPv4 : FloorIPv6) && mtu <= ushort.MaxValue;
        if (!isPossible || !WasSent(quote, destination, nowMilliseconds))
        {
            Interlocked.Increment(ref _disbelieved);
            return;
        }

        Interlocked.Increment(ref _believed);
        if (Lower(destination, mtu, nowMilliseconds))
            changed();
    }

    /// <summary>The believed path MTU towards a VTEP, or null.</summary>
    public int? Find(in InetAddress remote)
    {
        lock (_gate)
            return _mtus.TryGetValue(remote, out (int Mtu, long Expires) entry) ? entry.Mtu : null;
    }

    /// <summary>Forgets what is old. True when there was something.</summary>
    public bool Expire(long nowMilliseconds)
    {
        lock (_gate)
        {
            List<InetAddress> old = [.. _mtus.Where(pair => pair.Value.Expires <= nowMilliseconds).Select(pair => pair.Key)];
            old.ForEach(remote => _mtus.Remove(remote));
            return old.Count > 0;
        }
    }

    private bool WasSent(ReadOnlySpan<byte> quote, in InetAddress destination, long nowMilliseconds)
    {
        foreach (SentDatagrams sent in _sent)
        {
            if (sent.Contains(quote, destination, nowMilliseconds))
                return true;
        }

        return false;
    }

    private bool Lower(in InetAddress remote, int mtu, long nowMilliseconds)
    {
        lock (_gate)
        {
            bool isKnown = _mtus.TryGetValue(remote, out (int Mtu, long Expires) entry);
            if (isKnown && entry.Mtu < mtu)
                return false;
            if (!isKnown && _mtus.Count == MaxEntries)
                return false;
            _mtus[remote] = (mtu, nowMilliseconds + LifetimeMilliseconds);
            return entry.Mtu != mtu;
        }
    }
}
