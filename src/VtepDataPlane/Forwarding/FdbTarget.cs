// What an FDB entry says: the kind of entry, and the port or VTEP a station is behind. One integer of 25 bits, laid out as
// the table keeps it, so that a lookup shifts it out and returns it in a register.

namespace VtepDataPlane.Forwarding;

/// <summary>Where an entry comes from and which way it points. At most seven kinds: the table has three bits for them.</summary>
internal enum FdbKind : byte
{
    /// <summary>No entry.</summary>
    None,

    /// <summary>Learned from a frame received from a local port. Ages.</summary>
    LearnedLocal,

    /// <summary>Learned from a datagram received from a remote VTEP. Ages.</summary>
    LearnedRemote,

    /// <summary>Fixed by the operator, behind a local port.</summary>
    StaticLocal,

    /// <summary>Fixed by the operator, behind a remote VTEP.</summary>
    StaticRemote,

    /// <summary>The MAC of one of our own ports.</summary>
    Own,

    /// <summary>Told by a directory, behind a remote VTEP. Gives way to a frame from a local port: the station came here.</summary>
    DirectoryRemote,

    /// <summary>Told by a directory, behind a remote VTEP, and not to be overridden by a frame: sticky, or frozen after too many moves.</summary>
    StickyRemote,
}

/// <summary>A set of <see cref="FdbKind"/>: bit n stands for kind n.</summary>
[Flags]
internal enum FdbKinds
{
    /// <summary>No kind.</summary>
    None = 0,

    /// <summary><see cref="FdbKind.LearnedLocal"/>.</summary>
    LearnedLocal = 1 << FdbKind.LearnedLocal,

    /// <summary><see cref="FdbKind.LearnedRemote"/>.</summary>
    LearnedRemote = 1 << FdbKind.LearnedRemote,

    /// <summary><see cref="FdbKind.StaticLocal"/>.</summary>
    StaticLocal = 1 << FdbKind.StaticLocal,

    /// <summary><see cref="FdbKind.StaticRemote"/>.</summary>
    StaticRemote = 1 << FdbKind.StaticRemote,

    /// <summary><see cref="FdbKind.Own"/>.</summary>
    Own = 1 << FdbKind.Own,

    /// <summary><see cref="FdbKind.DirectoryRemote"/>.</summary>
    DirectoryRemote = 1 << FdbKind.DirectoryRemote,

    /// <summary><see cref="FdbKind.StickyRemote"/>.</summary>
    StickyRemote = 1 << FdbKind.StickyRemote,

    /// <summary>Entries a directory told.</summary>
    Directory = DirectoryRemote | StickyRemote,

    /// <summary>Entries that age.</summary>
    Learned = LearnedLocal | LearnedRemote,

    /// <summary>Entries whose id is a port ordinal.</summary>
    Local = LearnedLocal | StaticLocal | Own,

    /// <summary>Entries whose id is a remote VTEP's.</summary>
    Remote = LearnedRemote | StaticRemote | Directory,

    /// <summary>Every kind.</summary>
    All = Local | Remote,
}

/// <summary>What an entry points to. The default value is a miss.</summary>
internal readonly struct FdbTarget : IEquatable<FdbTarget>
{
    /// <summary>The greatest id an entry can hold: 22 bits.</summary>
    public const int MaxId = (1 << IdBits) - 1;

    private const int IdBits = 22;

    private readonly uint _packed;

    /// <summary>Makes a target of a kind and an id of 0 to <see cref="MaxId"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id doesn't fit: whoever numbers ports or VTEPs let it grow too far.</exception>
    public FdbTarget(FdbKind kind, int id)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)id, (uint)MaxId, nameof(id));
        _packed = ((uint)kind << IdBits) | (uint)id;
    }

    private FdbTarget(uint packed) => _packed = packed;

    /// <summary>The kind of entry.</summary>
    public FdbKind Kind => (FdbKind)(_packed >> IdBits);

    /// <summary>A station heard on the local port of that ordinal.</summary>
    public static FdbTarget LearnedLocal(int ordinal) => new(FdbKind.LearnedLocal, ordinal);

    /// <summary>A station heard from the VTEP of that id.</summary>
    public static FdbTarget LearnedRemote(int vtep) => new(FdbKind.LearnedRemote, vtep);

    /// <summary>The port's ordinal within its domain (local kinds), or the remote VTEP's id (remote kinds).</summary>
    public int Id => (int)_packed & MaxId;

    /// <summary>There is no entry.</summary>
    public bool IsMiss => Kind == FdbKind.None;

    /// <summary>The target as an integer: kind (3 bits) and id (22 bits).</summary>
    public uint Packed => _packed;

    /// <summary>Behind one of our ports.</summary>
    public bool IsLocal => IsOneOf(FdbKinds.Local);

    /// <summary>Behind a remote VTEP.</summary>
    public bool IsRemote => IsOneOf(FdbKinds.Remote);

    /// <summary>Ages, and gives way to every other kind.</summary>
    public bool IsLearned => IsOneOf(FdbKinds.Learned);

    /// <summary>Told by a directory.</summary>
    public bool IsDirectory => IsOneOf(FdbKinds.Directory);

    /// <summary>Its kind is in the set.</summary>
    public bool IsOneOf(FdbKinds kinds) => (((int)kinds >> (int)Kind) & 1) != 0;

    /// <summary>Undoes <see cref="Packed"/>.</summary>
    public static FdbTarget FromPacked(uint packed) => new(packed);

    /// <summary>Both point to the same port or the same VTEP, whatever their kinds.</summary>
    public bool IsSamePlace(FdbTarget other) => Id == other.Id && IsLocal == other.IsLocal && IsRemote == other.IsRemote;

    /// <inheritdoc/>
    public bool Equals(FdbTarget other) => _packed == other._packed;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is FdbTarget other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)_packed;

    /// <summary><c>LearnedRemote 7</c>, or <c>miss</c>.</summary>
    public override string ToString() => IsMiss ? "miss" : $"{Kind} {Id}";

    /// <summary>Same kind and id.</summary>
    public static bool operator ==(FdbTarget left, FdbTarget right) => left.Equals(right);

    /// <summary>Another kind or id.</summary>
    public static bool operator !=(FdbTarget left, FdbTarget right) => !left.Equals(right);
}
