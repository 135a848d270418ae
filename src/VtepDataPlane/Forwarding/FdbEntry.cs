// One entry of the FDB as a value, for show, and the choice of entries a flush takes away.

using VtepDataPlane.Wire;

namespace VtepDataPlane.Forwarding;

/// <summary>An entry, as it was when it was read.</summary>
/// <param name="Domain">Index of its domain.</param>
/// <param name="Mac">The station.</param>
/// <param name="Target">What it points to.</param>
/// <param name="LastSeen">Second of the last frame from it, on the clock given to Learn; 0 for static and own entries, and for a directory's until the first frame.</param>
internal readonly record struct FdbEntry(int Domain, MacAddress Mac, FdbTarget Target, uint LastSeen);

/// <summary>Which entries to take: all conditions hold together.</summary>
internal readonly struct FdbFilter
{
    /// <summary>Any domain, or any id.</summary>
    public const int Any = -1;

    /// <summary>Chooses kinds, and optionally one domain and one id. Name the kinds with an id: ports and VTEPs are numbered apart.</summary>
    public FdbFilter(FdbKinds kinds, int domain = Any, int id = Any)
    {
        Kinds = kinds;
        Domain = domain;
        Id = id;
    }

    /// <summary>The kinds to take.</summary>
    public FdbKinds Kinds { get; }

    /// <summary>The domain, or <see cref="Any"/>.</summary>
    public int Domain { get; }

    /// <summary>The port's ordinal or the VTEP's id, or <see cref="Any"/>.</summary>
    public int Id { get; }

    /// <summary>The filter takes an entry of this domain with this target.</summary>
    public bool Takes(int domain, FdbTarget target) =>
        target.IsOneOf(Kinds) && (Domain == Any || Domain == domain) && (Id == Any || Id == target.Id);
}
