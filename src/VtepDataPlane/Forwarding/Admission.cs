// Who may send to a domain. VXLAN has no authentication (RFC 7348 section 7): the outer source is all there is to go by, so
// nothing is learned, and nothing delivered, before it is found here. Where peers are listed, only they are admitted; in a
// multicast domain any unicast source is, up to the bound of RemoteVteps.

using System.Collections.Frozen;
using VtepDataPlane.Underlay;
using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>Outer source address to VTEP id. Immutable; shared by domains with the same peers.</summary>
internal sealed class Admission
{
    private readonly FrozenDictionary<InetAddress, int>? _listed;

    private Admission(FrozenDictionary<InetAddress, int>? listed) => _listed = listed;

    /// <summary>Any unicast source.</summary>
    public static Admission Open { get; } = new(null);

    /// <summary>Only these.</summary>
    public static Admission Listed(IEnumerable<KeyValuePair<InetAddress, int>> vteps) => new(vteps.ToFrozenDictionary());

    /// <summary>Any unicast source may become a VTEP of the domain.</summary>
    public bool IsOpen => _listed is null;

    /// <summary>Ids of the listed VTEPs.</summary>
    public IEnumerable<int> Vteps => _listed?.Values.AsEnumerable() ?? [];

    /// <summary>The id of the VTEP at <paramref name="source"/>; 0 when it is not admitted.</summary>
    public int Find(in InetAddress source, ushort port, RemoteVteps vteps, uint nowSeconds)
    {
        if (_listed is not null)
            return _listed.GetValueOrDefault(source);
        return source.IsUnicast && vteps.TryAdmit(source, port, nowSeconds, out int id) ? id : 0;
    }

    /// <summary>What Find would find. A VTEP that would be admitted as new has no id yet.</summary>
    public int Foresee(in InetAddress source, ushort port, RemoteVteps vteps, out bool wouldBeNew)
    {
        int id = _listed is not null ? _listed.GetValueOrDefault(source) : source.IsUnicast ? vteps.Find(source, port) : 0;
        wouldBeNew = id == 0 && _listed is null && source.IsUnicast && vteps.LearnedCount < vteps.LearnedLimit;
        return id;
    }
}
