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
    private Task<ReloadResult>? _waiting;

    /// <summary>Reloads the file as it is now or later.</summary>
    public Task<ReloadResult> ReloadAsync()
    {
        lock (_gate)
            return _waiting ??= RunAfterAsync(_running);
    }

    private async Task<ReloadResult> RunAfterAsync(Task before)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.ForceYielding | ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            _running = _waiting!;
            _waiting = null; // who comes from now on asks for another one
        }

        life.Reloading();
        ReloadResult result = await reloader.ReloadAsync();
        Log(result);
        life.Reloaded(result.Errors);
        return result;
    }

    private void Log(ReloadResult result)
    {
        foreach (string error in result.Errors)
            log.NotReloaded(error);
        foreach (string warning in result.Warnings)
            log.ConfigWarning(warning);
        if (result.Plan is { } done)
            log.Reloaded(path, done.Summary, reloader.Config.Vtep.BridgeDomains.Sum(domain => domain.Ports.Count));
    }
}
