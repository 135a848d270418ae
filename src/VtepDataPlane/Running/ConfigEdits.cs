// Changes of the configuration on their way to the control loop. A change is a function of the configuration in force, and they are made one after the
// other: two that come at the same time don't lose each other. Any thread asks; the control loop makes them.

using System.Collections.Concurrent;

namespace VtepDataPlane.Running;

/// <summary>Requested changes of the configuration, in order.</summary>
/// <param name="owner">Whose configuration: for messages.</param>
/// <param name="wake">Wakes the control loop; any thread.</param>
internal sealed class ConfigEdits(string owner, Action wake)
{
    private readonly ConcurrentQueue<Request> _requests = new();
    private readonly Lock _gate = new();
    private bool _isClosed;

    /// <summary>Asks for a change.</summary>
    /// <param name="edit">Makes the next configuration of the one in force. Called once, on the control loop: short, and no waiting.</param>
    /// <returns>Ends when the change is in force, or with why it isn't.</returns>
    /// <exception cref="ObjectDisposedException">The VTEP is closed.</exception>
    public Task Request(Func<VtepConfig, VtepConfig> edit)
    {
        ArgumentNullException.ThrowIfNull(edit);
        var request = new Request(edit);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, owner);
            _requests.Enqueue(request);
            wake();
        }

        return request.Done.Task;
    }

    /// <summary>Control loop: makes the changes that were asked for.</summary>
    /// <param name="current">The configuration in force.</param>
    /// <param name="apply">Applies another.</param>
    public void Make(Func<VtepConfig> current, Action<VtepConfig> apply)
    {
        while (_requests.TryDequeue(out Request? request))
        {
            if (!TryEdit(request, current(), out VtepConfig? next))
                continue;
            try
            {
                apply(next!);
                request.Done.SetResult();
            }
            catch (VtepException e)
            {
                request.Done.SetException(e);
            }
        }
    }

    /// <summary>No change is made any more; those that wait are told.</summary>
    public void Close()
    {
        lock (_gate)
            _isClosed = true;
        while (_requests.TryDequeue(out Request? request))
            request.Done.SetException(new ObjectDisposedException(owner));
    }

    // What goes wrong in a program's own function, or with a configuration nobody checked yet, is told to that program.
    private static bool TryEdit(Request request, VtepConfig current, out VtepConfig? next)
    {
        next = null;
        try
        {
            next = request.Edit(current) ?? throw new VtepException("A change of the configuration gave none: return the configuration it is to become.");
            VtepConfigRules.ThrowIfInvalid(next);
            return true;
        }
#pragma warning disable CA1031 // whatever it is, it is handed to who asked
        catch (Exception e)
#pragma warning restore CA1031
        {
            request.Done.SetException(e);
            return false;
        }
    }
}

/// <summary>One requested change.</summary>
internal sealed class Request(Func<VtepConfig, VtepConfig> edit)
{
    public Func<VtepConfig, VtepConfig> Edit { get; } = edit;

    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
