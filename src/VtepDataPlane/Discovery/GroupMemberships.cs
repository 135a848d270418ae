// Which multicast groups the underlay is a member of: counted over the domains that share one, so that the underlay joins on
// the first and leaves after the last. Control loop only.

using VtepDataPlane.Underlay;

namespace VtepDataPlane.Discovery;

/// <summary>Reference counts of group memberships.</summary>
internal sealed class GroupMemberships(IUnderlay underlay)
{
    private readonly Dictionary<MulticastGroup, int> _references = [];

    /// <summary>One more domain needs the group.</summary>
    public void Acquire(in MulticastGroup group)
    {
        int references = _references.GetValueOrDefault(group);
        if (references == 0)
            underlay.Join(group);
        _references[group] = references + 1;
    }

    /// <summary>One domain less needs the group.</summary>
    public void Release(in MulticastGroup group)
    {
        int references = _references[group] - 1;
        if (references > 0)
        {
            _references[group] = references;
            return;
        }

        _references.Remove(group);
        underlay.Leave(group);
    }
}
