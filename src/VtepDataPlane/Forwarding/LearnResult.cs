// What became of an attempt to write an entry. The caller counts and decides about the frame; the table doesn't.

namespace VtepDataPlane.Forwarding;

/// <summary>What learning a source MAC did.</summary>
internal enum LearnResult : byte
{
    /// <summary>Nothing to write: known since this second, fixed to this very place, told elsewhere by a directory (see <see cref="Contradicted"/>), or
    /// another thread is just writing it.</summary>
    Unchanged,

    /// <summary>Known, and its time is now this second.</summary>
    Refreshed,

    /// <summary>A new entry.</summary>
    Learned,

    /// <summary>A learned entry now points elsewhere; or a directory's one is a learned one now, for the station came here.</summary>
    Moved,

    /// <summary>A static or sticky entry says the station is elsewhere; it stays as it was.</summary>
    Conflict,

    /// <summary>From another VTEP than a directory's entry says. It stays as it was; who made it should know. Said for an entry at most once a second.</summary>
    Contradicted,

    /// <summary>The MAC is that of one of our own ports, and the frame didn't come from that port.</summary>
    OwnMac,

    /// <summary>Not learned: the domain has as many learned entries as it may have.</summary>
    LimitReached,

    /// <summary>Not learned: the table is at its capacity, or all sixteen slots the MAC could be in are taken.</summary>
    TableFull,
}

/// <summary>What adding a static, own or directory entry did.</summary>
internal enum FdbAddResult : byte
{
    /// <summary>The entry is there now; another one may have given way.</summary>
    Added,

    /// <summary>An entry stands that this one may not replace.</summary>
    Exists,

    /// <summary>The table is at its capacity, or all sixteen slots the MAC could be in are taken.</summary>
    Full,
}
