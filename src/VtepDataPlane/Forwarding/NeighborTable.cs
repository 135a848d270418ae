// Which MAC an address is at, in domains with a controller: what requests are answered from. The control loop writes it, lanes read it while
// deciding about an ARP request or a neighbour solicitation, which is rare; reading neither locks nor allocates.

using System.Collections.Concurrent;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>One binding.</summary>
/// <param name="Mac">The station.</param>
/// <param name="IsRouter">It is an IPv6 router (RFC 4861 section 4.4).</param>
/// <param name="IsLocal">It is behind one of our own ports.</param>
internal readonly record struct Neighbor(MacAddress Mac, bool IsRouter, bool IsLocal);

/// <summary>Bindings by domain and address. Reading: any thread. Writing: the control loop.</summary>
internal sealed class NeighborTable
{
    /// <summary>Bindings it holds, all domains together.</summary>
    public const int Capacity = 262_144;

    private readonly ConcurrentDictionary<(int Domain, InetAddress Address), Neighbor> _neighbors = new();
    private int _count;

    /// <summary>Bindings in it.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The binding of an address.</summary>
    public bool TryFind(int domain, in InetAddress address, out Neighbor neighbor) => _neighbors.TryGetValue((domain, address), out neighbor);

    /// <summary>Adds or replaces one; false when the table is full.</summary>
    public bool TrySet(int domain, in InetAddress address, in Neighbor neighbor)
    {
        bool isNew = !_neighbors.ContainsKey((domain, address));
        if (isNew && _count >= Capacity)
            return false;
        _neighbors[(domain, address)] = neighbor;
        if (isNew)
            Volatile.Write(ref _count, _count + 1);
        return true;
    }

    /// <summary>Removes one, if it is there.</summary>
    public void Remove(int domain, in InetAddress address)
    {
        if (_neighbors.TryRemove((domain, address), out _))
            Volatile.Write(ref _count, _count - 1);
    }

    /// <summary>Removes those of a domain.</summary>
    public void RemoveDomain(int domain)
    {
        foreach ((int Domain, InetAddress Address) key in _neighbors.Keys.Where(key => key.Domain == domain))
            Remove(domain, key.Address);
    }

    /// <summary>All bindings, for show. Any thread.</summary>
    public IEnumerable<(int Domain, InetAddress Address, Neighbor Neighbor)> All() =>
        _neighbors.Select(entry => (entry.Key.Domain, entry.Key.Address, entry.Value));
}
