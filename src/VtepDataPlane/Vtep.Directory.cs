// The facade, the part of controllers: sources come in, what they said goes out, and what an operator may do to a store.

using VtepDataPlane.Discovery;

namespace VtepDataPlane;

public sealed partial class Vtep
{
    private ControllerReport _report = new([], []);

    /// <summary>Gives a configured controller its source, and starts reading it. The source is disposed of with the VTEP.</summary>
    /// <param name="controller">The controller's name in the configuration.</param>
    /// <param name="directory">The source.</param>
    /// <param name="time">The clock that bounds questions to it.</param>
    /// <exception cref="ArgumentException">There is no such controller, or it has a source.</exception>
    public void Attach(string controller, IDirectory directory, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(time);
        lock (_gate)
        {
            if (_controllers.Find(controller) is not { Directory: null } session)
                throw new ArgumentException($"There is no controller {controller} without a source.", nameof(controller));
            session.Attach(directory, time);
        }
    }

    /// <summary>
    /// How the controllers are, and what the operator should know of them. Cheap, and waits for nothing: while a change is being made (a large
    /// snapshot, say) it is what was so before, at most a second earlier.
    /// </summary>
    public ControllerReport Controllers()
    {
        if (!_gate.TryEnter())
            return Volatile.Read(ref _report);
        try
        {
            return Report();
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <summary>What the controllers said. Waits for a change that is being made.</summary>
    /// <param name="nowMilliseconds">Monotonic time, as in all calls.</param>
    public DirectoryContentSnapshot Directory(long nowMilliseconds)
    {
        lock (_gate)
        {
            List<DirectoryContentSnapshot> all = [.. _controllers.Sessions.Select(session => session.Reconciler.Content(nowMilliseconds))];
            return new DirectoryContentSnapshot([.. all.SelectMany(content => content.Records)], [.. all.SelectMany(content => content.Rejected)]);
        }
    }

    /// <summary>Bindings that requests are answered from, by VNI and address.</summary>
    public IReadOnlyList<NeighborSnapshot> Neighbors() => _snapshots.Neighbors();

    /// <summary>Reads the stores anew, and says where they and the data plane differ.</summary>
    /// <param name="stop">Gives up.</param>
    /// <returns>One for each record that only one of the two has, or that they have differently; empty: they agree.</returns>
    /// <exception cref="VtepException">A store doesn't answer.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was cancelled.</exception>
    public async Task<IReadOnlyList<DirectoryDifference>> DiffAsync(CancellationToken stop)
    {
        var differences = new List<DirectoryDifference>();
        foreach (ControllerSession session in _controllers.Sessions)
        {
            DirectorySnapshot? store = session.Directory is { } directory ? await directory.ReadAsync(stop).ConfigureAwait(false) : null;
            if (store is null)
                throw new VtepException($"Controller {session.Config.Name} can't be read now; vtep show status says why.");
            lock (_gate)
                differences.AddRange(session.Compare(store));
        }

        return differences;
    }

    /// <summary>Takes all records of this node out of a controller's store, and publishes nothing any more until the next start.</summary>
    /// <param name="controller">The controller's name in the configuration.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Null, or a sentence why not.</returns>
    public async Task<string?> ReleaseAsync(string controller, CancellationToken stop) =>
        SourceOf(controller, out string? whyNot) is { } directory ? await directory.ReleaseAsync(stop).ConfigureAwait(false) : whyNot;

    /// <summary>Writes a record of any node into a controller's store, or takes one out: for nodes that can't publish.</summary>
    /// <param name="controller">The controller's name in the configuration.</param>
    /// <param name="change">The record, or the key of what is taken out.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Null, or a sentence why not.</returns>
    public async Task<string?> WriteAsync(string controller, DirectoryChange change, CancellationToken stop) =>
        SourceOf(controller, out string? whyNot) is { } directory ? await directory.WriteAsync(change, stop).ConfigureAwait(false) : whyNot;

    /// <summary>Believes a snapshot that lost many VTEPs at once, without waiting.</summary>
    /// <param name="controller">The controller's name in the configuration.</param>
    /// <returns>Null, or a sentence why not.</returns>
    public string? AcceptShrink(string controller)
    {
        lock (_gate)
        {
            if (_controllers.Find(controller) is not { } session)
                return NoController(controller);
            return session.Reconciler.AcceptShrink(_now) ? null : $"Controller {controller} holds back nothing.";
        }
    }

    // Under the lock.
    private ControllerReport Report()
    {
        var report = new ControllerReport(_controllers.Status(_now), [.. _controllers.Sessions.SelectMany(session => session.Reconciler.Troubles(_now))]);
        Volatile.Write(ref _report, report);
        return report;
    }

    private IDirectory? SourceOf(string controller, out string? whyNot)
    {
        ControllerSession? session = _controllers.Find(controller);
        whyNot = session is null ? NoController(controller) : $"Controller {controller} has no source.";
        return session?.Directory;
    }

    private static string NoController(string name) => $"There is no controller {VtepConfigRules.Quote(name)} in the configuration.";
}
