// All workers of a VTEP, one a lane, and the grace period: a descriptor may be closed, and state a worker may hold be freed, when
// Quiesce has returned. Control loop only, but for Wake.

using VtepDataPlane.Forwarding;

namespace VtepDataPlane.Linux.Workers;

/// <summary>The workers, one a lane.</summary>
internal sealed class WorkerSet : IDisposable
{
    private readonly Worker[] _workers;
    private bool _isRunning;

    /// <summary>Makes workers that poll already but have no threads yet.</summary>
    public WorkerSet(int lanes) => _workers = [.. Enumerable.Range(0, lanes).Select(lane => new Worker(lane))];

    /// <summary>How many.</summary>
    public int Count => _workers.Length;

    /// <summary>The worker of a lane.</summary>
    public Worker this[int lane] => _workers[lane];

    /// <summary>Starts the threads.</summary>
    public void Start(IReadOnlyList<Lane> lanes, Action<Exception> fatal)
    {
        for (int lane = 0; lane < _workers.Length; lane++)
            _workers[lane].Start(lanes[lane], fatal);
        _isRunning = true;
    }

    /// <summary>Has a lane's worker look for answers. Any thread.</summary>
    public void Wake(int lane) => _workers[lane].Wake();

    /// <summary>Waits until every worker has left the batch it is in now.</summary>
    public void Quiesce()
    {
        if (!_isRunning)
            return;
        Span<long> tickets = stackalloc long[_workers.Length];
        for (int lane = 0; lane < _workers.Length; lane++)
            tickets[lane] = _workers[lane].RequestPass();
        for (int lane = 0; lane < _workers.Length; lane++)
            _workers[lane].AwaitPass(tickets[lane]);
    }

    /// <summary>Ends the threads and waits for them.</summary>
    public void Stop()
    {
        foreach (Worker worker in _workers)
            worker.Stop();
        _isRunning = false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Worker worker in _workers)
            worker.Dispose();
        _isRunning = false;
    }
}
