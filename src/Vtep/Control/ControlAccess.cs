// Who may do what. Root, the daemon's own user and members of group vtep-admin may change; members of group vtep may read;
// everybody else is a stranger. Groups go by their names here; one that doesn't exist has no members. An id that is nobody's
// (Caller.Nobody) proves nothing, whatever else is called by it: a daemon that runs as nobody doesn't obey nobody.
//
// Names are looked up again after a few seconds, so that a new group counts without a restart and a slow directory service is
// asked seldom. Whether somebody became a member shows at his next login, as everywhere. Any thread.

using System.Collections.Concurrent;
using VtepDataPlane.Linux.Interop;

namespace VtepDataPlane.Daemon.Control;

/// <summary>What a caller may do; each includes those before it.</summary>
internal enum Permission
{
    /// <summary>Nothing: a stranger.</summary>
    None,

    /// <summary>Ask.</summary>
    Read,

    /// <summary>Change, too.</summary>
    Change,
}

/// <summary>Decides what callers may do.</summary>
/// <param name="ownUser">The user the daemon acts as.</param>
/// <param name="findGroup">Gives the id of a group by its name, or null.</param>
/// <param name="time">The clock.</param>
internal sealed class ControlAccess(uint ownUser, Func<string, uint?> findGroup, TimeProvider time)
{
    /// <summary>Its members may read.</summary>
    public const string Readers = "vtep";

    /// <summary>Its members may change.</summary>
    public const string Admins = "vtep-admin";

    private const uint Root = 0;
    private static readonly TimeSpan s_remembered = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, (uint? Id, long At)> _groups = new();

    /// <summary>As this machine's accounts say.</summary>
    public static ControlAccess OfThisMachine() => new(UnixAccounts.OwnUser, UnixAccounts.FindGroup, TimeProvider.System);

    /// <summary>What a caller may do.</summary>
    public Permission Of(Caller caller) =>
        caller.Uid == Root || (caller.Uid == ownUser && caller.Uid != Caller.Nobody) || IsMember(caller, Admins) ? Permission.Change
        : IsMember(caller, Readers) ? Permission.Read
        : Permission.None;

    /// <summary>Why a caller may not, and what would help.</summary>
    public string Refusal(Caller caller, Permission needed)
    {
        string group = needed == Permission.Change ? Admins : Readers;
        string who = caller.Uid == Caller.Nobody ? $"uid {caller.Uid}, which is nobody in particular," : $"uid {caller.Uid}";
        string what = Of(caller) == Permission.Read ? "read, but not change, this vtep" : needed == Permission.Change ? "not change this vtep" : "not ask this vtep";
        string make = Find(group) is null ? $"make group {group}, which doesn't exist here: groupadd --system {group}; then join it" : $"join group {group}";
        return $"{who} may {what}. Use root, or {make}: usermod -aG {group} USER, and log in again.";
    }

    private bool IsMember(Caller caller, string group) => Find(group) is { } id && id != Caller.Nobody && caller.Groups.Contains(id);

    private uint? Find(string group)
    {
        if (_groups.TryGetValue(group, out (uint? Id, long At) known) && time.GetElapsedTime(known.At) < s_remembered)
            return known.Id;
        uint? id = findGroup(group);
        _groups[group] = (id, time.GetTimestamp());
        return id;
    }
}
