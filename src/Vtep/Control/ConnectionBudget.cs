// How many connections there may be at once. A socket that everybody may connect to must not be used up by those who may not ask:
// strangers have a few places of their own, readers can't take the last ones, and nobody has all of them.
//
//   those who may change and those who may read   32 together, readers at most 24, one user at most 16
//   strangers                                      4 together, one user at most 2
//   connections over TCP                           8: another listener has metrics there, and nothing else
//
// Any thread.

namespace VtepDataPlane.Daemon.Control;

/// <summary>Counts connections.</summary>
internal sealed class ConnectionBudget
{
    /// <summary>Connections of all who may read or change.</summary>
    public const int Total = 32;

    /// <summary>Of these, connections of those who may only read.</summary>
    public const int MostReaders = 24;

    /// <summary>Of these, connections of one user.</summary>
    public const int PerUser = 16;

    /// <summary>Connections of all who may do nothing.</summary>
    public const int Strangers = 4;

    /// <summary>Of these, connections of one user.</summary>
    public const int PerStranger = 2;

    /// <summary>Connections whose other end is no user of this machine.</summary>
    public const int Remote = 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<(Permission? Kind, uint User), int> _taken = [];

    /// <summary>Takes a place, which is given back by disposing of it; null: there is none.</summary>
    /// <param name="uid">Whose connection; null: it came over TCP.</param>
    /// <param name="permission">What that user may do.</param>
    public IDisposable? TryTake(uint? uid, Permission permission)
    {
        (Permission? Kind, uint User) who = uid is null ? (null, 0) : (permission, uid.Value);
        lock (_lock)
        {
            if (!HasPlaceLocked(who))
                return null;
            _taken[who] = _taken.GetValueOrDefault(who) + 1;
        }

        return new Place(this, who);
    }

    private bool HasPlaceLocked((Permission? Kind, uint User) who)
    {
        int users = _taken.Where(taken => taken.Key.User == who.User && taken.Key.Kind == who.Kind).Sum(taken => taken.Value);
        return who.Kind switch
        {
            null => users < Remote,
            Permission.None => users < PerStranger && CountLocked(Permission.None) < Strangers,
            _ => users < PerUser && CountLocked(Permission.Read) + CountLocked(Permission.Change) < Total
                && (who.Kind == Permission.Change || CountLocked(Permission.Read) < MostReaders),
        };
    }

    private int CountLocked(Permission kind) => _taken.Where(taken => taken.Key.Kind == kind).Sum(taken => taken.Value);

    private void GiveBack((Permission? Kind, uint User) who)
    {
        lock (_lock)
        {
            if (--_taken[who] == 0)
                _taken.Remove(who);
        }
    }

    private sealed class Place(ConnectionBudget budget, (Permission? Kind, uint User) who) : IDisposable
    {
        public void Dispose() => budget.GiveBack(who);
    }
}
