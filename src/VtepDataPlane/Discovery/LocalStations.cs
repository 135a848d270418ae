// The stations behind our own ports that we claim, and the addresses that were seen at stations here. An address is at one station at a time; it may be
// heard of before its station is claimed. Bounded, because whoever sits behind a port can invent addresses. Control loop only.

using System.Diagnostics.CodeAnalysis;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>A station of ours.</summary>
/// <param name="sequence">Its mobility sequence.</param>
/// <param name="isBlind">It was claimed without knowing what the store has.</param>
internal sealed class LocalStation(uint sequence, bool isBlind)
{
    /// <summary>Its mobility sequence.</summary>
    public uint Sequence { get; set; } = sequence;

    /// <summary>It was claimed without knowing what the store has.</summary>
    public bool IsBlind { get; set; } = isBlind;
}

/// <summary>An address at a station.</summary>
/// <param name="Mac">The station.</param>
/// <param name="IsRouter">It said that it is an IPv6 router.</param>
internal readonly record struct Binding(MacAddress Mac, bool IsRouter);

/// <summary>Our stations and their addresses.</summary>
internal sealed class LocalStations
{
    /// <summary>Addresses a station may have.</summary>
    public const int MaxAddressesPerStation = 32;

    /// <summary>Addresses there may be.</summary>
    public const int MaxAddresses = 65_536;

    private readonly Dictionary<LookupKey, LocalStation> _stations = [];
    private readonly Dictionary<LookupKey, Binding> _bindings = [];
    private readonly Dictionary<LookupKey, List<InetAddress>> _addresses = [];

    /// <summary>Stations claimed.</summary>
    public IReadOnlyDictionary<LookupKey, LocalStation> Stations => _stations;

    /// <summary>Addresses seen.</summary>
    public IReadOnlyDictionary<LookupKey, Binding> Bindings => _bindings;

    /// <summary>The station, if it is claimed.</summary>
    public bool TryFind(LookupKey key, [NotNullWhen(true)] out LocalStation? station) => _stations.TryGetValue(key, out station);

    /// <summary>Claims it.</summary>
    public LocalStation Add(LookupKey key, uint sequence, bool isBlind) => _stations[key] = new LocalStation(sequence, isBlind);

    /// <summary>Claims it no more; its addresses stay.</summary>
    public void Remove(LookupKey key) => _stations.Remove(key);

    /// <summary>Addresses seen at a station.</summary>
    public IReadOnlyList<InetAddress> AddressesOf(LookupKey station) => _addresses.TryGetValue(station, out List<InetAddress>? seen) ? seen : [];

    /// <summary>An address was seen at a station. False when that is known already, or when there is no room.</summary>
    public bool TryBind(LookupKey address, Binding binding)
    {
        var station = new LookupKey(address.Vni, binding.Mac);
        bool isKnown = _bindings.TryGetValue(address, out Binding before);
        bool isElsewhere = !isKnown || before.Mac != binding.Mac;
        if (before == binding || (!isKnown && _bindings.Count >= MaxAddresses) || (isElsewhere && AddressesOf(station).Count >= MaxAddressesPerStation))
            return false;
        Unbind(address);
        _bindings.Add(address, binding);
        if (!_addresses.TryGetValue(station, out List<InetAddress>? addresses))
            _addresses.Add(station, addresses = []);
        addresses.Add(address.Address);
        return true;
    }

    /// <summary>The address is at none of our stations any more.</summary>
    public void Unbind(LookupKey address)
    {
        if (!_bindings.Remove(address, out Binding binding))
            return;
        var station = new LookupKey(address.Vni, binding.Mac);
        List<InetAddress> addresses = _addresses[station];
        addresses.Remove(address.Address);
        if (addresses.Count == 0)
            _addresses.Remove(station);
    }
}
