// Everything the frame path looks up, in one immutable object. A worker reads the reference once a batch; the control loop
// publishes a new one and waits for a grace period before it frees what only the old one named.

using System.Collections.Frozen;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>The domains by VNI and by index, and our own address.</summary>
internal sealed class ForwardingState
{
    private readonly BridgeDomain?[] _byIndex;
    private readonly FrozenDictionary<int, BridgeDomain> _byVni;

    public ForwardingState(IEnumerable<BridgeDomain> domains, InetAddress local, ushort port, bool isLocalAddressPresent)
    {
        _byVni = domains.ToFrozenDictionary(domain => domain.Vni.Value);
        _byIndex = new BridgeDomain?[_byVni.Count == 0 ? 0 : _byVni.Values.Max(domain => domain.Index) + 1];
        foreach (BridgeDomain domain in _byVni.Values)
            _byIndex[domain.Index] = domain;
        Local = local;
        Port = port;
        IsLocalAddressPresent = isLocalAddressPresent;
    }

    /// <summary>Our VTEP address.</summary>
    public InetAddress Local { get; }

    /// <summary>The UDP port VTEPs listen on.</summary>
    public ushort Port { get; }

    /// <summary>False while <see cref="Local"/> is not on this host.</summary>
    public bool IsLocalAddressPresent { get; }

    public IEnumerable<BridgeDomain> Domains => _byVni.Values;

    public BridgeDomain? ByVni(Vni vni) => _byVni.GetValueOrDefault(vni.Value);

    public BridgeDomain? ByIndex(int index) => (uint)index < (uint)_byIndex.Length ? _byIndex[index] : null;
}
