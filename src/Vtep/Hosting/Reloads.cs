// Who wants a reload: SIGHUP, the control API, any number at once. One reload runs at a time, and at most one waits: it reads the file
// later than everybody who came in the meantime asked, so it is the answer to all of them. A storm of signals costs two reloads, not
// a hundred. Each one that is made is logged, and told to the service manager. Any thread.

using Microsoft.Extensions.Logging;

namespace VtepDataPlane.Daemon.Hosting;

/// <summary>Reloads the configuration file, for many callers.</summary>
internal sealed class Reloads(string path, Reloader reloader, ServiceLife life, ILogger log)
{
    private readonly Lock _gate = new();
    private Task _running = Task.CompletedTask;
    private Task<IReadOnlyList<string>>? _waiting;

    /// <summary>Reloads the file as it is now or later. Every error; none: it is in force.</summary>
    public Task<IReadOnlyList<string>> ReloadAsync()
    {
        lock (_gate)
            return _waiting ??= RunAfterAsync(_running);
    }

    private async Task<IReadOnlyList<string>> RunAfterAsync(Task before)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.ForceYielding | ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            _running = _waiting!;
            _waiting = null; // who comes from now on asks for another one
        }

        life.Reloading();
        IReadOnlyList<string> errors = await reloader.ReloadAsync();
        foreach (string error in errors)
            log.NotReloaded(error);
        VtepConfig now = reloader.Config.Vtep;
        if (errors.Count == 0)
            log.Reloaded(path, now.BridgeDomains.Count, now.BridgeDomains.Sum(domain => domain.Ports.Count));
        life.Reloaded(errors);
        return errors;
    }
}
