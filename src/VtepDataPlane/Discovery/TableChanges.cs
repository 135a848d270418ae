// What a change of records touches: what has to be decided anew. Filled by the DirectoryTable and by what happens to local stations, emptied by
// the Reconciler. Control loop only.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Discovery;

/// <summary>Things to be decided anew.</summary>
internal sealed class TableChanges
{
    private HashSet<Vni> _domains = [];
    private HashSet<LookupKey> _stations = [];
    private HashSet<LookupKey> _addresses = [];
    private List<(LookupKey Key, uint Sequence)> _withdrawn = [];

    /// <summary>The VTEPs of a domain have changed.</summary>
    public void TouchDomain(Vni vni) => _domains.Add(vni);

    /// <summary>The claims for a station or an address have changed.</summary>
    public void Touch(LookupKey key) => (key.Address.IsNone ? _stations : _addresses).Add(key);

    /// <summary>A claim is no more.</summary>
    public void Withdraw(LookupKey key, uint sequence) => _withdrawn.Add((key, sequence));

    /// <summary>Domains touched since.</summary>
    public HashSet<Vni> TakeDomains() => Interlocked.Exchange(ref _domains, []);

    /// <summary>Stations touched since.</summary>
    public HashSet<LookupKey> TakeStations() => Interlocked.Exchange(ref _stations, []);

    /// <summary>Addresses touched since.</summary>
    public HashSet<LookupKey> TakeAddresses() => Interlocked.Exchange(ref _addresses, []);

    /// <summary>Claims withdrawn since, in order.</summary>
    public List<(LookupKey Key, uint Sequence)> TakeWithdrawn() => Interlocked.Exchange(ref _withdrawn, []);
}
