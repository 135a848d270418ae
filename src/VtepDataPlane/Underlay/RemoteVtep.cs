// One remote VTEP as a value, for show, and what is known about the way to it.

using VtepDataPlane.Frames;

namespace VtepDataPlane.Underlay;

/// <summary>Whether frames can be sent to a VTEP.</summary>
internal enum PathState : byte
{
    /// <summary>Not asked yet.</summary>
    Unknown,

    /// <summary>There is a route.</summary>
    Ok,

    /// <summary>No route.</summary>
    NoRoute,

    /// <summary>The route leaves through one of our own ports.</summary>
    Loop,
}

/// <summary>The way to a VTEP, in the 64 bits in which the table keeps it.</summary>
internal readonly record struct RemotePath(long Packed)
{
    public RemotePath(int mtu, PathState state)
        : this(((long)state << 32) | (uint)mtu)
    {
    }

    /// <summary>Bytes of the largest outer packet; 0 while unknown or without a route.</summary>
    public int Mtu => (int)Packed;

    /// <summary>Whether there is a way.</summary>
    public PathState State => (PathState)(Packed >> 32);
}

/// <summary>A remote VTEP, as it was when it was read.</summary>
/// <param name="Id">What FDB entries name.</param>
/// <param name="Endpoint">Address and port we send to.</param>
/// <param name="IsStatic">Configured; otherwise learned.</param>
/// <param name="LastSeen">Second of the last datagram from it; null: never heard of.</param>
/// <param name="PathMtu">Bytes of the largest outer packet; 0 while unknown or without a route.</param>
/// <param name="State">The path's state.</param>
internal readonly record struct RemoteVtep(
    int Id, VtepEndpoint Endpoint, bool IsStatic, uint? LastSeen, int PathMtu, PathState State);
